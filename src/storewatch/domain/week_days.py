"""Weeks of opening hours that follow each other, by local day: on which days two such courses differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from storewatch.domain.weekly import MIDNIGHT

Openings = tuple[tuple[int, int, int], ...]
"""(day, start_s, end_s) of a week, as in `menu_hours`."""

Course = Sequence[tuple[int, Openings]]
"""The weeks of a store in order, each with the local day, counted from 1970, from which on it holds. None
of them: open 24 x 7.
"""

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; 0 is Monday


def changed_days(before: Course, after: Course, first: int, until: int) -> int:
    """How many local days of [first, until) have other open time, by the wall clock, in one than the other.

    Between two changes of weeks all Mondays are alike, so seven days tell all. The first day of a week
    stands for itself, for what opened the night before was of the week before.
    """
    starts = {since for since, _ in (*before, *after)}
    inner = {day for since in starts for day in (since, since + 1) if first < day < until}
    found = 0
    for low, high in pairwise(sorted({first, until} | inner)):
        for day in range(low, min(high, low + 7)):
            if _open_on(before, day) != _open_on(after, day):
                found += (high - day + 6) // 7
    return found


def _open_on(course: Course, day: int) -> tuple[tuple[int, int], ...]:
    return _united(_in_force(course, day - 1), _in_force(course, day), (day + _EPOCH_WEEKDAY) % 7)


def _in_force(course: Course, day: int) -> Openings | None:
    held = None
    for since, week in course:
        if since <= day:
            held = week
    return held


@lru_cache(maxsize=1 << 14)
def _united(yesterday: Openings | None, today: Openings | None, weekday: int) -> tuple[tuple[int, int], ...]:
    """The open seconds of a local day: what began the day before and runs into it, and its own."""
    if today is None:
        return ((0, MIDNIGHT),)
    parts = [(0, end) for day, start, end in yesterday or () if day == (weekday - 1) % 7 and end < start]
    parts += [(start, MIDNIGHT if end < start else end) for day, start, end in today if day == weekday]
    united: list[tuple[int, int]] = []
    for start, end in sorted(part for part in parts if part[0] < part[1]):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return tuple(united)
