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

NOTHING = -1
"""In place of the state of the last open time: there was none within the days that were looked at."""

Costs = tuple[list[int], list[int], int]
"""What downtime costs, by span: the whole and its seen part, in cents, and what both are parts of."""


@dataclass(frozen=True)
class States:
    """How stores stand at T; int64[stores] each. `state` indexes `STATES`, `since` is an instant or `UNTOLD`.

    `last_state` and `last_since` are those of the last open time up to T: they tell of closed stores what
    these will go on from.
    """

    state: Int64
    since: Int64
    last_state: Int64
    last_since: Int64

    def __getitem__(self, stores: Int64 | NDArray[np.bool_]) -> States:
        return States(
            self.state[stores], self.since[stores], self.last_state[stores], self.last_since[stores]
        )


@dataclass(frozen=True)
class Standing:
    """Stores at T. `totals` int64[stores, spans, 6] by `Kind`; `down_min`, `down_max`, `outages`
    int64[stores, spans]; `lost` of each store, None without revenue.
    """

    states: States
    totals: Int64
    down_min: Int64
    down_max: Int64
    outages: Int64
    lost: list[Costs | None]


@dataclass(frozen=True)
class LastOpen:
    """The last open time of stores up to T: its state, or `NOTHING`, since when, whether it reaches to T; and
    `first` int64[stores], where the open time begins that was looked at: T without any.
    """

    state: Int64
    since: Int64
    goes_on: NDArray[np.bool_]
    first: Int64


def last_open(found: Segments, begin: Int64, as_of: int) -> LastOpen:
    """From segments up to T. `begin` int64[stores] is where each one's looking begins."""
    stores = len(begin)
    store, start = found.store, np.maximum(found.start, begin[found.store])
    end = np.minimum(found.end, as_of)
    some = start < end
    store, start, end, kind = store[some], start[some], end[some], _OF_KIND[found.kind[some]]
    head, last = (np.searchsorted(store, np.arange(stores), side) for side in ("left", "right"))
    has, last = head < last, last - 1
    state, goes_on, first = np.full(stores, NOTHING), np.zeros(stores, np.bool_), np.full(stores, as_of)
    state[has], first[has] = kind[last[has]], start[head[has]]
    goes_on[has] = end[last[has]] == as_of
    return LastOpen(state, _since(store, start, kind, state), goes_on, first)


def at_t(last: LastOpen, opens: Intervals, as_of: int) -> States:
    """How stores stand that had this open time; `opens` reach past T."""
    closed = ~_open_at(opens, len(last.state), as_of)
    # it may open at T itself: nothing is known of it then
    state = np.where(closed, CLOSED, np.where(last.goes_on, last.state, UNSEEN))
    since = np.where(closed | ~last.goes_on, UNTOLD, last.since)
    return States(state, since, last.state, last.since)


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
