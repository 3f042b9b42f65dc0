"""All that the page of a store shows, from one snapshot: its time in pieces, what they add up to, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain.availability import Rules, Segments, segments
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.cost import Lost
from storewatch.domain.exceptions import Rulings
from storewatch.domain.hours import Schedule
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Caller
from storewatch.domain.totals import totals
from storewatch.domain.windows import local_days, midnights
from storewatch.errors import UsageError
from storewatch.services import kept, outage_cost, outages, periods, sources, stores
from storewatch.services.availability import Between, archived, as_of_asked
from storewatch.services.chosen import Chosen
from storewatch.services.exceptions import may as may_undo
from storewatch.services.outages import Which
from storewatch.services.pieces import Now, Picture, dots_of, downs_of, runs_of, state_of, window_of
from storewatch.services.reporting import Request
from storewatch.services.sources import Sources
from storewatch.services.weeks import Course
from storewatch.storage import exceptions as exception_rows
from storewatch.storage import exceptions_in_force, polls, retention, store_now, weekly, weeks
from storewatch.storage.db import Database
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
class Page:
    """A store, its picture, and what goes with it: outages of 30 days, 90 days one by one, its hours.

    `costs` are those of the outages, None if nobody knows what the store takes. `may_change`: whether the
    caller decides on it, and `undoable` which of its exceptions, by their numbers, they may take back.
    """

    store: Found
    picture: Picture
    now: Now
    month: outages.Found
    calendar: periods.ByPeriod
    course: Course
    exceptions: list[exception_rows.Found]
    costs: list[Lost] | None
    may_change: bool
    undoable: frozenset[int]

    @property
    def stands(self) -> Stands:
        """How it stands."""
        return Stands(self.store, self.now, self.picture.as_of, self.picture.zone)


@dataclass(frozen=True)
class Stands:
    """How a store stands at `as_of`, on the clock of its zone."""

    store: Found
    now: Now
    as_of: int
    zone: str


@dataclass(frozen=True)
class _View:
    """What was read of a store for [start, end), and what the engine made of it."""

    start: int
    end: int
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
        key = store.store.store_key
        shown = see(session, caller, Chosen(store_id, key=key), key, request, meant)
        as_of, today = shown.as_of, shown.today
        days = asked.range(today)
        calendar_days = periods.Asked(today - CALENDAR + 1, today)
        by_day = periods.within(session, caller, shown.chosen, "day", calendar_days, request)
        oldest = shown.oldest
        month_start = max(int(shown.midnights(today - MONTH + 1, today)[0]), min(oldest, as_of))
        month = shown.outages(month_start, as_of, Which(min_us=asked.shortest))
        begin = max(as_of - _BACK, min(oldest, as_of))
        first = int(shown.midnights(days[0], days[0])[0])
        view = shown.view(min(begin, first) if first >= oldest and days[1] == today else begin, as_of)
        picture = shown.picture(days, view, shown.lost(days, by_day))
        known = [*picture.outages, *(each.outage for each in month.items)]
        course = Course(weeks.course(session, key), date.fromordinal(_EPOCH + today))
        now, concerning = shown.now(view, known), shown.exceptions()
        costs = shown.costs(view, [each.outage for each in month.items])
        may = stores.may_change(session, caller, key)
        undoable = {each.row.exception_no for each in concerning if may_undo(session, caller, each.row)}
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
        return Page(store, picture, now, month, by_day, course, concerning, costs, may, frozenset(undoable))


def stamp(database: Database, caller: Caller, store_id: str) -> tuple[Any, ...]:
    """What is different once a store stands differently; it costs next to nothing. NotFoundError for one that
    the caller may not see.
    """
    with database.session() as session:
        store = stores.found(session, caller, store_id).store
        return store.name, polls.newest(session), store_now.stored(session, store.store_key)


def stands(
    database: Database,
    caller: Caller,
    store_id: str,
    request: Request,
    meant: frozenset[str],
    now_us: int,
) -> Stands:
    """How a store stands, and nothing else of its page. NotFoundError, NoPollsError as there."""
    with database.snapshot() as session:
        store = stores.found(session, caller, store_id)
        key = store.store.store_key
        shown = see(session, caller, Chosen(store_id, key=key), key, request.checked(now_us), meant)
        begin = max(shown.as_of - _BACK, min(shown.oldest, shown.as_of))
        view = shown.view(begin, shown.as_of)
        known = [item.outage for item in shown.outages(begin, shown.as_of).items]
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
        return Stands(store, shown.now(view, known), shown.as_of, shown.zone)


def see(
    session: Session,
    caller: Caller,
    chosen: Chosen,
    store_key: int,
    request: Request,
    meant: frozenset[str] = frozenset(),
) -> Shown:
    """A store that may be seen, at T. NoPollsError without any poll."""
    as_of, key = as_of_asked(session, request), np.array([store_key], np.int32)
    schedule = weekly.schedule(session, key, request.default_zone)
    today = int(local_days(np.array([as_of - 1]), schedule.zone, schedule.zone_names)[0])
    return Shown(session, caller, chosen, key, schedule, request, as_of, today, meant)


@dataclass(frozen=True)
class Shown:
    """One store at one moment."""

    session: Session
    caller: Caller
    chosen: Chosen
    key: NDArray[np.int32]
    schedule: Schedule
    request: Request
    as_of: int
    today: int
    meant: frozenset[str]

    @property
    def zone(self) -> str:
        """The name of its zone."""
        return str(self.schedule.zone_names[int(self.schedule.zone[0])])

    @property
    def oldest(self) -> int:
        """The first instant that is counted by polls that are there still."""
        return retention.polls_from(self.session) + self.request.max_gap

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

    def costs(self, view: _View, of: list[Outage]) -> list[Lost] | None:
        """What each of some outages costs, from what was read up to T; None if nobody knows what it takes."""
        runs = runs_of(view.found, view.given.polls, view.start, self.as_of)
        return outage_cost.lost(self.session, self.key, self.schedule, downs_of(runs), of)

    def view(self, start: int, end: int) -> _View:
        """The engine on [start, end), as `availability` has it."""
        until, reach = min(self.as_of, end + self.rules.max_gap), start - self.rules.max_gap
        rulings = self._rulings(reach, until)
        given = sources.read((self.session,), self.key, self.schedule, rulings, reach, until)
        found = segments(given.polls, given.opens, self.rules, start, until, given.cover.decided)
        return _View(start, end, given, found)

    def opens(self, start: int, end: int) -> list[tuple[int, int]]:
        """The opening hours of [start, end), after exceptions, past T as well."""
        found = exceptions.opens(self._rulings(start, end), self.schedule, start, end)
        pairs = zip(found.start.tolist(), found.end.tolist(), strict=True)
        return [(max(low, start), min(high, end)) for low, high in pairs if high > start and low < end]

    def outages(self, start: int, end: int, which: Which = _EVERY) -> outages.Found:
        """Those with a part in [start, end)."""
        return outages.within(
            self.session, self.caller, self.chosen, self.request, Between("", start, end), which,
            self.meant, count=_MOST_OUTAGES,
        )  # fmt: skip

    def picture(self, days: tuple[int, int], view: _View | None = None, lost: Lost | None = None) -> Picture:
        """The picture of local days; by `view`, if it reaches over them. `lost` is what they cost."""
        edges = self.midnights(*days)
        start, end = int(edges[0]), min(int(edges[-1]), self.as_of)
        kept.check_reach(self.session, start - self.rules.max_gap, "from")
        if view is None or not view.start <= start <= end <= view.end:
            view = self.view(start, end)
        archive = archived(self.session, self.key, self.schedule)
        spans = np.minimum(np.array([[[start, end]]]), archive[:, None, None])
        each = np.minimum(np.minimum(np.stack([edges[:-1], edges[1:]], axis=1), self.as_of)[None], archive)
        runs = runs_of(view.found, view.given.polls, start, end)
        told = {run.number for run in runs if run.number is not None}
        return Picture(
            self.zone,
            self.as_of,
            self.today,
            *days,
            edges.tolist(),
            self.opens(start, int(edges[-1])),
            runs,
            dots_of(view.given, start, end),
            window_of(view.found, spans, start, end),
            totals(view.found, each)[0].tolist(),
            [item.outage for item in self.outages(start, end).items][::-1],
            lost,
            exceptions_in_force.told(self.session, told, self.caller.seen_by),
        )

    def lost(self, days: tuple[int, int], by_day: periods.ByPeriod) -> Lost | None:
        """What the downtime of days costs; None if nobody knows what the store takes."""
        if by_day.unpriced or not by_day.stores:
            return None
        if days[0] < int(by_day.first[0]):
            asked = periods.Asked(*days)
            by_day = periods.within(self.session, self.caller, self.chosen, "day", asked, self.request)
        within = zip(by_day.first.tolist(), by_day.lost, strict=True)
        return sum((lost for day, lost in within if days[0] <= day <= days[1]), Lost())

    def now(self, view: _View, known: list[Outage]) -> Now:
        """The state at T."""
        last_poll = int(view.given.all_polls.at[-1]) if len(view.given.all_polls) else None
        ahead = self.opens(self.as_of, self.as_of + _AHEAD)
        if not ahead or ahead[0][0] > self.as_of:
            return Now("closed", None, None, ahead[0][0] if ahead else None, last_poll)
        runs = runs_of(view.found, view.given.polls, view.start, self.as_of)
        state, since = state_of(runs, self.as_of)
        running = next((each for each in known if each.ongoing), None)
        return Now(state, since, running if state == "down" else None, None, last_poll)

    def exceptions(self) -> list[exception_rows.Found]:
        """Those in force that concern it, the newest."""
        which = exception_rows.Filter(store_key=int(self.key[0]), in_force=True)
        rows = exception_rows.page(self.session, self.caller.seen_by, which, None, 20)
        return exception_rows.shown(self.session, rows, self.caller.seen_by)
