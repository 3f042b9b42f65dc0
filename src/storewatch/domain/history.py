"""Segments -> a store's local days, and days -> weeks, months, hours of the week.

    local midnight                                                next midnight
    day         [-------|-------|-------|-- ... --|-------|---)
    hour            0       1       2                23     24       elapsed, not the clock's

An hour is one of elapsed time since local midnight, the last one as long as the day leaves it. So a day
has 23 to 25, also where the clocks shift by half an hour (24 then, the last of 30 minutes), and
whatever is told by hour adds up to the day.

Which days there are, and which of them are due, are matrices: a row a store, a column a local day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Kind, Segments
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.bounds import bounds
from storewatch.domain.clock import HOUR
from storewatch.domain.outages import outages
from storewatch.domain.totals import totals, upto
from storewatch.domain.windows import midnights

Bools = NDArray[np.bool_]
_DOWN = (Kind.DOWN_SEEN, Kind.DOWN_INFERRED)

FAR = 1 << 60
"""Later than any instant."""

# --- which days -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """Local days of stores, from `first_day` (counted from 1970) on.

    `edges` int64[stores, days + 1] are their midnights; `as_of` is T, at which the last day may be cut off.
    """

    first_day: int
    edges: Int64
    as_of: int

    @property
    def days(self) -> int:
        """How many days."""
        return int(self.edges.shape[1]) - 1

    def __getitem__(self, part: tuple[slice, slice]) -> Frame:
        """Some stores, some days."""
        stores, days = part
        low, high, _ = days.indices(self.days)
        return Frame(self.first_day + low, self.edges[stores, low : high + 1], self.as_of)

    def counted(self, first_instant: Int64) -> Bools:
        """bool[stores, days]: days that began before T and end after a store's `first_instant`, that at
        which its first poll begins to speak.
        """
        return (self.edges[:, :-1] < self.as_of) & (self.edges[:, 1:] > first_instant[:, None])

    def touched(self, store_keys: NDArray[np.int32], due: Stretches) -> Bools:
        """bool[stores, days]: days that an instant of a stretch lies in."""
        found = np.zeros((len(self.edges), self.days), np.bool_)
        low = np.searchsorted(store_keys, due.first_key)
        high = np.searchsorted(store_keys, due.last_key, side="right")
        for number in np.flatnonzero(low < high).tolist():
            edges = self.edges[low[number] : high[number]]
            within = (edges[:, :-1] <= due.last[number]) & (edges[:, 1:] > due.first[number])
            found[low[number] : high[number]] |= within
        return found

    def within(self, store: NDArray[np.int32], start: Int64, end: Int64) -> Bools:
        """bool[stores, days]: days of which a part lies in [start, end) of a store, a row each."""
        step = np.zeros((len(self.edges), self.days + 1), np.int32)
        axis = Axis(int(self.edges.min()), int(self.edges.max()))
        place = axis.pack(np.repeat(np.arange(len(self.edges)), self.days + 1), self.edges.reshape(-1))
        before = store.astype(np.int64) * (self.days + 1)
        first = np.searchsorted(place, axis.pack(store, start), side="right") - 1 - before
        last = np.searchsorted(place, axis.pack(store, end)) - before
        np.add.at(step, (store, np.maximum(first, 0)), 1)
        np.subtract.at(step, (store, np.clip(last, 0, self.days)), 1)
        return np.cumsum(step[:, :-1], axis=1) > 0


@dataclass(frozen=True)
class Stretches:
    """Stretches of time of stores: from key to key, from instant to instant, all of them included."""

    first_key: Int64
    last_key: Int64
    first: Int64
    last: Int64

    def __len__(self) -> int:
        return len(self.first_key)

    def __add__(self, other: Stretches) -> Stretches:
        return Stretches(
            *(np.append(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        )

    def __getitem__(self, rows: Bools) -> Stretches:
        return Stretches(*(getattr(self, each.name)[rows] for each in fields(self)))

    def reach(self, store_keys: NDArray[np.int32]) -> Bools:
        """bool[stores]: whether there is a stretch of theirs; the keys are in order."""
        step = np.zeros(len(store_keys) + 1, np.int64)
        np.add.at(step, np.searchsorted(store_keys, self.first_key), 1)
        np.subtract.at(step, np.searchsorted(store_keys, self.last_key, side="right"), 1)
        return np.cumsum(step[:-1]) > 0

    def earliest(self, store_keys: NDArray[np.int32]) -> Int64:
        """int64[stores]: the first instant of any stretch of theirs, far off without one; the keys are in
        order.
        """
        low = np.searchsorted(store_keys, self.first_key).tolist()
        high = np.searchsorted(store_keys, self.last_key, side="right").tolist()
        found = np.full(len(store_keys), FAR)
        for number in np.argsort(-self.first).tolist():
            found[low[number] : high[number]] = self.first[number]
        return found

    def reach_any(self, store_keys: NDArray[np.int32]) -> Bools:
        """bool[stretches]: whether there is one of some stores in it; the keys are in order."""
        low = np.searchsorted(store_keys, self.first_key)
        return np.asarray(low < np.searchsorted(store_keys, self.last_key, side="right"))


def frame(first_day: int, last_day: int, zone: NDArray[np.int32], names: Sequence[str], as_of: int) -> Frame:
    """The days of stores in zones, the last one included."""
    days = np.arange(first_day, last_day + 2)
    by_zone = np.broadcast_to(days, (len(names), len(days)))
    return Frame(first_day, midnights(by_zone, np.arange(len(names), dtype=np.int32), names)[zone], as_of)


def batches(wanted: Bools, most: int) -> Iterator[tuple[slice, slice]]:
    """Cuts the wanted days into boxes (stores, days) of at most `most` days each, but a store at least.

    A box holds days that are not wanted as well, so a store of which much is wanted gets one of its own.
    """
    some = np.asarray(wanted.any(axis=1))
    first, last = wanted.argmax(axis=1), wanted.shape[1] - wanted[:, ::-1].argmax(axis=1)
    store = 0
    while some[store:].any():
        store += int(some[store:].argmax())
        ahead = slice(store, store + most)
        low: Int64 = np.minimum.accumulate(np.where(some[ahead], first[ahead], wanted.shape[1]))
        high: Int64 = np.maximum.accumulate(np.where(some[ahead], last[ahead], 0))
        too_much = np.append((high - low) * np.arange(1, len(low) + 1) > most, True)
        count = max(1, int(too_much.argmax()))
        yield slice(store, store + count), slice(int(low[count - 1]), int(high[count - 1]))
        store += count


# --- days -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """Local days of stores, as columns of one length, sorted by store and day.

    `store` positions, `day` dates counted from 1970-01-01, `totals` int64[rows, 6] microseconds by `Kind`;
    `starts_down` and `ends_down` say whether an outage runs at the first and at the last open instant.
    """

    store: NDArray[np.int64]
    day: Int64
    totals: Int64
    outages: Int64
    longest: Int64
    down_min: Int64
    down_max: Int64
    starts_down: Bools
    ends_down: Bools
    complete: Bools

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, rows: NDArray[np.intp] | Bools) -> Days:
        return Days(*(getattr(self, each.name)[rows] for each in fields(self)))

    def shifted(self, stores: int) -> Days:
        """The same of stores so many positions further on."""
        return replace(self, store=self.store + stores)


def joined(parts: Sequence[Days]) -> Days:
    """Days of several, by store and day."""
    whole = Days(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Days)))
    return whole[np.lexsort((whole.day, whole.store))]


def days(found: Segments, asked: Frame, wanted: Bools) -> Days:
    """The wanted days, bool[stores, days], all of which began before T; the segments cover them up to T."""
    store, day = np.nonzero(wanted)
    spans = _spans(asked)
    number, longest = outages(found, spans)
    down_min, down_max = bounds(found, spans)
    first_down, last_down = _down_at_ends(found, spans)
    return Days(
        store=store,
        day=day + asked.first_day,
        totals=totals(found, spans)[store, day],
        outages=number[store, day],
        longest=longest[store, day],
        down_min=down_min[store, day],
        down_max=down_max[store, day],
        starts_down=first_down[store, day],
        ends_down=last_down[store, day],
        complete=(asked.edges[:, 1:] <= asked.as_of)[store, day],
    )


def by_hour(found: Segments, asked: Frame, wanted: Bools) -> tuple[Int64, Int64]:
    """int64[rows, hours, 6] microseconds by `Kind` of the wanted days, and how many hours each of them has;
    zero from there on.
    """
    stores, count = wanted.shape
    spans = _spans(asked)
    number = -(-np.diff(asked.edges, axis=1) // HOUR)
    hours = int(number.max())
    edges = np.minimum(spans[:, :, :1] + np.arange(hours + 1) * HOUR, spans[:, :, 1:])
    told = upto(found, edges.reshape(stores, count * (hours + 1))).reshape(
        stores, count, hours + 1, len(Kind)
    )
    return np.diff(told[wanted], axis=1), number[wanted]


def _spans(asked: Frame) -> Int64:
    """int64[stores, days, 2]: each day as far as it is over at T."""
    start, end = asked.edges[:, :-1], np.minimum(asked.edges[:, 1:], asked.as_of)
    return np.stack([start, np.maximum(start, end)], axis=2)


def _down_at_ends(found: Segments, spans: Int64) -> tuple[Bools, Bools]:
    """bool[stores, days]: whether the first and the last segment of each day are down."""
    stores, count, _ = spans.shape
    down = np.append(np.isin(found.kind, _DOWN), False)
    row = np.repeat(np.arange(stores), count)
    start, end = (found.axis.pack(row, spans[:, :, side].reshape(-1)) for side in (0, 1))
    first = np.searchsorted(found.place + found.length, start, side="right")
    last = np.searchsorted(found.place, end, side="left") - 1
    open_at_all = (first <= last) & (start < end)
    ends = (open_at_all & down[first], open_at_all & down[last])
    return ends[0].reshape(stores, count), ends[1].reshape(stores, count)


# --- sums -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """Days added up: a row a period. `totals` int64[periods, 6], `longest` within a day, `days` how many."""

    totals: Int64
    outages: Int64
    longest: Int64
    down_min: Int64
    down_max: Int64
    days: Int64

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.totals + other.totals,
            self.outages + other.outages,
            np.maximum(self.longest, other.longest),
            self.down_min + other.down_min,
            self.down_max + other.down_max,
            self.days + other.days,
        )


def sums(of: Days, period: Int64, periods: int) -> Sums:
    """Adds up days; `period` int64[rows] says to which of how many periods each belongs, in order.

    An outage that runs over midnight is one in a period that holds both days: it is taken off again where
    a day starts down and the open day before it, of the same store and period, ended so.
    """
    total = np.zeros((periods, len(Kind)), np.int64)
    number, longest, down_min, down_max, count = (np.zeros(periods, np.int64) for _ in range(5))
    np.add.at(total, period, of.totals)
    np.add.at(number, period, of.outages)
    np.maximum.at(longest, period, of.longest)
    np.add.at(down_min, period, of.down_min)
    np.add.at(down_max, period, of.down_max)
    np.add.at(count, period, 1)
    was_open = of.totals.sum(axis=1) > 0
    part, own = of[was_open], period[was_open]
    runs_on = part.starts_down[1:] & part.ends_down[:-1]
    runs_on &= (part.store[1:] == part.store[:-1]) & (own[1:] == own[:-1])
    np.subtract.at(number, own[1:][runs_on], 1)
    return Sums(total, number, longest, down_min, down_max, count)
