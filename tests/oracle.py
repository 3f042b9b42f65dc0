"""The reference oracle: every figure of the contract, computed slowly and obviously.

Written straight from the contract ("What the numbers mean") and from nothing else: it shares no code with
the package. The quotations in the docstrings are the contract's own words. All instants are whole
microseconds since the Unix epoch, all intervals half-open `[start, end)`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

State = Literal["up", "down", "unknown", "excluded"]
Policy = Literal["nearest", "previous"]
Effect = Literal["other_hours", "closed", "ignore_polls", "up", "down", "excluded"]
Breadth = Literal["all", "group", "store"]
Interval = tuple[int, int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DEFAULT_ZONE = "America/Chicago"
DEFAULT_MAX_GAP = 24 * HOUR
DEFAULT_SEEN_WITHIN = 45 * MINUTE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIDNIGHT_AT_THE_END = 24 * 3600
COUNTS_AS_MIDNIGHT = 23 * 3600 + 59 * 60


class NoPollsError(ValueError):
    """A database without polls gives no report, but a plain answer why."""


@dataclass(frozen=True)
class Poll:
    """One poll: a store was active or inactive at an instant."""

    store_id: str
    at_us: int
    active: bool


@dataclass(frozen=True)
class HoursRow:
    """One row of opening hours, its times as they are written in the file; 0 = Monday.

    It holds from the local day `valid_from` on (None: ever since), until the store's next such day.
    """

    store_id: str
    day: int
    start: str
    end: str
    valid_from: date | None = None


@dataclass(frozen=True)
class Ruling:
    """An exception that concerns a store, as one of all stores, of a group of it, or of itself.

    `start` and `end` are instants if they are aware, else times on the store's clock, which may come again by
    `rule`. What was made later has a higher `number`. `openings` are those of other hours, as in a file.
    """

    number: int
    effect: Effect
    start: datetime
    end: datetime
    breadth: Breadth = "store"
    rule: str | None = None
    openings: tuple[tuple[str, str], ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Who wins where two overlap: "narrower scope first, then the later made"."""
        return ("all", "group", "store").index(self.breadth), self.number


@dataclass(frozen=True)
class Segment:
    """A piece of open time with one state, all seen or all not, decided by one poll (None if unknown) or by
    one exception, its number.
    """

    start_us: int
    end_us: int
    state: State
    seen: bool
    poll: Poll | None
    ruling: int | None = None

    @property
    def length_us(self) -> int:
        """How much open time the piece is."""
        return self.end_us - self.start_us


@dataclass(frozen=True)
class Totals:
    """The open time of one store in one window, by what is known of it."""

    up_seen: int
    up_inferred: int
    down_seen: int
    down_inferred: int
    unknown: int
    excluded: int = 0

    @property
    def up(self) -> int:
        """Seen and inferred together."""
        return self.up_seen + self.up_inferred

    @property
    def down(self) -> int:
        """Seen and inferred together."""
        return self.down_seen + self.down_inferred

    @property
    def open(self) -> int:
        """`up_seen + up_inferred + down_seen + down_inferred + unknown + excluded = open`."""
        return self.up + self.down + self.unknown + self.excluded


@dataclass(frozen=True)
class Outage:
    """A maximal run of down; `parts` are its united stretches of open time, in order, never empty."""

    parts: tuple[Interval, ...]

    @property
    def start_us(self) -> int:
        """Its first instant down."""
        return self.parts[0][0]

    @property
    def end_us(self) -> int:
        """The end of its last stretch of open time."""
        return self.parts[-1][1]

    @property
    def length_us(self) -> int:
        """How long it is: "Its length is its open time"."""
        return length(self.parts)


# --- Instants, zones, wall-clock times ------------------------------------------------------------


def to_us(instant: datetime) -> int:
    """The microsecond of an aware datetime."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def utc(text: str) -> int:
    """The microsecond of an ISO time in UTC: `utc("2023-01-23 16:14")`."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@cache
def load_zone(name: str) -> ZoneInfo:
    """A zone from the `tzdata` package, whatever the machine has in /usr/share/zoneinfo."""
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def local_date(instant_us: int, zone: ZoneInfo) -> date:
    """The calendar date in the zone at an instant."""
    return (EPOCH + timedelta(microseconds=instant_us)).astimezone(zone).date()


@lru_cache(maxsize=100_000)
def wall_to_us(day: date, second_of_day: int, zone: ZoneInfo) -> int:
    """The instant at which a wall clock shows a time.

    "A time that the clocks skip is read with the offset before the gap, a time that occurs twice is its first
    occurrence": exactly what Python means by `fold=0`. 24:00 is 00:00 of the next day.
    """
    naive = datetime(day.year, day.month, day.day) + timedelta(seconds=second_of_day)  # noqa: DTZ001
    return to_us(naive.replace(tzinfo=zone, fold=0))


# --- Opening hours --------------------------------------------------------------------------------


def parse_time(text: str) -> int:
    """`H:MM`, `HH:MM` or `HH:MM:SS` as a second of the day, up to 24:00:00."""
    match = re.fullmatch(r"(?:(\d{1,2}):(\d\d)|(\d\d):(\d\d):(\d\d))", text, re.ASCII)
    if match is None:
        raise ValueError(f"not a time: {text!r}")
    hour, minute, second = (int(part) for part in (*(g for g in match.groups() if g is not None), "0")[:3])
    total = hour * 3600 + minute * 60 + second
    if minute > 59 or second > 59 or total > MIDNIGHT_AT_THE_END:
        raise ValueError(f"not a time: {text!r}")
    return total


@lru_cache(maxsize=10_000)
def wall_interval(row: HoursRow) -> tuple[int, int]:
    """Start and end of a row in seconds after the midnight that begins its day, by rules 1 to 3 in order.

    1. "An end from 23:59:00 on means midnight at the end of that day (24:00)"; 24:00 is no start.
    2. "A start equal to the end is rejected as ambiguous."
    3. "An end before the start closes on the next day."
    """
    start, end = parse_time(row.start), parse_time(row.end)
    if start == MIDNIGHT_AT_THE_END:
        raise ValueError("24:00 is no start")
    if end >= COUNTS_AS_MIDNIGHT:
        end = MIDNIGHT_AT_THE_END
    if start == end:
        raise ValueError("the start equals the end; write 00:00-24:00 for a whole day")
    if end < start:
        end += MIDNIGHT_AT_THE_END
    return start, end


def unite(intervals: Collection[Interval]) -> list[Interval]:
    """The same time as disjoint intervals: "overlaps and touching intervals never count twice"."""
    united: list[Interval] = []
    for start, end in sorted(intervals):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united


def clip(intervals: Collection[Interval], from_us: int, until_us: int) -> list[Interval]:
    """The parts of the intervals that lie in `[from_us, until_us)`."""
    clipped = [(max(start, from_us), min(end, until_us)) for start, end in intervals]
    return [(start, end) for start, end in clipped if start < end]


def length(intervals: Collection[Interval]) -> int:
    """The time in disjoint intervals."""
    return sum(end - start for start, end in intervals)


def open_intervals(
    rows: Sequence[HoursRow] | None,
    zone: str,
    from_us: int,
    until_us: int,
    rulings: Sequence[Ruling] = (),
) -> list[Interval]:
    """The open time of one store within `[from_us, until_us)`, exceptions and all.

    Other hours stand in place of the week's; then "closed: that time is not open. Wins over other_hours".
    """
    found = usual_intervals(rows, zone, from_us, until_us, other_days(rulings))
    return minus(found, times(rulings, ("closed",), zone, until_us))


def usual_intervals(
    rows: Sequence[HoursRow] | None,
    zone: str,
    from_us: int,
    until_us: int,
    other: Mapping[date, tuple[tuple[str, str], ...]],
) -> list[Interval]:
    """The united open time of one store within `[from_us, until_us)`.

    None: "no hours were ever given": 24 x 7. An empty sequence: a week given as empty: closed throughout.
    "An interval that a change empties or turns round does not occur that day." An interval ends at most one
    wall day after its own, and a skipped time moves by a day at most (Apia), so three days before suffice.
    An opening belongs to the day it begins on: that day's week has it, or the `other` openings of the day.
    Of a store that is always open, a day with other openings is as long as the calendar's.
    """
    info = load_zone(zone)
    day = local_date(from_us, info) - timedelta(days=3)
    last_day = local_date(until_us, info) + timedelta(days=1)
    walls = [(row.day, wall_interval(row), row.valid_from or date.min) for row in rows or ()]
    starts = {since for _, _, since in walls}
    intervals: list[Interval] = []
    if rows is None:
        days = [(wall_to_us(each, 0, info), wall_to_us(each, MIDNIGHT_AT_THE_END, info)) for each in other]
        intervals += minus([(from_us, until_us)], days)
    while day <= last_day:
        if day in other:
            spans = [wall_interval(HoursRow("", day.weekday(), *each)) for each in other[day]]
            intervals += [(wall_to_us(day, start, info), wall_to_us(day, end, info)) for start, end in spans]
            day += timedelta(days=1)
            continue
        in_force = max((since for since in starts if since <= day), default=date.min)
        for weekday, (start, end), since in walls:
            if weekday == day.weekday() and since == in_force:
                intervals.append((wall_to_us(day, start, info), wall_to_us(day, end, info)))
        day += timedelta(days=1)
    return clip(unite([(start, end) for start, end in intervals if start < end]), from_us, until_us)


def is_open(
    rows: Sequence[HoursRow] | None, zone: str, instant_us: int, rulings: Sequence[Ruling] = ()
) -> bool:
    """Whether the store is open at an instant (at its opening: yes; at its closing: no)."""
    return open_intervals(rows, zone, instant_us, instant_us + 1, rulings) != []


# --- Exceptions -----------------------------------------------------------------------------------


def begins(ruling: Ruling, last: datetime) -> list[datetime]:
    """When an exception begins, each time, up to a time of its clock: "DTSTART = start_local"."""
    if ruling.rule is None:
        return [ruling.start]
    found = []
    for time in rrulestr(ruling.rule, dtstart=ruling.start):
        if time > last:
            break
        found.append(time)
    return found


def naive(instant_us: int) -> datetime:
    """What a clock in UTC shows at an instant."""
    return (EPOCH + timedelta(microseconds=instant_us)).replace(tzinfo=None)


@lru_cache(maxsize=1_000)
def times_of(ruling: Ruling, zone: str, until_us: int) -> list[Interval]:
    """The stretches of time of an exception that may begin before an instant.

    Local ones by the rule of opening hours, "each occurrence as long on the clock as the first": what a
    change empties or turns round does not occur.
    """
    if ruling.start.tzinfo is not None:
        return [(to_us(ruling.start), to_us(ruling.end))]
    info, length = load_zone(zone), ruling.end - ruling.start
    found = []
    for begin in begins(ruling, naive(until_us) + timedelta(days=3)):
        start, end = (to_us(time.replace(tzinfo=info, fold=0)) for time in (begin, begin + length))
        if start < end:
            found.append((start, end))
    return found


def times(rulings: Sequence[Ruling], effects: Sequence[str], zone: str, until_us: int) -> list[Interval]:
    """All time of exceptions with some effects."""
    return [
        each for ruling in rulings if ruling.effect in effects for each in times_of(ruling, zone, until_us)
    ]


def minus(intervals: Collection[Interval], cuts: Collection[Interval]) -> list[Interval]:
    """What of intervals lies in no cut."""
    left = list(intervals)
    for start, end in cuts:
        left = [
            part
            for low, high in left
            for part in ((low, min(high, start)), (max(low, end), high))
            if part[0] < part[1]
        ]
    return left


def other_days(rulings: Sequence[Ruling]) -> dict[date, tuple[tuple[str, str], ...]]:
    """The openings of the local days of which exceptions say that they have others; the strongest stands."""
    found: dict[date, tuple[tuple[str, str], ...]] = {}
    for ruling in sorted(rulings, key=lambda each: each.rank):
        if ruling.effect != "other_hours":
            continue
        for begin in begins(ruling, datetime(2027, 1, 1)):  # noqa: DTZ001
            for day in range((ruling.end - ruling.start).days):
                found[begin.date() + timedelta(days=day)] = ruling.openings
    return found


def decided_at(instant_us: int, rulings: Sequence[Ruling], zone: str) -> Ruling | None:
    """The exception that decides an open instant: the strongest; "excluded, whatever up and down say"."""
    for effects in (("excluded",), ("up", "down")):
        found = [
            each
            for each in rulings
            if each.effect in effects
            and any(start <= instant_us < end for start, end in times_of(each, zone, instant_us))
        ]
        if found:
            return max(found, key=lambda each: each.rank)
    return None


# --- State between polls --------------------------------------------------------------------------


def standing(polls: Sequence[Poll]) -> list[Poll]:
    """The polls that stand, in order of store and time.

    "The same poll twice counts once. Two polls of one store at the same instant with different states: the
    one imported last stands."
    """
    last: dict[tuple[str, int], Poll] = {}
    for poll in polls:
        last[poll.store_id, poll.at_us] = poll
    return [last[key] for key in sorted(last)]


def in_hours(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    as_of_us: int,
    rulings: Sequence[Ruling] = (),
) -> list[Poll]:
    """The polls of one store that count.

    "Only polls made while the store is open count"; "Polls after T are not used"; "A poll at T itself counts
    if the store is open at T". And: "polls made in ignored time do not count, as if nobody had polled".
    """
    if len({poll.store_id for poll in polls}) > 1:
        raise ValueError("polls of one store, please")
    ignored = times(rulings, ("ignore_polls",), zone, as_of_us)
    return [
        poll
        for poll in standing(polls)
        if poll.at_us <= as_of_us
        and is_open(rows, zone, poll.at_us, rulings)
        and not any(start <= poll.at_us < end for start, end in ignored)
    ]


def covers(poll: Poll, instant_us: int, max_gap_us: int) -> bool:
    """Whether a poll can speak for an instant: it "covers [t - max_gap, t + max_gap) at most"."""
    return poll.at_us - max_gap_us <= instant_us < poll.at_us + max_gap_us


def nearest_poll(instant_us: int, polls: Sequence[Poll], max_gap_us: int) -> Poll | None:
    """By the policy "nearest": "the in-hours poll nearest in time, if that is within max_gap".

    "The state changes at the midpoint floor((t1 + t2) / 2) (whole microseconds), which belongs to the later
    poll."
    """
    if not polls:
        return None
    nearest = polls[0]
    for earlier, later in pairwise(polls):
        if instant_us >= (earlier.at_us + later.at_us) // 2:
            nearest = later
    return nearest if covers(nearest, instant_us, max_gap_us) else None


def previous_poll(instant_us: int, polls: Sequence[Poll], max_gap_us: int) -> Poll | None:
    """By the policy "previous": "the latest in-hours poll at or before the instant, less than max_gap old".

    "Failing that, the next one, at most max_gap ahead; failing that, unknown."
    """
    before = [poll for poll in polls if poll.at_us <= instant_us]
    if before and instant_us - before[-1].at_us < max_gap_us:
        return before[-1]
    after = [poll for poll in polls if poll.at_us > instant_us]
    if after and after[0].at_us - instant_us <= max_gap_us:
        return after[0]
    return None


def state_at(
    instant_us: int, in_hours_polls: Sequence[Poll], policy: Policy, max_gap_us: int
) -> tuple[State, Poll | None]:
    """The state of one open instant and the poll that decides it.

    `in_hours_polls` is what `in_hours` returns: one store's, in order of time, none after T.
    """
    choose = {"nearest": nearest_poll, "previous": previous_poll}[policy]
    poll = choose(instant_us, in_hours_polls, max_gap_us)
    if poll is None:
        return "unknown", None
    return ("up" if poll.active else "down"), poll


def is_seen(instant_us: int, poll: Poll | None, seen_within_us: int) -> bool:
    """Seen is "the part of up and down that lies within seen_within of the poll whose state it takes"."""
    return poll is not None and poll.at_us - seen_within_us <= instant_us < poll.at_us + seen_within_us


# --- Pieces, totals, outages ----------------------------------------------------------------------


def breakpoints(in_hours_polls: Sequence[Poll], max_gap_us: int, seen_within_us: int) -> set[int]:
    """Every instant at which the state, the deciding poll or seen can change."""
    times = [poll.at_us for poll in in_hours_polls]
    reaches = (-max_gap_us, -seen_within_us, 0, seen_within_us, max_gap_us)
    midpoints = {(earlier + later) // 2 for earlier, later in pairwise(times)}
    return midpoints | {time + reach for time in times for reach in reaches}


def segments(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    rulings: Sequence[Ruling] = (),
) -> list[Segment]:
    """The open time of one store in a window, cut wherever state, seen or deciding poll changes.

    The open time is cut at every candidate breakpoint, each piece takes what holds at its first instant, and
    touching pieces that agree in all three are joined again. A window may not reach beyond T.
    """
    from_us, until_us = window
    if until_us > as_of_us:
        raise ValueError("the window reaches beyond T")
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    cuts = breakpoints(counting, max_gap_us, seen_within_us) | edges_of(rulings, zone, until_us)
    found: list[Segment] = []
    for opens, closes in open_intervals(rows, zone, from_us, until_us, rulings):
        bounds = sorted({opens, closes} | {cut for cut in cuts if opens < cut < closes})
        for start, end in pairwise(bounds):
            ruling = decided_at(start, rulings, zone)
            if ruling is not None:
                said: dict[str, State] = {"up": "up", "down": "down", "excluded": "excluded"}
                found.append(Segment(start, end, said[ruling.effect], False, None, ruling.number))
                continue
            state, poll = state_at(start, counting, policy, max_gap_us)
            found.append(Segment(start, end, state, is_seen(start, poll, seen_within_us), poll))
    return join(found)


def edges_of(rulings: Sequence[Ruling], zone: str, until_us: int) -> set[int]:
    """Every instant at which an exception begins or ends to decide."""
    found = times(rulings, ("up", "down", "excluded"), zone, until_us)
    return {edge for interval in found for edge in interval}


def same(one: Segment, other: Segment) -> bool:
    """Whether the same poll or the same exception decides both, both seen or both not."""
    return (one.seen, one.poll, one.ruling) == (other.seen, other.poll, other.ruling)


def join(pieces: Sequence[Segment]) -> list[Segment]:
    """Touching pieces with the same state, seen, poll and exception become one."""
    joined: list[Segment] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.end_us == piece.start_us and same(last, piece):
            joined[-1] = replace(last, end_us=piece.end_us)
        else:
            joined.append(piece)
    return joined


def totals(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    rulings: Sequence[Ruling] = (),
) -> Totals:
    """The open time of one store in one window, summed by state and by seen."""
    pieces = segments(polls, rows, zone, window, as_of_us, policy, max_gap_us, seen_within_us, rulings)

    def total(state: State, seen: bool) -> int:
        return sum(piece.length_us for piece in pieces if (piece.state, piece.seen) == (state, seen))

    return Totals(
        up_seen=total("up", True),
        up_inferred=total("up", False),
        down_seen=total("down", True),
        down_inferred=total("down", False),
        unknown=total("unknown", False),
        excluded=total("excluded", False),
    )


def outages(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval | None,
    as_of_us: int,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    rulings: Sequence[Ruling] = (),
) -> list[Outage]:
    """The outages of one store that have a part in the window, clipped to it; all of them, whole, for None.

    "A maximal run of down in open time. Closed time does not end it; up, unknown and T do. Its length is its
    open time; in a window it is clipped, and counts there if any part lies within."
    """
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    first = [poll.at_us - max_gap_us for poll in counting]
    first += [start for start, _ in times(rulings, ("down",), zone, as_of_us)]
    if not first or min(first) >= as_of_us:
        return []
    whole_past = (min(first), as_of_us)
    runs: list[list[Interval]] = []
    state_before: State = "unknown"
    for piece in segments(polls, rows, zone, whole_past, as_of_us, policy, max_gap_us, rulings=rulings):
        if piece.state == "down":
            if state_before != "down":
                runs.append([])
            runs[-1].append((piece.start_us, piece.end_us))
        state_before = piece.state
    from_us, until_us = window or whole_past
    clipped = [clip(unite(run), from_us, until_us) for run in runs]
    return [Outage(tuple(parts)) for parts in clipped if parts]


def bounds(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    window: Interval,
    as_of_us: int,
    max_gap_us: int = DEFAULT_MAX_GAP,
    rulings: Sequence[Ruling] = (),
) -> tuple[int, int]:
    """down_min and down_max of one store in one window, by no policy.

    "The open time between two neighbouring in-hours polls that are both down", and "the open time with a down
    poll on at least one side", both "within max_gap": the latest poll at or before an instant if it is less
    than max_gap old, and the next one if it is at most max_gap ahead. Of "time that exceptions decide, down
    counts in both, up and excluded in neither".
    """
    counting = in_hours(polls, rows, zone, as_of_us, rulings)
    cuts = breakpoints(counting, max_gap_us, 0) | edges_of(rulings, zone, window[1])
    least, most = 0, 0
    for opens, closes in open_intervals(rows, zone, *window, rulings):
        for start, end in pairwise(sorted({opens, closes} | {cut for cut in cuts if opens < cut < closes})):
            ruling = decided_at(start, rulings, zone)
            if ruling is not None:
                least += (end - start) * (ruling.effect == "down")
                most += (end - start) * (ruling.effect == "down")
                continue
            before = [poll for poll in counting if start - max_gap_us < poll.at_us <= start][-1:]
            after = [poll for poll in counting if start < poll.at_us <= start + max_gap_us][:1]
            down = [not poll.active for poll in before + after]
            least += (end - start) * (len(down) == 2 and all(down))
            most += (end - start) * any(down)
    return least, most


# --- The report -----------------------------------------------------------------------------------

REPORT_HEADER = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week"
)


def two_decimals(time_us: int, unit_us: int) -> str:
    """Rounded "two decimals, half away from zero", once, from whole microseconds."""
    hundredths = (2 * 100 * time_us + unit_us) // (2 * unit_us)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def cells(total: Totals, unit_us: int) -> tuple[str, str]:
    """Uptime and downtime of one window.

    "A window in which the store was not open holds 0.00. A window in which it was open and nothing is known
    holds two empty cells."
    """
    if total.open > 0 and total.up + total.down == 0:
        return "", ""
    return two_decimals(total.up, unit_us), two_decimals(total.down, unit_us)


def quoted(field: str) -> str:
    """A CSV field, in quotes only if it needs them."""
    return '"' + field.replace('"', '""') + '"' if set(field) & {",", '"'} else field


def newest_poll_us(polls: Sequence[Poll]) -> int:
    """T unless the caller names an instant: "the newest poll in the database (of any store)"."""
    if not polls:
        raise NoPollsError("there are no polls, so there is nothing to report")
    return max(poll.at_us for poll in polls)


def week_of(store_id: str, rows: Sequence[HoursRow], closed: Collection[str] = ()) -> list[HoursRow] | None:
    """The hours of one store: None if none were ever given, [] if its week was given as empty."""
    own = [row for row in rows if row.store_id == store_id]
    if own and store_id in closed:
        raise ValueError(f"{store_id} has both hours and an empty week")
    return own if own or store_id in closed else None


def report_csv(
    polls: Sequence[Poll],
    hours_rows: Sequence[HoursRow],
    zones: Mapping[str, str],
    as_of_us: int | None = None,
    policy: Policy = "nearest",
    max_gap_us: int = DEFAULT_MAX_GAP,
    seen_within_us: int = DEFAULT_SEEN_WITHIN,
    *,
    closed: Collection[str] = (),
    rulings: Mapping[str, Sequence[Ruling]] | None = None,
) -> str:
    """The whole report, last hour in minutes, last day and last week in hours.

    "One row for each store that has at least one poll at or before T, ordered by store_id by code point."

    `closed` names the stores whose week was given as empty, which rows cannot say. `rulings` are the
    exceptions that concern each store.
    """
    newest = newest_poll_us(polls)
    as_of = newest if as_of_us is None else as_of_us
    lines = [REPORT_HEADER]
    for store_id in sorted({poll.store_id for poll in polls if poll.at_us <= as_of}):
        own_polls = [poll for poll in polls if poll.store_id == store_id]
        rows = week_of(store_id, hours_rows, closed)
        zone = zones.get(store_id, DEFAULT_ZONE)
        own_rulings = (rulings or {}).get(store_id, ())
        pairs = []
        for back_us, unit_us in ((HOUR, MINUTE), (DAY, HOUR), (7 * DAY, HOUR)):
            window = (as_of - back_us, as_of)
            total = totals(
                own_polls, rows, zone, window, as_of, policy, max_gap_us, seen_within_us, own_rulings
            )
            pairs.append(cells(total, unit_us))
        lines.append(",".join([quoted(store_id), *(up for up, _ in pairs), *(down for _, down in pairs)]))
    return "\n".join(lines) + "\n"
