"""A store in pieces that can be drawn and told: runs of one kind, polls, the state at T, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from storewatch.domain.availability import Kind, Polls, Segments
from storewatch.domain.axis import Int64
from storewatch.domain.bounds import bounds
from storewatch.domain.cost import Lost
from storewatch.domain.outage_words import Outage
from storewatch.domain.outages import outages as counted
from storewatch.domain.totals import totals
from storewatch.services.availability import Window
from storewatch.services.sources import Sources
from storewatch.storage.exceptions_in_force import Told


class Run(NamedTuple):
    """A stretch of one kind, [start, end) without closed time in it, and between which polls' instants those
    lie that decided it; `number` is that of an exception which did.
    """

    start: int
    end: int
    kind: Kind
    first_poll: int | None = None
    last_poll: int | None = None
    number: int | None = None


class Dot(NamedTuple):
    """A poll. `counts`: it was made in opening hours, and no exception ignores it."""

    at: int
    active: bool
    counts: bool
    ignored: bool = False


@dataclass(frozen=True)
class Now:
    """The state at T: up, down, closed, unseen, or excluded; since when, None: longer than was looked.

    `outage` is the one that runs, `opens_at` when a closed store opens next, `last_poll` its newest.
    """

    state: str
    since: int | None
    outage: Outage | None
    opens_at: int | None
    last_poll: int | None


@dataclass(frozen=True)
class Picture:
    """Days of a store, `first` to `last`, and all that is drawn of them. `edges` are their midnights, one
    more than days; `opens` reach past T; `by_day` int64[days, 6] by `Kind`; `outages` those in the days.
    """

    zone: str
    as_of: int
    today: int
    first: int
    last: int
    edges: list[int]
    opens: list[tuple[int, int]]
    runs: list[Run]
    polls: list[Dot]
    whole: Window
    by_day: list[list[int]]
    outages: list[Outage]
    lost: Lost | None
    told: dict[int, Told]


_KINDS = tuple(Kind)
_DOWN = (Kind.DOWN_SEEN, Kind.DOWN_INFERRED)
_STATES = {
    Kind.UP_SEEN: "up",
    Kind.UP_INFERRED: "up",
    Kind.DOWN_SEEN: "down",
    Kind.DOWN_INFERRED: "down",
    Kind.UNKNOWN: "unseen",
    Kind.EXCLUDED: "excluded",
}


def state_of(runs: list[Run], as_of: int) -> tuple[str, int | None]:
    """The state of a store that is open at T, and since when; None: since before its runs begin."""
    if not runs or runs[-1].end < as_of:
        return "unseen", None
    state, same = _STATES[runs[-1].kind], 0
    while same < len(runs) and _STATES[runs[-1 - same].kind] == state:
        same += 1
    return state, runs[-same].start if same < len(runs) else None


def runs_of(found: Segments, polls: Polls, start: int, end: int, store: int = 0) -> list[Run]:
    """The segments of a store in [start, end), those of one kind that touch made one."""
    low, high = np.maximum(found.start, start), np.minimum(found.end, end)
    some = np.flatnonzero((low < high) & (found.store == store))
    if not len(some):
        return []
    low, high, kind, number = low[some], high[some], found.kind[some], found.exception[some]
    apart = (low[1:] != high[:-1]) | (kind[1:] != kind[:-1]) | (number[1:] != number[:-1])
    first = np.flatnonzero(np.append(True, apart))
    last = np.append(first[1:], len(some)) - 1
    poll = found.poll[some]
    at = np.where(poll >= 0, np.append(polls.at, 0)[poll], -1)
    columns = (low[first], high[last], kind[first], at[first], at[last], number[first])
    return [
        Run(a, b, _KINDS[k], p if p >= 0 else None, q if q >= 0 else None, n if n >= 0 else None)
        for a, b, k, p, q, n in zip(*(column.tolist() for column in columns), strict=True)
    ]


def downs_of(runs: list[Run]) -> list[tuple[int, int, bool]]:
    """The downtime among runs, and whether it was seen."""
    return [(run.start, run.end, run.kind is Kind.DOWN_SEEN) for run in runs if run.kind in _DOWN]


def dots_of(given: Sources, start: int, end: int) -> list[Dot]:
    """The polls of [start, end], the last instant included."""
    every, counting = given.all_polls, given.polls
    low, high = np.searchsorted(every.at, (start, end + 1))
    at, active = every.at[low:high], every.active[low:high]
    kept_ones = np.isin(at, counting.at)
    place = np.searchsorted(given.opens.start, at, side="right") - 1
    within = (place >= 0) & (at < np.append(given.opens.end, 0)[place])
    columns = (at, active, kept_ones & within, ~kept_ones)
    return [Dot(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def window_of(found: Segments, spans: Int64, start: int, end: int) -> Window:
    """The figures of the whole, as `availability` has them."""
    number, longest = counted(found, spans)
    least, most = bounds(found, spans)
    added = totals(found, spans)[0, 0].tolist()
    figures = (int(each[0, 0]) for each in (number, longest, least, most))
    return Window("days", start, end, added, *figures)
