"""Each local run exactly once, over all changes of the clocks; against a model that counts minutes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.clock import MINUTE, to_us
from storewatch.domain.schedules import Timetable, checked, days_before
from storewatch.errors import UsageError
from tests.domain.clock_changes import changes
from tests.oracle import load_zone

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Beirut",  # at midnight
    "America/Santiago",  # at midnight, in the south
)
YEAR = 2025


def both(zone: str) -> list[int]:
    """The two changes of the year, in microseconds."""
    year = [datetime.fromtimestamp(second, UTC).year for second in changes(zone)]
    return [second * 1_000_000 for second, of in zip(changes(zone), year, strict=True) if of == YEAR]


def minutes(zone: ZoneInfo, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Every minute of some days and a day to either side: (UTC, what the clocks show)."""
    at = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    for _ in range((days + 4) * 24 * 60):
        yield at, at.astimezone(zone).replace(tzinfo=None, fold=0)
        at += timedelta(minutes=1)


def model(table: Timetable, first: date, days: int) -> list[int]:
    """Of each date on which it runs, the first minute at which the clocks show the time or a later one."""
    runs: dict[date, datetime] = {}
    due = [first + timedelta(days=number) for number in range(days) if on(table, first, number)]
    walls = {day: datetime.combine(day, time()) + timedelta(minutes=table.minute) for day in due}
    for at, shown in minutes(load_zone(table.zone), first, days):
        for day, wall in walls.items():
            if day not in runs and wall <= shown < wall + timedelta(days=1):
                runs[day] = at
    return sorted(to_us(at) for at in runs.values())


def on(table: Timetable, first: date, number: int) -> bool:
    day = first + timedelta(days=number)
    if table.every == "day":
        return True
    if table.every == "week":
        return day.isoweekday() - 1 == table.on_day
    last = monthrange(day.year, day.month)[1]
    return day.day == table.on_day or (day.day == last and (table.on_day or 0) > last)


def test_each_of_the_zones_changes_its_clocks_twice() -> None:
    assert [len(both(zone)) for zone in ZONES] == [2] * 5


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("minute", [0, 15, 60, 105, 120, 150, 179, 180, 480, 1425, 1439])
def test_over_a_change_of_the_clocks_each_local_run_comes_exactly_once(
    zone: str, number: int, minute: int
) -> None:
    change = datetime.fromtimestamp(both(zone)[number] / 1_000_000, UTC).date()
    first = change - timedelta(days=3)
    table = Timetable("day", None, minute, zone)
    expected = model(table, first, 7)
    assert len(expected) == 7
    assert table.runs(expected[0], expected[-1] + 1) == expected


@pytest.mark.parametrize("zone", ZONES)
@given(
    every=st.sampled_from(["day", "week", "month"]),
    day=st.integers(1, 31),
    minute=st.integers(0, 1439),
    near=st.integers(0, 1),
    off=st.integers(-40, 40),
)
def test_next_and_last_walk_through_the_same_runs_one_by_one(
    zone: str, every: str, day: int, minute: int, near: int, off: int
) -> None:
    table = Timetable(every, None if every == "day" else day % 7 if every == "week" else day, minute, zone)
    start = both(zone)[near] + off * 24 * 60 * MINUTE
    runs = table.runs(start, start + 100 * 24 * 60 * MINUTE)
    walked = [table.next_run(start - 1)]
    while len(walked) < len(runs):
        walked.append(table.next_run(walked[-1]))
    assert walked == runs
    for run in runs:
        assert table.last_run(run) == run
    for earlier, later in pairwise(runs):
        assert table.last_run(later - 1) == earlier
        assert earlier < later


@given(day=st.integers(1, 31), month=st.integers(1, 12), year=st.integers(2020, 2030))
def test_every_month_has_exactly_one_run(day: int, month: int, year: int) -> None:
    table = Timetable("month", day, 480, "UTC")
    start = datetime(year, month, 1, tzinfo=UTC)
    end = (start + timedelta(days=31)).replace(day=1)
    [run] = table.runs(to_us(start), to_us(end))
    assert run == to_us(start.replace(day=min(day, monthrange(year, month)[1]), hour=8))


def test_a_time_that_is_skipped_runs_at_the_first_instant_after_it_and_one_shown_twice_the_first_time() -> (
    None
):
    table = Timetable("day", None, 150, "America/New_York")  # 2:30
    spring, autumn = datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 11, 2, tzinfo=UTC)
    assert table.next_run(to_us(spring)) == to_us(spring.replace(hour=7))  # 3:00 EDT
    at_half_past_one = Timetable("day", None, 90, "America/New_York")
    assert at_half_past_one.next_run(to_us(autumn)) == to_us(autumn.replace(hour=5, minute=30))  # EDT


@pytest.mark.parametrize(
    ("every", "day", "expected"),
    [
        ("day", date(2025, 3, 1), ("2025-02-28", "2025-02-28", "2025-02-27", "2025-02-27")),
        ("week", date(2025, 3, 3), ("2025-02-24", "2025-03-02", "2025-02-17", "2025-02-23")),
        ("month", date(2025, 1, 31), ("2024-12-01", "2024-12-31", "2024-11-01", "2024-11-30")),
        ("month", date(2024, 3, 1), ("2024-02-01", "2024-02-29", "2024-01-01", "2024-01-31")),
    ],
)
def test_a_run_is_about_what_was_over_when_its_day_began(
    every: str, day: date, expected: tuple[str, ...]
) -> None:
    found = days_before(every, day)
    told = (found.first, found.last, found.first_before, found.last_before)
    assert tuple((date(1970, 1, 1) + timedelta(days=each)).isoformat() for each in told) == expected


@pytest.mark.parametrize(
    ("table", "field"),
    [
        (Timetable("year", None, 0, "UTC"), "every"),
        (Timetable("day", 1, 0, "UTC"), "on_day"),
        (Timetable("week", 7, 0, "UTC"), "on_day"),
        (Timetable("week", None, 0, "UTC"), "on_day"),
        (Timetable("month", 0, 0, "UTC"), "on_day"),
        (Timetable("day", None, 1440, "UTC"), "at"),
        (Timetable("day", None, 0, "Mars"), "zone"),
    ],
)
def test_what_makes_no_sense_is_named(table: Timetable, field: str) -> None:
    with pytest.raises(UsageError) as told:
        checked(table)
    assert told.value.field == field
