"""Open time that lies ahead of T, by the weekly hours in force and the exceptions to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storewatch.domain import periods
from storewatch.domain.axis import Int64
from storewatch.domain.windows import midnights
from storewatch.services.sight import Sight

PERIODS = ("week", "month", "quarter")
_NEAR = 2
"""Where the next period runs already, it begins in so many days at most elsewhere."""

_NEVER = 1 << 60  # as history has it, of whose job this is a part
_STORES_AT_ONCE = 2_500  # times the days of a quarter: some megabytes


def within(seen: Sight, spans: Int64) -> Int64:
    """int64[stores, spans]: open time of stores in [start, end) of `spans` int64[stores, spans, 2], as far as
    it lies after T.
    """
    spans = np.maximum(spans, seen.as_of)
    found = np.zeros(spans.shape[:2], np.int64)
    for start in range(0, len(spans), _STORES_AT_ONCE):
        which = slice(start, start + _STORES_AT_ONCE)
        found[which] = _within(seen[which], spans[which])
    return found


def _within(seen: Sight, spans: Int64) -> Int64:
    found = np.zeros(spans.shape[:2], np.int64)
    running = np.flatnonzero((spans[:, :, 0] < spans[:, :, 1]).any(axis=0)).tolist()
    if running:
        until = int(spans.max())
        opens = seen.opens(seen.as_of, until)
    for number in running:
        low, high = spans[opens.store, number].T
        length = np.maximum(np.minimum(opens.end, high) - np.maximum(opens.start, low), 0)
        np.add.at(found[:, number], opens.store, length)
    return found


def passed(seen: Sight, since: Int64) -> Int64:
    """int64[stores]: open time of stores in [since, T), within their last days."""
    until = seen.as_of
    opens = seen.opens(int(since.min(initial=until)), until)
    found = np.zeros(len(since), np.int64)
    np.add.at(found, opens.store, np.maximum(opens.end - np.maximum(opens.start, since[opens.store]), 0))
    return found


def told(seen: Sight) -> tuple[NDArray[np.int32], list[str], Int64]:
    """(keys, zones, int64[stores, 6]) of stores as it is kept; of one that was never polled the
    zone is empty.
    """
    polled = seen.record.first_instant < _NEVER
    names = [seen.schedule.zone_names[number] for number in seen.schedule.zone.tolist()]
    zones = [name if has else "" for name, has in zip(names, polled.tolist(), strict=True)]
    return seen.store_keys, zones, of_stores(seen)


def of_stores(seen: Sight) -> Int64:
    """int64[stores, 6]: in the week, month and quarter that each is in, and in those after, 0 unless they are
    near.
    """
    last = seen.last_days()
    begin = [periods.starts(by, last) for by in PERIODS]
    end = [periods.following(by, first) for by, first in zip(PERIODS, begin, strict=True)]
    after = [
        np.where(until - last <= _NEAR, periods.following(by, until), until)
        for by, until in zip(PERIODS, end, strict=True)
    ]
    spans = np.stack([np.stack([*begin, *end], axis=1), np.stack([*end, *after], axis=1)], axis=2)
    gone = np.clip(seen.record.archived, spans.min(initial=0), spans.max(initial=0))
    spans = np.minimum(spans, gone[:, None, None])
    edges = midnights(spans.reshape(len(last), -1), seen.schedule.zone, seen.schedule.zone_names)
    return within(seen, edges.reshape(spans.shape))
