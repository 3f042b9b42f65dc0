"""SEMANTICS, Inputs 5 and 6, and Opening hours 1 to 3: rows of hours and zones."""

from __future__ import annotations

import polars as pl
import pytest

from storewatch.domain.rows import Read
from storewatch.domain.weekly import HOURS_COLUMNS, read_hours, read_zones


def hours(*rows: tuple[str | None, ...]) -> Read:
    columns = {name: [row[at] for row in rows] for at, name in enumerate(HOURS_COLUMNS)}
    schema = {"line": pl.Int64} | dict.fromkeys(HOURS_COLUMNS, pl.String)
    return read_hours(pl.DataFrame({"line": range(2, 2 + len(rows)), **columns}, schema))


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("9:00", "17:30", (32_400, 63_000)),
        ("09:00", "17:30:15", (32_400, 63_015)),
        ("00:00:00", "24:00", (0, 86_400)),
        ("00:00", "24:00:00", (0, 86_400)),
        ("00:00", "23:58:59", (0, 86_339)),
        ("00:00", "23:59", (0, 86_400)),
        ("00:00", "23:59:00", (0, 86_400)),
        ("00:00", "23:59:59", (0, 86_400)),
        ("22:00", "02:00", (79_200, 7_200)),
        ("09:00", "00:00", (32_400, 0)),
        ("23:59:00", "23:59:59", (86_340, 86_400)),
        ("23:59", "23:59", (86_340, 86_400)),
        (" 9:00 ", "\u00a010:00", (32_400, 36_000)),
    ],
)
def test_opening_hours_are_seconds_of_the_day(start: str, end: str, seconds: tuple[int, int]) -> None:
    read = hours((" s ", " 4 ", start, end))
    assert read.bad.is_empty()
    assert read.good.select("line", "store_id", "day", "start_s", "end_s").rows() == [(2, "s", 4, *seconds)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("s", "7", "9:00", "10:00"), "day '7' is not 0 (Monday) to 6 (Sunday)"),
        (("s", "-1", "9:00", "10:00"), "day '-1' is not 0 (Monday) to 6 (Sunday)"),
        (("s", "Monday", "9:00", "10:00"), "day 'Monday' is not 0 (Monday) to 6 (Sunday)"),
        (("s", "1.0", "9:00", "10:00"), "day '1.0' is not 0 (Monday) to 6 (Sunday)"),
        (("s", "", "9:00", "10:00"), "no day: the cell is empty or the row has too few fields"),
        (("s", "0", None, None), "no start_time_local: the cell is empty or the row has too few fields"),
        (("s", "0", "9:00", None), "no end_time_local: the cell is empty or the row has too few fields"),
        (("s", "0", "9am", "10:00"), "start_time_local '9am' is not a time of day like 9:00 or 22:30:00"),
        (("s", "0", "9:00", "24:01"), "end_time_local '24:01' is not a time of day like 9:00 or 22:30:00"),
        (("s", "0", "9:00", "25:00"), "end_time_local '25:00' is not a time of day like 9:00 or 22:30:00"),
        (("s", "0", "9:0", "10:00"), "start_time_local '9:0' is not a time of day like 9:00 or 22:30:00"),
        (("s", "0", "24:00", "10:00"), "start_time_local is 24:00; a day starts at 00:00"),
        (
            ("s", "0", "9:00", "09:00:00"),
            "start and end are both '9:00': write 00:00 to 24:00 for a whole day, no row for a closed one",
        ),
        (("", "0", "9:00", "10:00"), "no store_id"),
    ],
)
def test_hours_that_cannot_be_used_are_told_why(row: tuple[str | None, ...], reason: str) -> None:
    read = hours(("t", "1", "1:00", "2:00"), row)
    assert read.good["store_id"].to_list() == ["t"]
    assert read.bad.select("line", "reason").rows() == [(3, reason)]


def test_a_rejected_row_tells_its_store_and_day_where_they_can_be_read() -> None:
    read = hours(("s", "0", "x", "y"), ("s", "9", "1:00", "2:00"), ("2E+14", "1", "1:00", "2:00"))
    assert read.bad.select("line", "store_id", "day").rows() == [(2, "s", 0), (3, "s", None), (4, None, None)]


def zones(*rows: tuple[str | None, str | None]) -> Read:
    schema = {"line": pl.Int64, "store_id": pl.String, "timezone_str": pl.String}
    return read_zones(pl.DataFrame([(at, *row) for at, row in enumerate(rows, 2)], schema, orient="row"))


@pytest.mark.parametrize("name", ["America/Chicago", " Asia/Beirut ", "UTC", "Australia/Lord_Howe"])
def test_a_zone_of_the_iana_is_taken(name: str) -> None:
    assert zones((" s ", name)).good.rows() == [(2, "s", name.strip())]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (None, "no timezone_str: the cell is empty or the row has too few fields"),
        (" ", "no timezone_str: the cell is empty or the row has too few fields"),
        *(
            (name, f"timezone_str '{name}' is not an IANA time zone like America/Chicago")
            for name in ("Mars/Olympus", "america/chicago", "CST6", "+05:00", "../etc/passwd")
        ),
    ],
)
def test_an_unknown_zone_is_rejected(name: str | None, reason: str) -> None:
    read = zones(("s", name), ("t", "UTC"))
    assert read.good["store_id"].to_list() == ["t"]
    assert read.bad.rows() == [(2, reason)]
