"""Segments and windows -> between which bounds the downtime lies. SEMANTICS, "Outage".

Polls are points; where between an up and a down one the state changed, nobody saw. So of every open instant
the in-hours polls to both sides are asked, as far as each speaks, which is max_gap:

    poll          up          down        down          up
    down_min                  [-----------)                   the polls to both sides are down
    down          :     [---------------------)               as the policy has it
    down_max      [-------------------------------------)     a poll to one side at least is down

A silence longer than max_gap belongs to down_min only as far as both polls reach, and to down_max only as
far as one of them does. So both depend on polls within max_gap of an instant alone, as its state does: days
add up to months, and down_min <= down <= down_max by either policy. What an exception says is certain: down
is in both, up and excluded are in neither.
"""

from __future__ import annotations

import numpy as np

from storewatch.domain.availability import InHours, Kind, Segments
from storewatch.domain.axis import Int64


def bounds(found: Segments, windows: Int64) -> tuple[Int64, Int64]:
    """int64[stores, windows] twice: the open time of each window in `down_min` and in `down_max`.

    `windows` int64[stores, windows, 2] as for `totals`.
    """
    stores, count, _ = windows.shape
    edges = found.axis.pack(np.repeat(np.arange(stores), count * 2), windows.reshape(-1))
    least, most = (each.reshape(stores, count, 2) for each in upto(found, edges))
    return least[:, :, 1] - least[:, :, 0], most[:, :, 1] - most[:, :, 0]


def upto(found: Segments, edges: Int64) -> tuple[Int64, Int64]:
    """int64[edges] twice: open time in `down_min` and in `down_max` from the beginning of the axis up to
    places on it.
    """
    end, ruled = found.place + found.length, found.exception >= 0
    opens = _Time(*_joined(found.place[~ruled], end[~ruled]))
    certain, possible = stretches(found.polls)
    down = ruled & (found.kind == Kind.DOWN_INFERRED)
    said = _Time(*_joined(found.place[down], end[down])).upto(edges)
    return said + _upto(opens, *certain, edges), said + _upto(opens, *possible, edges)


def stretches(polls: InHours) -> tuple[tuple[Int64, Int64], tuple[Int64, Int64]]:
    """Starts and ends of `down_min`, and those of `down_max`, as places on the axis: closed time included,
    in order, none meeting another.

    Polls of different stores lie at least two `max_gap` apart there, so no stretch reaches another store.
    """
    down = np.flatnonzero(~polls.active)
    left, right = reach(polls, down)
    both = np.flatnonzero((np.diff(down) == 1) & (left[1:] < right[:-1]))
    certain = (left[both + 1], right[both])
    possible = (np.append(left[:1], np.maximum(left[1:], right[:-1])), right)
    return _joined(*certain), _joined(*possible)


def reach(polls: InHours, which: Int64) -> tuple[Int64, Int64]:
    """From where and up to where some of the polls speak, if at most up to the poll before and the one after
    them: places on the axis.
    """
    at = polls.place[which]
    left, right = at - polls.max_gap, at + polls.max_gap
    inner, last = which > 0, which + 1 < len(polls.place)
    left[inner] = np.maximum(left[inner], polls.place[which[inner] - 1])
    right[last] = np.minimum(right[last], polls.place[which[last] + 1])
    return left, right


def _joined(start: Int64, end: Int64) -> tuple[Int64, Int64]:
    """The same with those that touch made one."""
    apart = start[1:] > end[:-1]
    some = np.ones(min(1, len(start)), np.bool_)
    return start[np.append(some, apart)], end[np.append(apart, some)]


def _upto(opens: _Time, start: Int64, end: Int64, edges: Int64) -> Int64:
    """int64[edges]: open time in stretches from the beginning of the axis up to each edge."""
    if not len(start):
        return np.zeros(len(edges), np.int64)
    at_end = opens.upto(end)
    before = np.append(0, np.cumsum(at_end - opens.upto(start)))
    number = np.searchsorted(start, edges)
    last = np.maximum(number - 1, 0)
    beyond = at_end[last] - opens.upto(np.minimum(end[last], edges))
    sums: Int64 = before[number] - np.where(number > 0, beyond, 0)
    return sums


class _Time:
    """Intervals of the axis, in order, none meeting another."""

    def __init__(self, start: Int64, end: Int64) -> None:
        self._start, self._end = start, end
        self._before = np.append(0, np.cumsum(end - start))

    def upto(self, at: Int64) -> Int64:
        """int64[at]: how much of their time lies before places."""
        if not len(self._start):
            return np.zeros(len(at), np.int64)
        number = np.searchsorted(self._start, at)
        beyond = np.maximum(self._end[np.maximum(number - 1, 0)] - at, 0)
        time: Int64 = self._before[number] - np.where(number > 0, beyond, 0)
        return time
