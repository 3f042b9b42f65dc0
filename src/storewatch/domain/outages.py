"""Segments and windows -> outages. SEMANTICS, "Outage".

An outage is a run of down segments that follow each other: closed time lies between segments and is
none itself, so it ends no run; up and unknown are segments and do.

    segments   up | down   down |closed| down | unknown | down
    runs            [--------------------]               [---]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Kind, Polls, Rules, Segments, by_batches
from storewatch.domain.axis import Int64
from storewatch.domain.bounds import bounds
from storewatch.domain.hours import Intervals
from storewatch.domain.spans import Spans
from storewatch.domain.totals import totals


@dataclass(frozen=True)
class Figures:
    """What a report says of each store in each window; microseconds.

    `totals` int64[stores, windows, 6] by `Kind`, `outages` int32[stores, windows] how many have a part in
    the window, `longest` int64[stores, windows] the open time of the longest within it; 0 without one.
    `down_min` and `down_max` int64[stores, windows] are the bounds between which the downtime lies.
    """

    totals: Int64
    outages: NDArray[np.int32]
    longest: Int64
    down_min: Int64
    down_max: Int64


def figures_by_store(
    polls: Polls, opens: Intervals, rules: Rules, windows: Int64, until: int, decided: Spans | None = None
) -> Figures:
    """`totals`, `outages` and `bounds` of `segments`, made once: the engine's front door for reports."""
    shape = windows.shape[:2]
    totals_, longest, down_min, down_max = (
        np.zeros((*shape, *more), np.int64) for more in ((len(Kind),), (), (), ())
    )
    found = Figures(totals_, np.zeros(shape, np.int32), longest, down_min, down_max)

    def fill(stores: slice, part: Segments) -> None:
        found.totals[stores] = totals(part, windows[stores])
        found.outages[stores], found.longest[stores] = outages(part, windows[stores])
        found.down_min[stores], found.down_max[stores] = bounds(part, windows[stores])

    by_batches(polls, opens, rules, windows, until, fill, decided)
    return found


def outages(found: Segments, windows: Int64, shortest: int = 0) -> tuple[Int64, Int64]:
    """How many outages have a part in each window, and the open time of the longest, clipped to it. Counted
    are those whose part is `shortest` microseconds long at least.

    `windows` int64[stores, windows, 2] as for `totals`. Returns two int64[stores, windows].
    """
    stores, count, _ = windows.shape
    runs = runs_of(found)
    if not len(runs.place):
        return np.zeros((stores, count), np.int64), np.zeros((stores, count), np.int64)
    row = np.repeat(np.arange(stores), count)
    start = found.axis.pack(row, windows[:, :, 0].reshape(-1))
    end = found.axis.pack(row, windows[:, :, 1].reshape(-1))
    number, longest = _within(runs, start, end, shortest)
    return number.reshape(stores, count), longest.reshape(stores, count)


@dataclass(frozen=True)
class Runs:
    """The down segments, `place` and `length`, the `segment`th of all; the i-th belongs to run `run[i]`.

    `before[i]` is all down time before segment i. Run r lies between `edge[r]` and `edge[r + 1]` of it.
    """

    place: Int64
    length: Int64
    run: Int64
    before: Int64
    edge: Int64
    segment: Int64


def runs_of(found: Segments) -> Runs:
    """The outages that segments make."""
    down = np.flatnonzero((found.kind == Kind.DOWN_SEEN) | (found.kind == Kind.DOWN_INFERRED))
    place, length = found.place[down], found.length[down]
    head = np.ones(len(down), np.bool_)
    store = found.axis.store(place)
    head[1:] = (down[1:] != down[:-1] + 1) | (store[1:] != store[:-1])
    upto = np.append(0, np.cumsum(length))
    edge = np.append(upto[:-1][head], upto[-1])
    return Runs(place, length, np.cumsum(head) - 1, upto[:-1], edge, down)


def _within(runs: Runs, start: Int64, end: Int64, shortest: int) -> tuple[Int64, Int64]:
    """Number and longest of the runs in each [start, end), given as axis coordinates."""
    first = np.searchsorted(runs.place + runs.length, start, side="right")
    last = np.searchsorted(runs.place, end, side="left") - 1
    hit = np.flatnonzero((first <= last) & (start < end))
    first, last = first[hit], last[hit]
    low = runs.before[first] + np.maximum(start[hit] - runs.place[first], 0)
    high = runs.before[last] + np.minimum(end[hit] - runs.place[last], runs.length[last])
    count = runs.run[last] - runs.run[first] + 1
    number, longest = np.zeros(len(start), np.int64), np.zeros(len(start), np.int64)
    number[hit], longest[hit] = _longest(runs.edge, runs.run[first], count, low, high, shortest)
    return number, longest


def _longest(
    edge: Int64, first: Int64, count: Int64, low: Int64, high: Int64, shortest: int
) -> tuple[Int64, Int64]:
    """Of the runs first[i] … first[i] + count[i] - 1, as far as they lie in [low[i], high[i]): how many are
    so long at least, and the longest.
    """
    if not len(count):
        return count, count
    begin = np.cumsum(count) - count
    run = np.repeat(first - begin, count) + np.arange(int(count.sum()))
    length = np.minimum(edge[run + 1], np.repeat(high, count)) - np.maximum(edge[run], np.repeat(low, count))
    number: Int64 = np.add.reduceat((length >= shortest).astype(np.int64), begin)
    longest: Int64 = np.maximum.reduceat(length, begin)
    return number, longest
