"""Weekly opening hours and zones -> open intervals in UTC. The one place that decides gaps and folds.

Rules: SEMANTICS, "Opening hours". Rows arrive here already normalised by the reader of hours:
an end from 23:59:00 on is 86,400; an end before its start belongs to the next day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from storewatch.domain import zones
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.clock import DAY, SECOND

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; 0 is Monday


@dataclass(frozen=True)
class Week:
    """Weekly hours of many stores as columns: one row is one interval of one weekday.

    `store` int32[rows] positions; `day` 0 = Monday; `start` and `end` in seconds of the local day,
    0 to 86,400; an `end` before the `start` is on the next day. `within` int64[rows, 2]: the row holds on
    the local days [first, until), counted from 1970; None: every row holds on all days.
    """

    store: NDArray[np.int32]
    day: NDArray[np.int16]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    within: Int64 | None = None

    def __getitem__(self, rows: NDArray[np.intp]) -> Week:
        within = None if self.within is None else self.within[rows]
        return Week(self.store[rows], self.day[rows], self.start[rows], self.end[rows], within)


@dataclass(frozen=True)
class Schedule:
    """When the stores are open: their weeks, zones, and who has no hours at all.

    `zone` int32[stores] indexes `zone_names`; `always` bool[stores] marks the stores to which no
    hours were ever given: open 24 × 7.
    """

    week: Week
    zone: NDArray[np.int32]
    zone_names: tuple[str, ...]
    always: NDArray[np.bool_]

    @property
    def stores(self) -> int:
        """How many stores there are."""
        return len(self.always)

    def __getitem__(self, stores: slice) -> Schedule:
        """Some of the stores, counted from 0 again."""
        low, high, _ = stores.indices(self.stores)
        week = self.week[np.flatnonzero((self.week.store >= low) & (self.week.store < high))]
        counted = replace(week, store=week.store - np.int32(low))
        return Schedule(counted, self.zone[stores], self.zone_names, self.always[stores])


@dataclass(frozen=True)
class Intervals:
    """Half-open stretches [start, end) of stores, sorted by store and start, disjoint, not touching."""

    store: NDArray[np.int32]
    start: Int64
    end: Int64

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, part: slice) -> Intervals:
        return Intervals(self.store[part], self.start[part], self.end[part])


def open_intervals(schedule: Schedule, start: int, until: int) -> Intervals:
    """The opening hours of every store within [start, until), in UTC, united."""
    pieces = [_whole_frame(schedule, start, until), *_by_zone(schedule, start, until)]
    store, begin, end = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    return _united(store, begin, end, Axis(start, until))


_Columns = tuple[NDArray[np.int32], Int64, Int64]


def _whole_frame(schedule: Schedule, start: int, until: int) -> _Columns:
    stores = np.flatnonzero(schedule.always).astype(np.int32)
    return stores, np.full(len(stores), start, np.int64), np.full(len(stores), until, np.int64)


def _by_zone(schedule: Schedule, start: int, until: int) -> Iterator[_Columns]:
    zone_of_row = schedule.zone[schedule.week.store]
    order = np.argsort(zone_of_row, kind="stable")
    edges = np.searchsorted(zone_of_row[order], np.arange(len(schedule.zone_names) + 1))
    for name, first, last in zip(schedule.zone_names, edges, edges[1:], strict=False):
        if first < last:
            yield _occurrences(schedule.week[order[first:last]], name, start, until)


def _occurrences(week: Week, zone: str, start: int, until: int) -> _Columns:
    """Every interval of the rows on every local day that can reach into the frame."""
    days = np.arange(start // DAY - 2, until // DAY + 3)
    weekday = (days + _EPOCH_WEEKDAY) % 7
    row, day = np.nonzero(week.day[:, None] == weekday[None, :])
    if week.within is not None:
        first, until_day = week.within[row].T
        holds = (first <= days[day]) & (days[day] < until_day)
        row, day = row[holds], day[holds]
    opens, closes = week.start[row].astype(np.int64), week.end[row].astype(np.int64)
    closes += np.where(closes < opens, DAY // SECOND, 0)
    midnight = days[day] * DAY
    begin = zones.local_to_utc(midnight + opens * SECOND, zone)
    end = zones.local_to_utc(midnight + closes * SECOND, zone)
    real = end > begin  # a clock change can empty an interval or turn it round
    begin, end = np.maximum(begin, start), np.minimum(end, until)
    real &= end > begin
    return week.store[row][real], begin[real], end[real]


def _united(store: NDArray[np.int32], begin: Int64, end: Int64, axis: Axis) -> Intervals:
    """Overlapping and touching intervals of a store become one."""
    order = np.lexsort((begin, store))
    store, begin, end = store[order], begin[order], end[order]
    reach = np.empty_like(end)
    for first, last in _store_slices(store, axis.max_stores):
        base = store[first:last] - store[first]
        reach[first:last] = axis.at(np.maximum.accumulate(axis.pack(base, end[first:last])))
    head = np.ones(len(store), np.bool_)
    head[1:] = (store[1:] != store[:-1]) | (begin[1:] > reach[:-1])
    tail = np.append(head[1:], np.True_)[: len(head)]
    return Intervals(store[head], begin[head], reach[tail])


def _store_slices(store: NDArray[np.int32], stores: int) -> Iterator[tuple[int, int]]:
    """Slices of a sorted column that hold at most so many stores each."""
    first = 0
    while first < len(store):
        last = int(np.searchsorted(store, int(store[first]) + stores, side="left"))
        yield first, last
        first = last
