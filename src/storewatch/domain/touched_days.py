"""How many local days an exception touches: of stores in a zone, from their first poll on, up to now."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from storewatch.domain import rrules, zones
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, from_us, to_us

_OFF = 2 * DAY
"""No clock is further from UTC, a clock change included."""


def past_days(
    start: datetime, end: datetime, rule: str | None, zone: str, now_us: int, first_days: Int64
) -> Int64:
    """int64[stores]: how many local days hold a part of the exception's time that lies before now.

    `start` and `end` are instants, or without a zone local times, which come again by `rule`. Days before
    `first_days` (counted from 1970) are left out.
    """
    begin, until = _spans(start, end, rule, zone, now_us)
    if not len(begin):
        return np.zeros(len(first_days), np.int64)
    low, high = _local_day(begin, zone), _local_day(until - 1, zone) + 1
    low = np.maximum(low, np.append(low[:1], np.maximum.accumulate(high)[:-1]))  # each day once
    length = np.maximum(high - low, 0)
    after = np.append(np.cumsum(length[::-1])[::-1], 0)  # days of each span and all later ones
    reach = np.maximum.accumulate(high)
    place = np.searchsorted(reach, first_days, side="right")
    inside = np.minimum(place, len(low) - 1)
    before = np.clip(first_days - low[inside], 0, length[inside])
    return after[place] - np.where(place < len(low), before, 0)


def _spans(start: datetime, end: datetime, rule: str | None, zone: str, now_us: int) -> tuple[Int64, Int64]:
    """The times of an exception, as instants, as far as they lie before now; in order of their starts."""
    if start.tzinfo is not None:
        begin, until = np.array([to_us(start)]), np.array([to_us(end)])
    else:
        last = from_us(now_us + _OFF).replace(tzinfo=None)
        local = [to_us(at.replace(tzinfo=UTC)) for at in rrules.times(rule, start, last)]
        wall = np.array(local, np.int64)
        length = to_us(end.replace(tzinfo=UTC)) - to_us(start.replace(tzinfo=UTC))
        begin, until = zones.local_to_utc(wall, zone), zones.local_to_utc(wall + length, zone)
    until = np.minimum(until, now_us)
    real = until > begin
    return begin[real], until[real]


def _local_day(at: Int64, zone: str) -> Int64:
    """The local days, counted from 1970, of instants."""
    changes, offsets = zones.changes(zone, int(at.min()) - DAY, int(at.max()) + DAY)
    day: Int64 = (at + offsets[np.searchsorted(changes, at, side="right")]) // DAY
    return day
