"""What downtime costs, exact to the cent."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.clock import DAY, HOUR, MINUTE
from storewatch.domain.cost import Lost, by_hours, products, rounded, spread, week_times
from storewatch.domain.hours import Schedule, Week
from tests.domain.arrays import int64

WEEK_S = 7 * 86_400


def schedule(*rows: tuple[int, int, int, int], within: list[list[int]] | None = None) -> Schedule:
    """Of two stores, of (store, day, start, end); one without rows is always open."""
    store, day, start, end = np.array(rows, np.int64).reshape(-1, 4).T
    always = np.array([number not in store for number in range(2)])
    week = Week(
        store.astype(np.int32),
        day.astype(np.int16),
        start.astype(np.int32),
        end.astype(np.int32),
        None if within is None else np.array(within),
    )
    return Schedule(week, np.zeros(2, np.int32), ("UTC",), always)


@pytest.mark.parametrize(
    ("rows", "hours"),
    [
        ([], 168),
        ([(0, 0, 32_400, 43_200)], 3),
        ([(0, 0, 32_400, 43_200), (0, 0, 36_000, 46_800)], 4),  # they overlap
        ([(0, 0, 32_400, 43_200), (0, 0, 33_000, 34_000), (0, 0, 43_200, 46_800)], 4),  # within, and touching
        ([(0, 4, 79_200, 7_200)], 4),  # over midnight
        ([(0, 6, 79_200, 7_200)], 4),  # from Sunday to Monday
        ([(0, 6, 79_200, 7_200), (0, 0, 0, 10_800)], 5),  # which overlap there
        ([(0, day, 0, 86_400) for day in range(7)], 168),
        ([(0, 1, 3_600, 3_599)], 23.999_722_222_222_222),
    ],
)
def test_open_hours_of_a_week(rows: list[tuple[int, int, int, int]], hours: float) -> None:
    found = week_times(schedule(*rows)).of(int64([0]), int64([19_000]))
    assert found.tolist() == [round(hours * HOUR)]


def test_the_week_in_force_on_a_day_counts() -> None:
    times = week_times(
        schedule(
            (0, 0, 0, 3_600),
            (0, 1, 0, 3_600),
            (0, 2, 0, 7_200),
            (1, 0, 0, 86_400),
            within=[[-(1 << 31), 100], [-(1 << 31), 100], [110, 1 << 31], [-(1 << 31), 1 << 31]],
        )
    )
    day = int64([99, 100, 109, 110, 99, 110])
    found = times.of(int64([0, 0, 0, 0, 1, 1]), day)
    assert (found // HOUR).tolist() == [2, 0, 0, 2, 24, 24]


def test_downtime_costs_its_part_of_the_open_hours() -> None:
    """1,200.00 a week at 60 open hours are 20.00 an hour: 90 minutes of downtime cost 30.00."""
    found = spread(
        int64([120_000]), int64([90 * MINUTE]), int64([60 * MINUTE]), int64([60 * HOUR]), int64([0]), 2
    )
    told = [[float(rounded(cents)) for cents in (each.whole, each.seen, each.inferred)] for each in found]
    assert told == [[30, 20, 10], [0, 0, 0]]


def test_downtime_by_the_hour_costs_what_that_hour_takes() -> None:
    """Half of an hour of 80.00 and a quarter of one of 20.00, of which nothing was seen."""
    down, seen = int64([30 * MINUTE, 15 * MINUTE]), int64([30 * MINUTE, 0])
    [found] = by_hours(int64([8_000, 2_000]), down, seen, int64([0, 0]), 1)
    assert (float(rounded(found.whole)), float(rounded(found.inferred))) == (45, 5)


def test_a_week_that_is_closed_throughout_loses_nothing() -> None:
    assert spread(int64([100]), int64([HOUR]), int64([0]), int64([0]), int64([0]), 1) == [Lost()]


@pytest.mark.parametrize(
    ("cents", "text"),
    [("1/2", "0.01"), ("49/100", "0.00"), ("-1/2", "-0.01"), ("1250", "12.50"), ("3/2", "0.02")],
)
def test_amounts_are_rounded_once_half_away_from_zero(cents: str, text: str) -> None:
    assert str(rounded(Fraction(cents))) == text


def test_a_fleet_of_amounts_too_large_for_64_bits_is_exact() -> None:
    amount, time = (1 << 40) - 1, 25 * HOUR
    many = [np.full(5_000, each) for each in (amount, time, 0)]
    assert products(many[0], many[1], many[2], 1) == [5_000 * amount * time]


ROWS = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(0, 25 * HOUR), st.integers(1, 7 * DAY), st.integers(0, 3)),
    max_size=20,
)


@given(ROWS)
def test_what_is_lost_is_what_fractions_say(rows: list[tuple[int, int, int, int]]) -> None:
    cents, down, week, place = np.array(rows, np.int64).reshape(-1, 4).T
    found = spread(cents, down, down // 3, week, place, 4)
    expected = [Fraction(0)] * 4
    for amount, time, of, at in rows:
        expected[at] += Fraction(amount * time, of)
    assert [each.whole for each in found] == expected


INTERVALS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 86_399), st.integers(0, 86_400)).filter(
        lambda row: row[1] != row[2]
    ),
    min_size=1,
    max_size=8,
)


@given(INTERVALS)
def test_open_hours_are_the_seconds_that_are_open(rows: list[tuple[int, int, int]]) -> None:
    open_ = np.zeros(WEEK_S, np.bool_)
    for day, start, end in rows:
        last = end if end > start else end + 86_400
        open_[np.arange(day * 86_400 + start, day * 86_400 + last) % WEEK_S] = True
    found = week_times(schedule(*((0, *row) for row in rows))).of(int64([0]), int64([0]))
    assert found.tolist() == [int(open_.sum()) * 1_000_000]
