"""Stretches of time of stores that exceptions decide; where they overlap, the strongest does.

weak         [-------------------)
strong            [----)    [---------)
painted      [----)[---)[---)[--------)
              weak strong weak  strong
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Axis, Int64, ranges


@dataclass(frozen=True)
class Spans:
    """Half-open stretches [start, end) of stores, sorted by store and start, none empty, disjoint; two may
    touch. `number` int64[spans] is that of the exception, `kind` int8[spans] what it says (-1: nothing).
    """

    store: NDArray[np.int32]
    start: Int64
    end: Int64
    number: Int64
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, part: slice | NDArray[np.bool_] | Int64) -> Spans:
        return Spans(self.store[part], self.start[part], self.end[part], self.number[part], self.kind[part])

    def holds(self, axis: Axis, place: Int64) -> Int64:
        """int64[place]: which span each coordinate lies in; -1: in none."""
        found = np.searchsorted(axis.pack(self.store, self.start), place, side="right") - 1
        last = axis.pack(self.store, self.end)[found] if len(self) else found
        return np.where((found >= 0) & (place < last), found, -1)


NOTHING = Spans(
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int8),
)


def painted(rows: Spans) -> Spans:
    """Of rows in order of their strength, the weakest first, which may overlap: where the strongest holds."""
    if not len(rows):
        return NOTHING
    axis = Axis(int(rows.start.min()), int(rows.end.max()))
    low, high = axis.pack(rows.store, rows.start), axis.pack(rows.store, rows.end)
    edge = np.unique(np.append(low, high))
    first = np.searchsorted(edge, low)
    count = np.searchsorted(edge, high) - first
    row = np.full(len(edge), -1, np.int64)
    row[ranges(first, count)] = np.repeat(np.arange(len(rows)), count)  # the last one that is put there stays
    head = np.flatnonzero(np.diff(row, prepend=-1))
    tail = np.append(head[1:], len(edge) - 1)
    real = row[head] >= 0
    head, tail = head[real], tail[real]
    last = row[head]
    return Spans(
        rows.store[last], axis.at(edge[head]), axis.at(edge[tail]), rows.number[last], rows.kind[last]
    )
