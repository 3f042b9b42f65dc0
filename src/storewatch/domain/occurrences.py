"""When something comes again: rules of RFC 5545 over the times of a clock, which knows no zones."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice, takewhile

import numpy as np
from dateutil.rrule import rrulestr

from storewatch.domain.axis import Int64
from storewatch.domain.clock import SECOND, from_us, to_us

MOST = 50_000
"""So many times does a rule come again at most: each day for a century."""


def begins(rule: str | None, first: int, until: int) -> Int64:
    """The times before `until` at which it begins, in order: `first`, and those that the rule has after it.

    Times are microseconds as if the clock showed UTC. ValueError for a rule that is none.
    """
    if rule is None:
        return np.array([first] if first < until else [], np.int64)
    found = _expanded(rule, first, from_us(max(first, until)).year)
    return found[: np.searchsorted(found, until)]


@lru_cache(maxsize=1 << 12)
def _expanded(rule: str, first: int, last_year: int) -> Int64:
    """All of them up to the end of a year, so that days asked for one after the other are one question."""
    start = from_us(first).replace(tzinfo=None)
    end = datetime(last_year + 1, 1, 1)  # noqa: DTZ001 - a time of a clock
    times = takewhile(lambda time: time < end, islice(rrulestr(rule, dtstart=start), MOST))
    fraction = first % SECOND  # rules are of whole seconds
    again = [to_us(time.replace(tzinfo=UTC)) + fraction for time in times]
    return np.unique(np.array([first, *again], np.int64))
