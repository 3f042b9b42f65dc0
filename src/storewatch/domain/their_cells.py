"""Polls -> cells of time that they speak for, by any of the rules of `their_rules`; cells -> up and down.

As in `availability` all stores lie on one axis; cells of a store never overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Polls
from storewatch.domain.axis import Axis, Int64, ranges
from storewatch.domain.clock import HOUR
from storewatch.domain.hours import Intervals
from storewatch.domain.other_weeks import Bools
from storewatch.domain.their_rules import How, Speak


def within(polls: Polls, opens: Intervals, axis: Axis) -> Polls:
    """Those made in open time."""
    at = axis.pack(polls.store, polls.at)
    first = np.searchsorted(at, axis.pack(opens.store, opens.start))
    return _of(polls, ranges(first, np.searchsorted(at, axis.pack(opens.store, opens.end)) - first))


def since(polls: Polls, first: Int64) -> Polls:
    """Those from an instant of their store on."""
    return _of(polls, np.flatnonzero(polls.at >= first[polls.store]))


def _of(polls: Polls, which: Int64) -> Polls:
    return Polls(polls.store[which], polls.at[which], polls.active[which])


@dataclass(frozen=True)
class Cells:
    """Stretches [left, right) of the axis in order, disjoint; how much of up and down lies before each."""

    left: Int64
    right: Int64
    active: Bools
    before: Int64  # int64[cells, 2]


def cells_of(polls: Polls, speak: Speak, axis: Axis) -> Cells:
    """The cells of polls."""
    at = axis.pack(polls.store, polls.at)
    low = at - (polls.at - axis.start)  # where the store's frame begins
    same = polls.store[1:] == polls.store[:-1]
    left = np.maximum(at - speak.reach, low)
    right = np.minimum(at + speak.reach, low + (axis.until - axis.start))
    if speak.how is How.NEXT:
        right = at.copy()
        left[1:] = np.where(same, np.maximum(left[1:], at[:-1]), left[1:])
    else:
        border = _border(at, speak)
        left = at.copy() if speak.how is How.PREVIOUS_ONLY else left
        left[1:] = np.where(same, np.maximum(left[1:], border), left[1:])
        right[:-1] = np.where(same, np.minimum(right[:-1], border), right[:-1])
    length = np.maximum(right - left, 0)
    states = np.stack([length * polls.active, length * ~polls.active], axis=1)
    return Cells(left, right, polls.active, np.cumsum(states, axis=0) - states)


def _border(at: Int64, speak: Speak) -> Int64:
    """Where a cell yields to the next, should they meet."""
    if speak.how is How.NEAREST:
        middle: Int64 = (at[:-1] + at[1:]) >> 1
        return middle
    if speak.how is How.PREVIOUS_ONLY:
        return at[1:]
    return np.minimum(at[1:], at[:-1] + speak.reach)


def times_in(cells: Cells, part: Intervals, axis: Axis, stores: int) -> Int64:
    """int64[stores, 2]: up and down in some open time."""
    if not len(cells.left):
        return np.zeros((stores, 2), np.int64)
    ends = _upto(cells, axis.pack(part.store, part.end)) - _upto(cells, axis.pack(part.store, part.start))
    return np.stack([sums(ends[:, state], part.store, stores) for state in (0, 1)], axis=1)


def _upto(cells: Cells, place: Int64) -> Int64:
    """int64[places, 2]: up and down from the beginning of the axis to each place."""
    which = np.searchsorted(cells.left, place, side="right") - 1
    there = np.maximum(which, 0)
    length = np.maximum(np.minimum(place, cells.right[there]) - cells.left[there], 0) * (which >= 0)
    found: Int64 = cells.before[there]
    found[np.arange(len(place)), np.where(cells.active[there], 0, 1)] += length
    return found


def by_polls(polls: Polls, last: Int64, open_: Int64, speak: Speak) -> Int64:
    """int64[stores, 2]: what polls up to the end of a window make of its open time, or hours of their own."""
    kept = polls.at <= last[polls.store]
    count = np.stack(
        [
            np.bincount(polls.store[kept & (polls.active == state)], minlength=len(open_))
            for state in (True, False)
        ],
        axis=1,
    )
    if speak.how is How.COUNT:
        return np.asarray(count * HOUR)
    share = count / np.maximum(count.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.rint(open_[:, None] * share).astype(np.int64))


def sums(values: Int64, store: NDArray[np.int32], stores: int) -> Int64:
    """Sums by store; exact, for none reaches 2**53 µs."""
    return np.bincount(store, values, minlength=stores).astype(np.int64)
