"""How stores stand at T: the state of each, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Segments
from storewatch.domain.axis import Int64
from storewatch.domain.hours import Intervals

STATES = ("up", "down", "unseen", "excluded", "closed")
UP, DOWN, UNSEEN, EXCLUDED, CLOSED = range(5)
_OF_KIND = np.array([UP, UP, DOWN, DOWN, UNSEEN, EXCLUDED])

SPANS = (1, 7, 30)
"""Local days up to T: today so far, the last 7 and the last 30 of them, today included."""

LOOKED = 7
"""So many local days are looked at for the beginning of a state."""

UNTOLD = -1
"""In place of an instant: closed, or in this state for longer than was looked."""


Costs = tuple[list[int], list[int], int]
"""What downtime costs, by span: the whole and its seen part, in cents, and what both are parts of."""


@dataclass(frozen=True)
class Standing:
    """Stores at T. `state` int64[stores] indexes `STATES`, `since` int64[stores] is an instant or `UNTOLD`.

    `totals` int64[stores, spans, 6] by `Kind`; `down_min`, `down_max`, `outages` int64[stores, spans];
    `lost` of each store, None without revenue.
    """

    state: Int64
    since: Int64
    totals: Int64
    down_min: Int64
    down_max: Int64
    outages: Int64
    lost: list[Costs | None]


def states(found: Segments, opens: Intervals, begin: Int64, as_of: int) -> tuple[Int64, Int64]:
    """(state, since) of stores, from segments up to T. `begin` int64[stores] is where each one's looking
    begins; `opens` reach past T.
    """
    stores = len(begin)
    store, start = found.store, np.maximum(found.start, begin[found.store])
    end = np.minimum(found.end, as_of)
    some = start < end
    store, start, end, kind = store[some], start[some], end[some], _OF_KIND[found.kind[some]]
    last = np.searchsorted(store, np.arange(stores), side="right") - 1
    has = last >= np.searchsorted(store, np.arange(stores))
    has[has] &= end[last[has]] == as_of  # it may open at T itself: nothing is known of it then
    state = np.full(stores, UNSEEN)
    state[has] = kind[last[has]]
    since = np.where(has, _since(store, start, kind, state), UNTOLD)
    closed = ~_open_at(opens, stores, as_of)
    return np.where(closed, CLOSED, state), np.where(closed, UNTOLD, since)


def _since(store: NDArray[np.int32], start: Int64, kind: Int64, state: Int64) -> Int64:
    """Where the segments after the last one of another state begin."""
    other = np.full(len(state), -1)
    rows = np.flatnonzero(kind != state[store])
    np.maximum.at(other, store[rows], rows)
    return np.where(other >= 0, np.append(start, UNTOLD)[np.minimum(other + 1, len(start))], UNTOLD)


def _open_at(opens: Intervals, stores: int, as_of: int) -> NDArray[np.bool_]:
    found = np.zeros(stores, np.bool_)
    found[opens.store[(opens.start <= as_of) & (as_of < opens.end)]] = True
    return found
