"""When storefronts are looked at."""

from __future__ import annotations

from storewatch.domain.clock import MINUTE, SECOND
from storewatch.domain.probe_times import may_look, next_look

NOW = 1_800_000_000_000_000


def test_looks_come_at_the_pace_of_the_store_and_a_restart_does_not_shift_them() -> None:
    first = next_look("7", 300, NOW)
    assert NOW < first <= NOW + 5 * MINUTE
    assert next_look("7", 300, first) == first + 5 * MINUTE
    assert next_look("7", 300, first - 1) == first
    assert next_look("7", 300, first + 123 * SECOND) == first + 5 * MINUTE


def test_many_stores_are_spread_evenly() -> None:
    by_second = [0] * 60
    for store in range(6000):
        by_second[(next_look(str(store), 60, NOW) - NOW - 1) // SECOND] += 1
    assert min(by_second) > 50
    assert max(by_second) < 150


def test_a_stretch_holds_its_start_and_not_its_end() -> None:
    assert [may_look([(10, 20)], at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert not may_look(None, 10)
