"""Segments -> outages one by one: when they began and ended, who saw them, and why.

    poll        up             down      down            up
    segments    ------|------------------------|-----------
                ^     ^        ^         ^     ^         ^
    last_seen_up   counted_from  first_   last_  counted_  first_seen_up
                              seen_down  seen_down  until

These six are of the outage as a whole, whatever window asks: the same everywhere, or not told where the
segments do not reach far enough. `start`, `end` and all lengths are of its part in the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Kind, Polls, Segments
from storewatch.domain.axis import Int64
from storewatch.domain.bounds import reach, upto
from storewatch.domain.outages import Runs, runs_of

Bools = NDArray[np.bool_]

NONE = -1
"""Stands for an instant that is not known."""


@dataclass(frozen=True)
class Outages:
    """Outages with a part in a window, by store and time, as columns of one length.

    `store` positions; instants in microseconds or `NONE`; lengths in microseconds of open time; `polls` how
    many saw it. `ongoing` says whether it runs at the end of the segments.
    """

    store: Int64
    start: Int64
    end: Int64
    counted_from: Int64
    counted_until: Int64
    last_seen_up: Int64
    first_seen_down: Int64
    last_seen_down: Int64
    first_seen_up: Int64
    down: Int64
    seen: Int64
    down_min: Int64
    down_max: Int64
    polls: Int64
    ongoing: Bools

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, rows: Int64 | Bools | slice) -> Outages:
        return Outages(*(getattr(self, each.name)[rows] for each in fields(self)))

    def shifted(self, stores: int) -> Outages:
        """The same of stores so many positions further on."""
        return replace(self, store=self.store + stores)


@dataclass(frozen=True)
class Seen:
    """Which polls saw which outages: the `outage`th by the `poll`th, int64[pairs] each, in order."""

    outage: Int64
    poll: Int64


def joined(parts: Sequence[Outages]) -> Outages:
    """The outages of several, one after the other."""
    return Outages(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Outages))
    )


def listed(
    found: Segments, polls: Polls, windows: Int64, exact_until: int, *, to_present: bool
) -> tuple[Outages, Seen]:
    """The outages with a part in each store's window, int64[stores, 2], and the polls that saw that part.

    The segments must reach further than the windows, for an outage's beginning and end to be told; they are
    exact up to `exact_until`, or to their end if that is T, `to_present`.
    """
    runs = runs_of(found)
    part = _clipped(found, runs, windows)
    first = np.searchsorted(runs.run, part.runs)
    last = np.searchsorted(runs.run, part.runs, side="right") - 1
    seen, count = part.seen_by(found, len(polls))
    begins, ends, ongoing = _known(found, runs, first, last, exact_until, to_present=to_present)
    first_poll, last_poll = _polls_at_ends(found, runs, part.runs)
    sees_up = _neighbours(found, first_poll, last_poll)
    least, most = _bounds(found, part, first_poll, last_poll)
    axis = found.axis
    return Outages(
        store=axis.store(part.start),
        start=axis.at(part.start),
        end=_end(found, part.end),
        counted_from=np.where(begins, axis.at(runs.place[first]), NONE),
        counted_until=np.where(ends, _end(found, runs.place[last] + runs.length[last]), NONE),
        last_seen_up=np.where(begins, sees_up[0], NONE),
        first_seen_down=np.where(begins, _at(found, first_poll), NONE),
        last_seen_down=np.where(ends | ongoing, _at(found, last_poll), NONE),
        first_seen_up=np.where(ends, sees_up[1], NONE),
        down=part.down,
        seen=part.seen,
        down_min=least,
        down_max=most,
        polls=count,
        ongoing=ongoing,
    ), seen


@dataclass(frozen=True)
class _Part:
    """What of the outages lies in the windows: `runs` which of all they are, `start` and `end` places on the
    axis, `low` and `high` those of their windows, `down` and `seen` lengths; `segment` the segments of all,
    that of `outage` each.
    """

    runs: Int64
    start: Int64
    end: Int64
    low: Int64
    high: Int64
    down: Int64
    seen: Int64
    segment: Int64
    outage: Int64

    def seen_by(self, found: Segments, polls: int) -> tuple[Seen, Int64]:
        """The polls that decided, and how many of them each outage has."""
        poll = found.poll[self.segment]
        pairs = np.unique((self.outage * (polls + 1) + poll)[poll >= 0])
        outage = pairs // (polls + 1)
        return Seen(outage, pairs % (polls + 1)), np.bincount(outage, minlength=len(self.runs))


def _clipped(found: Segments, runs: Runs, windows: Int64) -> _Part:
    stores = np.arange(len(windows))
    low, high = (found.axis.pack(stores, windows[:, side]) for side in (0, 1))
    store = found.axis.store(runs.place)
    start = np.maximum(runs.place, low[store])
    end = np.minimum(runs.place + runs.length, high[store])
    some = np.flatnonzero(start < end)
    start, end, run, store = start[some], end[some], runs.run[some], store[some]
    first = np.flatnonzero(np.diff(run, prepend=-1))
    last = np.append(first[1:], len(run))[: len(first)] - 1
    outage = np.searchsorted(run[first], run)
    is_seen = found.kind[runs.segment[some]] == Kind.DOWN_SEEN
    return _Part(
        runs=run[first],
        start=start[first],
        end=end[last],
        low=low[store[first]],
        high=high[store[first]],
        down=_summed(outage, end - start, len(first)),
        seen=_summed(outage, np.where(is_seen, end - start, 0), len(first)),
        segment=runs.segment[some],
        outage=outage,
    )


def _summed(outage: Int64, length: Int64, outages: int) -> Int64:
    sums = np.zeros(outages, np.int64)
    np.add.at(sums, outage, length)
    return sums


def _known(
    found: Segments, runs: Runs, first: Int64, last: Int64, exact_until: int, *, to_present: bool
) -> tuple[Bools, Bools, Bools]:
    """Whether the beginning of each is known, and its end, and whether it runs on: there must be a segment of
    the store before and after, and what is after must be exact.
    """
    store = found.axis.store(np.append(found.place, np.iinfo(np.int64).max))
    head, tail = runs.segment[first], runs.segment[last]
    begins = (head > 0) & (store[head - 1] == store[head])
    ends = store[tail + 1] == store[tail]
    if to_present:
        return begins, ends, ~ends
    exact = found.axis.at(runs.place[last]) + runs.length[last] <= exact_until
    return begins, ends & exact, np.zeros(len(first), np.bool_)


def _polls_at_ends(found: Segments, runs: Runs, which: Int64) -> tuple[Int64, Int64]:
    """The first and the last poll that saw an outage, as positions among those in hours; `NONE` if no poll
    did, but a person said so.
    """
    poll = found.poll[runs.segment]
    saw = np.flatnonzero(poll >= 0)
    number = np.searchsorted(found.polls.number, poll[saw])
    run = runs.run[saw]
    low, high = np.searchsorted(run, which), np.searchsorted(run, which, side="right")
    padded = np.append(number, NONE)
    return (
        np.where(low < high, padded[np.minimum(low, len(number))], NONE),
        np.where(low < high, padded[np.maximum(high, 1) - 1], NONE),
    )


def _neighbours(found: Segments, first: Int64, last: Int64) -> tuple[Int64, Int64]:
    """When the polls before and after saw the store up; `NONE` if they are of another store, or so far off
    that nothing is known between.
    """
    polls = found.polls
    found_at = []
    for number, step in ((first, -1), (last, 1)):
        other = number + step
        there = (number >= 0) & (other >= 0) & (other < len(polls.place))
        at, its = number[there], other[there]
        near = np.abs(polls.place[its] - polls.place[at]) <= 2 * polls.max_gap
        near &= (found.axis.store(polls.place[its]) == found.axis.store(polls.place[at])) & polls.active[its]
        times = np.full(len(number), NONE, np.int64)
        times[np.flatnonzero(there)[near]] = found.axis.at(polls.place[its[near]])
        found_at.append(times)
    return found_at[0], found_at[1]


def _bounds(found: Segments, part: _Part, first: Int64, last: Int64) -> tuple[Int64, Int64]:
    """`down_min` and `down_max` of each: from where its first poll begins to speak to where its last one
    ends, as far as it lies in the window; without polls what a person said is both.
    """
    left, right = part.start.copy(), part.end.copy()
    polled = first >= 0
    left[polled] = np.minimum(left[polled], reach(found.polls, first[polled])[0])
    right[polled] = np.maximum(right[polled], reach(found.polls, last[polled])[1])
    left, right = np.maximum(left, part.low), np.minimum(right, part.high)
    edges = np.concatenate([part.start, part.end, left, right])
    least, most = (np.split(each, 4) for each in upto(found, edges))
    return least[1] - least[0], most[3] - most[2]


def _at(found: Segments, number: Int64) -> Int64:
    """The instants of polls in hours; `NONE` without one."""
    times: Int64 = np.where(number >= 0, found.axis.at(np.append(found.polls.place, 0)[number]), NONE)
    return times


def _end(found: Segments, place: Int64) -> Int64:
    """The instant of a place that is the end of something."""
    instants: Int64 = found.axis.at(place - 1) + 1
    return instants
