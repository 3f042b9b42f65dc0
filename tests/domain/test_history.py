"""Which days are due, boxes of them, what an import touched, and periods of a calendar."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.history import Stretches, batches, frame
from storewatch.domain.periods import following, latest, starts, week_hours
from storewatch.domain.touched import MANY, Touched
from tests.domain.arrays import int64

EPOCH = date(1970, 1, 1)


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def rows(found: Stretches) -> list[tuple[int, ...]]:
    columns = (found.first_key, found.last_key, found.first, found.last)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def stretches(*each: tuple[int, int, int, int]) -> Stretches:
    return Stretches(*np.array(each, np.int64).reshape(-1, 4).T)


# --- which days -----------------------------------------------------------------------------------


def test_a_day_is_touched_by_its_first_instant_and_not_by_the_one_after_its_last() -> None:
    days = frame(0, 2, np.zeros(2, np.int32), ["UTC"], as_of=3 * DAY)
    keys = np.array([4, 9], np.int32)
    touched = days.touched(keys, stretches((4, 4, DAY - 1, DAY - 1), (5, 99, DAY, DAY)))
    assert touched.tolist() == [[True, False, False], [False, True, False]]


def test_days_are_counted_from_the_first_instant_on_up_to_t() -> None:
    days = frame(0, 3, np.zeros(3, np.int32), ["UTC"], as_of=3 * DAY)
    counted = days.counted(int64([DAY - 1, DAY, 9 * DAY]))
    assert counted.tolist() == [[True, True, True, False], [False, True, True, False], [False] * 4]


def test_keys_that_a_stretch_reaches() -> None:
    found = stretches((2, 4, 0, 0), (4, 4, 0, 0), (9, 9, 0, 0)).reach(np.array([1, 2, 4, 5, 9], np.int32))
    assert found.tolist() == [False, True, True, False, True]


@pytest.mark.parametrize("most", [1, 2, 5, 7, 1000])
def test_boxes_hold_every_wanted_day_once_and_are_not_too_large(most: int) -> None:
    choose = np.random.default_rng(most)
    wanted = choose.random((60, 9)) < 0.1
    wanted[30:40] = False
    seen = np.zeros(wanted.shape, np.int64)
    for stores, days in batches(wanted, most):
        seen[stores, days] += 1
        many = stores.stop - stores.start
        assert many == 1 or many * (days.stop - days.start) <= most
    assert (seen[wanted] == 1).all()


def test_a_store_of_which_much_is_wanted_gets_a_box_of_its_own() -> None:
    wanted = np.zeros((4, 100), np.bool_)
    wanted[:, 98:] = True
    wanted[2] = True
    assert list(batches(wanted, 20)) == [
        (slice(0, 2), slice(98, 100)),
        (slice(2, 3), slice(0, 100)),
        (slice(3, 4), slice(98, 100)),
    ]


# --- what an import touched -----------------------------------------------------------------------


def add(to: Touched, keys: list[int], at: int) -> None:
    to.add(np.array(keys, np.int32), np.full(len(keys), at, np.int64))


def test_few_stores_are_told_one_by_one_in_whole_days_that_lie_near_each_other() -> None:
    touched = Touched()
    for each in (0, 2, 9):
        add(touched, [5, 5, 7] if each else [5], each * DAY + HOUR)
    assert rows(touched.stretches()) == [
        (5, 5, 0, 3 * DAY - 1),
        (5, 5, 9 * DAY, 10 * DAY - 1),
        (7, 7, 2 * DAY, 3 * DAY - 1),
        (7, 7, 9 * DAY, 10 * DAY - 1),
    ]


def test_many_stores_are_told_as_all_between_the_lowest_and_the_highest() -> None:
    touched = Touched()
    many = list(range(10, 11 + MANY))
    for at in (3 * DAY + HOUR, HOUR, 9 * DAY):
        add(touched, many, at)
    add(touched, [2], HOUR)
    assert rows(touched.stretches()) == [
        (10, 10 + MANY, HOUR, HOUR),
        (10, 10 + MANY, 3 * DAY + HOUR, 3 * DAY + HOUR),
        (10, 10 + MANY, 9 * DAY, 9 * DAY),
        (2, 2, 0, DAY - 1),
    ]


def test_nothing_touched_is_no_stretch() -> None:
    assert len(Touched().stretches()) == 0


# --- periods --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "of", "start"),
    [
        ("day", "2024-02-29", "2024-02-29"),
        ("week", "2024-03-03", "2024-02-26"),
        ("week", "2024-03-04", "2024-03-04"),
        ("month", "2024-02-29", "2024-02-01"),
        ("month", "1969-12-31", "1969-12-01"),
    ],
)
def test_periods_begin_on_mondays_and_on_the_first(by: str, of: str, start: str) -> None:
    assert starts(by, int64([day(of)])).tolist() == [day(start)]


@pytest.mark.parametrize(
    ("zone", "of", "hours"),
    [
        ("America/New_York", "2023-03-11", [*range(24)]),
        ("America/New_York", "2023-03-12", [0, 1, *range(3, 24)]),
        ("America/New_York", "2023-11-05", [0, 1, *range(1, 24)]),
        ("Asia/Beirut", "2023-03-26", [*range(1, 24)]),  # midnight is left out
        ("Australia/Lord_Howe", "2023-10-01", [0, 1, 2, *range(3, 24)][:24]),
    ],
)
def test_hours_of_the_week_are_what_the_clock_shows_when_they_begin(
    zone: str, of: str, hours: list[int]
) -> None:
    weekday = date.fromisoformat(of).weekday()
    found = week_hours(int64([day(of)]), len(hours), zone)
    assert found.tolist() == [[weekday * 24 + hour for hour in hours]]


@pytest.mark.parametrize(
    ("by", "of", "first", "after"),
    [
        ("day", "2023-01-31", "2023-01-31", "2023-02-01"),
        ("week", "2023-01-29", "2023-01-23", "2023-01-30"),
        ("month", "2024-02-29", "2024-02-01", "2024-03-01"),
        ("quarter", "2023-12-31", "2023-10-01", "2024-01-01"),
        ("quarter", "2023-01-01", "2023-01-01", "2023-04-01"),
        ("quarter", "1969-11-11", "1969-10-01", "1970-01-01"),
    ],
)
def test_a_period_ends_where_the_next_one_begins(by: str, of: str, first: str, after: str) -> None:
    start = starts(by, int64([day(of)]))
    assert (start.tolist(), following(by, start).tolist()) == ([day(first)], [day(after)])
    assert latest(by, day(after), 2).tolist() == [day(first), day(after)]
