"""Exceptions: what people say of stores' time, and where it holds in a stretch of time.

In this order, docs/explanation/exceptions.md:

    1 other_hours   openings of some local days in place of the week's   } change the open time, and so
    2 closed        time that is not open                                } which polls count
    3 ignore_polls  polls made in it do not count
    4               the engine as ever: segments
    5 up, down      open time in it is so, whatever polls say
    6 excluded      open time in it is neither

Where two of a line overlap, the narrower scope decides (a store's before a group's before that of all), then
the one that was made later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from storewatch.domain import occurrences, zones
from storewatch.domain.availability import Kind, Polls
from storewatch.domain.axis import Axis, Int64, ranges
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.hours import Intervals, OtherDays, Schedule, open_intervals
from storewatch.domain.spans import Spans, painted


class Effect(StrEnum):
    """What an exception does, in the order in which they are applied."""

    OTHER_HOURS = "other_hours"
    CLOSED = "closed"
    IGNORE_POLLS = "ignore_polls"
    UP = "up"
    DOWN = "down"
    EXCLUDED = "excluded"


class Breadth(IntEnum):
    """Whom an exception concerns; the narrower, the higher."""

    ALL = 0
    GROUP = 1
    STORE = 2


@dataclass(frozen=True)
class Ruling:
    """An exception that is in force. `number` tells it apart; what was made later has a higher one.

    From `start` to `end`, in microseconds: instants, or if `local` times on the clock of each store, as if it
    showed UTC, which come again by `rule` (RFC 5545), each time as long on the clock. `openings` are
    (start, end) in seconds of the local day, an end before its start on the next day.
    """

    number: int
    effect: Effect
    start: int
    end: int
    local: bool = False
    rule: str | None = None
    openings: tuple[tuple[int, int], ...] = ()
    breadth: Breadth = Breadth.ALL

    def begins(self, low: int, high: int) -> Int64:
        """When those of its times begin of which a part lies in [low, high)."""
        found = occurrences.begins(self.rule, self.start, high)
        return found[np.searchsorted(found, low - (self.end - self.start), side="right") :]

    @property
    def rank(self) -> int:
        """The stronger, the higher; among those of one line of the order above."""
        return ((self.effect is Effect.EXCLUDED) << 42) | (self.breadth << 40) | self.number


@dataclass(frozen=True)
class Rulings:
    """Exceptions in force, and whom they concern.

    Those of all stores are `everywhere`, positions in `each`; the others are pairs: `store` int32[pairs],
    sorted, and `which` int64[pairs], positions in `each`.
    """

    each: tuple[Ruling, ...]
    everywhere: tuple[int, ...]
    store: NDArray[np.int32]
    which: Int64

    def __len__(self) -> int:
        return len(self.everywhere) + len(self.which)

    def __getitem__(self, stores: slice | NDArray[np.bool_]) -> Rulings:
        """Those of some stores, counted from 0 again."""
        if not len(self.which):
            return self
        if not isinstance(stores, slice):
            own, place = stores[self.store], np.cumsum(stores, dtype=np.int32) - np.int32(1)
            return replace(self, store=place[self.store[own]], which=self.which[own])
        low, high = np.searchsorted(self.store, np.array((stores.start, stores.stop), self.store.dtype))
        part = self.store[low:high] - np.int32(stores.start)
        return replace(self, store=part, which=self.which[low:high])

    def whom(self, stores: int) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Each that concerns some of so many stores, as its position, and these stores."""
        for number in self.everywhere:
            yield number, np.arange(stores, dtype=np.int32)
        order = np.argsort(self.which, kind="stable")
        own, first = np.unique(self.which[order], return_index=True)
        parts = np.split(self.store[order], first[1:])
        yield from zip(own.tolist(), parts, strict=False)


NONE = Rulings((), (), np.empty(0, np.int32), np.empty(0, np.int64))


@dataclass(frozen=True)
class Cover:
    """Where exceptions hold in a stretch of time. `touched` is all of it together, `numbers` their numbers.

    None of what there is none of, so that it costs nothing.
    """

    other: OtherDays | None = None
    closed: Spans | None = None
    ignored: Spans | None = None
    decided: Spans | None = None
    touched: Spans | None = None  # these may overlap
    numbers: frozenset[int] = frozenset()


def cover(rulings: Rulings, schedule: Schedule, start: int, until: int) -> Cover:
    """What exceptions say of [start, until)."""
    found = _occurrences(rulings, schedule, start, until) if len(rulings) else None
    if found is None:
        return Cover()
    other = found.of(rulings, (Effect.OTHER_HOURS,))
    replaced, plain = found[other], found[~other]
    nights = replace(replaced, end=replaced.end + _NIGHT)
    touched = _joined(_part(each, start, until, rulings) for each in (nights, plain))
    closed, ignored, decided = (
        _part(found[found.of(rulings, effects)], start, until, rulings) for effects in _PARTS
    )
    return Cover(
        _other_days(replaced, rulings),
        closed,
        ignored,
        decided,
        touched,
        frozenset() if touched is None else frozenset(touched.number.tolist()),
    )


def opens(rulings: Rulings, schedule: Schedule, start: int, until: int) -> Intervals:
    """The open time of every store within [start, until)."""
    found = cover(rulings, schedule, start, until)
    return open_intervals(schedule, start, until, found.other, found.closed)


_NIGHT = 26 * HOUR
"""What opens on the last evening of a day is closed so long after it at the latest."""
_PARTS = ((Effect.CLOSED,), (Effect.IGNORE_POLLS,), (Effect.UP, Effect.DOWN, Effect.EXCLUDED))
_KINDS = {Effect.UP: Kind.UP_INFERRED, Effect.DOWN: Kind.DOWN_INFERRED, Effect.EXCLUDED: Kind.EXCLUDED}


def without(polls: Polls, ignored: Spans | None) -> Polls:
    """The polls that were not made in ignored time."""
    if ignored is None or not len(polls):
        return polls
    axis = Axis(
        min(int(polls.at.min()), int(ignored.start.min())), int(max(polls.at.max(), ignored.end.max()))
    )
    place = axis.pack(polls.store, polls.at)
    first = np.searchsorted(place, axis.pack(ignored.store, ignored.start))
    last = np.searchsorted(place, axis.pack(ignored.store, ignored.end))
    kept = np.ones(len(polls), np.bool_)
    kept[ranges(first, last - first)] = False
    return Polls(polls.store[kept], polls.at[kept], polls.active[kept])


def _joined(parts: Iterable[Spans | None]) -> Spans | None:
    """One after the other, neither sorted nor disjoint any more."""
    some = [part for part in parts if part is not None]
    if not some:
        return None
    return Spans(
        np.concatenate([part.store for part in some]),
        np.concatenate([part.start for part in some]),
        np.concatenate([part.end for part in some]),
        np.concatenate([part.number for part in some]),
        np.concatenate([part.kind for part in some]),
    )


# --- occurrences ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Occurrences:
    """Times of exceptions, a row for each store that they concern: `which` its position, `start` and `end`
    instants, `begin` and `length` as the exception says them: by the clock if it does.
    """

    which: Int64
    store: NDArray[np.int32]
    start: Int64
    end: Int64
    begin: Int64
    length: Int64

    def __getitem__(self, rows: NDArray[np.bool_] | Int64) -> _Occurrences:
        return _Occurrences(
            self.which[rows],
            self.store[rows],
            self.start[rows],
            self.end[rows],
            self.begin[rows],
            self.length[rows],
        )

    def of(self, rulings: Rulings, effects: tuple[Effect, ...]) -> NDArray[np.bool_]:
        """bool[rows]: those of exceptions with these effects."""
        return np.array([each.effect in effects for each in rulings.each], np.bool_)[self.which]


_MARGIN = 3 * DAY
"""A clock is so far from UTC at most, that of a day that a zone left out included."""


def _occurrences(rulings: Rulings, schedule: Schedule, start: int, until: int) -> _Occurrences | None:
    """Those near [start, until); None if there are none."""
    which, store, begin = [], [], []
    for number, stores in rulings.whom(schedule.stores):
        ruling = rulings.each[number]
        margin = _MARGIN if ruling.local else 0
        found = ruling.begins(start - margin, until + margin)
        if len(found):
            which.append(np.full(len(found) * len(stores), number))
            store.append(np.repeat(stores, len(found)))
            begin.append(np.tile(found, len(stores)))
    if not which:
        return None
    length = np.array([each.end - each.start for each in rulings.each], np.int64)
    columns = (np.concatenate(which), np.concatenate(store), np.concatenate(begin))
    return _instants(*columns, length[columns[0]], rulings, schedule)


def _instants(
    which: Int64, store: NDArray[np.int32], begin: Int64, length: Int64, rulings: Rulings, schedule: Schedule
) -> _Occurrences:
    """The clock's times by the rule of opening hours: what a change empties or turns round does not occur.
    Days are the calendar's, and stay.
    """
    start, end = begin.copy(), begin + length
    local = np.array([each.local for each in rulings.each], np.bool_)[which]
    zone = np.where(local, schedule.zone[store], -1)
    for number in np.unique(zone[local]).tolist():
        rows, name = zone == number, schedule.zone_names[number]
        start[rows] = zones.local_to_utc(begin[rows], name)
        end[rows] = zones.local_to_utc(begin[rows] + length[rows], name)
    found = _Occurrences(which, store, start, end, begin, length)
    return found[(end > start) | found.of(rulings, (Effect.OTHER_HOURS,))]


def _part(rows: _Occurrences, start: int, until: int, rulings: Rulings) -> Spans | None:
    """As far as they lie in [start, until), the strongest where they overlap; None if there are none."""
    low, high = np.maximum(rows.start, start), np.minimum(rows.end, until)
    real = np.flatnonzero(high > low)
    if not len(real):
        return None
    rank = np.array([each.rank for each in rulings.each], np.int64)[rows.which[real]]
    real = real[np.argsort(rank, kind="stable")]
    which = rows.which[real]
    number = np.array([each.number for each in rulings.each], np.int64)[which]
    kind = np.array([_KINDS.get(each.effect, -1) for each in rulings.each], np.int8)[which]
    return painted(Spans(rows.store[real], low[real], high[real], number, kind))


# --- hours of single days -------------------------------------------------------------------------


def _other_days(rows: _Occurrences, rulings: Rulings) -> OtherDays | None:
    """The local days on which stores have other openings; one exception decides a day."""
    if not len(rows.which):
        return None
    count = rows.length // DAY
    day, row = ranges(rows.begin // DAY, count), np.repeat(np.arange(len(count)), count)
    store, which = rows.store[row].astype(np.int64), rows.which[row]
    rank = np.array([each.rank for each in rulings.each], np.int64)[which]
    order = np.lexsort((rank, day, store))
    store, day, which = store[order], day[order], which[order]
    last = np.append((np.diff(store) != 0) | (np.diff(day) != 0), True)
    store, day, which = store[last], day[last], which[last]
    return OtherDays.of_lists(store.astype(np.int32), day, which, [each.openings for each in rulings.each])


# --- how far they reach ---------------------------------------------------------------------------


def stretches(ruling: Ruling, until: int, most: int) -> tuple[Int64, Int64]:
    """First and last instants between which an exception changes something before `until`, in whatever zone:
    of each of its times, or if they are more than `most`, of all together.
    """
    slack = _FAR if ruling.local else 0
    first = ruling.begins(ruling.start, until + slack)
    last = first + (ruling.end - ruling.start) + slack
    if ruling.effect is Effect.OTHER_HOURS:
        last += _NIGHT
    first = first - slack
    return (first, last) if len(first) <= most else (first[:1], last[-1:])


_FAR = 16 * HOUR
"""No clock is so far from UTC."""
