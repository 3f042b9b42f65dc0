"""The polls of a stretch, 1,024 stores on one UTC day, as one sorted array: a pack.

    bit   63 ... 48   47 ... 38          37 ... 1                  0
          zero        store in shard     microsecond of the day    active

Eight bytes a poll, little-endian, each in order of store and time. A reader moves a whole pack to its own
axis by one look-up a poll, and never takes a row apart. Bytes that are no such array are known for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Axis, Int64
from storewatch.domain.clock import DAY
from storewatch.errors import StorewatchError

SHARD_BITS = 10
SHARD = 1 << SHARD_BITS
"""So many stores share a pack; schema 0013 knows it too."""

_PLACE_BITS = 38
_PLACE = (1 << _PLACE_BITS) - 1
_ALL_BITS = _PLACE_BITS + SHARD_BITS


class DamagedPackError(StorewatchError):
    """Bytes that are kept as a pack are none."""


def shards(store_keys: NDArray[np.integer]) -> Int64:
    """The shards of stores, in order, each once."""
    return np.unique(np.asarray(store_keys, np.int64) >> SHARD_BITS)


def filled(store_keys: NDArray[np.integer], least: int) -> Int64:
    """The shards of which there are so many stores at least."""
    found, count = np.unique(np.asarray(store_keys, np.int64) >> SHARD_BITS, return_counts=True)
    enough: Int64 = found[count >= least]
    return enough


def cut(store_keys: NDArray[np.int32], most: int) -> list[NDArray[np.int32]]:
    """Stores, in order of their keys, in parts of so many at most, about equal: of whole shards, if these are
    no more.
    """
    if not len(store_keys):
        return []
    if most < SHARD:
        return [store_keys[first : first + most] for first in range(0, len(store_keys), most)]
    own = shards(store_keys)
    parts = np.array_split(own, -(-len(own) // (most >> SHARD_BITS)))
    firsts = [int(part[0]) << SHARD_BITS for part in parts[1:]]
    return np.split(store_keys, np.searchsorted(store_keys, firsts))


def packed(day: int, store_key: NDArray[np.integer], at: Int64, active: NDArray[np.bool_]) -> bytes:
    """The pack of the polls of a shard on a day, given in any order. `at` in microseconds, within the day."""
    place: Int64 = (store_key.astype(np.int64) & (SHARD - 1)) << _PLACE_BITS
    place |= (at - day * DAY) << 1
    place |= active
    return np.sort(place).astype("<i8").tobytes()


@dataclass(frozen=True)
class Unpacking:
    """To where packs are moved: `position` int32[keys] says by store key where a store goes; -1: nowhere."""

    axis: Axis
    position: NDArray[np.int32]

    def __post_init__(self) -> None:
        if int(self.position.max(initial=-1)) >= self.axis.max_stores:
            raise OverflowError(f"that many stores do not fit beside {self.axis.bits} bits of time")

    def places(self, day: int, shard: int, pack: bytes) -> Int64:
        """The polls of a pack that are asked for, as one int64 each: the place on the axis, and the state as
        the lowest bit. DamagedPackError if these bytes cannot be a pack.
        """
        if len(pack) % 8:
            raise DamagedPackError("a pack of polls is cut off")
        polls: Int64 = np.frombuffer(pack, "<i8").astype(np.int64, copy=False)
        store, moment = polls >> _PLACE_BITS, polls & _PLACE
        if len(polls) and not _may_be(polls, moment):
            raise DamagedPackError("a pack of polls holds what no poll is, or is out of order")
        first = np.full(SHARD, -1, np.int64)
        own = self.position[shard << SHARD_BITS : (shard + 1) << SHARD_BITS]
        first[: len(own)] = own
        first = np.where(first < 0, -1, first << (self.axis.bits + 1))
        place: Int64 = first[store]
        wanted = self._wanted(day, moment, place, all_stores=bool((first >= 0).all()))
        if wanted is not None:
            place, moment = place[wanted], moment[wanted]
        place += moment
        place += (day * DAY - self.axis.start) << 1
        return place

    def _wanted(self, day: int, moment: Int64, place: Int64, *, all_stores: bool) -> NDArray[np.bool_] | None:
        """Which polls are of stores and instants that are asked for; None for all."""
        low, high = self.axis.start - day * DAY, self.axis.until - day * DAY
        if low <= 0 and high >= DAY - 1:
            return None if all_stores else np.asarray(place >= 0)
        at = moment >> 1
        return np.asarray((place >= 0) & (at >= low) & (at <= high))


def _may_be(polls: Int64, moment: Int64) -> bool:
    """Whether numbers are polls of a shard and a day, in order, each instant of a store once at most."""
    in_order = bool((np.diff(polls >> 1) > 0).all())
    return in_order and polls[0] >= 0 and polls[-1] >> _ALL_BITS == 0 and int(moment.max()) < 2 * DAY
