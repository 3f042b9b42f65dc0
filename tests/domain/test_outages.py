"""Segments and windows -> outages, against the oracle, which goes second by second through the text."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.availability import Rules, segments
from storewatch.domain.axis import Int64
from storewatch.domain.hours import open_intervals
from storewatch.domain.outages import Figures, figures_by_store, outages
from storewatch.domain.totals import totals_by_store
from tests import oracle
from tests.domain.arrays import int64, make_intervals, make_polls, polls_of, rules_of, schedule_of
from tests.oracle import DAY, HOUR
from tests.strategies import Fleet, fleets

Row = tuple[int, int, bool]


def told(polls: list[Row], opens: list[tuple[int, int, int]], *windows: tuple[int, int]) -> list[list[int]]:
    """[number, longest] of each window of store 0; polls speak for 10, the frame is [0, 1000)."""
    found = segments(make_polls(polls), make_intervals(opens), Rules(max_gap=10, seen_within=3), 0, 1000)
    asked = int64(edge for window in windows for edge in window).reshape(1, -1, 2)
    return [each[0].tolist() for each in outages(found, asked)]


def test_closed_time_does_not_end_an_outage_and_is_not_part_of_it() -> None:
    polls = [(0, 100, False), (0, 130, False)]
    assert told(polls, [(0, 95, 105), (0, 125, 135)], (0, 1000)) == [[1], [20]]


def test_up_and_unknown_end_an_outage() -> None:
    polls = [(0, 100, False), (0, 110, True), (0, 120, False), (0, 200, False)]
    assert told(polls, [(0, 0, 1000)], (0, 1000)) == [[3], [20]]


def test_an_outage_is_clipped_to_each_window_and_counts_where_any_part_lies() -> None:
    polls = [(0, 100, False), (0, 300, False)]  # down in [90, 110) and [290, 310)
    windows = (0, 90), (0, 91), (109, 292), (110, 290), (100, 300), (310, 400)
    assert told(polls, [(0, 0, 1000)], *windows) == [[0, 1, 2, 0, 2, 0], [0, 1, 2, 0, 10, 0]]


def test_a_window_in_the_closed_part_of_an_outage_holds_none_of_it() -> None:
    polls = [(0, 100, False), (0, 130, False)]
    windows = (105, 125), (104, 125), (110, 110)
    assert told(polls, [(0, 95, 105), (0, 125, 135)], *windows) == [[0, 1, 0], [0, 1, 0]]


def test_the_outage_of_one_store_ends_where_the_next_store_begins() -> None:
    found = segments(
        make_polls([(0, 995, False), (2, 5, False)]),
        make_intervals([(0, 0, 1001), (2, 0, 1001)]),
        Rules(max_gap=10, seen_within=3),
        0,
        1000,
    )
    number, longest = outages(found, np.broadcast_to(int64([0, 1000]), (3, 1, 2)))
    assert (number[:, 0].tolist(), longest[:, 0].tolist()) == ([1, 0, 1], [15, 0, 15])


def test_without_segments_there_is_no_outage() -> None:
    assert told([], [], (0, 1000)) == [[0], [0]]


def engine(fleet: Fleet, windows: Int64) -> Figures:
    rules = rules_of(fleet)
    opens = open_intervals(schedule_of(fleet), int(windows.min()) - rules.max_gap, fleet.as_of_us + 1)
    return figures_by_store(polls_of(fleet), opens, rules, windows, fleet.as_of_us)


def expected(fleet: Fleet, store_id: str, window: tuple[int, int]) -> list[int]:
    found = oracle.outages(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
    )
    lengths = [sum(end - start for start, end in outage.parts) for outage in found]
    return [len(lengths), max(lengths, default=0)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(), seed=st.integers(0, 999))
def test_every_outage_agrees_with_the_oracle(fleet: Fleet, seed: int) -> None:
    choose, stores = np.random.default_rng(seed), len(fleet.store_ids)
    own = np.sort(fleet.as_of_us - choose.integers(0, 9 * DAY, (stores, 3, 2)))
    usual = np.broadcast_to(
        [[fleet.as_of_us - back, fleet.as_of_us] for back in (HOUR, DAY, 7 * DAY)], own.shape
    )
    windows = np.concatenate([own, usual], axis=1)
    found = engine(fleet, windows)
    rows = [
        [expected(fleet, store_id, (start, end)) for start, end in asked]
        for store_id, asked in zip(fleet.store_ids, windows.tolist(), strict=True)
    ]
    assert np.stack([found.outages, found.longest], axis=2).tolist() == rows
    assert_beside_the_same_totals(fleet, windows, found)


def assert_beside_the_same_totals(fleet: Fleet, windows: Int64, found: Figures) -> None:
    rules = rules_of(fleet)
    opens = open_intervals(schedule_of(fleet), int(windows.min()) - rules.max_gap, fleet.as_of_us + 1)
    alone = totals_by_store(polls_of(fleet), opens, rules, windows, fleet.as_of_us)
    assert found.totals.tolist() == alone.tolist()
    assert (found.longest <= alone[:, :, 2:4].sum(axis=2)).all()
