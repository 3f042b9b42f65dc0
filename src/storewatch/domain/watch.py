"""How each store stands at an instant of the clock, for alerting. Recorded outages are the engine's.

Only polls in opening hours count. Polls of one state in a row make a run; a run is *sure* once it has
`polls` of them or has lasted `open_time` of open time, until the next poll or now. The last sure run says
whether a store counts as up or down, a run that is not sure yet casts doubt on it:

    last run          and sure      not sure, after a sure up      not sure, after a sure down
    up                up            up                             recovering
    down              down          suspected                      down

So the state depends on the polls that are there and on the instant, never on the order in which polls came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Polls
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.clock import DAY, HOUR, MINUTE
from storewatch.domain.hours import Intervals

Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
"""In place of an instant: there is none."""


class State(IntEnum):
    """What is thought of a store now."""

    UP = 0
    SUSPECTED = 1
    DOWN = 2
    RECOVERING = 3
    CLOSED = 4
    NOT_SEEN = 5


@dataclass(frozen=True)
class Patience:
    """When something is believed. A store is not seen after `silence` of open time without a poll; two polls
    further apart than `max_gap` have nothing to do with each other. Microseconds.
    """

    polls: int = 2
    open_time: int = 15 * MINUTE
    silence: int = 2 * HOUR
    max_gap: int = DAY


@dataclass(frozen=True)
class Watch:
    """Stores at `now`. `state` int8[stores] is a `State`.

    `down_from` int64[stores]: the first poll of the downtime that counts or is suspected, also while closed;
    `seen` int64[stores]: the newest poll in opening hours; `next` int64[stores]: the first instant at which
    the state may be another although no poll comes; the next poll's, if that is here already. `NEVER` where
    there is none.
    """

    state: NDArray[np.int8]
    down_from: Int64
    seen: Int64
    next: Int64


def watch(polls: Polls, opens: Intervals, stores: int, now: int, patience: Patience) -> Watch:
    """The state of stores at `now`, from polls up to it and open intervals that reach beyond it."""
    clock = _OpenTime(opens, now)
    ahead = _first_ahead(polls, stores, now)
    polls = _in_hours(polls, clock, now)
    runs = _runs(polls, clock, now, patience)
    believed, down_from = _believed(runs, stores)
    seen = np.full(stores, NEVER)
    seen[polls.store] = polls.at  # sorted by time: the last one stays
    state, following = _by_the_clock(believed, runs, seen, clock, now, patience)
    return Watch(state, down_from, seen, np.minimum(following, ahead))


def _first_ahead(polls: Polls, stores: int, now: int) -> Int64:
    """int64[stores]: the first poll after `now`; it came while the look began, or a clock is ahead."""
    found = np.full(stores, NEVER)
    later = polls.at > now
    np.minimum.at(found, polls.store[later], polls.at[later])
    return found


# --- open time ------------------------------------------------------------------------------------


class _OpenTime:
    """How much open time of a store went by before an instant."""

    def __init__(self, opens: Intervals, now: int) -> None:
        ends = [int(opens.start.min()), int(opens.end.max())] if len(opens) else []
        self._axis = Axis(min([*ends, now]) - 2 * DAY, max([*ends, now]) + 2 * DAY)
        self.opens = opens
        self._start = self._axis.pack(opens.store, opens.start)
        self._before = np.concatenate([[0], np.cumsum(opens.end - opens.start)])

    def interval(self, store: NDArray[np.integer], at: Int64) -> Int64:
        """int64[n]: the number of the interval that each instant lies in; -1 outside."""
        number = np.searchsorted(self._start, self._axis.pack(store, at), side="right") - 1
        inside = number >= 0
        inside[inside] &= self.opens.store[number[inside]] == store[inside]
        inside[inside] &= at[inside] < self.opens.end[number[inside]]
        return np.where(inside, number, -1)

    def of(self, store: NDArray[np.integer], at: Int64) -> Int64:
        """int64[n]: open time before an instant, from a beginning that is the same for all of a store's."""
        number = np.searchsorted(self._start, self._axis.pack(store, at), side="right")
        last = np.maximum(number - 1, 0)
        if not len(self.opens):
            return np.zeros(len(at), np.int64)
        same = (number > 0) & (self.opens.store[last] == store)
        rest = np.where(same, np.maximum(self.opens.end[last] - at, 0), 0)
        return np.asarray(self._before[number] - rest)

    def next_opening(self, stores: int, now: int) -> Int64:
        """int64[stores]: the first start after `now`."""
        every = np.arange(stores)
        number = np.searchsorted(self._start, self._axis.pack(every, np.full(stores, now)), side="right")
        found = np.full(stores, NEVER)
        there = number < len(self.opens)
        there[there] &= self.opens.store[number[there]] == every[there]
        found[there] = self.opens.start[number[there]]
        return found


def _in_hours(polls: Polls, clock: _OpenTime, now: int) -> Polls:
    counts = (polls.at <= now) & (clock.interval(polls.store, polls.at) >= 0)
    return Polls(polls.store[counts], polls.at[counts], polls.active[counts])


# --- runs -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Runs:
    """Polls of one state in a row, by store and time: `at` their first polls, `lasted` their open time."""

    store: NDArray[np.int32]
    at: Int64
    active: Bools
    linked: Bools  # whether the run before has to do with it
    sure: Bools
    lasted: Int64


def _runs(polls: Polls, clock: _OpenTime, now: int, patience: Patience) -> _Runs:
    linked = np.zeros(len(polls), np.bool_)
    linked[1:] = (polls.store[1:] == polls.store[:-1]) & (np.diff(polls.at) <= patience.max_gap)
    first = ~linked
    first[1:] |= polls.active[1:] != polls.active[:-1]
    begin = np.flatnonzero(first)
    count = np.diff(np.append(begin, len(polls)))
    until = np.full(len(begin), now)
    followed = np.append(linked[begin[1:]], False)[: len(begin)]
    until[followed] = polls.at[begin[1:]][followed[:-1]]
    store, at = polls.store[begin], polls.at[begin]
    lasted = clock.of(store, until) - clock.of(store, at)
    sure = (count >= patience.polls) | (lasted >= patience.open_time)
    return _Runs(store, at, polls.active[begin], linked[begin], sure, lasted)


def _believed(runs: _Runs, stores: int) -> tuple[NDArray[np.int8], Int64]:
    """(state, down_from) of stores by their polls alone; NOT_SEEN without any."""
    number = np.arange(len(runs.at))
    last = np.searchsorted(runs.store, np.arange(stores), side="right") - 1
    polled = np.searchsorted(runs.store, np.arange(stores)) <= last
    chain = _latest(~runs.linked, number)  # the run with which all that has to do with this one begins
    sure_up, sure_down = (_latest(runs.sure & (runs.active == up), number) for up in (True, False))
    state, down_from = np.full(stores, State.NOT_SEEN, np.int8), np.full(stores, NEVER)
    end = last[polled]
    up_before = np.maximum(sure_up[end], chain[end] - 1)
    is_down = sure_down[end] > up_before
    state[polled] = np.where(
        is_down,
        np.where(runs.active[end], State.RECOVERING, State.DOWN),
        np.where(runs.active[end], State.UP, State.SUSPECTED),
    )
    sure_downs = np.flatnonzero(runs.sure & ~runs.active)
    begin = np.append(sure_downs, 0)[np.searchsorted(sure_downs, up_before, side="right")]
    begin = np.where(is_down, begin, end)
    down_from[polled] = np.where(is_down | ~runs.active[end], runs.at[begin], NEVER)
    return state, down_from


def _latest(which: Bools, number: Int64) -> Int64:
    """int64[runs]: the newest run up to each of which `which` holds; -1 if there is none."""
    return np.maximum.accumulate(np.where(which, number, -1)) if len(number) else number


# --- the clock ------------------------------------------------------------------------------------


def _by_the_clock(
    believed: NDArray[np.int8],
    runs: _Runs,
    seen: Int64,
    clock: _OpenTime,
    now: int,
    patience: Patience,
) -> tuple[NDArray[np.int8], Int64]:
    """(state, next): closed and not seen are matters of the clock, and so is when doubt ends."""
    stores = len(believed)
    every, instant = np.arange(stores), np.full(stores, now)
    interval = clock.interval(every, instant)
    is_open, polled = interval >= 0, seen < NEVER
    silent = np.full(stores, NEVER)
    silent[polled] = clock.of(every, instant)[polled] - clock.of(every[polled], seen[polled])
    forgotten = (
        ~polled | (silent >= patience.silence) | (now - np.where(polled, seen, now) > patience.max_gap)
    )
    state = np.where(is_open, np.where(forgotten, State.NOT_SEEN, believed), State.CLOSED).astype(np.int8)
    following = clock.next_opening(stores, now)
    following[is_open] = clock.opens.end[interval[is_open]]
    waits = is_open & ~forgotten
    left = np.minimum(patience.silence - silent, seen + patience.max_gap + 1 - now)
    following[waits] = np.minimum(following, now + np.where(waits, left, 0))[waits]
    doubt = waits & np.isin(state, (State.SUSPECTED, State.RECOVERING))
    last = np.searchsorted(runs.store, every, side="right") - 1
    sure_in = np.zeros(stores, np.int64)
    sure_in[doubt] = patience.open_time - runs.lasted[last[doubt]]
    following[doubt] = np.minimum(following[doubt], now + sure_in[doubt])
    return state, following
