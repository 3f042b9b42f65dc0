"""When exceptions hold, and which of them decides."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from dateutil.rrule import rrulestr

from tests.oracle.clock import load_zone, to_us
from tests.oracle.terms import EPOCH, Interval, Ruling


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
