"""The strip: days of a store side by side, small enough for a line of a list. Pure; a macro draws it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from storewatch.domain.clock import DAY
from storewatch.domain.lanes import Bar, Clock, Pass
from storewatch.services.pieces import Run
from storewatch.web import times
from storewatch.web.shapes import HALVES, HIGH, LOOKS, UP, stroke

_DAY, _HIGH = 28, 18
_SLIVER = DAY // _DAY // 2  # half a pixel


@dataclass(frozen=True)
class Strip:
    """Days side by side, each 28 wide and 18 high: paths by their look, and what is said of the days.

    A path is drawn as a stroke along the middle, as high as its look; `passes` are boxes to be filled: hours
    that occur twice.
    """

    width: int
    paths: dict[str, str]
    passes: dict[str, str]
    label: str


def strip(zone: str, days: tuple[int, int], opens: Sequence[tuple[int, int]], runs: Sequence[Run]) -> Strip:
    """Local days, first and last, with their opening hours and what is known of them."""
    first, last = days
    clock = _clock(zone, first, last)
    lines: dict[str, list[tuple[int, int]]] = {}
    passes: dict[str, str] = {}
    told = _Told(Counter(), set(), set())
    for look, start, end in [*(("band", *each) for each in opens), *_drawn(runs)]:
        for bar in clock.bars(start, end):
            told.take(look, bar)
            if look == "blank" or not first <= bar.day <= last:
                continue
            if bar.which is Pass.ONLY:
                _add(lines.setdefault(look, []), bar, bar.day - first)
            else:
                passes[look] = passes.get(look, "") + _box(look, bar, bar.day - first)
    paths = {look: stroke(spans, _HIGH // 2) for look, spans in lines.items()}
    label = "; ".join(told.said(day) for day in range(first, last + 1))
    return Strip(_DAY * (last - first + 1), paths, passes, label)


@lru_cache(maxsize=64)
def _clock(zone: str, first: int, last: int) -> Clock:
    """The clock of days, which many stores of a list share."""
    return Clock(zone, (first - 2) * DAY, (last + 3) * DAY)


def _drawn(runs: Sequence[Run]) -> list[tuple[str, int, int]]:
    """(look, start, end). What is inferred beside what was seen and too short to be seen has its look."""
    looks = [LOOKS[run.kind] for run in runs]
    found = []
    for number, (look, run) in enumerate(zip(looks, runs, strict=True)):
        if run.end - run.start < _SLIVER and look.startswith("line-"):
            beside, seen = looks[max(number - 1, 0) : number + 2], look.removeprefix("line-")
            look = seen if seen in beside else look
        found.append((look, run.start, run.end))
    return found


def _add(spans: list[tuple[int, int]], bar: Bar, column: int) -> None:
    """Puts a bar to the others of its look, which come in order; those that touch become one."""
    left, right = _tenths(column, bar.left), _tenths(column, bar.right)
    if spans and left <= spans[-1][1]:
        left = spans.pop()[0]
    spans.append((left, max(right, left)))


def _tenths(column: int, place: int) -> int:
    """Where a place on the clock of a day lies, in tenths of a pixel."""
    return ((column * DAY + place) * _DAY * 10 + DAY // 2) // DAY


def _box(look: str, bar: Bar, column: int) -> str:
    offset, height = HALVES[bar.which]
    scale = _HIGH / HIGH
    y, high = offset * scale, height * scale
    if look in UP:
        y, high = y + high / 3, high / 3
    left = (column + bar.left / DAY) * _DAY
    width = (bar.right - bar.left) / DAY * _DAY
    return f"M{left:.2f} {y:g}h{width:.2f}v{high:g}h-{width:.2f}z"


@dataclass(frozen=True)
class _Told:
    """What is said of days: how long each was down, which are known, which were open."""

    down: Counter[int]
    known: set[int]
    opened: set[int]

    def take(self, look: str, bar: Bar) -> None:
        """What a bar tells of its day."""
        if look == "band":
            self.opened.add(bar.day)
        elif look in ("down", "line-down"):
            self.down[bar.day] += bar.end - bar.start
        elif look in UP:
            self.known.add(bar.day)

    def said(self, day: int) -> str:
        """`Tue down 6 h`."""
        name = times.day(day)[:3]
        if self.down[day]:
            return f"{name} down {times.length(self.down[day])}"
        return f"{name} " + ("up" if day in self.known else "not seen" if day in self.opened else "closed")
