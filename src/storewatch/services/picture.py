"""All that the page of a store shows, from one snapshot: its time in pieces, what they add up to, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, hours
from storewatch.domain.availability import Kind, Polls, Rules, Segments, segments, totals
from storewatch.domain.axis import Int64
from storewatch.domain.bounds import bounds
from storewatch.domain.clock import DAY
from storewatch.domain.cost import Lost
from storewatch.domain.exceptions import Rulings
from storewatch.domain.hours import Schedule
from storewatch.domain.outage_words import Outage
from storewatch.domain.outages import outages as counted
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import local_days, midnights
from storewatch.errors import UsageError
from storewatch.services import kept, outages, periods, sources, stores
from storewatch.services.availability import Between, Window, archived, as_of_asked
from storewatch.services.chosen import Chosen
from storewatch.services.outages import Which
from storewatch.services.reporting import Request
from storewatch.services.sources import Sources
from storewatch.services.weeks import Course
from storewatch.storage import exceptions as exception_rows
from storewatch.storage import exceptions_in_force, retention, weekly, weeks
from storewatch.storage.db import Database
from storewatch.storage.exceptions_in_force import Told
from storewatch.storage.store_pages import Found

MOST_DAYS = 92
MONTH, CALENDAR = 30, 90
_AHEAD, _BACK = 8 * DAY, 31 * DAY
_EPOCH = date(1970, 1, 1).toordinal()
_MOST_OUTAGES = 2_000
_EVERY = Which()


@dataclass(frozen=True)
class Asked:
    """Local days, counted from 1970: from `first` to `last`, both included, or so many up to `last`; without
    a last one up to that of T. Outages that are shorter than `shortest` are left out of their table.
    """

    days: int = 7
    first: int | None = None
    last: int | None = None
    shortest: int = 0

    def range(self, today: int) -> tuple[int, int]:
        """(first, last), the last day not after today. UsageError if they make no sense."""
        last = today if self.last is None else min(self.last, today)
        first = last - self.days + 1 if self.first is None else self.first
        if first > last:
            raise UsageError("The first day lies after the last one, or after the newest poll", field="from")
        if last - first >= MOST_DAYS:
            raise UsageError(f"At most {MOST_DAYS} days can be shown at once", field="from")
        return first, last


@dataclass(frozen=True)
class Run:
    """A stretch of one kind, [start, end) without closed time in it, and between which polls' instants those
    lie that decided it; `number` is that of an exception which did.
    """

    start: int
    end: int
    kind: Kind
    first_poll: int | None = None
    last_poll: int | None = None
    number: int | None = None


@dataclass(frozen=True)
class Dot:
    """A poll. `counts`: it was made in opening hours, and no exception ignores it."""

    at: int
    active: bool
    counts: bool
    ignored: bool = False


@dataclass(frozen=True)
class Now:
    """The state at T: up, down, closed, unseen, or excluded; since when, None: longer than was looked.

    `outage` is the one that runs, `opens_at` when a closed store opens next, `last_poll` its newest.
    """

    state: str
    since: int | None
    outage: Outage | None
    opens_at: int | None
    last_poll: int | None


@dataclass(frozen=True)
class Picture:
    """Days of a store, `first` to `last`, and all that is drawn of them. `edges` are their midnights, one
    more than days; `opens` reach past T; `by_day` int64[days, 6] by `Kind`; `outages` those in the days.
    """

    zone: str
    as_of: int
    today: int
    first: int
    last: int
    edges: list[int]
    opens: list[tuple[int, int]]
    runs: list[Run]
    polls: list[Dot]
    whole: Window
    by_day: list[list[int]]
    outages: list[Outage]
    lost: Lost | None
    told: dict[int, Told]


@dataclass(frozen=True)
class Page:
    """A store, its picture, and what goes with it: outages of 30 days, 90 days one by one, its hours."""

    store: Found
    picture: Picture
    now: Now
    month: outages.Found
    calendar: periods.ByPeriod
    course: Course
    exceptions: list[exception_rows.Found]


@dataclass(frozen=True)
class _View:
    """What was read of a store for a stretch of time, and what the engine made of it."""

    given: Sources
    found: Segments


def page(
    database: Database,
    caller: Caller,
    store_id: str,
    request: Request,
    asked: Asked,
    meant: frozenset[str],
    now_us: int,
) -> Page:
    """NotFoundError for a store that the caller may not see, NoPollsError without any poll, UsageError for
    days that make no sense or whose polls are gone.
    """
    with database.snapshot() as session:
        store = stores.found(session, caller, store_id)
        request = request.checked(now_us)
        as_of = as_of_asked(session, request)
        key = np.array([store.store.store_key], np.int32)
        schedule = weekly.schedule(session, key, request.default_zone)
        today = int(local_days(np.array([as_of - 1]), schedule.zone, schedule.zone_names)[0])
        days = asked.range(today)
        calendar_days = periods.Asked(today - CALENDAR + 1, today)
        by_day = periods.within(session, caller, Chosen(store_id), "day", calendar_days, request)
        shown = _Shown(session, caller, store_id, key, schedule, request, as_of, today, meant)
        picture, view = shown.picture(days, by_day)
        oldest = retention.polls_from(session) + request.max_gap
        month_start = max(int(shown.midnights(today - MONTH + 1, today)[0]), min(oldest, as_of))
        month = shown.outages(month_start, as_of, Which(min_us=asked.shortest))
        begin = max(as_of - _BACK, min(oldest, as_of))
        if days[1] < today or picture.edges[0] > begin:
            view = shown.view(begin, as_of)
        known = [*picture.outages, *(each.outage for each in month.items)]
        course = Course(weeks.course(session, int(key[0])), date.fromordinal(_EPOCH + today))
        now, concerning = shown.now(view, known), shown.exceptions()
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
        return Page(store, picture, now, month, by_day, course, concerning)


@dataclass(frozen=True)
class _Shown:
    """One store at one moment."""

    session: Session
    caller: Caller
    store_id: str
    key: NDArray[np.int32]
    schedule: Schedule
    request: Request
    as_of: int
    today: int
    meant: frozenset[str]

    @property
    def rules(self) -> Rules:
        """How far polls speak."""
        return Rules(self.request.policy, self.request.max_gap, self.request.seen_within)

    def midnights(self, first: int, last: int) -> Int64:
        """int64[days + 1]: where days begin, and the last one ends."""
        days = np.arange(first, last + 2)[None]
        found: Int64 = midnights(days, self.schedule.zone, self.schedule.zone_names)[0]
        return found

    def _rulings(self, start: int, until: int) -> Rulings:
        if self.request.raw:
            return exceptions.NONE
        return exceptions_in_force.read(self.session, self.key, start, until)

    def view(self, start: int, end: int) -> _View:
        """The engine on [start, end), as `availability` has it."""
        until, reach = min(self.as_of, end + self.rules.max_gap), start - self.rules.max_gap
        rulings = self._rulings(reach, until)
        given = sources.read((self.session,), self.key, self.schedule, rulings, reach, until)
        found = segments(given.polls, given.opens, self.rules, start, until, given.cover.decided)
        return _View(given, found)

    def opens(self, start: int, end: int) -> list[tuple[int, int]]:
        """The opening hours of [start, end), after exceptions, past T as well."""
        cover = exceptions.cover(self._rulings(start, end), self.schedule, start, end)
        found = hours.open_intervals(self.schedule, start, end, cover.other, cover.closed)
        pairs = zip(found.start.tolist(), found.end.tolist(), strict=True)
        return [(max(low, start), min(high, end)) for low, high in pairs if high > start and low < end]

    def outages(self, start: int, end: int, which: Which = _EVERY) -> outages.Found:
        """Those with a part in [start, end)."""
        return outages.within(
            self.session, self.caller, Chosen(self.store_id), self.request, Between("", start, end), which,
            self.meant, count=_MOST_OUTAGES,
        )  # fmt: skip

    def picture(self, days: tuple[int, int], by_day: periods.ByPeriod) -> tuple[Picture, _View]:
        """The picture of local days."""
        edges = self.midnights(*days)
        start, end = int(edges[0]), min(int(edges[-1]), self.as_of)
        kept.check_reach(self.session, start - self.rules.max_gap, "from")
        view = self.view(start, end)
        archive = archived(self.session, self.key, self.schedule)
        spans = np.minimum(np.array([[[start, end]]]), archive[:, None, None])
        each = np.minimum(np.minimum(np.stack([edges[:-1], edges[1:]], axis=1), self.as_of)[None], archive)
        runs = runs_of(view.found, view.given.polls, start, end)
        told = {run.number for run in runs if run.number is not None}
        return Picture(
            self.schedule.zone_names[int(self.schedule.zone[0])],
            self.as_of,
            self.today,
            *days,
            edges.tolist(),
            self.opens(start, int(edges[-1])),
            runs,
            _dots(view, start, end),
            _window(view.found, spans, start, end),
            totals(view.found, each)[0].tolist(),
            [item.outage for item in self.outages(start, end).items][::-1],
            self._lost(days, by_day),
            exceptions_in_force.told(self.session, told, self.caller.seen_by),
        ), view

    def _lost(self, days: tuple[int, int], by_day: periods.ByPeriod) -> Lost | None:
        """What the downtime of days costs; None if nobody knows what the store takes."""
        if by_day.unpriced or not by_day.stores:
            return None
        if days[0] < int(by_day.first[0]):
            chosen, asked = Chosen(self.store_id), periods.Asked(*days)
            by_day = periods.within(self.session, self.caller, chosen, "day", asked, self.request)
        within = zip(by_day.first.tolist(), by_day.lost, strict=True)
        return sum((lost for day, lost in within if days[0] <= day <= days[1]), Lost())

    def now(self, view: _View, known: list[Outage]) -> Now:
        """The state at T."""
        last_poll = int(view.given.all_polls.at[-1]) if len(view.given.all_polls) else None
        ahead = self.opens(self.as_of, self.as_of + _AHEAD)
        if not ahead or ahead[0][0] > self.as_of:
            return Now("closed", None, None, ahead[0][0] if ahead else None, last_poll)
        runs = runs_of(view.found, view.given.polls, int(view.found.axis.start), self.as_of)
        state, since = state_of(runs, self.as_of)
        running = next((each for each in known if each.ongoing), None)
        return Now(state, since, running if state == "down" else None, None, last_poll)

    def exceptions(self) -> list[exception_rows.Found]:
        """Those in force that concern it, the newest."""
        which = exception_rows.Filter(store_key=int(self.key[0]), in_force=True)
        rows = exception_rows.page(self.session, self.caller.seen_by, which, None, 20)
        return exception_rows.shown(self.session, rows, self.caller.seen_by)


_STATES = {
    Kind.UP_SEEN: "up",
    Kind.UP_INFERRED: "up",
    Kind.DOWN_SEEN: "down",
    Kind.DOWN_INFERRED: "down",
    Kind.UNKNOWN: "unseen",
    Kind.EXCLUDED: "excluded",
}


def state_of(runs: list[Run], as_of: int) -> tuple[str, int | None]:
    """The state of a store that is open at T, and since when; None: since before its runs begin."""
    if not runs or runs[-1].end < as_of:
        return "unseen", None
    state, same = _STATES[runs[-1].kind], 0
    while same < len(runs) and _STATES[runs[-1 - same].kind] == state:
        same += 1
    return state, runs[-same].start if same < len(runs) else None


def runs_of(found: Segments, polls: Polls, start: int, end: int, store: int = 0) -> list[Run]:
    """The segments of a store in [start, end), those of one kind that touch made one."""
    low, high = np.maximum(found.start, start), np.minimum(found.end, end)
    some = np.flatnonzero((low < high) & (found.store == store))
    if not len(some):
        return []
    low, high, kind, number = low[some], high[some], found.kind[some], found.exception[some]
    apart = (low[1:] != high[:-1]) | (kind[1:] != kind[:-1]) | (number[1:] != number[:-1])
    first = np.flatnonzero(np.append(True, apart))
    last = np.append(first[1:], len(some)) - 1
    poll = found.poll[some]
    at = np.where(poll >= 0, np.append(polls.at, 0)[poll], -1)
    columns = (low[first], high[last], kind[first], at[first], at[last], number[first])
    return [
        Run(a, b, Kind(k), p if p >= 0 else None, q if q >= 0 else None, n if n >= 0 else None)
        for a, b, k, p, q, n in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _dots(view: _View, start: int, end: int) -> list[Dot]:
    """The polls of [start, end], the last instant included."""
    given = view.given
    every, counting = given.all_polls, given.polls
    low, high = np.searchsorted(every.at, (start, end + 1))
    at, active = every.at[low:high], every.active[low:high]
    kept_ones = np.isin(at, counting.at)
    place = np.searchsorted(given.opens.start, at, side="right") - 1
    within = (place >= 0) & (at < np.append(given.opens.end, 0)[place])
    columns = (at, active, kept_ones & within, ~kept_ones)
    return [Dot(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _window(found: Segments, spans: Int64, start: int, end: int) -> Window:
    """The figures of the whole, as `availability` has them."""
    number, longest = counted(found, spans)
    least, most = bounds(found, spans)
    added = totals(found, spans)[0, 0].tolist()
    figures = (int(each[0, 0]) for each in (number, longest, least, most))
    return Window("days", start, end, added, *figures)
