"""`storewatch export --parquet`, and back by `storewatch import`: the same polls, the same report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest
from sqlalchemy import make_url

from storewatch.services import history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.acceptance.conftest import storewatch
from tests.conftest import clone_of
from tests.factories import load
from tests.oracle import utc

pytestmark = pytest.mark.slow

NOW = utc("2026-07-01 00:00")
POLLS = """store_id,status,timestamp_utc,reason
8419537941919820732,active,2023-01-22 23:59:59.999999 UTC,
8419537941919820732,inactive,2023-01-23 00:00:00 UTC,"broken, they say"
8419537941919820732,active,2023-01-23 16:14:00.5 UTC,
00012,inactive,2023-01-24 03:00:00.000001 UTC,closed – früh
00012,active,2023-01-24 11:00:00 UTC,
=cmd,active,2023-01-25 18:13:22.47922 UTC,
"with ""quotes"", and more",inactive,2023-01-25 17:00:00 UTC,
"""
HOURS = """store_id,day,start_time_local,end_time_local,valid_from
8419537941919820732,0,09:00,12:00,always
8419537941919820732,0,22:00:30,02:00,2023-01-20
8419537941919820732,1,00:00,23:59:59,2023-01-20
00012,1,0:00,24:00,
nobody,6,10:00,11:00,
"""
ZONES = "store_id,timezone_str\n00012,Asia/Beirut\n8419537941919820732,America/New_York\n"


@pytest.fixture
def environment(database_url: str, database: Database) -> dict[str, str]:
    load(database, ZONES, HOURS, POLLS, now_us=NOW)
    return {"STOREWATCH_DATABASE_URL": database_url}


@pytest.fixture
def other(server_url: str, template: str) -> Iterator[dict[str, str]]:
    """An empty database beside."""
    with clone_of(server_url, template) as url:
        yield {"STOREWATCH_DATABASE_URL": url}


def run(environment: dict[str, str], *words: str, code: int = 0) -> str:
    result = storewatch(*words, environment=environment)
    assert result.returncode == code, result.stderr + result.stdout
    return result.stdout + result.stderr


def rows(environment: dict[str, str], query: str) -> list[tuple[object, ...]]:
    url = make_url(environment["STOREWATCH_DATABASE_URL"]).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return connection.execute(query.encode()).fetchall()


KNOWN = (
    "SELECT store_id, timestamp_utc, active, reason FROM store_status JOIN store USING (store_key)"
    " ORDER BY 1, 2",
    "SELECT store_id, valid_from::text, day, start_s, end_s FROM menu_hours JOIN hours_week USING (week_no)"
    " JOIN store USING (store_key) ORDER BY 1, 2, 3, 4",
    "SELECT store_id, timezone_str FROM store_timezone JOIN store USING (store_key) ORDER BY 1",
)


def reported(environment: dict[str, str], folder: Path) -> bytes:
    run(environment, "report", "--output", str(folder / "report.csv"), "--extended")
    return (folder / "report.csv").read_bytes()


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_was_exported_comes_back_as_it_was(
    environment: dict[str, str], other: dict[str, str], tmp_path: Path
) -> None:
    told = run(environment, "export", "--parquet", str(tmp_path / "out"))
    assert "7 polls of 4 days, 5 rows of hours, 2 zones" in told
    run(other, "import", str(tmp_path / "out"))
    for query in KNOWN:
        assert rows(other, query) == rows(environment, query) != []
    assert reported(other, tmp_path) == reported(environment, tmp_path)
    again = run(other, "import", str(tmp_path / "out"))
    assert again.count("new 0 · corrected 0") == 6


def test_the_files_are_as_other_programs_read_them(environment: dict[str, str], tmp_path: Path) -> None:
    run(environment, "export", "--parquet", str(tmp_path))
    days = [f"store_status/day=2023-01-{day}/part-00000.parquet" for day in (22, 23, 24, 25)]
    assert files_in(tmp_path) == [
        "menu_hours/part-00000.parquet",
        *days,
        "store_timezone/part-00000.parquet",
    ]
    polls = pl.scan_parquet(tmp_path / "store_status", hive_partitioning=True).collect()
    assert polls.schema == {
        "store_id": pl.String,
        "timestamp_utc": pl.Datetime("us", "UTC"),
        "status": pl.String,
        "reason": pl.String,
        "day": pl.Date,
    }
    assert (polls["timestamp_utc"].dt.date() == polls["day"]).all()
    assert polls.row(1) == (
        "8419537941919820732",
        datetime(2023, 1, 23, tzinfo=UTC),
        "inactive",
        "broken, they say",
        datetime(2023, 1, 23).date(),  # noqa: DTZ001
    )
    hours = pl.read_parquet(tmp_path / "menu_hours/part-00000.parquet")
    assert ("8419537941919820732", 0, "22:00:30", "02:00", "2023-01-20") in hours.rows()
    assert ("00012", 1, "00:00", "24:00", "always") in hours.rows()


def test_days_can_be_chosen_and_a_later_export_leaves_the_others(
    environment: dict[str, str], tmp_path: Path
) -> None:
    run(environment, "export", "--parquet", str(tmp_path), "--until", "2023-01-23")
    first = tmp_path / "store_status/day=2023-01-22/part-00000.parquet"
    written = first.stat().st_mtime_ns
    told = run(
        environment, "export", "--parquet", str(tmp_path), "--since", "2023-01-24", "--until", "2023-01-24"
    )
    assert "2 polls of 1 day," in told
    days = sorted(path.name for path in (tmp_path / "store_status").iterdir())
    assert days == ["day=2023-01-22", "day=2023-01-23", "day=2023-01-24"]
    assert first.stat().st_mtime_ns == written


def test_a_day_without_polls_any_more_is_taken_away_and_files_of_others_stay(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    run(environment, "export", "--parquet", str(tmp_path))
    stale = tmp_path / "store_status/day=2023-01-10"
    stale.mkdir()
    (tmp_path / "store_status/day=2023-01-22/part-00000.parquet").rename(stale / "part-00000.parquet")
    mine = tmp_path / "store_status/day=2023-01-11"
    mine.mkdir()
    (mine / "mine.parquet").write_bytes(b"")
    run(environment, "export", "--parquet", str(tmp_path), "--since", "2023-01-20")
    assert (stale / "part-00000.parquet").exists()
    run(environment, "export", "--parquet", str(tmp_path))
    assert not stale.exists()
    assert (mine / "mine.parquet").exists()


def test_history_is_exported_if_it_is_wanted_and_passed_over_by_an_import(
    environment: dict[str, str], other: dict[str, str], database: Database, tmp_path: Path
) -> None:
    told = run(environment, "export", "--parquet", str(tmp_path), "--history")
    assert "The worker has still to bring history up to date" in told
    while history.update(database, Request()):
        pass
    told = run(environment, "export", "--parquet", str(tmp_path), "--history")
    assert "still" not in told
    days = pl.scan_parquet(tmp_path / "store_day", hive_partitioning=True).collect()
    names = ("store_id", "day", "up_seen_us", "unknown_us", "outages", "down_max_us", "complete")
    query = f"SELECT {', '.join(names)} FROM store_day JOIN store USING (store_key)"
    kept = days.select(names)
    assert sorted(kept.rows()) == sorted(rows(environment, query)) != []
    assert f"{len(days)} days of stores" in told
    run(other, "import", str(tmp_path))
    assert rows(other, KNOWN[0]) == rows(environment, KNOWN[0])


def test_a_week_that_was_given_as_closed_is_told(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    with database.transaction() as session:
        from sqlalchemy import text

        session.execute(text("DELETE FROM menu_hours WHERE day = 6"))
    told = run(environment, "export", "--parquet", str(tmp_path))
    assert "1 week given without hours (closed) can't be said by rows: not in menu_hours." in told


def test_a_database_without_polls_gives_files_without_rows(other: dict[str, str], tmp_path: Path) -> None:
    told = run(other, "export", "--parquet", str(tmp_path))
    assert "0 polls of 0 days, 0 rows of hours, 0 zones" in told
    assert files_in(tmp_path) == ["menu_hours/part-00000.parquet", "store_timezone/part-00000.parquet"]
    assert "0 rows" in run(other, "import", str(tmp_path))


def test_an_export_that_is_killed_leaves_no_half_file(environment: dict[str, str], tmp_path: Path) -> None:
    """Killed at many instants; what has its name can be read, and the next export makes it whole."""
    run(environment, "simulate", "--stores", "300", "--days", "3", "--end", "2023-03-01", "--output",
        str(tmp_path / "data"))  # fmt: skip
    run(environment, "import", *(str(path) for path in sorted((tmp_path / "data").iterdir())))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "storewatch", "export", "--parquet", str(out)]
    seen = 0
    for _ in range(8):
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until and len(files_in(out)) <= seen:
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole = list(out.rglob("*.parquet"))
        seen = len(files_in(out))
        assert all(len(pl.read_parquet_schema(path)) > 1 and pl.read_parquet(path).height for path in whole)
    run(environment, "export", "--parquet", str(out))
    polls = pl.scan_parquet(out / "store_status").collect()
    assert rows(environment, "SELECT count(*) FROM store_status") == [(len(polls),)]
    assert [name for name in files_in(out) if "/." in name] == []


# --- Files of other programs ----------------------------------------------------------------------


def test_the_types_of_other_programs_are_understood(other: dict[str, str], tmp_path: Path) -> None:
    times = [datetime.fromisoformat(f"2023-01-22T{time}") for time in ("12:00:00.000005", "13:00:00")]
    polls = {
        "timestamp_utc": pl.Series(times, dtype=pl.Datetime("ns")),
        "extra": [1.5, None],
        "Status": pl.Series(["active", "inactive"], dtype=pl.Categorical),
        "store_id": [8419537941919820732, 12],
    }
    pl.DataFrame(polls).write_parquet(tmp_path / "polls.parquet")
    run(other, "import", str(tmp_path / "polls.parquet"))
    assert [row[0] for row in rows(other, KNOWN[0])] == ["12", "8419537941919820732"]
    query = "SELECT active, extract(epoch FROM timestamp_utc)::text FROM store_status ORDER BY 2"
    assert rows(other, query) == [(True, "1674388800.000005"), (False, "1674392400.000000")]


def test_rows_of_parquet_are_rejected_one_by_one(other: dict[str, str], tmp_path: Path) -> None:
    rows_ = {"store_id": ["a", "b", None], "status": ["active", "up", "active"],
             "timestamp_utc": ["2023-01-22 12:00:00"] * 3}  # fmt: skip
    pl.DataFrame(rows_).write_parquet(tmp_path / "polls.parquet")
    told = run(
        other, "import", str(tmp_path / "polls.parquet"), "--rejects", str(tmp_path / "bad.csv"), code=1
    )
    assert "new 1 · corrected 0 · unchanged 0 · kept 0 · rejected 2" in told
    bad = (tmp_path / "bad.csv").read_text()
    assert "2,status 'up' is neither 'active' nor 'inactive'," in bad
    assert '""store_id"": ""b""' in bad


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            pl.DataFrame(
                {"store_id": [8.4e18], "status": ["active"], "timestamp_utc": ["2023-01-22 12:00:00"]}
            ),
            "the column store_id is of the type Float64, which can't be read without a loss",
        ),
        (pl.DataFrame({"colour": ["red"]}), "the kind of file cannot be told from its columns (colour)"),
    ],
)
def test_a_table_that_can_not_be_read_is_refused_whole(
    other: dict[str, str], tmp_path: Path, table: pl.DataFrame, words: str
) -> None:
    table.write_parquet(tmp_path / "polls.parquet")
    assert words in run(other, "import", str(tmp_path / "polls.parquet"), code=2)


def test_a_file_that_was_cut_off_is_refused(
    environment: dict[str, str], other: dict[str, str], tmp_path: Path
) -> None:
    run(environment, "export", "--parquet", str(tmp_path))
    path = tmp_path / "store_status/day=2023-01-23/part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    told = run(other, "import", str(tmp_path), code=2)
    assert "this is no Parquet file that can be read" in told
    assert rows(other, "SELECT count(*) FROM store_status") == [(5,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export",), "Missing option '--parquet'"),
        (("export", "--parquet", "out", "--since", "yesterday"), "--since 'yesterday' is not a day"),
        (("export", "--parquet", "out", "--since", "2023-02-01", "--until", "2023-01-01"), "lies before"),
        (("export", "--parquet", "/proc/nowhere"), "it cannot be written"),
        (("import", "."), "there is no .parquet file in this folder"),
    ],
)
def test_what_makes_no_sense_is_refused(
    other: dict[str, str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = storewatch(*words, environment=other, cwd=tmp_path)
    assert result.returncode == 2
    assert said in result.stderr
