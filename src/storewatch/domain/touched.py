"""Which stores and days an import touched, in few rows: a store each where they are few, one for all where
they are many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.history import Stretches

MANY = 1000
"""From so many stores a day on it is cheaper to say that all of them, from the lowest key to the highest,
were touched, and to compute some that were not.
"""

_NEAR = 2
"""Days so far apart are told as one stretch: a poll speaks for a day to either side anyway."""


class Touched:
    """Collects the polls that an import wrote."""

    def __init__(self) -> None:
        self._wide: list[tuple[int, int, int, int]] = []
        self._narrow: list[tuple[int, NDArray[np.int32]]] = []

    def add(self, keys: NDArray[np.int32], at: Int64) -> None:
        """Adds polls of one UTC day, sorted by key."""
        if not len(keys):
            return
        own = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
        if len(own) > MANY:
            self._wide.append((int(own[0]), int(own[-1]), int(at.min()), int(at.max())))
        else:
            self._narrow.append((int(at[0]) // DAY, own))

    def stretches(self) -> Stretches:
        """All that was added. Where stores are told one by one, in whole days."""
        wide, narrow = _runs(self._wide), self._by_store()
        return Stretches(*(np.concatenate(pair) for pair in zip(wide, narrow, strict=True)))

    def _by_store(self) -> tuple[Int64, ...]:
        if not self._narrow:
            return _NOTHING
        key = np.concatenate([own for _, own in self._narrow]).astype(np.int64)
        day = np.repeat([day for day, _ in self._narrow], [len(own) for _, own in self._narrow])
        order = np.lexsort((day, key))
        key, day = key[order], day[order].astype(np.int64)
        head = np.ones(len(key), np.bool_)
        head[1:] = (key[1:] != key[:-1]) | (day[1:] - day[:-1] > _NEAR)
        tail = np.append(head[1:], True)
        return key[head], key[head], day[head] * DAY, (day[tail] + 1) * DAY - 1


_NOTHING = tuple(np.empty(0, np.int64) for _ in range(4))


def _runs(wide: list[tuple[int, int, int, int]]) -> tuple[Int64, ...]:
    """Those that follow each other become one, for the keys of all of them."""
    runs: list[tuple[int, int, int, int]] = []
    for low, high, first, last in sorted(wide, key=lambda row: row[2]):
        if runs and first - runs[-1][3] <= _NEAR * DAY:
            before = runs[-1]
            runs[-1] = (min(before[0], low), max(before[1], high), before[2], max(before[3], last))
        else:
            runs.append((low, high, first, last))
    return tuple(np.array([row[part] for row in runs], np.int64) for part in range(4))
