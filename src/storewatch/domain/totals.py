"""Segments and windows -> totals by kind."""

from __future__ import annotations

import numpy as np

from storewatch.domain.availability import Kind, Polls, Rules, Segments, by_batches
from storewatch.domain.axis import Int64
from storewatch.domain.hours import Intervals
from storewatch.domain.spans import Spans


def totals(found: Segments, windows: Int64) -> Int64:
    """int64[stores, windows, 6]: microseconds of each `Kind` in each window.

    `windows` int64[stores, windows, 2] holds starts and ends, per store, since local days differ by
    zone. They must lie within the time that the segments were made for.
    """
    stores, count, _ = windows.shape
    told = upto(found, windows.reshape(stores, count * 2)).reshape(stores, count, 2, len(Kind))
    return told[:, :, 1] - told[:, :, 0]


def upto(found: Segments, edges: Int64) -> Int64:
    """int64[stores, edges, 6]: microseconds of each `Kind` from one beginning for all to each edge, so that
    two of a store, one taken from the other, tell the time between them. `edges` int64[stores, edges] must
    lie within the time that the segments were made for.
    """
    stores, count = edges.shape
    if not len(found):
        return np.zeros((stores, count, len(Kind)), np.int64)
    row = np.repeat(np.arange(stores), count)
    return _upto(found, found.axis.pack(row, edges.reshape(-1))).reshape(stores, count, len(Kind))


def totals_by_store(
    polls: Polls, opens: Intervals, rules: Rules, windows: Int64, until: int, decided: Spans | None = None
) -> Int64:
    """`totals` of `segments`, a cacheful of stores at a time."""
    result = np.zeros((*windows.shape[:2], len(Kind)), np.int64)

    def fill(stores: slice, found: Segments) -> None:
        result[stores] = totals(found, windows[stores])

    by_batches(polls, opens, rules, windows, until, fill, decided)
    return result


def _upto(found: Segments, edges: Int64) -> Int64:
    """int64[edges, 6]: microseconds of each kind from the beginning of the axis up to each edge."""
    edge, back = _distinct(edges)
    index = np.searchsorted(found.place, edge, side="right")
    last = np.maximum(index - 1, 0)
    beyond = np.where(index > 0, found.place[last] + found.length[last] - edge, 0)
    before = np.cumsum(_sums_between(found, index), axis=0)
    before[np.arange(len(edge)), found.kind[last]] -= np.maximum(beyond, 0)
    return before[back]


def _distinct(edges: Int64) -> tuple[Int64, Int64]:
    """The edges in order, each once, and where each of those given is among them."""
    step = np.diff(edges)
    if (step < 0).any():
        return np.unique(edges, return_inverse=True)
    new = np.append(True, step > 0)  # those of hours that follow each other are in order already
    return edges[new], np.cumsum(new) - 1


def _sums_between(found: Segments, index: Int64) -> Int64:
    """int64[index, 6]: microseconds of each kind in the segments index[i - 1] … index[i] - 1.

    `bincount` sums in float64, which is exact here: no sum reaches 2**53 µs, 285 years.
    """
    cell = np.repeat(np.arange(len(index)) * len(Kind), np.diff(index, prepend=0))
    cell += found.kind[: len(cell)]
    sums = np.bincount(cell, found.length[: len(cell)], minlength=len(index) * len(Kind))
    return sums.astype(np.int64).reshape(-1, len(Kind))
