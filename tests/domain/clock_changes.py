"""When clocks change, as Python's own zoneinfo says, and which zones behave alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from tests.oracle import EPOCH, load_zone

FIRST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2038, 1, 1, tzinfo=UTC).timestamp())
LOOKED_AT_EVERY = 2 * 86_400
"""No zone has two changes within two days: a test holds the zone data to that."""

Behaviour = tuple[int, tuple[tuple[int, int], ...], bytes]
"""The offset as 2000 began, changes with the offset after each, the rule for the time after the last"""


@cache
def behaviour(name: str) -> Behaviour:
    """What the zone's file (RFC 8536) says of the time since 2000: alike for zones that behave alike."""
    data = resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()
    head = data.index(b"TZif", 4) + 20  # the second part has times of eight bytes
    *_, count, types, _ = struct.unpack_from(">6l", data, head)
    body = head + 24
    at = np.frombuffer(data, ">i8", count, body)
    type_of = np.frombuffer(data, np.uint8, count, body + 8 * count)
    offsets = [struct.unpack_from(">l", data, body + 9 * count + 6 * number)[0] for number in range(types)]
    first = int(np.searchsorted(at, FIRST, side="right"))
    before = offsets[type_of[first - 1]] if first else offsets[0]
    after = [(int(second), offsets[kind]) for second, kind in zip(at[first:], type_of[first:], strict=True)]
    return before, tuple(after), data.rsplit(b"\n", 2)[1]


def one_of_each(names: frozenset[str]) -> list[str]:
    """A zone for every distinct behaviour."""
    return sorted({behaviour(name): name for name in sorted(names, reverse=True)}.values())


@cache
def changes(name: str) -> tuple[int, ...]:
    """Every second from 2000 to 2037 at which the zone's offset changes, found by looking every other day."""
    zone = load_zone(name)
    looks = range(FIRST, LAST + 1, LOOKED_AT_EVERY)
    offsets = [datetime.fromtimestamp(second, zone).utcoffset() for second in looks]
    pairs = zip(pairwise(looks), pairwise(offsets), strict=True)
    return tuple(_between(zone, *step) for step, (before, after) in pairs if before != after)


def _between(zone: ZoneInfo, low: int, high: int) -> int:
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        is_before = datetime.fromtimestamp(middle, zone).utcoffset() == before
        low, high = (middle, high) if is_before else (low, middle)
    return high


def walls_around(name: str, change: int, step: int) -> Iterator[datetime]:
    """Naive wall-clock times, `step` seconds apart, from 3 h before a change to 3 h after it.

    Counted from both readings of the moment of change, so that the edges of a gap or fold are among them.
    """
    zone = load_zone(name)
    readings = [datetime.fromtimestamp(second, zone).replace(tzinfo=None) for second in (change - 1, change)]
    readings[0] += timedelta(seconds=1)
    for reading in dict.fromkeys(readings):
        for distance in range(-3 * 3600, 3 * 3600 + 1, step):
            yield reading + timedelta(seconds=distance)
            yield reading + timedelta(seconds=distance, microseconds=-1)


def first_occurrence(wall: datetime, zone: ZoneInfo) -> int:
    """Microseconds of the instant that Python takes a naive time for."""
    return (wall.replace(tzinfo=zone, fold=0) - EPOCH) // timedelta(microseconds=1)
