"""Zones: Python's reading of wall-clock times, for whole arrays."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from storewatch.domain import zones
from storewatch.domain.axis import Int64
from tests.domain import clock_changes
from tests.domain.clock_changes import first_occurrence, one_of_each, walls_around
from tests.oracle import DAY, EPOCH, HOUR, MINUTE, SECOND, load_zone, utc

STEP = 20 * 60
EVERY = one_of_each(zones.names())


def as_us(walls: list[datetime]) -> Int64:
    return np.array([(wall.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for wall in walls])


def test_every_zone_of_tzdata_can_be_loaded_and_behaves_like_one_that_is_tested() -> None:
    tested = {clock_changes.behaviour(name) for name in EVERY}
    for name in zones.names():
        assert zones.load(name).key == name
        assert clock_changes.behaviour(name) in tested
    assert len(zones.names()) > 590 > len(EVERY) > 200


def test_no_zone_changes_twice_within_two_days() -> None:
    """`zones` looks for changes twice a day, and `clock_changes` every other day."""
    for name in EVERY:
        before, listed, _ = clock_changes.behaviour(name)
        offsets = [before, *(offset for _, offset in listed)]
        real = [at for (at, _), (old, new) in zip(listed, pairwise(offsets), strict=True) if old != new]
        assert np.diff(real).min(initial=1 << 40) > clock_changes.LOOKED_AT_EVERY, name


@pytest.mark.parametrize("name", EVERY)
def test_changes_and_wall_clock_times_are_pythons(name: str) -> None:
    """By 2027 every zone follows its rule, so ten years of that rule are left out to save time."""
    seconds = clock_changes.changes(name)
    for years in (range(2000, 2027), range(2036, 2038)):
        expected = [second for second in seconds if datetime.fromtimestamp(second, UTC).year in years]
        if expected:
            assert_changes(name, expected)
            walls = [wall for change in expected for wall in walls_around(name, change, STEP)]
            found = zones.local_to_utc(as_us(walls), name)
            assert found.tolist() == [first_occurrence(wall, load_zone(name)) for wall in walls]


def assert_changes(name: str, expected: list[int]) -> None:
    first, last = expected[0] * SECOND, expected[-1] * SECOND
    at, offsets = zones.changes(name, first, last + 1)
    assert (at[(at >= first) & (at <= last)] // SECOND).tolist() == expected
    assert len(offsets) == len(at) + 1


@pytest.mark.parametrize("name", [name for name in EVERY if not clock_changes.changes(name)])
def test_a_zone_without_changes_has_one_offset(name: str) -> None:
    walls = [datetime(year, 7, 1, 12) for year in (2000, 2013, 2037)]  # noqa: DTZ001 - naive on purpose
    expected = [first_occurrence(wall, load_zone(name)) for wall in walls]
    assert [zones.local_to_utc(as_us([wall]), name).item() for wall in walls] == expected


FINE = [
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Europe/Dublin",
    "America/Caracas",  # half an hour back in 2007, forth in 2016
    "Antarctica/Troll",  # shifts by two hours
    "Asia/Pyongyang",
]


@pytest.mark.parametrize("name", FINE)
def test_wall_clock_times_are_pythons_to_the_minute(name: str) -> None:
    changes = clock_changes.changes(name)[-12:]
    walls = [wall for change in changes for wall in walls_around(name, change, 60)]
    expected = [first_occurrence(wall, load_zone(name)) for wall in walls]
    assert zones.local_to_utc(as_us(walls), name).tolist() == expected


@pytest.mark.parametrize(
    ("name", "wall", "instant"),
    [
        ("America/New_York", "2023-03-12 02:15", "2023-03-12 07:15"),  # skipped: the offset before
        ("America/New_York", "2023-11-05 01:30", "2023-11-05 05:30"),  # twice: the first
        ("America/New_York", "2023-11-05 02:00", "2023-11-05 07:00"),
        ("Australia/Lord_Howe", "2023-04-02 01:45", "2023-04-01 14:45"),
        ("Asia/Beirut", "2022-03-27 00:00", "2022-03-26 22:00"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 22:00"),  # a day that never was
        ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00"),
        ("Asia/Kathmandu", "2023-01-01 00:00", "2022-12-31 18:15"),
    ],
)
def test_a_wall_clock_time_is_an_instant(name: str, wall: str, instant: str) -> None:
    assert zones.local_to_utc(np.array([utc(wall)]), name).tolist() == [utc(instant)]


def test_wall_clock_times_come_in_any_order_and_none_is_none() -> None:
    walls = np.array([utc("2023-07-01 12:00"), utc("2020-01-01 12:00"), utc("2023-07-01 12:00")])
    expected = [utc("2023-07-01 16:00"), utc("2020-01-01 17:00"), utc("2023-07-01 16:00")]
    assert zones.local_to_utc(walls, "America/New_York").tolist() == expected
    assert zones.local_to_utc(walls[:0], "America/New_York").tolist() == []


def test_changes_carry_the_offsets_before_and_after_them() -> None:
    at, offsets = zones.changes("Australia/Lord_Howe", utc("2023-01-01"), utc("2023-12-31"))
    assert at.tolist() == [utc("2023-04-01 15:00"), utc("2023-09-30 15:30")]
    assert offsets.tolist() == [11 * HOUR, 10 * HOUR + 30 * MINUTE, 11 * HOUR]


def test_the_offset_at_an_instant_is_local_minus_utc() -> None:
    assert zones.offset("America/Chicago", utc("2023-01-25 18:13")) == -6 * HOUR
    assert zones.offset("Pacific/Apia", utc("2011-12-30 10:00") - 1) == -10 * HOUR
    assert zones.offset("Pacific/Apia", utc("2011-12-30 10:00")) == 14 * HOUR
    assert zones.offset("Asia/Kolkata", -DAY) == 5 * HOUR + 30 * MINUTE


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "america/chicago", "../zones", "America", "CST"])
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        zones.load(name)


def test_the_version_is_a_release_of_the_zone_data() -> None:
    assert re.fullmatch(r"20\d\d[a-z]", zones.version())
    assert zones.DEFAULT_ZONE in zones.names()
