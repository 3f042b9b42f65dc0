"""`storewatch import` as a person runs it: exit codes, messages, what is in afterwards."""

from __future__ import annotations

import contextlib
import csv
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from storewatch.storage import verify
from storewatch.storage.db import Database

HEADER = b"store_id,status,timestamp_utc"
GOOD = b"1,active,2023-01-22 12:00:00 UTC"
TWO = b"2,inactive,2023-01-22 13:00:00 UTC"
HOURS = b"store_id,day,start_time_local,end_time_local"
ZONES = b"store_id,timezone_str"
BIG = 17 << 20
"""More than a block: after so many bytes the transaction is under way."""


class Shop:
    """A folder, a database, and the command."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = os.environ | {"STOREWATCH_DATABASE_URL": url, "PYTHONWARNINGS": "error"}
        self.url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def file(self, name: str, *lines: bytes) -> str:
        path = self.folder / name
        path.write_bytes(b"\n".join(lines))
        return str(path)

    def start(self, *words: str, **options: int) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        command = [sys.executable, "-m", "storewatch", "import", *words]
        return subprocess.Popen(command, env=self.environment, cwd=self.folder, **pipes)  # type: ignore[call-overload,no-any-return]

    def run(self, *words: str, given: bytes = b"") -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(given, timeout=120)
        assert b"Traceback" not in err, err.decode()
        return process.returncode, out.decode(), err.decode()

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def polled(self) -> set[str]:
        return {
            str(row[0]) for row in self.sql("SELECT store_id FROM store_status JOIN store USING (store_key)")
        }

    def imports(self) -> int:
        return len(self.sql("SELECT FROM import"))


@pytest.fixture
def shop(tmp_path: Path, database: Database, database_url: str) -> Iterator[Shop]:
    """Everything is proved sound after each test."""
    yield Shop(tmp_path, database_url)
    with database.session() as session:
        assert [name for name, wrong in verify.verify(session) if wrong] == []


def rejects(path: Path) -> list[tuple[int, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


TOO_FEW = "no timestamp_utc: the cell is empty or the row has too few fields"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(
            b"1,open,2023-01-22 12:00:00", "status 'open' is neither 'active' nor", id="wrong status word"
        ),
        pytest.param(b"1,active,2023-02-30 12:00:00", "is not a time like", id="impossible time"),
        pytest.param(
            b"1,active,2099-01-22 12:00:00", "in the future: is it local time", id="a time in the future"
        ),
        pytest.param(b"1,active", TOO_FEW, id="too few fields"),
        pytest.param(
            b'1,"active,2023-01-22 12:00:00', "a quote is opened and not closed", id="an open quote"
        ),
        pytest.param(b"7" * 300 + GOOD[1:], "store_id has 300 characters", id="300-character id"),
        pytest.param(b"2.57E+14" + GOOD[1:], "was damaged by a spreadsheet", id="id in scientific notation"),
        pytest.param(b"1\0" + GOOD[1:], "the line holds NUL bytes", id="NUL bytes"),
        pytest.param(b"\xff\xfe\x80,\x81", "the line is not text in UTF-8", id="binary line"),
    ],
)
def test_a_bad_poll_is_rejected_alone(shop: Shop, line: bytes, reason: str) -> None:
    name = shop.file("polls.csv", HEADER, GOOD, line, TWO)
    code, out, _ = shop.run(name, "--rejects", "out.csv")
    assert code == 1
    assert "polls.csv: store_status, 3 rows" in out
    assert "new 2 · corrected 0 · unchanged 0 · kept 0 · rejected 1" in out
    assert reason in out
    ((number, why),) = rejects(shop.folder / "out.csv")
    assert (number, reason in why) == (3, True)
    assert shop.polled() == {"1", "2"}


@pytest.mark.parametrize(
    ("header", "good", "line", "reason"),
    [
        pytest.param(
            ZONES, b"1,UTC", b"2,Mars/Olympus", "'Mars/Olympus' is not an IANA time", id="unknown zone"
        ),
        pytest.param(HOURS, b"1,0,9:00,17:00", b"2,7,9:00,17:00", "'7' is not 0 (Monday)", id="day 7"),
        pytest.param(
            HOURS, b"1,0,9:00,17:00", b"2,0,9:00,9:00", "write 00:00 to 24:00", id="start equal to end"
        ),
    ],
)
def test_a_bad_row_of_hours_or_zones_is_rejected_alone(
    shop: Shop, header: bytes, good: bytes, line: bytes, reason: str
) -> None:
    code, out, _ = shop.run(shop.file("a.csv", header, good, line))
    assert (code, reason in out) == (1, True)
    assert shop.sql("SELECT store_id FROM store") == [("1",)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            b"store_id,status\n1,active\n", "store_status: store_id, status, timestamp", id="missing column"
        ),
        pytest.param(b"", "the file is empty", id="empty file"),
        pytest.param(bytes(range(256)) * 99, "first line is not text in UTF-8", id="binary file"),
        pytest.param(HEADER.replace(b",", b";"), "separated by semicolons", id="semicolons"),
        pytest.param(gzip.compress(HEADER + b"\n" + GOOD)[:-5], "gzip file is damaged", id="gzip cut off"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_the_others_go_on(
    shop: Shop, data: bytes, message: str
) -> None:
    bad, good = shop.file("bad.csv", data), shop.file("good.csv", HEADER, GOOD)
    code, out, err = shop.run(bad, good)
    assert code == 2
    assert message in err
    assert "bad.csv" in err
    assert "Nothing of it was stored." in err
    assert "new 1" in out
    assert shop.imports() == 1


def test_a_missing_file_a_folder_and_an_unreadable_one_are_said_so_and_the_others_go_on(shop: Shop) -> None:
    good = shop.file("good.csv", HEADER, GOOD)
    code, out, err = shop.run("missing.csv", str(shop.folder), "/proc/self/mem", good)
    assert code == 2
    assert "missing.csv: it cannot be read (No such file or directory). Nothing of it was stored." in err
    assert f"{shop.folder}: there is no .parquet file in this folder" in err
    assert "mem: it cannot be read (Input/output error)" in err
    assert "good.csv: store_status, 1 rows" in out


def test_a_store_whose_hours_rows_were_all_rejected_keeps_its_hours(shop: Shop) -> None:
    assert shop.run(shop.file("a.csv", HOURS, b"1,0,9:00,17:00", b"2,0,9:00,17:00"))[0] == 0
    code, out, _ = shop.run(
        "--valid-from",
        "always",
        shop.file("b.csv", HOURS, b"1,0,9:00,9:00", b"2,1,9:00,17:00", b"2,0,9:00", b"2,3,x,y"),
    )
    assert code == 1
    assert "2 days now count as closed, because their rows were rejected:\n    2: Monday, Thursday\n" in out
    query = (
        "SELECT store_id, day FROM menu_hours JOIN hours_week USING (week_no) JOIN store USING (store_key)"
    )
    assert sorted(shop.sql(query)) == [("1", 0), ("2", 1)]


def test_the_kind_is_recognised_gzip_is_unpacked_and_dash_is_standard_input(shop: Shop) -> None:
    packed = shop.file("hours.csv.gz", gzip.compress(HOURS + b"\n1,0,9:00,23:59\n"))
    code, out, err = shop.run(packed, "-", given=ZONES + b"\n1,UTC\n")
    assert (code, err) == (0, "")
    assert "hours.csv.gz: menu_hours, 1 rows" in out
    assert "standard input: store_timezone, 1 rows" in out
    code, out, _ = shop.run("store_status", shop.file("polls.csv", HEADER, GOOD, TWO))
    assert code == 0
    assert "Of 2 polled stores 1 have no opening hours (taken as open 24 x 7), 1 no zone" in out


def test_the_same_file_again_is_unchanged_and_a_header_alone_is_fine(shop: Shop) -> None:
    name = shop.file("polls.csv", HEADER, GOOD)
    assert shop.run(name)[0] == 0
    code, out, _ = shop.run(name, shop.file("none.csv", HEADER))
    assert code == 0
    assert "new 0 · corrected 0 · unchanged 1 · kept 0 · rejected 0" in out
    assert "none.csv: store_status, 0 rows" in out


def test_the_future_is_taken_when_asked_for(shop: Shop) -> None:
    assert shop.run("--allow-future", shop.file("polls.csv", HEADER, b"1,active,2099-01-01 00:00:00"))[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-", "-"], "standard input can be read only once"),
        (["store_status"], "Name a file to import"),
        (["menu_hours", "polls.csv"], "a file of menu_hours needs the columns day and start_time_local"),
        (["polls.csv", "--rejects", "polls.csv"], "would overwrite a file that is to be imported"),
        (["polls.csv", "--rejects", "no/such/folder"], "it cannot be written (No such file or directory)"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_in(
    shop: Shop, words: list[str], message: str
) -> None:
    name = shop.file("polls.csv", HEADER, GOOD)
    code, _, err = shop.run(*words)
    assert code == 2
    assert message in err
    assert shop.imports() == 0
    assert Path(name).read_bytes() == HEADER + b"\n" + GOOD


def test_rejects_of_several_files_say_which_and_leave_out_refused_ones(shop: Shop) -> None:
    cut = shop.file("cut.gz", gzip.compress(HEADER + b"\nx\n")[:-3])
    code, _, _ = shop.run(
        shop.file("a.csv", HEADER, b'"1",up,""'),
        cut,
        shop.file("b.csv", HEADER, b"", b"y,"),
        "--rejects",
        "out.csv",
    )
    assert code == 2
    with (shop.folder / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "reason", "row", "file"]
    assert [(row[0], *row[2:]) for row in rows] == [("2", '"1",up,""', "a.csv"), ("3", "y,", "b.csv")]
    assert not list(shop.folder.glob("*.part"))


def test_a_file_name_that_is_not_text_is_taken(shop: Shop) -> None:
    path = os.fsencode(shop.folder) + b"/caf\xe9.csv"
    Path(os.fsdecode(path)).write_bytes(HEADER + b"\n" + GOOD)
    assert shop.run(os.fsdecode(path))[0] == 0
    assert shop.sql("SELECT file_name FROM import") == [("caf\N{REPLACEMENT CHARACTER}.csv",)]


def test_closed_standard_input_is_said_to_be_so(shop: Shop) -> None:
    command = f"{sys.executable} -m storewatch import - <&-"
    done = subprocess.run(["sh", "-c", command], env=shop.environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"standard input: it is closed. Nothing of it was stored." in done.stderr


def test_a_reader_who_has_left_does_not_undo_the_import(shop: Shop) -> None:
    read, write = os.pipe()
    os.close(read)
    process = shop.start(shop.file("polls.csv", HEADER, GOOD), stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert shop.polled() == {"1"}


def under_way(shop: Shop) -> subprocess.Popen[bytes]:
    """An import from a pipe whose transaction has begun and which waits for more."""
    process = shop.start("-")
    assert process.stdin
    rows = b"\n".join([HEADER, GOOD, b""]) + (TWO + b"\n") * (BIG // (len(TWO) + 1))
    process.stdin.write(rows)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    lock = f"locktype = 'advisory' AND objid = x'53574900'::int AND {here}"
    while not shop.sql(f"SELECT FROM pg_locks WHERE {lock}"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


def test_when_the_database_goes_in_mid_import_nothing_is_in_and_it_says_so(shop: Shop) -> None:
    process = under_way(shop)
    shop.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"standard input: the database failed (" in err
    assert b"Nothing of it was stored." in err
    assert b"Traceback" not in err
    assert shop.imports() == 0


def test_an_interrupted_import_leaves_nothing(shop: Shop) -> None:
    process = under_way(shop)
    process.send_signal(2)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"standard input: interrupted. Nothing of it was stored." in err
    assert shop.imports() == 0


def test_a_second_import_of_the_kind_waits_and_both_land(shop: Shop) -> None:
    first = under_way(shop)
    second = shop.start(shop.file("second.csv", HEADER, b"3" + GOOD[1:]))
    assert second.stderr
    assert second.stderr.readline() == b"storewatch: waiting: another import of store_status is running\n"
    first.communicate(timeout=60)
    second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert shop.polled() == {"1", "2", "3"}


@pytest.mark.slow
def test_a_gigabyte_of_garbage_is_taken_in_bounded_memory(shop: Shop) -> None:
    with (shop.folder / "out").open("wb") as out_and_err:
        process = shop.start("-", stdout=out_and_err.fileno(), stderr=subprocess.STDOUT)
    assert process.stdin
    noise, endless = os.urandom(8 << 20), b"x" * (16 << 20)
    process.stdin.write(HEADER + b"\n" + GOOD + b"\n")
    for part in (
        [noise] * 12 + [b"\n"] + [endless] * 50 + [b"\n"] + [b"a\n" * (1 << 19)] + [b"\n" * (64 << 20)]
    ):
        process.stdin.write(part)
    process.stdin.write(TWO + b"\n")
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)  # of this process alone, whatever else the tests have run
    process.returncode = os.waitstatus_to_exitcode(status)
    out = (shop.folder / "out").read_text()
    assert process.returncode == 1, out
    assert shop.polled() == {"1", "2"}
    assert "new 2 · corrected 0 · unchanged 0 · kept 0 · rejected" in out
    assert shop.sql("SELECT count(*) FROM import_reject") == [(10_000,)]
    assert usage.ru_maxrss <= 600 << 10  # kilobytes


@pytest.mark.slow
def test_a_gigabyte_without_a_header_is_refused_at_once(shop: Shop) -> None:
    process = shop.start("-")
    assert process.stdin
    with pytest.raises(BrokenPipeError):
        process.stdin.writelines(b"x" * (1 << 20) for _ in range(1 << 10))
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()  # what it could not get rid of
    process.stdin = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"its first line is not text in UTF-8. Nothing of it was stored." in err


def test_hours_count_from_the_day_that_is_named_and_past_days_are_told(shop: Shop) -> None:
    polls = shop.file("polls.csv", b"store_id,status,timestamp_utc", b"1,active,2023-01-02 16:00:00")
    first, later = (shop.file(f"{opens}.csv", HOURS, b"1,0,%d:00,17:00" % opens) for opens in (9, 8))
    assert shop.run(polls, first)[0] == 0
    assert "past days" not in shop.run(later)[1]
    assert (
        "past days of stores have other opening hours now" in shop.run("--valid-from", "2023-01-16", later)[1]
    )
    assert shop.sql("SELECT valid_from::text FROM hours_week ORDER BY 1 DESC") == [
        ("2023-01-16",),
        ("-infinity",),
    ]
    assert shop.run("--valid-from", "always", later)[0] == 0
    assert shop.sql("SELECT valid_from::text FROM hours_week") == [("-infinity",)]


@pytest.mark.parametrize("words", [("soon", "a.csv"), ("2023-02-30", "a.csv")])
def test_a_day_that_is_none_is_refused(shop: Shop, words: tuple[str, ...]) -> None:
    code, _, err = shop.run("--valid-from", *words)
    assert code == 2
    assert f"--valid-from '{words[0]}' is neither a date like 2023-11-01" in err
