"""`storewatch compare`: the file that it is given, the report that it is held against, and the options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests.acceptance.conftest import storewatch
from tests.comparing import (
    HOURS,
    NOW,
    OURS,
    POLLS,
    ZONES,
    Fleet,
    compared,
    daily,
    rows_of,
)
from tests.factories import load
from tests.oracle import HOUR, utc
from tests.worked_examples import hours_csv, status_csv, zone_csv

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(database_url: str, database: Database) -> dict[str, str]:
    load(database, status_csv(POLLS), hours_csv(HOURS), zone_csv(ZONES), now_us=NOW)
    return {"STOREWATCH_DATABASE_URL": database_url}


def test_columns_may_stand_anywhere_and_have_other_names(environment: dict[str, str], tmp_path: Path) -> None:
    rows = rows_of(OURS)[1:]
    names = (
        "Note,Downtime Last Week (hours),STORE_ID,uptimeLastHour,uptime_last_day(in hours),downtime_1h,colour"
    )
    lines = [names, *(f"x,{row[6]},{row[0]},{row[1]},{row[2]},{row[4]},red" for row in rows)]
    result, cells = compared(environment, tmp_path, "\r\n".join(lines))
    assert (result.returncode, cells) == (0, [])
    assert "Columns that are not understood: Note, colour" in result.stdout
    assert "Columns that are not there: uptime_last_week, downtime_last_day" in result.stdout
    assert "7 stores in both: 28 cells are the same, 0 differ" in result.stdout


def test_rows_that_come_twice_or_have_no_store_are_told(environment: dict[str, str], tmp_path: Path) -> None:
    twice = OURS.splitlines()[1].split(",")[0] + ",1,2,3,4,5,6"
    lines = OURS.splitlines()
    theirs = "\n".join([lines[0], twice, ",1,2,3,4,5,6", "bar,only,few", *lines[1:]])
    result, cells = compared(environment, tmp_path, theirs)
    assert (result.returncode, cells) == (0, [])
    assert "1 rows have no store_id and are not compared" in result.stdout
    assert "2 rows are of stores that come again; the last of each counts" in result.stdout


def test_cells_that_are_no_numbers_are_told(environment: dict[str, str], tmp_path: Path) -> None:
    theirs = re.sub(r"^bar,[^,]*", "bar,1h 5m", OURS, flags=re.MULTILINE)
    result, _ = compared(environment, tmp_path, theirs)
    assert result.returncode == 0
    assert "1 cells are no numbers and are not compared" in result.stdout
    assert "line 3, uptime_last_hour: '1h 5m'" in result.stdout


def test_a_report_that_was_made_can_be_named_and_other_data_show(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    made = storewatch("report", "--output", str(tmp_path / "ours.csv"), environment=environment)
    report_id = made.stdout.split("Report ")[1].split()[0]
    ours = (tmp_path / "ours.csv").read_text()
    assert compared(environment, tmp_path, ours, "--report", report_id)[0].returncode == 0
    load(database, hours_csv(daily("bakery", ("06:00", "11:00"))).replace("\n", ",always\n").replace(
        "end_time_local,always", "end_time_local,valid_from"), now_us=NOW)  # fmt: skip
    theirs = storewatch("report", "--output", str(tmp_path / "later.csv"), environment=environment)
    assert theirs.returncode == 0
    _, cells = compared(environment, tmp_path, (tmp_path / "later.csv").read_text(), "--report", report_id)
    assert {(cell["store_id"], cell["cause"]) for cell in cells} == {
        ("bakery", "data changed since the report")
    }


def test_options_of_a_report_and_a_tolerance_are_heard(environment: dict[str, str], tmp_path: Path) -> None:
    as_of = utc("2023-01-24 12:00")
    theirs = Fleet(POLLS).report(as_of_us=as_of, policy="previous", max_gap_us=HOUR)
    options = ("--as-of", "2023-01-24T12:00:00Z", "--policy", "previous", "--max-gap", "1h")
    assert compared(environment, tmp_path, theirs, *options)[0].returncode == 0
    off = re.sub(r"^(bar,.*\.)\d\d$", r"\g<1>99", theirs, flags=re.MULTILINE)
    assert compared(environment, tmp_path, off, *options)[0].returncode == 1
    assert compared(environment, tmp_path, off, *options, "--tolerance", "1h")[0].returncode == 0


@pytest.mark.parametrize(
    ("theirs", "options", "words"),
    [
        ("a,b\n1,2\n", (), "this is no report"),
        ("store_id,uptime_last_day,uptime_day\n1,2,3\n", (), "two columns are uptime_last_day"),
        ("store_id,uptime_last_day\n1,2\n", ("--tolerance", "much"), "is not a duration"),
        (
            "store_id,uptime_last_day\n1,2\n",
            ("--report", "00000000-0000-0000-0000-000000000000", "--max-gap", "3h"),
            "--max-gap is for a report that is made now",
        ),
        (
            "store_id,uptime_last_day\n1,2\n",
            ("--report", "00000000-0000-0000-0000-000000000000"),
            "There is no report",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    environment: dict[str, str], tmp_path: Path, theirs: str, options: tuple[str, ...], words: str
) -> None:
    (tmp_path / "theirs.csv").write_text(theirs)
    result = storewatch("compare", str(tmp_path / "theirs.csv"), *options, environment=environment)
    assert result.returncode == 2
    assert words in result.stderr
