"""Polls and open intervals -> segments.

SEMANTICS, "State between polls". Every in-hours poll owns a cell of time; cells of one store never
overlap. A cell is seen near its poll and inferred further off; what no cell covers is unknown:

    poll        p0              p1                                     p2
    cell        [----|==o==|----[---|==o==|------)          [----|==o==|---)
    piece       inf.  seen  inf.     seen   inf.   unknown   inf. seen  inf.   unknown ...
    open            [-------------------)   [---------------------------------)
    segments        |..|....|....|..|...|   |.....|.........|....|....|...|...|

The pieces of all stores lie on one axis, sorted; the open intervals cut them into segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Axis, Int64, ranges
from storewatch.domain.clock import DAY, MINUTE
from storewatch.domain.hours import Intervals
from storewatch.domain.spans import Spans

_Rows = TypeVar("_Rows", "Polls", Intervals, Spans)
_THREADS = 2
_STORES_AT_ONCE = 1024  # their polls of a week nearly fit into the processor's cache


class Policy(Enum):
    """Whose state an instant between two polls takes."""

    NEAREST = "nearest"
    PREVIOUS = "previous"


@dataclass(frozen=True)
class Rules:
    """How far a poll speaks. `max_gap` and `seen_within` in microseconds."""

    policy: Policy = Policy.NEAREST
    max_gap: int = DAY
    seen_within: int = 45 * MINUTE


class Kind(IntEnum):
    """What is known of a segment; also the index of the six totals. Only an exception excludes."""

    UP_SEEN = 0
    UP_INFERRED = 1
    DOWN_SEEN = 2
    DOWN_INFERRED = 3
    UNKNOWN = 4
    EXCLUDED = 5


@dataclass(frozen=True)
class Polls:
    """Polls of stores, sorted by store and time, no two of a store at one instant.

    `store` int32[polls] positions, `at` int64[polls], `active` bool[polls].
    """

    store: NDArray[np.int32]
    at: Int64
    active: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, part: slice) -> Polls:
        return Polls(self.store[part], self.at[part], self.active[part])


@dataclass(frozen=True)
class InHours:
    """The polls that count, on the axis and in its order: `place` int64[polls], `active` bool[polls], and
    `number` int64[polls], their positions among all; each speaks for `max_gap` microseconds to either side.
    """

    place: Int64
    active: NDArray[np.bool_]
    number: Int64
    max_gap: int


@dataclass(frozen=True)
class Segments:
    """Open time cut into stretches of one state that one poll decided.

    Sorted by store and start; together they cover exactly the open time. `kind` int8[segments] is a
    `Kind`. `place` and `length` say where each lies; `store`, `start` and `end` say it in words. `polls`
    are those that decided.
    """

    axis: Axis
    place: Int64
    length: Int64
    kind: NDArray[np.int8]
    polls: InHours
    _piece: Int64
    _pieces: _Pieces
    _exception: Int64 | None = None

    def __len__(self) -> int:
        return len(self.place)

    @property
    def store(self) -> NDArray[np.int32]:
        """int32[segments]: whose segment it is."""
        return self.axis.store(self.place).astype(np.int32)

    @property
    def start(self) -> Int64:
        """int64[segments]: the first instant of each."""
        return self.axis.at(self.place)

    @property
    def end(self) -> Int64:
        """int64[segments]: the instant after each."""
        return self.start + self.length

    @property
    def poll(self) -> Int64:
        """int64[segments]: the deciding poll's position among the polls given; -1 where none decides."""
        none = (self.kind == Kind.UNKNOWN) | (self.exception >= 0)
        return np.where(none, -1, self._pieces.poll_of(self._piece))

    @property
    def exception(self) -> Int64:
        """int64[segments]: the number of the exception that decided; -1 where none did."""
        return np.full(len(self), -1) if self._exception is None else self._exception


def segments(
    polls: Polls, opens: Intervals, rules: Rules, start: int, until: int, decided: Spans | None = None
) -> Segments:
    """Segments of the open time in [start, until). `decided` says by exception what polls don't.

    `polls` and `opens` must reach back to `start - max_gap`, for polls decide up to that far; no poll
    may be later than `until`, and `opens` must reach past it for a poll at `until` itself to count.
    """
    axis = _axis(start, until, rules)
    at, kept = _that_count(axis, polls, opens)
    said = InHours(at[kept], polls.active[kept], kept, rules.max_gap)
    pieces = _pieces(said.place, said.active, kept, rules)
    found = _cut(pieces, opens, start, until, axis, said)
    return found if decided is None else _decided(found, decided)


def in_hours(polls: Polls, opens: Intervals, start: int, until: int) -> Polls:
    """Those of polls in [start, until] that lie in an open interval; as for `segments`."""
    _, kept = _that_count(Axis(start, until + 1), polls, opens)
    return Polls(polls.store[kept], polls.at[kept], polls.active[kept])


def by_batches(
    polls: Polls,
    opens: Intervals,
    rules: Rules,
    windows: Int64,
    until: int,
    use: Callable[[slice, Segments], None],
    decided: Spans | None = None,
) -> None:
    """Hands over the segments of all stores, a cacheful of stores at a time, each counted from 0 again.

    They reach from the earliest window to `until`. `use` is called from several threads.
    """
    start = int(windows.min()) if windows.size else until

    def part(stores: tuple[int, int]) -> None:
        first, last = stores
        spans = None if decided is None else _of(decided, first, last)
        use(
            slice(first, last),
            segments(_of(polls, first, last), _of(opens, first, last), rules, start, until, spans),
        )

    batches = list(_batches(len(windows), _axis(start, until, rules)))
    with ThreadPoolExecutor(_THREADS) as pool:  # numpy lets other threads run while it computes
        list((pool.map if len(batches) > 1 else map)(part, batches))


# --- cells and pieces -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pieces:
    """Stretches of the axis: piece i reaches from `place[i]` to `place[i + 1]`.

    The pieces of cell j end with piece `last[j]`; its poll is the `poll[j]`th of all.
    """

    place: Int64
    kind: NDArray[np.int8]
    last: Int64
    poll: Int64

    def poll_of(self, piece: Int64) -> Int64:
        """The positions of the polls in whose cells some pieces lie; 0 before all cells."""
        return np.append(0, self.poll)[np.searchsorted(self.last, piece) + (piece > 0)]


def _axis(start: int, until: int, rules: Rules) -> Axis:
    """An axis on which the cells of two stores can't meet: polls of different stores lie at least
    two `max_gap` apart, and no cell reaches out of its store's frame.
    """
    return Axis(start - 2 * rules.max_gap, until + rules.max_gap + 1)


def _that_count(axis: Axis, polls: Polls, opens: Intervals) -> tuple[Int64, Int64]:
    """The polls on the axis, and the positions of those that lie in an open interval."""
    at = axis.pack(polls.store, polls.at)
    first = np.searchsorted(at, axis.pack(opens.store, opens.start))
    return at, ranges(first, np.searchsorted(at, axis.pack(opens.store, opens.end)) - first)


def _borders(at: Int64, rules: Rules) -> Int64:
    """Where the cell of each poll yields to that of the next, should they meet."""
    if rules.policy is Policy.NEAREST:
        middle: Int64 = (at[:-1] + at[1:]) >> 1
        return middle
    return np.minimum(at[1:], at[:-1] + rules.max_gap)


def _pieces(at: Int64, active: NDArray[np.bool_], poll: Int64, rules: Rules) -> _Pieces:
    """Cuts each cell into inferred, seen, inferred, and adds the unknown after it; none is empty.

    `at` are axis coordinates of the in-hours polls, `poll` their positions among all polls. In an
    hourly feed nearly every cell is seen from end to end and touches the next. So each cell's first
    piece is written to its place in bulk, and then the few others beside it.
    """
    left, right = _cells(at, rules)
    seen, faint = at - rules.seen_within, at + rules.seen_within
    np.maximum(seen, left, out=seen)
    np.minimum(faint, right, out=faint)
    state = (~active).view(np.int8) * np.int8(Kind.DOWN_SEEN)  # UP_SEEN is 0
    late, faded = seen > left, right > faint
    gap = np.append(left[1:] > right[:-1], np.ones(min(1, len(at)), np.bool_))
    others = late.view(np.int8) + faded.view(np.int8) + gap.view(np.int8)
    last = np.cumsum(others + np.int8(1), dtype=np.int64)
    first = last - others
    size = int(last[-1]) + 1 if len(at) else 1
    place, kind = np.empty(size, np.int64), np.empty(size, np.int8)
    place[0], kind[0] = np.iinfo(np.int64).min, Kind.UNKNOWN  # before all cells
    place[first], kind[first] = left, state + late
    cell = np.flatnonzero(late)
    place[first[cell] + 1], kind[first[cell] + 1] = seen[cell], state[cell]
    cell = np.flatnonzero(faded)
    slot = last[cell] - gap[cell]
    place[slot], kind[slot] = faint[cell], state[cell] + 1
    cell = np.flatnonzero(gap)
    place[last[cell]], kind[last[cell]] = right[cell], Kind.UNKNOWN
    return _Pieces(place, kind, last, poll)


def _cells(at: Int64, rules: Rules) -> tuple[Int64, Int64]:
    """[left, right) of each poll: as far as it speaks and no other speaks in its place."""
    left, right = at - rules.max_gap, at + rules.max_gap
    borders = _borders(at, rules)
    np.maximum(left[1:], borders, out=left[1:])
    np.minimum(right[:-1], borders, out=right[:-1])
    return left, right


def _cut(pieces: _Pieces, opens: Intervals, start: int, until: int, axis: Axis, said: InHours) -> Segments:
    """Lays the open intervals, as far as they lie in [start, until), over the pieces."""
    low = axis.pack(opens.store, np.maximum(opens.start, start))
    high = axis.pack(opens.store, np.minimum(opens.end, until))
    low, high = low[high > low], high[high > low]
    first = np.searchsorted(pieces.place, low, side="right") - 1
    count = np.searchsorted(pieces.place, high, side="left") - first
    piece = ranges(first, count)
    tail = np.cumsum(count) - 1
    place = pieces.place[piece]
    place[tail - count + 1] = low
    length = np.empty_like(place)
    np.subtract(place[1:], place[:-1], out=length[:-1])
    length[tail] = high - place[tail]
    return Segments(axis, place, length, pieces.kind[piece], said, piece, pieces)


def _decided(found: Segments, spans: Spans) -> Segments:
    """The same with what exceptions decide, cut at the edges of their spans; a span is one segment as far
    as the open time goes.
    """
    if not len(found) or not len(spans):
        return found
    axis = found.axis
    edges = np.append(axis.pack(spans.store, spans.start), axis.pack(spans.store, spans.end))
    cut, within = _edges_within(found, edges)
    source = np.append(np.arange(len(found)), within)
    place = np.append(found.place, cut)
    order = np.argsort(place, kind="stable")
    source, place = source[order], place[order]
    end = (found.place + found.length)[source]
    np.minimum(end[:-1], place[1:], out=end[:-1])
    span = spans.holds(axis, place)
    joins = (span[1:] == span[:-1]) & (span[1:] >= 0) & (place[1:] == end[:-1])
    head = np.flatnonzero(np.append(True, ~joins))
    tail = np.append(head[1:] - 1, len(place) - 1)
    source, span, length = source[head], span[head], end[tail] - place[head]
    kind = np.where(span >= 0, spans.kind[span], found.kind[source])
    number = np.where(span >= 0, spans.number[span], -1)
    return replace(
        found,
        place=place[head],
        length=length,
        kind=kind,
        _piece=found._piece[source],
        _exception=number,
    )


def _edges_within(found: Segments, edge: Int64) -> tuple[Int64, Int64]:
    """Those edges that lie within a segment, each once, and which segment that is."""
    edge = np.unique(edge)
    within = np.searchsorted(found.place, edge, side="right") - 1
    inside = within >= 0
    edge, within = edge[inside], within[inside]
    inside = (found.place[within] < edge) & (edge < (found.place + found.length)[within])
    return edge[inside], within[inside]


# --- batches --------------------------------------------------------------------------------------


def _batches(stores: int, axis: Axis) -> Iterator[tuple[int, int]]:
    size = min(_STORES_AT_ONCE, axis.max_stores)
    return ((first, min(first + size, stores)) for first in range(0, stores, size))


def _of(rows: _Rows, first: int, last: int) -> _Rows:
    """The rows of stores first … last - 1, counted from 0 again."""
    low, high = np.searchsorted(rows.store, np.array((first, last), rows.store.dtype))
    part = rows[low:high]
    return replace(part, store=part.store - np.int32(first))
