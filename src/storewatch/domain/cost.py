"""What downtime costs: revenue x time, exact until it is rounded once.

Revenue of a week is spread evenly over the open hours of the week in force, so that an hour of downtime
costs revenue / open hours. Revenue by hour of the week costs what that hour takes.

Amounts are cents as whole numbers, times microseconds. Their products don't fit 64 bits, so both are split
into halves of 20 bits, which are multiplied and added up apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR, SECOND
from storewatch.domain.hours import Schedule

_HALF = 20
_MASK = (1 << _HALF) - 1
_WEEK_S = 7 * 86_400
_FAR = 1 << 40  # days; further off than any


def products(amount: Int64, time_us: Int64, place: Int64, places: int) -> list[int]:
    """Sums of amount[i] * time_us[i] by place[i], exact; amounts and times below 2^40, 8 million of them."""
    high, low = amount >> _HALF, amount & _MASK
    long, short = time_us >> _HALF, time_us & _MASK
    parts = np.zeros((places, 3), np.int64)
    np.add.at(parts, place, np.stack([high * long, high * short + low * long, low * short], axis=-1))
    return [(one << 2 * _HALF) + (two << _HALF) + three for one, two, three in parts.tolist()]


# --- open hours of a week -------------------------------------------------------------------------


@dataclass(frozen=True)
class WeekTimes:
    """How long the stores are open in each of their weeks: `code` int64[weeks], in order, packs store and
    first day; `until` is the day that the week holds no more, `open_us` its open time.
    """

    code: Int64
    until: Int64
    open_us: Int64

    def of(self, store: Int64, day: Int64) -> Int64:
        """The open time of the week in force for stores on local days; 0 where it has none."""
        place = np.searchsorted(self.code, _code(store, day), side="right") - 1
        safe = np.maximum(place, 0)
        if not len(self.code):
            return np.zeros(len(store), np.int64)
        holds = (place >= 0) & (self.code[safe] >> 41 == store) & (day < self.until[safe])
        return np.where(holds, self.open_us[safe], 0)


def _code(store: Int64, day: Int64) -> Int64:
    packed: Int64 = (store << 41) + np.clip(day, -_FAR, _FAR - 1) + _FAR
    return packed


def week_times(schedule: Schedule) -> WeekTimes:
    """By the weekly hours on the wall clock, overlaps counted once; 168 h for stores without hours."""
    week = schedule.week
    first, until = (
        (np.full(len(week.store), edge) for edge in (-_FAR, _FAR)) if week.within is None else week.within.T
    )
    own = _code(week.store.astype(np.int64), first)
    code, row, number = np.unique(own, return_index=True, return_inverse=True)
    begin = week.day.astype(np.int64) * 86_400 + week.start
    length = (week.end - week.start) % 86_400
    length[(week.end != week.start) & (length == 0)] = 86_400
    always = np.flatnonzero(schedule.always)
    codes = np.append(code, _code(always, np.full(len(always), -_FAR)))
    order = np.argsort(codes)
    return WeekTimes(
        codes[order],
        np.append(until[row], np.full(len(always), _FAR))[order],
        np.append(_union(number, begin, begin + length, len(code)), np.full(len(always), 7 * DAY))[order],
    )


def _union(week: Int64, begin: Int64, end: Int64, weeks: int) -> Int64:
    """int64[weeks] microseconds that intervals of seconds cover on the ring of each week."""
    over = np.flatnonzero(end > _WEEK_S)
    week = np.append(week, week[over])
    begin = np.append(begin, np.zeros(len(over), np.int64))
    end = np.append(np.minimum(end, _WEEK_S), end[over] - _WEEK_S)
    order = np.lexsort((begin, week))
    base = week[order] * _WEEK_S
    begin, end = begin[order] + base, end[order] + base
    reach = np.maximum.accumulate(np.append(0, end))[:-1]
    found = np.zeros(weeks, np.int64)
    np.add.at(found, week[order], np.maximum(end - np.maximum(begin, reach), 0) * SECOND)
    return found


# --- lost -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lost:
    """Exact amounts in cents: all of it, and the part of which a poll saw the downtime."""

    whole: Fraction = Fraction(0)
    seen: Fraction = Fraction(0)

    def __add__(self, other: Lost) -> Lost:
        return Lost(self.whole + other.whole, self.seen + other.seen)

    @property
    def inferred(self) -> Fraction:
        """The rest."""
        return self.whole - self.seen


def spread(cents: Int64, down: Int64, seen: Int64, week_us: Int64, place: Int64, places: int) -> list[Lost]:
    """Lost revenue by place: of rows with weekly revenue, downtime and that part of it which was seen, and
    the open time of the week in force. A row whose week is closed throughout loses nothing.
    """
    rows = np.flatnonzero((week_us > 0) & (down > 0))
    pairs, number = np.unique(np.stack([place[rows], week_us[rows]], axis=1), axis=0, return_inverse=True)
    number = number.reshape(-1)
    sums = [products(cents[rows], time[rows], number, len(pairs)) for time in (down, seen)]
    return _collected(zip(pairs[:, 0].tolist(), *sums, pairs[:, 1].tolist(), strict=True), places)


def by_hours(cents: Int64, down: Int64, seen: Int64, place: Int64, places: int) -> list[Lost]:
    """Lost revenue by place: of rows with an hour's revenue and the downtime in that hour."""
    sums = [products(cents, time, place, places) for time in (down, seen)]
    return _collected(zip(range(places), *sums, [HOUR] * places, strict=True), places)


def _collected(parts: Iterable[tuple[int, int, int, int]], places: int) -> list[Lost]:
    """By place, of (place, whole, seen, what both are parts of)."""
    found = [Lost()] * places
    for place, whole, seen, of in parts:
        if whole:
            lost = Lost(Fraction(whole, of), Fraction(seen, of))
            found[place] = found[place] + lost if found[place].whole else lost
    return found


def rounded(cents: Fraction) -> Decimal:
    """An amount with two decimals, half away from zero."""
    size, of = abs(cents.numerator), cents.denominator
    whole = (2 * size + of) // (2 * of)
    return Decimal(whole if cents > 0 else -whole).scaleb(-2)
