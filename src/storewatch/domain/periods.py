"""Days, weeks, months and quarters of a calendar, and the hours of a week on its clocks."""

from __future__ import annotations

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR
from storewatch.domain.windows import midnights, wall_clock

PERIODS = ("day", "week", "month", "quarter")
WEEK_HOURS = 7 * 24
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; 0 is Monday


def starts(by: str, days: Int64) -> Int64:
    """The first day of the period that each day is in; days count from 1970-01-01."""
    if by == "day":
        return days
    if by == "week":
        return days - weekdays(days)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return _first_days(months - months % (3 if by == "quarter" else 1))


def following(by: str, first_days: Int64) -> Int64:
    """The first day of the period after each, which begins on its first day."""
    if by in ("day", "week"):
        return first_days + (7 if by == "week" else 1)
    months = first_days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return _first_days(months + (3 if by == "quarter" else 1))


def latest(by: str, day: int, count: int) -> Int64:
    """The first days of so many periods, in order, the last of which holds a day."""
    found = starts(by, np.array([day]))
    for _ in range(count - 1):
        found = np.append(starts(by, found[:1] - 1), found)
    return found


def _first_days(months: Int64) -> Int64:
    """Of months counted from 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


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
