"""Weekly opening hours and zones -> open intervals in UTC. The one place that decides gaps and folds.

Rules: SEMANTICS, "Opening hours". Rows arrive here already normalised by the reader of hours:
an end from 23:59:00 on is 86,400; an end before its start belongs to the next day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from storewatch.domain import zones
from storewatch.domain.axis import Axis, Int64, ranges
from storewatch.domain.clock import DAY, SECOND
from storewatch.domain.spans import Spans

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

    def __getitem__(self, stores: slice | NDArray[np.bool_]) -> Schedule:
        """Some of the stores, counted from 0 again."""
        place = np.full(self.stores, -1, np.int32)
        place[stores] = np.arange(len(self.always[stores]))
        week = self.week[np.flatnonzero(place[self.week.store] >= 0)]
        counted = replace(week, store=place[week.store])
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


@dataclass(frozen=True)
class OtherDays:
    """Local days, counted from 1970, on which stores have openings of their own in place of their week's.

    `store` int32[days] and `day` int64[days], sorted; a row of `openings` is one of the day `of[row]`,
    `opens` and `closes` in seconds of it, as those of a `Week`.
    """

    store: NDArray[np.int32]
    day: Int64
    of: Int64
    opens: Int64
    closes: Int64

    @staticmethod
    def of_lists(
        store: NDArray[np.int32], day: Int64, which: Int64, lists: Sequence[Sequence[tuple[int, int]]]
    ) -> OtherDays:
        """Each day has the openings of the list that `which` says."""
        count = np.array([len(each) for each in lists], np.int64)
        first = np.cumsum(count) - count
        flat = np.array([pair for each in lists for pair in each], np.int64).reshape(-1, 2)
        opens, closes = flat[ranges(first[which], count[which])].T
        return OtherDays(store, day, np.repeat(np.arange(len(day)), count[which]), opens, closes)

    def have(self, store: NDArray[np.int32], day: Int64) -> NDArray[np.bool_]:
        """Whether each is one of these days."""
        code, asked = _code(self.store, self.day), _code(store, day)
        found = np.minimum(np.searchsorted(code, asked), len(code) - 1)
        same: NDArray[np.bool_] = code[found] == asked
        return same


def _code(store: NDArray[np.int32], day: Int64) -> Int64:
    """A store and a day as one number, in their order."""
    return (store.astype(np.int64) << 32) + day


def open_intervals(
    schedule: Schedule,
    start: int,
    until: int,
    other: OtherDays | None = None,
    closed: Spans | None = None,
) -> Intervals:
    """The opening hours of every store within [start, until), in UTC, united; with other hours on some days,
    and without the time in which stores were closed by exception.
    """
    pieces = [_whole_frame(schedule, start, until), *_by_zone(schedule, start, until, other)]
    if other is not None:
        pieces[0] = _without_days(*pieces[0], other, schedule)
        pieces += _own_days(other, schedule, start, until)
    store, begin, end = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    found = _united(store, begin, end, Axis(start, until))
    return found if closed is None else minus(found, closed)


def minus(of: Intervals, cuts: Spans) -> Intervals:
    """What of intervals lies in no span."""
    if not len(of) or not len(cuts):
        return of
    axis = Axis(int(min(of.start.min(), cuts.start.min())), int(max(of.end.max(), cuts.end.max())))
    low, high = axis.pack(of.store, of.start), axis.pack(of.store, of.end)
    begin, end = axis.pack(cuts.store, cuts.start), axis.pack(cuts.store, cuts.end)
    first = np.searchsorted(end, low, side="right")
    count = np.maximum(np.searchsorted(begin, high) - first, 0)
    row = np.repeat(np.arange(len(of)), count + 1)
    after = ranges(np.zeros_like(count), count + 1)  # how many spans lie before each piece
    cut = first[row] + after
    low = np.where(after == 0, low[row], end[np.minimum(cut, len(end)) - 1])
    high = np.where(after == count[row], high[row], begin[np.minimum(cut, len(begin) - 1)])
    real = high > low
    return Intervals(of.store[row][real], axis.at(low[real]), axis.at(high[real]))


_Columns = tuple[NDArray[np.int32], Int64, Int64]


def _without_days(
    store: NDArray[np.int32], begin: Int64, end: Int64, other: OtherDays, schedule: Schedule
) -> _Columns:
    """The whole frame of stores that are always open, without their days with other hours."""
    days = np.flatnonzero(schedule.always[other.store])
    ends = [np.empty(len(days), np.int64) for _ in range(2)]
    zone = schedule.zone[other.store[days]]
    for number in np.unique(zone).tolist():
        rows = zone == number
        for later, side in enumerate(ends):
            midnight = (other.day[days[rows]] + later) * DAY
            side[rows] = zones.local_to_utc(midnight, schedule.zone_names[number])
    real = ends[1] > ends[0]
    spans = (other.store[days][real], ends[0][real], ends[1][real])
    nothing = np.zeros(len(spans[0]), np.int64)
    left = minus(Intervals(store, begin, end), Spans(*spans, nothing, nothing.astype(np.int8)))
    return left.store, left.start, left.end


def _own_days(other: OtherDays, schedule: Schedule, start: int, until: int) -> Iterator[_Columns]:
    """The openings of days with other hours."""
    store, day = other.store[other.of], other.day[other.of]
    zone = schedule.zone[store]
    for number in np.unique(zone).tolist():
        rows, name = zone == number, schedule.zone_names[number]
        yield _instants(store[rows], day[rows], other.opens[rows], other.closes[rows], name, start, until)


def _whole_frame(schedule: Schedule, start: int, until: int) -> _Columns:
    stores = np.flatnonzero(schedule.always).astype(np.int32)
    return stores, np.full(len(stores), start, np.int64), np.full(len(stores), until, np.int64)


def _by_zone(schedule: Schedule, start: int, until: int, other: OtherDays | None) -> Iterator[_Columns]:
    zone_of_row = schedule.zone[schedule.week.store]
    order = np.argsort(zone_of_row, kind="stable")
    edges = np.searchsorted(zone_of_row[order], np.arange(len(schedule.zone_names) + 1))
    for name, first, last in zip(schedule.zone_names, edges, edges[1:], strict=False):
        if first < last:
            yield _occurrences(schedule.week[order[first:last]], name, start, until, other)


def _occurrences(week: Week, zone: str, start: int, until: int, other: OtherDays | None) -> _Columns:
    """Every interval of the rows on every local day that can reach into the frame, but for those days that
    have other hours.
    """
    days = np.arange(start // DAY - 2, until // DAY + 3)
    weekday = (days + _EPOCH_WEEKDAY) % 7
    row, day = np.nonzero(week.day[:, None] == weekday[None, :])
    if week.within is not None:
        first, until_day = week.within[row].T
        holds = (first <= days[day]) & (days[day] < until_day)
        row, day = row[holds], day[holds]
    if other is not None:
        kept = ~other.have(week.store[row], days[day])
        row, day = row[kept], day[kept]
    opens, closes = week.start[row].astype(np.int64), week.end[row].astype(np.int64)
    return _instants(week.store[row], days[day], opens, closes, zone, start, until)


def _instants(
    store: NDArray[np.int32], day: Int64, opens: Int64, closes: Int64, zone: str, start: int, until: int
) -> _Columns:
    """Openings of local days, in seconds of them, as instants within the frame."""
    closes = closes + np.where(closes < opens, DAY // SECOND, 0)
    midnight = day * DAY
    begin = zones.local_to_utc(midnight + opens * SECOND, zone)
    end = zones.local_to_utc(midnight + closes * SECOND, zone)
    real = end > begin  # a clock change can empty an interval or turn it round
    begin, end = np.maximum(begin, start), np.minimum(end, until)
    real &= end > begin
    return store[real], begin[real], end[real]


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
