"""`simulate` writes three files that any reader of the field's files can read."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from storewatch.errors import UsageError
from storewatch.services import simulating
from storewatch.services.simulating import SimulatedFiles, simulate

END = datetime(2026, 7, 20, 18, tzinfo=UTC)
END_US = int(END.timestamp()) * 1_000_000
POLL_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,5}[1-9])? UTC")
CLOCK_TIME = re.compile(r"\d\d:\d\d:\d\d")


def nothing(done: int, total: int) -> None:
    """Take no notice of progress."""


def make_files(
    output: Path,
    *,
    stores: int = 20,
    days: int = 1,
    seed: int = 1,
    end_us: int = END_US,
    progress: Callable[[int, int], None] = nothing,
) -> SimulatedFiles:
    return simulate(output, stores=stores, days=days, seed=seed, end_us=end_us, progress=progress)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_valid_poll(row: dict[str, str]) -> None:
    assert list(row) == ["store_id", "status", "timestamp_utc"]
    assert re.fullmatch(r"\d{15,19}", row["store_id"])
    assert row["status"] in ("active", "inactive")
    assert POLL_TIME.fullmatch(row["timestamp_utc"]), row
    assert datetime.fromisoformat(row["timestamp_utc"].replace(" UTC", "+00:00")) <= END


def assert_valid_hours(row: dict[str, str]) -> None:
    assert list(row) == ["store_id", "day", "start_time_local", "end_time_local"]
    assert re.fullmatch(r"\d{15,19}", row["store_id"])
    assert row["day"] in tuple("0123456")
    start, end = row["start_time_local"], row["end_time_local"]
    assert CLOCK_TIME.fullmatch(start)
    assert CLOCK_TIME.fullmatch(end)
    assert time.fromisoformat(start) != time.fromisoformat(end)


def test_every_row_keeps_the_contract(tmp_path: Path) -> None:
    files = make_files(tmp_path, stores=300, days=2)
    for row in rows_of(files.store_status):
        assert_valid_poll(row)
    for row in rows_of(files.menu_hours):
        assert_valid_hours(row)
    for row in rows_of(files.store_timezone):
        assert list(row) == ["store_id", "timezone_str"]
        assert ZoneInfo(row["timezone_str"])


def test_the_files_have_their_names_and_the_rows_that_are_reported(tmp_path: Path) -> None:
    files = make_files(tmp_path / "new" / "folder", stores=50)
    assert files.store_status == tmp_path / "new" / "folder" / "store_status.csv"
    assert len(rows_of(files.store_status)) == files.polls
    assert len(rows_of(files.menu_hours)) == files.hours
    assert len(rows_of(files.store_timezone)) == files.zones
    assert len({row["store_id"] for row in rows_of(files.store_status)}) == 50


def test_active_rows_come_first_and_some_rows_come_twice(tmp_path: Path) -> None:
    rows = [tuple(row.values()) for row in rows_of(make_files(tmp_path, stores=200).store_status)]
    states = [row[1] for row in rows]
    assert states == sorted(states)
    assert len(rows) - len(set(rows)) == len(set(rows)) // 1_000


def test_slices_of_the_file_are_joined_without_a_seam(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_files(tmp_path / "whole").store_status.read_bytes()
    monkeypatch.setattr(simulating, "_ROWS_AT_A_TIME", 7)
    assert make_files(tmp_path / "sliced").store_status.read_bytes() == whole


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    make_files(tmp_path / "a", seed=4)
    make_files(tmp_path / "b", seed=4)
    make_files(tmp_path / "c", seed=5)
    for name in ("store_status.csv", "menu_hours.csv", "store_timezone.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_a_fleet_of_one_has_all_three_files(tmp_path: Path) -> None:
    files = make_files(tmp_path, stores=1)
    assert files.polls > 15
    assert files.hours >= 1
    assert files.zones == 1


def test_progress_grows_to_its_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "_ROWS_AT_A_TIME", 100)
    told: list[tuple[int, int]] = []
    make_files(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (40, 40)
    assert len(told) > 3


def test_files_of_an_earlier_run_are_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "store_status.csv").write_text("old")
    make_files(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"store_status.csv", "menu_hours.csv", "store_timezone.csv"}
    assert (tmp_path / "store_status.csv").read_text().startswith("store_id,status,timestamp_utc\n")


def test_a_run_that_is_interrupted_leaves_the_earlier_files(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "menu_hours.csv").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        make_files(tmp_path, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["menu_hours.csv"]
    assert (tmp_path / "menu_hours.csv").read_text() == "old"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match=r"Cannot write to .*taken: File exists\."):
        make_files(tmp_path / "taken")


@pytest.mark.parametrize(
    ("stores", "days", "seed", "end_us", "message"),
    [
        (0, 7, 1, END_US, "1 to 200,000 stores, not 0"),
        (200_001, 1, 1, END_US, "not 200,001"),
        (5, 0, 1, END_US, "1 to 366 days, not 0"),
        (5, 367, 1, END_US, "not 367"),
        (100_000, 30, 1, END_US, "100,000 stores go with at most 20 days"),
        (5, 7, -1, END_US, "not -1"),
        (5, 7, 1, 946_684_800_000_000, "between the years 2000 and 2100"),
        (5, 7, 1, 5_000_000_000_000_000, "between the years 2000 and 2100"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    tmp_path: Path, stores: int, days: int, seed: int, end_us: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_files(tmp_path / "out", stores=stores, days=days, seed=seed, end_us=end_us)
    assert not (tmp_path / "out").exists()
