"""Days, weeks and months of a calendar, and the hours of a week on its clocks."""

from __future__ import annotations

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR
from storewatch.domain.windows import midnights, wall_clock

PERIODS = ("day", "week", "month")
WEEK_HOURS = 7 * 24
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; 0 is Monday


def starts(by: str, days: Int64) -> Int64:
    """The first day of the period that each day is in; days count from 1970-01-01."""
    if by == "day":
        return days
    if by == "week":
        return days - weekdays(days)
    found: Int64 = (
        days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    )
    return found


def weekdays(days: Int64) -> Int64:
    """0 Monday to 6 Sunday."""
    return (days + _EPOCH_WEEKDAY) % 7


def week_hours(days: Int64, hours: int, zone: str) -> Int64:
    """int64[days, hours]: the hour of the week, 0 to 167, in which each elapsed hour of local days begins,
    as the clocks there show it.
    """
    begin = midnights(days[None, :], np.zeros(1, np.int32), (zone,))[0]
    shown = wall_clock((begin[:, None] + np.arange(hours) * HOUR).reshape(-1), zone) // HOUR % 24
    return weekdays(days)[:, None] * 24 + shown.reshape(-1, hours)
