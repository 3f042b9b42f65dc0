"""From "the last day" to instants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
