"""Hypothesis strategies that make whole small fleets, dense in the places where mistakes live.

`fleets()` draws a `Fleet`: a few stores with zones, weekly hours and polls, and one question (T, policy,
max_gap, seen_within). T is drawn around the clock changes of a zone of the fleet, the hours from times in
and around skipped and repeated hours, the polls around T, the edges of the windows and the opening and
closing instants. Everything shrinks to: one store, 24 x 7, one poll at T. No poll is later than
June 2026, so that none is in the future of a machine of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import strategies as st

from tests.oracle import (
    COUNTS_AS_MIDNIGHT,
    DAY,
    DEFAULT_SEEN_WITHIN,
    DEFAULT_ZONE,
    HOUR,
    MIDNIGHT_AT_THE_END,
    MINUTE,
    SECOND,
    HoursRow,
    Interval,
    Policy,
    Poll,
    load_zone,
    local_date,
    open_intervals,
    parse_time,
    utc,
)

ZONES: tuple[str | None, ...] = (
    None,  # the default zone
    "UTC",
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "Pacific/Honolulu",
    "Australia/Lord_Howe",  # shifts by half an hour
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",  # changes at midnight, so some days have no 00:00
    "America/Havana",
    "Africa/Cairo",
    "America/Asuncion",
    "America/Santiago",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Africa/Casablanca",  # goes back for Ramadan
    "Europe/Dublin",  # "winter" is the saving time
    "Pacific/Apia",  # had no 30 December 2011
)

STORE_IDS = (
    "8419537941919820732",
    "54515546588432327",
    "9",
    "10",
    "a",
    "B",
    "0a4f3c9e-5d2b-4e6f-9a1c-7b8d9e0f1a2b",
    "007",
    "two words",
    "z, with a comma",
    'z "quoted"',
    "\u00e9clair",
    "\uff21",  # sorts before the next by code point, after it by UTF-16
    "\U0001f355",
)

POLICIES: tuple[Policy, ...] = ("nearest", "previous")
MAX_GAPS = (24 * HOUR, MINUTE, 30 * MINUTE, 45 * MINUTE, HOUR, 3 * HOUR, 30 * DAY)
SEEN_WITHINS = (DEFAULT_SEEN_WITHIN, MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 24 * HOUR)

FIRST_T = utc("2011-01-15 00:00")
LAST_T = utc("2026-06-01 00:00")

# fmt: off
TIMES = (
    "00:00", "0:00", "00:00:01", "00:15", "0:30", "00:45", "00:59:59", "01:00", "1:15", "01:30", "01:45",
    "01:59:59", "02:00", "2:00", "02:00:01", "02:15", "02:29:59", "02:30", "02:45", "02:59:59", "03:00",
    "03:30", "9:00", "09:00:00", "12:00", "17:30", "22:00", "23:00", "23:30", "23:58:59",
)
# fmt: on
ENDS = (*TIMES, "23:59:00", "23:59", "23:59:59", "23:59:30", "24:00", "24:00:00")
ENDS_OF_DAY = ("24:00", "23:59:59", "23:59:00", "24:00:00", "23:59", "00:00")


@dataclass(frozen=True)
class Fleet:
    """What is in the database, in the order of import, and what is asked of it.

    A store is 24 x 7 if it has no row in `hours`, unless it is in `closed` (a week given as empty); it is in
    the default zone unless it is in `zones`. There is at least one poll, but maybe none at or before T.
    """

    polls: tuple[Poll, ...]
    hours: tuple[HoursRow, ...]
    zones: dict[str, str]
    as_of_us: int
    policy: Policy
    max_gap_us: int
    seen_within_us: int
    closed: frozenset[str] = frozenset()

    @property
    def store_ids(self) -> list[str]:
        """Every store of which anything is known, by code point."""
        of_polls = {poll.store_id for poll in self.polls}
        return sorted(of_polls | {row.store_id for row in self.hours} | set(self.zones) | self.closed)

    def polls_of(self, store_id: str) -> list[Poll]:
        """The polls of one store, in the order of import."""
        return [poll for poll in self.polls if poll.store_id == store_id]

    def rows_of(self, store_id: str) -> list[HoursRow] | None:
        """The week of one store: None is 24 x 7, an empty list closed throughout."""
        rows = [row for row in self.hours if row.store_id == store_id]
        return rows if rows or store_id in self.closed else None

    def zone_of(self, store_id: str) -> str:
        """The zone of one store."""
        return self.zones.get(store_id, DEFAULT_ZONE)


# --- Instants -------------------------------------------------------------------------------------


@cache
def clock_changes(zone: str) -> tuple[int, ...]:
    """Every instant from 2011 to 2026 at which the zone's offset changes, found by looking at each day."""
    info = load_zone(zone)

    def offset(second: int) -> timedelta | None:
        return datetime.fromtimestamp(second, UTC).astimezone(info).utcoffset()

    changes = []
    for day in range(FIRST_T // SECOND, LAST_T // SECOND, 86_400):
        before, after = day, day + 86_400
        if offset(before) == offset(after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        changes.append(after * SECOND)
    return tuple(changes)


@cache
def microseconds() -> st.SearchStrategy[int]:
    """A part of a second, most often none."""
    return st.sampled_from((0, 0, 1, 999_999, 388_884))


def sums(*terms: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """The sum of what each strategy draws."""
    return st.tuples(*terms).map(sum)


@cache
def distances(back_us: int, ahead_us: int) -> st.SearchStrategy[int]:
    """How far from some instant: whole minutes and seconds most often, and their neighbours."""
    return st.one_of(
        [
            sums(st.integers(-(back_us // unit), ahead_us // unit).map(unit.__mul__), microseconds())
            for unit in (MINUTE, SECOND)
        ]
    )


@cache
def as_ofs(zones: frozenset[str]) -> st.SearchStrategy[int]:
    """A T: within the days around a clock change of one of the zones, most often, or anywhere."""
    changes = [change for zone in sorted(zones) for change in clock_changes(zone)]
    anywhere = sums(st.just(FIRST_T), distances(0, LAST_T - FIRST_T))
    if not changes:
        return anywhere
    around = sums(st.sampled_from(changes), distances(2 * DAY, 8 * DAY))
    return st.one_of(around, around, around, anywhere)


# --- Opening hours --------------------------------------------------------------------------------

Span = tuple[str, str]


def as_time(second_of_day: int) -> str:
    """A second of the day as HH:MM:SS."""
    minutes, second = divmod(second_of_day, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def readable(start: str, end: str) -> Span:
    """The span, or the rest of the day from its start if it would be rejected as ambiguous."""
    ambiguous = parse_time(start) == parse_time(end) < COUNTS_AS_MIDNIGHT
    return (start, "24:00") if ambiguous else (start, end)


@cache
def starts() -> st.SearchStrategy[str]:
    """A start: a time worth trying, or any."""
    return st.one_of(
        st.sampled_from(TIMES),
        st.integers(0, MIDNIGHT_AT_THE_END - 1).map(as_time),
        st.just("23:59:30"),
    )


@cache
def ends() -> st.SearchStrategy[str]:
    """An end: a time worth trying, or any."""
    return st.one_of(st.sampled_from(ENDS), st.integers(0, MIDNIGHT_AT_THE_END).map(as_time))


def tiny_span(start_second: int, length: int) -> list[Span]:
    """An interval of seconds, over midnight if it must."""
    return [readable(as_time(start_second), as_time((start_second + length) % MIDNIGHT_AT_THE_END))]


def neighbours(start: str, middle: str, end: str, apart: int) -> list[Span]:
    """Two intervals that overlap, touch, or are a second or a minute apart."""
    second = (parse_time(middle) + apart) % MIDNIGHT_AT_THE_END
    return [readable(start, middle), readable(as_time(second), end)]


@cache
def days() -> st.SearchStrategy[list[Span]]:
    """The intervals of one weekday."""
    whole = st.sampled_from(ENDS_OF_DAY[:-1]).map(lambda end: [("00:00:00", end)])
    span = st.builds(readable, starts(), ends())
    overnight = st.tuples(
        st.sampled_from(("22:00", "18:30", "23:58:59", "12:00")),
        st.sampled_from(("02:00", "00:00", "00:30", "02:15", "02:30", "03:00", "06:00", "11:59:59")),
    )
    return st.one_of(
        whole,
        st.lists(span, min_size=1, max_size=3),
        overnight.map(lambda pair: [pair]),
        st.builds(lambda end, late: [("00:00", end), (late, "23:59:59")], st.just("02:00"), starts()),
        st.builds(
            tiny_span,
            st.one_of(st.sampled_from((0, 7200, 9000, 84_600)), st.integers(0, MIDNIGHT_AT_THE_END - 1)),
            st.sampled_from((59, 1, 60, 600)),
        ),
        st.builds(neighbours, starts(), starts(), ends(), st.sampled_from((0, 1, 60, -1, -3600))),
    )


@st.composite
def weeks(draw: st.DrawFn, store_id: str) -> tuple[HoursRow, ...]:
    """The rows of a store that has some: one or a few kinds of day, on all or some weekdays."""
    kinds = draw(st.lists(days(), min_size=1, max_size=3))
    shut = draw(st.sets(st.integers(0, 6), max_size=6))
    rows = []
    for day in range(7):
        spans = draw(st.sampled_from(kinds)) if len(kinds) > 1 else kinds[0]
        if day not in shut:
            rows += [HoursRow(store_id, day, start, end) for start, end in spans]
    return tuple(rows)


@st.composite
def courses(draw: st.DrawFn, store_id: str, around: date) -> tuple[HoursRow, ...]:
    """The rows of a store that had other hours before: two or three weeks that begin around a date."""
    rows = draw(weeks(store_id))
    starts = draw(st.sets(st.integers(-8, 2), min_size=1, max_size=2))
    for start in sorted(starts):
        since = around + timedelta(days=start)
        rows += tuple(replace(row, valid_from=since) for row in draw(weeks(store_id)))
    return rows


# --- Polls ----------------------------------------------------------------------------------------

NUDGES = (0, -1, 1, SECOND, -SECOND, 10 * MINUTE, -10 * MINUTE)


def edges(as_of_us: int, opening: Sequence[Interval]) -> list[int]:
    """The instants around which a poll is most likely to be miscounted, and the middles of opening hours."""
    found = [as_of_us, as_of_us - HOUR, as_of_us - DAY, as_of_us - 7 * DAY]
    for opens, closes in opening:
        found += [opens, closes, (opens + closes) // 2]
    return found


@cache
def strides(max_gap_us: int, seen_within_us: int) -> st.SearchStrategy[int]:
    """How far the next poll is from the last: the distances that decide something, and 0 for a duplicate."""
    decisive = [base + nudge for base in (max_gap_us, 2 * max_gap_us) for nudge in (0, -1, 1)]
    ordinary = [0, HOUR, 1, 2, 3, SECOND, MINUTE, 20 * MINUTE, 40 * HOUR]
    return st.sampled_from((*ordinary, *decisive, seen_within_us, 2 * seen_within_us + 1))


@st.composite
def poll_instants(
    draw: st.DrawFn, as_of_us: int, around: Sequence[int], stride: st.SearchStrategy[int]
) -> list[int]:
    """One instant or a burst of a few, each a stride after the one before."""
    edge = sums(st.sampled_from(around), st.sampled_from(NUDGES))
    first = draw(
        st.one_of(
            edge,
            edge,
            sums(st.just(as_of_us), distances(8 * DAY, DAY)),
            sums(st.just(as_of_us), distances(40 * DAY, DAY)),
        )
    )
    found = [first]
    for step in draw(st.lists(stride, max_size=6)):
        found.append(found[-1] + step)
    return found


@st.composite
def hourly_instants(draw: st.DrawFn, as_of_us: int) -> list[int]:
    """What the field looks like: about one poll an hour for a day or two, with some lost."""
    first = as_of_us + draw(distances(8 * DAY, 0))
    minutes = draw(st.lists(st.sampled_from((60, 55, 65, 120, 550)), min_size=4, max_size=24))
    found = [first]
    for step in minutes:
        found.append(found[-1] + step * MINUTE)
    return found


@st.composite
def store_polls(
    draw: st.DrawFn,
    store_id: str,
    as_of_us: int,
    opening: Sequence[Interval],
    stride: st.SearchStrategy[int],
) -> list[Poll]:
    """The polls of one store, in an order of their own: a later burst may lie before or on an earlier one."""
    few = poll_instants(as_of_us, edges(as_of_us, opening), stride)
    mixed = st.one_of(few, few, few, hourly_instants(as_of_us))
    bursts = draw(st.lists(mixed, min_size=1, max_size=6))
    instants = [instant for burst in bursts for instant in burst if instant <= as_of_us + 2 * DAY]
    return [Poll(store_id, instant, draw(st.booleans())) for instant in instants]


# --- Fleets ---------------------------------------------------------------------------------------


@st.composite
def fleets(
    draw: st.DrawFn, *, max_stores: int = 5, closed_weeks: bool = True, changing: bool = False
) -> Fleet:
    """A whole small fleet and one question. `changing`: some stores have had other hours before.

    `closed_weeks=False` leaves out stores whose week was given as empty, which no file can say.
    """
    store_ids = draw(st.lists(st.sampled_from(STORE_IDS), min_size=1, max_size=max_stores, unique=True))
    home = draw(st.sampled_from(ZONES))
    drawn = {store_id: draw(st.one_of(st.just(home), st.sampled_from(ZONES))) for store_id in store_ids}
    zones = {store_id: zone for store_id, zone in drawn.items() if zone is not None}
    as_of_us = draw(as_ofs(frozenset(zones.get(store_id, DEFAULT_ZONE) for store_id in store_ids)))
    max_gap_us = draw(st.sampled_from(MAX_GAPS))
    seen_within_us = draw(st.sampled_from(SEEN_WITHINS))
    stride = strides(max_gap_us, seen_within_us)

    hours: list[HoursRow] = []
    polls: list[Poll] = []
    closed: set[str] = set()
    kinds = ("always", *["weekly"] * 7, "always", "never" if closed_weeks else "weekly")
    for store_id in store_ids:
        kind = draw(st.sampled_from(kinds))
        zone = zones.get(store_id, DEFAULT_ZONE)
        rows: tuple[HoursRow, ...] = ()
        if kind == "weekly":
            today = local_date(as_of_us, load_zone(zone))
            several = changing and draw(st.booleans())
            rows = draw(courses(store_id, today) if several else weeks(store_id))
        if kind == "never":
            closed.add(store_id)
        hours += rows
        opening = open_intervals(rows, zone, as_of_us - 8 * DAY, as_of_us + DAY)
        if not polls or draw(st.sampled_from((True, True, True, True, False))):
            polls += draw(store_polls(store_id, as_of_us, opening, stride))
    return Fleet(
        polls=tuple(polls),
        hours=tuple(hours),
        zones=zones,
        as_of_us=as_of_us,
        policy=draw(st.sampled_from(POLICIES)),
        max_gap_us=max_gap_us,
        seen_within_us=seen_within_us,
        closed=frozenset(closed),
    )
