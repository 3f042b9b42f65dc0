"""From "the last day" and "the 5th of March there" to instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain import zones
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR


@dataclass(frozen=True)
class Elapsed:
    """The stretch of `length_us` that ends at a report's `as_of`: elapsed time, not calendar time."""

    name: str
    length_us: int


LAST_HOUR = Elapsed("last_hour", HOUR)
LAST_DAY = Elapsed("last_day", DAY)
LAST_WEEK = Elapsed("last_week", 7 * DAY)
CLASSIC = (LAST_HOUR, LAST_DAY, LAST_WEEK)
"""The windows of the classic report, in the order of its columns."""


def before(as_of: int, windows: tuple[Elapsed, ...], stores: int) -> Int64:
    """[stores, windows, 2]: each window's start and end, the same for every store."""
    edges = np.array([[as_of - window.length_us, as_of] for window in windows], np.int64)
    return np.broadcast_to(edges, (stores, len(windows), 2))


def midnights(days: Int64, zone: NDArray[np.int32], zone_names: Sequence[str]) -> Int64:
    """The instants at which local days begin.

    `days` int64[stores, any] counts local dates from 1970-01-01; `zone` int32[stores] indexes `zone_names`.
    A midnight that the clocks skip or repeat is read as any wall-clock time is: a day may have 23 to 25
    hours, and one that a zone left out of its calendar has none.
    """
    result = np.empty(days.shape, np.int64)
    for number in np.unique(zone).tolist():
        rows = zone == number
        result[rows] = zones.local_to_utc(days[rows] * DAY, zone_names[number])
    return result


def local_days(at: Int64, zone: NDArray[np.int32], zone_names: Sequence[str]) -> Int64:
    """The local dates, counted from 1970-01-01, at instants. `at` and `zone` have one length."""
    result = np.empty(len(at), np.int64)
    for number in np.unique(zone).tolist():
        rows = zone == number
        result[rows] = wall_clock(at[rows], zone_names[number]) // DAY
    return result


def wall_clock(at: Int64, zone: str) -> Int64:
    """What the clocks of a zone show at instants: microseconds as if they showed UTC."""
    if not at.size:
        return at
    change, offsets = zones.changes(zone, int(at.min()), int(at.max()))
    shown: Int64 = at + offsets[np.searchsorted(change, at, side="right")]
    return shown
