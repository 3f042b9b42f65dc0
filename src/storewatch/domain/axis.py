"""Store and time on one int64 axis, so that one sort or search serves all stores at once.

    store 0              store 1              store 2
    |--- frame --------| |--- frame --------| |--- frame --------|
    0                    2**bits              2 * 2**bits          -> axis

A frame of a week needs 40 bits, of a year 45, which leaves room for 2**22 and 2**17 stores:
work on more stores at once must be cut into pieces of `max_stores`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_AXIS_BITS = 62  # one less than int64 has: sums of two coordinates stay in range too


@dataclass(frozen=True)
class Axis:
    """Maps (store, instant) to one int64 and back, for instants in [start, until]."""

    start: int
    until: int

    @property
    def bits(self) -> int:
        """Bits that an instant of the frame takes; its end included."""
        return max(1, (self.until - self.start + 1).bit_length())

    @property
    def max_stores(self) -> int:
        """So many stores fit on one axis."""
        return 1 << max(0, _AXIS_BITS - self.bits)

    def pack(self, store: NDArray[np.integer], at: Int64) -> Int64:
        """Coordinates of instants; those outside the frame are moved to its nearer end."""
        if store.size and int(store.max()) >= self.max_stores:
            raise OverflowError(f"{int(store.max()) + 1} stores do not fit beside {self.bits} bits of time")
        place: Int64 = at - self.start
        np.clip(place, 0, self.until - self.start, out=place)
        place += store.astype(np.int64) << self.bits
        return place

    def store(self, place: Int64) -> Int64:
        """The stores of coordinates."""
        return place >> self.bits

    def at(self, place: Int64) -> Int64:
        """The instants of coordinates."""
        return (place & ((1 << self.bits) - 1)) + self.start


def ranges(first: Int64, count: Int64) -> Int64:
    """Joins the ranges first[i] … first[i] + count[i] - 1 into one array."""
    before = np.cumsum(count) - count
    shift: Int64 = np.repeat(first - before, count)
    return shift + np.arange(len(shift))
