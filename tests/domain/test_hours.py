"""Weekly hours and zones -> open intervals in UTC: gaps, folds, and what is united."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.hours import open_intervals
from storewatch.domain.weekly import read_hours
from tests import oracle
from tests.domain.arrays import make_schedule, week_row
from tests.oracle import DAY, DEFAULT_ZONE, EPOCH, HOUR, HoursRow, utc
from tests.strategies import ZONES, as_ofs, weeks

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
CHICAGO, NEW_YORK = "America/Chicago", "America/New_York"
LORD_HOWE, BEIRUT, APIA = "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia"

Rows = list[tuple[int, str, str]]
Times = list[tuple[str, str]]


def opening(rows: Rows, zone: str, first: str, last: str) -> Times:
    """The open intervals of one store as day and time in UTC."""
    week = [week_row(0, HoursRow("store", *row)) for row in rows]
    found = open_intervals(make_schedule(week, [zone]), utc(first), utc(last))
    return [(short(start), short(end)) for start, end in zip(found.start, found.end, strict=True)]


def short(at_us: int) -> str:
    return (EPOCH + timedelta(microseconds=int(at_us))).strftime("%d %H:%M")


# --- Rows of a week -------------------------------------------------------------------------------

EVERY_DAY: Rows = [(day, "00:00", "24:00") for day in range(7)]

# The frame is Friday 2023-01-20 to Tuesday 2023-01-24; Chicago is at UTC-6.
UNITED: list[tuple[str, Rows, Times]] = [
    ("over midnight", [(FRIDAY, "22:00", "02:00")], [("21 04:00", "21 08:00")]),
    (
        "split at midnight",
        [(FRIDAY, "22:00", "24:00"), (SATURDAY, "00:00", "02:00")],
        [("21 04:00", "21 08:00")],
    ),
    ("until midnight as the next day's 00:00", [(FRIDAY, "22:00", "00:00")], [("21 04:00", "21 06:00")]),
    ("from Sunday into Monday", [(SUNDAY, "22:00", "02:00")], [("23 04:00", "23 08:00")]),
    ("overlap", [(MONDAY, "9:00", "12:00"), (MONDAY, "11:00", "13:00")], [("23 15:00", "23 19:00")]),
    ("touch", [(MONDAY, "9:00", "11:00"), (MONDAY, "11:00", "13:00")], [("23 15:00", "23 19:00")]),
    (
        "one within another",
        [(MONDAY, "9:00", "13:00"), (MONDAY, "10:00", "11:00")],
        [("23 15:00", "23 19:00")],
    ),
    (
        "a long one, then two within it",
        [(MONDAY, "9:00", "13:00"), (MONDAY, "9:30", "10:00"), (MONDAY, "12:00", "12:30")],
        [("23 15:00", "23 19:00")],
    ),
    (
        "a minute apart",
        [(MONDAY, "9:00", "11:00"), (MONDAY, "11:01", "13:00")],
        [("23 15:00", "23 17:00"), ("23 17:01", "23 19:00")],
    ),
    ("the same twice", [(MONDAY, "9:00", "11:00"), (MONDAY, "9:00", "11:00")], [("23 15:00", "23 17:00")]),
    ("begun before the frame", [(THURSDAY, "17:00", "20:00")], [("20 00:00", "20 02:00")]),
    ("over before the frame", [(THURSDAY, "09:00", "18:00")], []),
    ("not over at its end", [(MONDAY, "17:00", "20:00")], [("23 23:00", "24 00:00")]),
    ("beginning at its end", [(MONDAY, "18:00", "20:00")], []),
    ("every day whole", EVERY_DAY, [("20 00:00", "24 00:00")]),
    ("no row", [], []),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in UNITED], ids=[c[0] for c in UNITED])
def test_hours_of_a_week(rows: Rows, expected: Times) -> None:
    assert opening(rows, CHICAGO, "2023-01-20", "2023-01-24") == expected


def test_a_store_without_hours_is_open_throughout_and_one_with_an_empty_week_never() -> None:
    found = open_intervals(make_schedule([], [CHICAGO] * 3, always=[0, 2]), 10, 20)
    assert (found.store.tolist(), found.start.tolist(), found.end.tolist()) == ([0, 2], [10, 10], [20, 20])


def test_each_store_is_open_by_its_own_zone_and_comes_in_its_order() -> None:
    rows = [(store, MONDAY, 0, 86_400) for store in (2, 0, 1)]
    schedule = make_schedule(rows, ["Asia/Kolkata", CHICAGO, "Asia/Kolkata"])
    found = open_intervals(schedule, utc("2023-01-20"), utc("2023-01-26"))
    assert found.store.tolist() == [0, 1, 2]
    assert [short(at) for at in found.start] == ["22 18:30", "23 06:00", "22 18:30"]
    assert [short(at) for at in found.end] == ["23 18:30", "24 06:00", "23 18:30"]


ENDS = ["23:59", "23:59:00", "23:59:30", "23:59:59", "24:00", "24:00:00"]


@pytest.mark.parametrize("end", ENDS)
def test_an_end_from_2359_on_is_midnight_as_the_file_is_read(end: str) -> None:
    rows = pl.DataFrame(
        [(2, "a", "0", "22:00", end)],
        ["line", "store_id", "day", "start_time_local", "end_time_local"],
        orient="row",
    )
    _, _, day, start, closes, _ = read_hours(rows).good.row(0)
    found = open_intervals(make_schedule([(0, day, start, closes)], ["UTC"]), 0, utc("1970-01-08"))
    assert [(short(a), short(b)) for a, b in zip(found.start, found.end, strict=True)] == [
        ("05 22:00", "06 00:00")
    ]


def test_an_end_just_before_2359_is_not_midnight() -> None:
    assert opening([(MONDAY, "23:58", "23:58:59")], "UTC", "2023-01-23", "2023-01-25") == [
        ("23 23:58", "23 23:58")
    ]


# --- Clock changes --------------------------------------------------------------------------------

SPRING, AUTUMN = ("2023-03-11", "2023-03-14"), ("2023-11-04", "2023-11-07")
LH_SPRING, LH_AUTUMN = ("2023-09-29", "2023-10-03"), ("2023-03-31", "2023-04-04")
BEIRUT_SPRING, BEIRUT_AUTUMN = ("2022-03-25", "2022-03-29"), ("2022-10-28", "2022-11-01")
NO_FRIDAY = ("2011-12-28", "2012-01-02")

CHANGES: list[tuple[str, str, tuple[str, str], Rows, Times]] = [
    # 2023-03-12 02:00 became 03:00
    ("an end as the gap ends", NEW_YORK, SPRING, [(SATURDAY, "22:00", "03:00")], [("12 03:00", "12 07:00")]),
    ("within the gap", NEW_YORK, SPRING, [(SUNDAY, "02:15", "02:45")], [("12 07:15", "12 07:45")]),
    ("an end in the gap", NEW_YORK, SPRING, [(SUNDAY, "01:30", "02:30")], [("12 06:30", "12 07:30")]),
    ("the whole gap", NEW_YORK, SPRING, [(SUNDAY, "02:00", "03:00")], []),
    ("turned round by the gap", NEW_YORK, SPRING, [(SUNDAY, "02:30", "03:15")], []),
    ("a start in the gap", NEW_YORK, SPRING, [(SUNDAY, "02:30", "04:00")], [("12 07:30", "12 08:00")]),
    ("a day of 23 hours", NEW_YORK, SPRING, [(SUNDAY, "00:00", "24:00")], [("12 05:00", "13 04:00")]),
    # 2023-11-05 02:00 became 01:00
    ("a day of 25 hours", NEW_YORK, AUTUMN, [(SUNDAY, "00:00", "24:00")], [("05 04:00", "06 05:00")]),
    ("within the fold", NEW_YORK, AUTUMN, [(SUNDAY, "01:15", "01:45")], [("05 05:15", "05 05:45")]),
    ("a start in the fold", NEW_YORK, AUTUMN, [(SUNDAY, "01:30", "02:30")], [("05 05:30", "05 07:30")]),
    ("an end in the fold", NEW_YORK, AUTUMN, [(SATURDAY, "23:00", "01:30")], [("05 03:00", "05 05:30")]),
    # 2023-10-01 02:00 became 02:30, 2023-04-02 02:00 became 01:30
    ("half an hour less", LORD_HOWE, LH_SPRING, [(SUNDAY, "01:00", "04:00")], [("30 14:30", "30 17:00")]),
    ("half an hour to nothing", LORD_HOWE, LH_SPRING, [(SUNDAY, "02:15", "02:45")], []),
    ("half an hour more", LORD_HOWE, LH_AUTUMN, [(SUNDAY, "01:00", "04:00")], [("01 14:00", "01 17:30")]),
    ("over half an hour", LORD_HOWE, LH_AUTUMN, [(SUNDAY, "01:45", "02:15")], [("01 14:45", "01 15:45")]),
    # 2022-03-27 00:00 became 01:00, 2022-10-30 00:00 became 23:00
    ("no midnight", BEIRUT, BEIRUT_SPRING, [(SUNDAY, "00:00", "24:00")], [("26 22:00", "27 21:00")]),
    ("to no midnight", BEIRUT, BEIRUT_SPRING, [(SATURDAY, "20:00", "24:00")], [("26 18:00", "26 22:00")]),
    (
        "split at a skipped midnight",
        BEIRUT,
        BEIRUT_SPRING,
        [(SATURDAY, "20:00", "24:00"), (SUNDAY, "00:00", "02:00")],
        [("26 18:00", "26 23:00")],
    ),
    ("two last hours", BEIRUT, BEIRUT_AUTUMN, [(SATURDAY, "23:00", "24:00")], [("29 20:00", "29 22:00")]),
    (
        "split at a midnight that comes late",
        BEIRUT,
        BEIRUT_AUTUMN,
        [(SATURDAY, "23:30", "24:00"), (SUNDAY, "00:00", "01:00")],
        [("29 20:30", "29 23:00")],
    ),
    # there was no Friday, 2011-12-30
    ("a skipped day", APIA, NO_FRIDAY, [(FRIDAY, "00:00", "24:00")], []),
    ("within a skipped day", APIA, NO_FRIDAY, [(FRIDAY, "09:00", "17:00")], [("30 19:00", "31 03:00")]),
    ("into a skipped day", APIA, NO_FRIDAY, [(THURSDAY, "22:00", "02:00")], [("30 08:00", "30 12:00")]),
    ("before a skipped day", APIA, NO_FRIDAY, [(THURSDAY, "00:00", "24:00")], [("29 10:00", "30 10:00")]),
    ("after a skipped day", APIA, NO_FRIDAY, [(SATURDAY, "00:00", "24:00")], [("30 10:00", "31 10:00")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "frame", "rows", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_hours_when_the_clocks_change(zone: str, frame: tuple[str, str], rows: Rows, expected: Times) -> None:
    assert opening(rows, zone, *frame) == expected


# --- Against the oracle ---------------------------------------------------------------------------


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), zone=st.sampled_from(ZONES), length=st.sampled_from((1, HOUR, DAY, 9 * DAY)))
def test_open_time_agrees_with_the_oracle(data: st.DataObject, zone: str | None, length: int) -> None:
    name = zone or DEFAULT_ZONE
    until = data.draw(as_ofs(frozenset({name})))
    both = [data.draw(weeks("a")), data.draw(weeks("b"))]
    rows = [week_row(store, row) for store, week in enumerate(both) for row in week]
    found = open_intervals(make_schedule(rows, [name, name]), until - length, until)
    triples = list(zip(found.store.tolist(), found.start.tolist(), found.end.tolist(), strict=True))
    for store, week in enumerate(both):
        expected = oracle.open_intervals(week, name, until - length, until)
        assert [triple[1:] for triple in triples if triple[0] == store] == expected
    assert all(one < two for one, two in pairwise(triples))
