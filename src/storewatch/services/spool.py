"""Polls waiting to be written, by UTC day: in memory, and what is too much for it in files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from typing import IO

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.batches import Batch, by_day

_RECORD = np.dtype([("key", "i4"), ("at", "i8"), ("active", "?"), ("reason", "i4")])
_READ_AT_ONCE = 1 << 20

Records = NDArray[np.void]


class Spool:
    """Holds about `at_once` polls in memory, at 17 bytes each, and the others in files without a name."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._days: dict[int, list[Batch]] = {}
        self._held = 0
        self._files: dict[int, IO[bytes]] = {}

    def add(self, batch: Batch) -> None:
        """Takes polls in the order in which they came."""
        for day, polls in by_day(batch):
            self._days.setdefault(day, []).append(polls)
        self._held += len(batch)
        if self._held > self._at_once:
            self._spill()

    def _spill(self) -> None:
        for day, batches in self._days.items():
            if day not in self._files:
                self._files[day] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its day waits
            for batch in batches:
                self._files[day].write(_packed(batch).data)
        self._days, self._held = {}, 0

    def days(self) -> Iterator[tuple[int, Batch]]:
        """Takes out all polls by day, each day in slices of about `at_once` polls at most, from the lowest
        store key to the highest; within a slice they are in the order in which they came.
        """
        if self._files:
            self._spill()
        for day in sorted(self._files):
            with self._files.pop(day) as file:
                yield from ((day, batch) for batch in self._slices(file))
        for day in sorted(self._days):
            yield day, _joined(self._days.pop(day))
        self._held = 0

    def close(self) -> None:
        """Drops what still waits."""
        for file in self._files.values():
            file.close()
        self._files, self._days, self._held = {}, {}, 0

    def _slices(self, file: IO[bytes]) -> Iterator[Batch]:
        for low, high in pairwise(self._edges(file)):
            parts = (_unpacked(part[(part["key"] >= low) & (part["key"] < high)]) for part in _parts(file))
            yield _joined(list(parts))

    def _edges(self, file: IO[bytes]) -> list[int]:
        """Store keys that cut a day into slices, the first and the last included."""
        counts = np.zeros(0, np.int64)
        for part in _parts(file):
            more = np.bincount(part["key"], minlength=len(counts))
            more[: len(counts)] += counts
            counts = more
        full = np.diff(np.cumsum(counts) // self._at_once, prepend=0)[:-1]
        return [0, *(np.flatnonzero(full) + 1).tolist(), len(counts)]


def _packed(batch: Batch) -> Records:
    records = np.empty(len(batch), _RECORD)
    for name in _RECORD.fields or ():
        records[name] = getattr(batch, name)
    return records


def _unpacked(records: Records) -> Batch:
    key, at, active, reason = (np.ascontiguousarray(records[name]) for name in _RECORD.fields or ())
    return Batch(key, at, active, reason)


def _parts(file: IO[bytes]) -> Iterator[Records]:
    file.seek(0)
    while data := file.read(_READ_AT_ONCE * _RECORD.itemsize):
        yield np.frombuffer(data, _RECORD)


def _joined(batches: list[Batch]) -> Batch:
    columns = zip(*((b.key, b.at, b.active, b.reason) for b in batches), strict=True)
    return Batch(*(np.concatenate(column) for column in columns))
