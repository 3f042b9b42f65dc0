"""What a preview says: sums before and after, and day by day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from storewatch.domain import zones
from storewatch.domain.availability import Kind
from storewatch.domain.clock import SECOND, from_us
from storewatch.domain.windows import wall_clock
from storewatch.services.what_if import Preview
from storewatch.web import times
from storewatch.web.words import share

SHOWN = 31
"""So many days are told one by one, the newest."""

_MOST_SHARED = 92
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Change:
    """A figure before and after."""

    name: str
    before: str
    after: str

    @property
    def same(self) -> bool:
        """Whether it stays."""
        return self.before == self.after


@dataclass(frozen=True)
class Told:
    """A preview in words: how many days change, their sums, and the newest ones as (date, day, figures).

    `first` and `last` are the dates of as many as the page of a store shows at once.
    """

    count: int
    sums: list[Change]
    days: list[tuple[str, str, list[Change]]]
    first: str
    last: str

    @property
    def many(self) -> str:
        """`3 days`."""
        return f"{self.count:,} day{'' if self.count == 1 else 's'}"


def told(found: Preview[Any]) -> Told:
    """What is said of a preview."""
    rows = [
        (_iso(each.day), times.day(each.day), _figures(each.before, each.after, SECOND))
        for each in found.days[: -SHOWN - 1 : -1]
    ]
    sums = [*_figures(found.before.totals, found.after.totals), *_bounds(found)] if found.days else []
    last = found.days[-1].day if found.days else 0
    held = [each.day for each in found.days if last - each.day < _MOST_SHARED]
    return Told(len(found.days), sums, rows, _iso(held[0]) if held else "", _iso(last) if held else "")


def _figures(before: list[int], after: list[int], unit: int = 1) -> list[Change]:
    """In whole units, rounded down: day by day nobody reads more than seconds."""
    pairs = zip(_said(before, unit), _said(after, unit), strict=True)
    return [Change(name, old, new) for (name, old), (_, new) in pairs]


def _said(totals: list[int], unit: int) -> list[tuple[str, str]]:
    up = totals[Kind.UP_SEEN] + totals[Kind.UP_INFERRED]
    down = totals[Kind.DOWN_SEEN] + totals[Kind.DOWN_INFERRED]
    seen, whole = totals[Kind.UP_SEEN] + totals[Kind.DOWN_SEEN], sum(totals)
    lengths = (up, down, totals[Kind.UNKNOWN], totals[Kind.EXCLUDED], whole)
    names = ("Up", "Down", "Unknown", "Excluded", "Open")
    return [
        *((name, times.added(length // unit * unit)) for name, length in zip(names, lengths, strict=True)),
        ("Availability", share(up / (up + down) if up + down else None, 1)),
        ("Coverage", share(seen / whole if whole else None, 0)),
    ]


def _bounds(found: Preview[Any]) -> list[Change]:
    before, after = found.before, found.after
    ends = (("at least", before.down_min, after.down_min), ("at most", before.down_max, after.down_max))
    return [Change(f"Down {words}", times.added(old), times.added(new)) for words, old, new in ends]


def _iso(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()


def clock_note(wall_us: int, zone: str) -> str:
    """What is done with a time that the clocks of a zone skip or show twice; nothing of any other."""
    wall = np.array([wall_us], np.int64)
    at = int(zones.local_to_utc(wall, zone)[0])
    shown = int(wall_clock(np.array([at], np.int64), zone)[0])
    written = f"{from_us(wall_us):%Y-%m-%d %H:%M}"
    if shown != wall_us:
        return f"{written} is skipped by the clocks of {zone}: taken as {times.moment(at, zone)}."
    later = from_us(wall_us).replace(tzinfo=zones.load(zone), fold=1).utcoffset()
    if later is not None and round(later.total_seconds()) * SECOND != wall_us - at:
        return (
            f"{written} comes twice on the clocks of {zone}: the first one is meant, {times.clock(at, zone)}."
        )
    return ""
