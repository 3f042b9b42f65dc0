"""Polls as they come -> polls as they are stored: by UTC day, sorted, one a store and instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY

_DAY_BITS = 37  # a day has fewer than 2**37 microseconds
_MAX_KEY = 1 << (62 - _DAY_BITS)


@dataclass(frozen=True)
class Batch:
    """Polls as columns of one length. `reason` int32 is a code; 0 means none."""

    key: NDArray[np.int32]
    at: Int64
    active: NDArray[np.bool_]
    reason: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, rows: Int64 | NDArray[np.bool_]) -> Batch:
        return Batch(self.key[rows], self.at[rows], self.active[rows], self.reason[rows])


@dataclass(frozen=True)
class DayBatch:
    """The polls of one UTC day (days since 1970), sorted by key and time, without doubles.

    `corrected` and `unchanged` count the rows that a later row of the same batch replaced or repeated.
    """

    day: int
    polls: Batch
    corrected: int
    unchanged: int

    def without(self, known: Int64) -> DayBatch:
        """Without the polls that are among the known ones, given as sorted `places`.

        A poll with a reason is never taken for known, for a place doesn't tell the reason.
        """
        place = places(self.day, self.polls.key, self.polls.at, self.polls.active)
        near = np.minimum(np.searchsorted(known, place), max(0, len(known) - 1))
        new = (self.polls.reason != 0) | (known[near] != place if len(known) else True)
        return replace(self, polls=self.polls[new])


def places(day: int, key: NDArray[np.int32], at: Int64, active: NDArray[np.bool_] | bool) -> Int64:
    """Store, time of day and state of a day's polls as one int64 each."""
    place: Int64 = key.astype(np.int64) << (_DAY_BITS + 1)
    place |= (at - day * DAY) << 1
    place |= active
    return place


def by_day(batch: Batch) -> Iterator[tuple[int, Batch]]:
    """Splits a batch into its UTC days (days since 1970), each in the order in which it came."""
    if len(batch) and int(batch.key.max()) >= _MAX_KEY:
        raise OverflowError(f"store keys must be below {_MAX_KEY}")
    day = batch.at // DAY
    first = int(day.min()) if len(batch) else 0
    order = np.argsort((day - first).astype(np.uint16), kind="stable")
    edges = np.flatnonzero(np.diff(day[order], prepend=-1, append=-1))
    for low, high in pairwise(edges.tolist()):
        rows = order[low:high]
        yield int(day[rows[0]]), batch[rows]


def sorted_day(unsorted: tuple[int, Batch]) -> DayBatch:
    """A day and its polls in the order in which they came -> sorted, the last of doubles kept."""
    day, batch = unsorted
    place = (batch.key.astype(np.int64) << _DAY_BITS) | (batch.at - day * DAY)
    order = np.argsort(place)
    place = place[order]
    double = place[1:] == place[:-1]
    if not double.any():
        return DayBatch(day, batch[order], 0, 0)
    order = _steadied(order, double)
    polls = batch[order]
    same = (polls.active[1:] == polls.active[:-1]) & (polls.reason[1:] == polls.reason[:-1])
    last = np.append(~double, True)
    return DayBatch(day, polls[last], int((double & ~same).sum()), int((double & same).sum()))


def _steadied(order: Int64, double: NDArray[np.bool_]) -> Int64:
    """Puts equal neighbours back into the order in which they came; the quick sort mixed them."""
    group = np.append(0, np.cumsum(~double))
    member = np.zeros(len(order), np.bool_)
    member[1:] |= double
    member[:-1] |= double
    rows = np.flatnonzero(member)
    steady = order.copy()
    steady[rows] = order[rows][np.lexsort((order[rows], group[rows]))]
    return steady
