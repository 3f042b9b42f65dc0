"""Stretches of time -> where they lie in a picture with a lane a day and 24 hours of wall clock across.

    lane        0          6          12          18         24
    ordinary    [   ######################                   )      whole height
    23 h day    [ ::####################                     )      `::` an hour that the clocks skip
    25 h day    [ ''####################                     )      an hour that occurs twice:
                [ ,,                                         )      first above, then below

A lane is a date that the clocks show. So where they go back at midnight, as in Beirut, the second hour from
23:00 on is drawn in the evening it repeats, though history counts it to the day that has begun.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from storewatch.domain import zones
from storewatch.domain.clock import DAY


class Pass(IntEnum):
    """Which occurrence of its wall-clock time a bar is in."""

    ONLY = 0
    FIRST = 1
    SECOND = 2


class Bar(NamedTuple):
    """A stretch [start, end) within one lane: of `day` (counted from 1970), from `left` to `right` on its
    clock; all in microseconds.
    """

    day: int
    left: int
    right: int
    start: int
    end: int
    which: Pass = Pass.ONLY


@dataclass(frozen=True)
class Skipped:
    """A stretch of a lane that the clocks leave out."""

    day: int
    left: int
    right: int


class Clock:
    """The wall clock of a zone from one instant to another."""

    def __init__(self, zone: str, start: int, until: int) -> None:
        at, offsets = zones.changes(zone, start - 2 * DAY, until + 2 * DAY)
        self._at, self._offsets = at.tolist(), offsets.tolist()
        self._cuts = sorted({*self._at, *self._passes(), *self._midnights(start, until)})
        self._between = [self._lane(at) for at in (self._cuts[0] - 1, *self._cuts)]

    def bars(self, start: int, end: int) -> Iterator[Bar]:
        """A stretch of time in its lanes."""
        number = bisect_right(self._cuts, start)
        while start < end:
            cut = min(end, self._cuts[number]) if number < len(self._cuts) else end
            day, shift, which = self._between[number]
            yield Bar(day, start + shift, cut + shift, start, cut, which)
            start, number = cut, number + 1

    def place(self, at: int) -> tuple[int, int]:
        """(day, place on its clock) of an instant."""
        return divmod(at + self._offset(at), DAY)

    def skipped(self) -> Iterator[Skipped]:
        """What the clocks leave out."""
        for at, before, after in self._changes():
            day, left = divmod(at + before, DAY)
            if after > before:
                yield Skipped(day, left, min(DAY, left + after - before))

    def _lane(self, at: int) -> tuple[int, int, Pass]:
        """(day, what leads from instants to places on its clock, pass), from one cut to the next."""
        day, left = self.place(at)
        return day, left - at, self._pass(at)

    def _pass(self, at: int) -> Pass:
        for change, before, after in self._changes():
            if before > after and change - (before - after) <= at < change + (before - after):
                return Pass.FIRST if at < change else Pass.SECOND
        return Pass.ONLY

    def _offset(self, at: int) -> int:
        return int(self._offsets[bisect_right(self._at, at)])

    def _changes(self) -> Iterator[tuple[int, int, int]]:
        """(instant, offset before, offset after)"""
        return zip(self._at, self._offsets[:-1], self._offsets[1:], strict=True)

    def _passes(self) -> Iterator[int]:
        """Where the first pass through an hour that occurs twice begins, and where the second ends."""
        for at, before, after in self._changes():
            if before > after:
                yield from (at - (before - after), at + (before - after))

    def _midnights(self, start: int, until: int) -> Iterator[int]:
        """The instants at which the clocks show midnight."""
        for offset in set(self._offsets):
            for day in range((start + offset) // DAY, (until + offset) // DAY + 2):
                at = day * DAY - offset
                if self._offset(at) == offset:
                    yield at
