"""Polls as they come -> polls as they are stored, against a plain dict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storewatch.domain.batches import Batch, DayBatch, by_day, places, sorted_day
from tests.oracle import DAY, SECOND, utc

NOON = utc("2023-01-25 12:00")
FIRST_DAY = NOON // DAY

Row = tuple[int, int, bool, int]
"""key, instant, active, reason"""


def sorted_days(batch: Batch) -> list[DayBatch]:
    return [sorted_day(day) for day in by_day(batch)]


def make_batch(rows: list[Row]) -> Batch:
    key, at, active, reason = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Batch(
        np.array(key, np.int32),
        np.array(at, np.int64),
        np.array(active, np.bool_),
        np.array(reason, np.int32),
    )


def rows_of(batch: Batch) -> list[Row]:
    columns = (batch.key, batch.at, batch.active, batch.reason)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def model(rows: list[Row]) -> dict[int, tuple[list[Row], int, int]]:
    """By day: the rows that stand in order of key and time, and how many were corrected and unchanged."""
    days: dict[int, tuple[dict[tuple[int, int], Row], list[bool]]] = {}
    for row in rows:
        standing, repeats = days.setdefault(row[1] // DAY, ({}, []))
        if row[:2] in standing:
            repeats.append(standing[row[:2]] == row)
        standing[row[:2]] = row
    return {
        day: ([standing[place] for place in sorted(standing)], repeats.count(False), repeats.count(True))
        for day, (standing, repeats) in days.items()
    }


def split(rows: list[Row]) -> dict[int, tuple[list[Row], int, int]]:
    days = sorted_days(make_batch(rows))
    return {day.day: (rows_of(day.polls), day.corrected, day.unchanged) for day in days}


MOST_KEYS = 2**25
KEYS = st.sampled_from((1, 2, 3, MOST_KEYS - 1))
MIDNIGHT = (FIRST_DAY + 1) * DAY
INSTANTS = st.sampled_from(
    (MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1, NOON, NOON + 1, NOON + 40 * DAY)
) | st.integers(MIDNIGHT - 3, MIDNIGHT + 3)
REASONS = st.sampled_from((0, 0, 1, 7))


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(KEYS, INSTANTS, st.booleans(), REASONS), max_size=60))
def test_days_hold_what_a_dict_would_hold(rows: list[Row]) -> None:
    assert split(rows) == model(rows)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(0, 3000), keys=st.sampled_from((1, 20, 5000)))
def test_long_batches_hold_what_a_dict_would_hold(seed: int, size: int, keys: int) -> None:
    choose = np.random.default_rng(seed)
    at = utc("2000-01-01") + choose.integers(0, 50, size) * 6 * 3600 * SECOND
    batch = Batch(
        choose.integers(1, keys + 1, size).astype(np.int32),
        at,
        choose.random(size) < 0.7,
        choose.integers(0, 2, size).astype(np.int32),
    )
    found = {day.day: (rows_of(day.polls), day.corrected, day.unchanged) for day in sorted_days(batch)}
    assert found == model(rows_of(batch))


@pytest.mark.parametrize(
    ("states", "stands", "corrected", "unchanged"),
    [
        ([True], True, 0, 0),
        ([True, True], True, 0, 1),
        ([True, False], False, 1, 0),
        ([True, False, True], True, 2, 0),
        ([False, False, True, True], True, 1, 2),
    ],
)
def test_the_last_of_an_instant_stands(
    states: list[bool], stands: bool, corrected: int, unchanged: int
) -> None:
    rows = [(1, NOON, state, 0) for state in states]
    assert split(rows) == {FIRST_DAY: ([(1, NOON, stands, 0)], corrected, unchanged)}


def test_another_reason_is_a_correction_too() -> None:
    rows = [(1, NOON, False, 3), (1, NOON, False, 4)]
    assert split(rows) == {FIRST_DAY: ([(1, NOON, False, 4)], 1, 0)}


def test_days_come_in_order_and_midnight_begins_one() -> None:
    rows = [(2, MIDNIGHT, True, 0), (1, MIDNIGHT + 90 * DAY, True, 0), (1, MIDNIGHT - 1, True, 0)]
    days = [day.day for day in sorted_days(make_batch(rows))]
    assert days == [FIRST_DAY, FIRST_DAY + 1, FIRST_DAY + 91]


def test_no_polls_make_no_days() -> None:
    nothing: list[DayBatch] = []
    assert sorted_days(make_batch([])) == nothing


@settings(max_examples=200, deadline=None)
@given(
    came=st.lists(st.tuples(KEYS, INSTANTS, st.booleans(), REASONS), max_size=30),
    stored=st.sets(st.tuples(KEYS, INSTANTS, st.booleans()), max_size=30),
)
def test_polls_that_are_known_are_left_out_unless_they_have_a_reason(
    came: list[Row], stored: set[tuple[int, int, bool]]
) -> None:
    for day in sorted_days(make_batch(came)):
        own = make_batch([(*poll, 0) for poll in stored if poll[1] // DAY == day.day])
        known = np.sort(places(day.day, own.key, own.at, own.active))
        left = day.without(known)
        expected = [row for row in rows_of(day.polls) if row[3] or row[:3] not in stored]
        assert rows_of(left.polls) == expected
        assert (left.day, left.corrected, left.unchanged) == (day.day, day.corrected, day.unchanged)


def test_a_key_that_does_not_fit_beside_the_time_is_refused() -> None:
    with pytest.raises(OverflowError, match="below"):
        sorted_days(make_batch([(MOST_KEYS, NOON, True, 0)]))
