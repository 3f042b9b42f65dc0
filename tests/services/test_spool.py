"""Polls that wait to be written."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from storewatch.domain.batches import Batch
from storewatch.domain.clock import DAY
from storewatch.services.spool import Spool

COUNT = 5_000


def batches() -> list[Batch]:
    """Polls of three days in ten batches; `reason` tells in which order they came."""
    random = np.random.default_rng(1)
    key = (random.integers(0, 400, COUNT) ** 2 // 400).astype(np.int32)
    at = 19_000 * DAY + random.integers(0, 3 * DAY, COUNT)
    whole = Batch(key, at, random.random(COUNT) < 0.5, np.arange(COUNT, dtype=np.int32))
    return [whole[np.arange(first, first + COUNT // 10)] for first in range(0, COUNT, COUNT // 10)]


def taken_out(at_once: int) -> list[tuple[int, Batch]]:
    spool = Spool(at_once)
    for batch in batches():
        spool.add(batch)
    return list(spool.days())


@pytest.mark.parametrize("at_once", [COUNT + 1, COUNT // 2, COUNT // 7, 100])
def test_every_poll_comes_out_once_by_day_and_key(at_once: int) -> None:
    out = taken_out(at_once)
    assert sorted(np.concatenate([polls.reason for _, polls in out]).tolist()) == list(range(COUNT))
    assert [day for day, _ in out] == sorted(day for day, _ in out)
    assert all((polls.at // DAY == day).all() for day, polls in out)
    for (day, polls), (next_day, following) in pairwise(out):
        assert day < next_day or polls.key.max() < following.key.min()


@pytest.mark.parametrize("at_once", [COUNT + 1, COUNT // 7])
def test_within_a_slice_they_are_as_they_came_and_whole(at_once: int) -> None:
    came = {row[3]: row for batch in batches() for row in rows_of(batch)}
    for _, polls in taken_out(at_once):
        assert (np.diff(polls.reason) > 0).all()
        assert all(came[row[3]] == row for row in rows_of(polls))


def rows_of(batch: Batch) -> list[tuple[int, int, bool, int]]:
    columns = (batch.key, batch.at, batch.active, batch.reason)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_day_that_is_too_large_comes_in_slices() -> None:
    sizes = [len(polls) for _, polls in taken_out(COUNT // 7)]
    assert len(sizes) > 6
    assert max(sizes) < COUNT // 7 + 2 * COUNT // 100  # one store's polls of a day stay together


def test_it_can_be_filled_again_and_closed() -> None:
    spool = Spool(100)
    spool.add(batches()[0])
    assert sum(len(polls) for _, polls in spool.days()) == COUNT // 10
    spool.add(batches()[1])
    spool.close()
    assert list(spool.days()) == []
