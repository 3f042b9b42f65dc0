"""When something runs by itself: every day, week or month, at a time on the clocks of a zone.

Each day's run comes exactly once. A time that the clocks skip runs at the first instant after the gap; one
that they show twice runs the first time. A month that has no 31st runs on its last day.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from storewatch.domain import zones
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, MINUTE
from storewatch.domain.clock_words import on_clock
from storewatch.domain.windows import wall_clock
from storewatch.errors import UsageError

EVERY = ("day", "week", "month")
_EPOCH = date(1970, 1, 1)
_LONGEST = 64 * DAY
"""Longer than from one run to the next."""


@dataclass(frozen=True)
class Timetable:
    """`on_day` is 0 Monday to 6 Sunday of a week, 1 to 31 of a month, None of every day; `minute` is of the
    day on the clock of `zone`.
    """

    every: str
    on_day: int | None
    minute: int
    zone: str

    def runs(self, start: int, end: int) -> list[int]:
        """The instants of [start, end) at which it runs, in order; microseconds."""
        first, last = start // DAY - 2, end // DAY + 2
        days = [day for day in range(first, last + 1) if self.is_on(_EPOCH + timedelta(days=day))]
        found = np.unique(_instants(np.array(days, np.int64) * DAY + self.minute * MINUTE, self.zone))
        return [int(at) for at in found if start <= at < end]

    def next_run(self, after: int) -> int:
        """The first run after an instant."""
        return self.runs(after + 1, after + _LONGEST)[0]

    def last_run(self, at: int) -> int:
        """The last run up to an instant, which may be one."""
        return self.runs(at - _LONGEST, at + 1)[-1]

    def is_on(self, day: date) -> bool:
        """Whether it runs on a local date."""
        if self.every == "week":
            return day.weekday() == self.on_day
        if self.every == "month":
            return day.day == min(self.on_day or 1, monthrange(day.year, day.month)[1])
        return True

    def days(self, due: int) -> Days:
        """What a run is about."""
        return days_before(self.every, on_clock(due, self.zone).date())


def checked(timetable: Timetable) -> Timetable:
    """Itself. UsageError names the field that makes no sense."""
    if timetable.every not in EVERY:
        raise UsageError("every must be day, week or month", field="every")
    lowest, highest = {"week": (0, 6), "month": (1, 31)}.get(timetable.every, (None, None))
    if lowest is None or highest is None:
        if timetable.on_day is not None:
            raise UsageError("What runs every day has no on_day", field="on_day")
    elif timetable.on_day is None or not lowest <= timetable.on_day <= highest:
        raise UsageError(
            "on_day must be 1 to 31" if lowest else "on_day must be 0 (Monday) to 6 (Sunday)", field="on_day"
        )
    if not 0 <= timetable.minute < 24 * 60:
        raise UsageError("at must be a time from 00:00 to 23:59", field="at")
    if timetable.zone not in zones.names():
        raise UsageError("There is no such time zone: write an IANA one like America/Chicago", field="zone")
    return timetable


def _instants(wall: Int64, zone: str) -> Int64:
    """Of wall-clock times; `zones.local_to_utc` puts one that is skipped as far behind the gap's end as it
    lies behind its beginning, and so the newest change before it is the gap.
    """
    if not wall.size:
        return wall
    found = zones.local_to_utc(wall, zone)
    skipped = wall_clock(found, zone) != wall
    if skipped.any():
        change, _ = zones.changes(zone, int(found.min()) - 2 * DAY, int(found.max()) + 2 * DAY)
        found = np.where(skipped, change[np.searchsorted(change, found, side="right") - 1], found)
    return found


# --- what a run is about --------------------------------------------------------------------------


@dataclass(frozen=True)
class Days:
    """Local days, both ends included, counted from 1970-01-01; and as many, or the month, before them."""

    first: int
    last: int
    first_before: int
    last_before: int


def days_before(every: str, day: date) -> Days:
    """The day, the seven days or the calendar month that were over when `day` began."""
    today = (day - _EPOCH).days
    if every == "month":
        this = (day.replace(day=1) - _EPOCH).days
        first = _first_of_month_before(this)
        return Days(first, this - 1, _first_of_month_before(first), first - 1)
    length = 7 if every == "week" else 1
    return Days(today - length, today - 1, today - 2 * length, today - length - 1)


def _first_of_month_before(first: int) -> int:
    return ((_EPOCH + timedelta(days=first - 1)).replace(day=1) - _EPOCH).days


# --- in words -------------------------------------------------------------------------------------

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def clock_of(minute: int) -> str:
    """`08:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def worded(every: str, on_day: int | None, minute: int) -> str:
    """`every Monday at 08:00`."""
    at = f"at {clock_of(minute)}"
    if every == "week":
        return f"every {WEEKDAYS[on_day or 0]} {at}"
    if every == "month":
        last = ", or its last day," if (on_day or 1) > 28 else ""
        return f"on day {on_day} of each month{last} {at}"
    return f"every day {at}"
