"""Time zones: IANA data of the pinned `tzdata` package, for whole arrays of wall-clock times.

The machine's own zone files are not asked: two machines, or a machine and its database, may hold
different versions, and then one report would have two answers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import tzdata

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR, SECOND, from_us, to_us

DEFAULT_ZONE = "America/Chicago"
_PROBE = 12 * HOUR  # no zone has two changes within half a day


def version() -> str:
    """The release of the zone data, such as `2026b`."""
    return str(tzdata.IANA_VERSION)


@cache
def names() -> frozenset[str]:
    """Every zone name that can be used."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


@cache
def load(name: str) -> ZoneInfo:
    """The zone of that name. KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def offset(name: str, at_us: int) -> int:
    """Local minus UTC at an instant, in microseconds."""
    local = from_us(at_us).astimezone(load(name)).utcoffset()
    assert local is not None  # noqa: S101 - an aware datetime has one
    return round(local.total_seconds()) * SECOND


def changes(name: str, start: int, until: int) -> tuple[Int64, Int64]:
    """Offset changes of a zone in at least [start, until).

    Returns (at[n], offsets[n + 1]): from `at[i]` on `offsets[i + 1]` is in force, before it
    `offsets[i]`; all in microseconds.
    """
    years = range(from_us(start).year, from_us(until).year + 1)
    at = [change for year in years for change in _changes_of_year(name, year)]
    first = offset(name, _new_year(years[0]))
    return np.array(at, np.int64), np.array([first, *(offset(name, change) for change in at)], np.int64)


def local_to_utc(wall: Int64, name: str) -> Int64:
    """Instants of wall-clock times (microseconds as if the wall clock showed UTC).

    RFC 5545, Python's fold=0: a skipped time is read with the offset before the gap, a repeated
    one is its first occurrence. Both are one rule: a change takes effect on the wall clock once
    it shows the later of its two readings of the moment of change.
    """
    if not wall.size:
        return wall
    at, offsets = changes(name, int(wall.min()) - 2 * DAY, int(wall.max()) + 2 * DAY)
    effective = at + np.maximum(offsets[:-1], offsets[1:])
    return wall - offsets[np.searchsorted(effective, wall, side="right")]


def _new_year(year: int) -> int:
    return to_us(datetime(year, 1, 1, tzinfo=UTC))


@cache
def _changes_of_year(name: str, year: int) -> tuple[int, ...]:
    """The instants in a UTC year at which the offset changes."""
    probes = [*range(_new_year(year), _new_year(year + 1), _PROBE), _new_year(year + 1)]
    offsets = [offset(name, at) for at in probes]
    steps = zip(pairwise(probes), pairwise(offsets), strict=True)
    return tuple(_change_between(name, *step) for step, (before, after) in steps if before != after)


def _change_between(name: str, low: int, high: int) -> int:
    """Bisects for the first second at which the offset is that of `high`."""
    before = offset(name, low)
    low, high = low // SECOND, high // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(name, middle * SECOND) == before else (low, middle)
    return high * SECOND
