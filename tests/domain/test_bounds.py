"""Between which bounds downtime lies, against the oracle; by both policies down_min <= down <= down_max."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.availability import Kind, Rules, segments
from storewatch.domain.axis import Int64
from storewatch.domain.bounds import bounds
from storewatch.domain.hours import open_intervals
from storewatch.domain.outages import Figures, figures_by_store
from tests import oracle
from tests.domain.arrays import int64, make_intervals, make_polls, polls_of, rules_of, schedule_of
from tests.oracle import DAY
from tests.strategies import Fleet, fleets

Row = tuple[int, int, bool]
UP, DOWN = True, False
ALWAYS = [(0, 0, 1000)]


def told(polls: list[Row], opens: list[tuple[int, int, int]], *windows: tuple[int, int]) -> Any:
    """[down_min, down_max] of each window of store 0; polls speak for 10, the frame is [0, 1000)."""
    found = segments(make_polls(polls), make_intervals(opens), Rules(max_gap=10, seen_within=3), 0, 1000)
    asked = int64(edge for window in windows for edge in window).reshape(1, -1, 2)
    least, most = (each[0].tolist() for each in bounds(found, asked))
    return [list(pair) for pair in zip(least, most, strict=True)]


@pytest.mark.parametrize(
    ("polls", "least", "most"),
    [
        ([], 0, 0),
        ([(100, UP), (110, UP)], 0, 0),
        ([(100, DOWN)], 0, 20),
        ([(100, UP), (104, DOWN), (107, DOWN), (110, UP)], 3, 10),
        ([(100, UP), (104, DOWN), (106, UP), (108, DOWN), (109, UP)], 0, 9),
        ([(100, DOWN), (110, DOWN)], 10, 30),
        ([(100, DOWN), (114, DOWN)], 6, 34),  # both reach [104, 110), one of them the rest
        ([(100, DOWN), (120, DOWN)], 0, 40),
        ([(100, DOWN), (130, DOWN)], 0, 40),  # of [110, 120) nobody says anything
        ([(100, UP), (115, DOWN)], 0, 20),  # the down one reaches back to 105
    ],
)
def test_both_polls_beside_an_instant_bound_the_downtime(
    polls: list[tuple[int, bool]], least: int, most: int
) -> None:
    assert told([(0, *poll) for poll in polls], ALWAYS, (0, 1000)) == [[least, most]]


def test_closed_time_is_part_of_neither_bound_and_its_polls_do_not_count() -> None:
    polls = [(0, 100, DOWN), (0, 103, UP), (0, 106, DOWN)]
    assert told(polls, [(0, 95, 102), (0, 105, 110)], (0, 1000)) == [[3, 12]]


def test_windows_cut_the_bounds_and_add_up() -> None:
    polls = [(0, 100, UP), (0, 104, DOWN), (0, 107, DOWN), (0, 110, UP)]
    windows = (0, 100), (100, 105), (105, 106), (106, 1000), (104, 104)
    assert told(polls, ALWAYS, *windows) == [[0, 0], [1, 5], [1, 1], [1, 4], [0, 0]]


def test_the_bounds_of_a_store_end_where_the_next_store_begins() -> None:
    found = segments(
        make_polls([(0, 995, DOWN), (2, 5, DOWN)]),
        make_intervals([(0, 0, 1001), (2, 0, 1001)]),
        Rules(max_gap=10, seen_within=3),
        0,
        1000,
    )
    least, most = bounds(found, np.broadcast_to(int64([0, 1000]), (3, 1, 2)))
    assert (least[:, 0].tolist(), most[:, 0].tolist()) == ([0, 0, 0], [15, 0, 15])


def engine(fleet: Fleet, windows: Int64) -> Figures:
    rules = rules_of(fleet)
    opens = open_intervals(schedule_of(fleet), int(windows.min()) - rules.max_gap, fleet.as_of_us + 1)
    return figures_by_store(polls_of(fleet), opens, rules, windows, fleet.as_of_us)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(), seed=st.integers(0, 999))
def test_the_bounds_agree_with_the_oracle_and_downtime_lies_between(fleet: Fleet, seed: int) -> None:
    choose, stores = np.random.default_rng(seed), len(fleet.store_ids)
    edges = np.sort(fleet.as_of_us - choose.integers(0, 9 * DAY, (stores, 5)))
    windows = np.stack([edges[:, :-1], edges[:, 1:]], axis=2)
    found = engine(fleet, windows)
    expected = [
        [
            oracle.bounds(
                fleet.polls_of(store_id),
                fleet.rows_of(store_id),
                fleet.zone_of(store_id),
                (start, end),
                fleet.as_of_us,
                fleet.max_gap_us,
            )
            for start, end in asked
        ]
        for store_id, asked in zip(fleet.store_ids, windows.tolist(), strict=True)
    ]
    assert np.stack([found.down_min, found.down_max], axis=2).tolist() == [
        [list(pair) for pair in row] for row in expected
    ]
    down = found.totals[:, :, [Kind.DOWN_SEEN, Kind.DOWN_INFERRED]].sum(axis=2)
    assert (found.down_min <= down).all()
    assert (down <= found.down_max).all()
    whole = engine(fleet, np.stack([edges[:, [0]], edges[:, [-1]]], axis=2))
    assert found.down_min.sum(axis=1).tolist() == whole.down_min[:, 0].tolist()
    assert found.down_max.sum(axis=1).tolist() == whole.down_max[:, 0].tolist()
