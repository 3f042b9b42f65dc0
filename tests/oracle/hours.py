"""Opening hours: from a week's rows to intervals."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from tests.oracle.clock import load_zone, local_date, wall_to_us
from tests.oracle.exceptions import minus, other_days, times
from tests.oracle.terms import COUNTS_AS_MIDNIGHT, MIDNIGHT_AT_THE_END, HoursRow, Interval, Ruling


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
