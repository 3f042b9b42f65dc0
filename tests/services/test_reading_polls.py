"""Polls of few stores are read by one query, those of many by one a day: with the same result."""

from __future__ import annotations

import numpy as np
import pytest

from storewatch.domain.clock import DAY, HOUR
from storewatch.storage import polls
from storewatch.storage.db import Database
from tests.factories import load

FILE = "store_id,status,timestamp_utc\n" + "".join(
    f"{store},{('inactive', 'active', 'active')[(store + hour) % 3]},"
    f"2023-01-{20 + hour // 24} {hour % 24:02}:00:00\n"
    for store in range(1, 5)
    for hour in range(72)
)


@pytest.mark.parametrize("keys", [[1], [2, 4], [1, 2, 3, 4]])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (30 * HOUR, -HOUR), (1, 1), (-20 * DAY, 20 * DAY)])
def test_both_ways_read_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, keys: list[int], before: int, after: int
) -> None:
    load(database, FILE)
    with database.snapshot() as session:
        newest = polls.newest(session)
        assert newest is not None
        start, until = newest - 2 * DAY + before, newest + after
        found = []
        for few in (0, 20):
            monkeypatch.setattr(polls, "_FEW", few)
            found.append(polls.read((session,), np.array(keys, np.int32), start, until))
    by_day, at_once = found
    assert len(at_once) > 0
    for name in ("store", "at", "active"):
        assert np.array_equal(getattr(by_day, name), getattr(at_once, name))
