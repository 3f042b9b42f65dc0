"""Files that are dropped into the watched folder of a real service."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving, storewatch
from tests.acceptance.test_faults import count
from tests.factories import CHICAGO_MONDAY, MONDAY_NINE_TO_TWELVE

pytestmark = pytest.mark.slow
ZONES = "store_id,timezone_str\n1,America/Chicago\n"
FROM_FOLDER = "SELECT count(*) FROM import WHERE source = 'folder'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "dropped"
    place.mkdir()
    return place


@pytest.fixture
def watching(environment: dict[str, str], tmp_path: Path, folder: Path) -> Iterator[Service]:
    with serving(environment | {"STOREWATCH_WATCH_FOLDER": str(folder)}, tmp_path) as running:
        yield running


def drop(folder: Path, name: str, text: str) -> None:
    """Writes beside, then renames."""
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def became(folder: Path, place: str, names: set[str]) -> dict[str, str]:
    """What is said of files, by their names, once all of them lie in a folder."""
    until = time.monotonic() + PATIENCE
    while True:
        found = {path.name: path for path in (folder / place).glob("*/*")}
        if names <= found.keys():
            return {name: (found[name].parent / "what-became-of-it.txt").read_text() for name in names}
        assert time.monotonic() < until, sorted(str(path) for path in folder.rglob("*"))
        time.sleep(0.1)


def test_files_that_are_dropped_are_taken_in_and_say_what_became_of_them(
    watching: Service, folder: Path
) -> None:
    drop(folder, "polls.csv", CHICAGO_MONDAY + "1,up,2023-01-23 18:15:00 UTC\n")
    drop(folder, "hours.csv", MONDAY_NINE_TO_TWELVE)
    drop(folder, "zones.csv", ZONES)
    said = became(folder, "done", {"polls.csv", "hours.csv", "zones.csv"})
    assert "3 rows: 2 new, 1 rejected" in said["polls.csv"]
    assert "line 4: status 'up' is neither 'active' nor 'inactive'\n" in said["polls.csv"]
    assert "1,up,2023-01-23 18:15:00 UTC" in said["polls.csv"]
    assert len(watching.get("/api/v1/polls?store_id=1")["items"]) == 2
    page = watching.text("/imports")
    assert page.count("from the watched folder") == 3
    assert len(watching.get("/api/v1/imports?source=folder")["items"]) == 3


def test_what_cannot_be_taken_in_lies_apart_with_the_reason(watching: Service, folder: Path) -> None:
    drop(folder, "menu.csv", "dish,price\nsoup,3\n")
    drop(folder, "empty.csv", "")
    (folder / "link.csv").symlink_to(folder.parent / "elsewhere.csv")
    (folder / "more").mkdir()
    (folder / "more" / "polls.csv").write_text(CHICAGO_MONDAY)
    os.mkfifo(folder / "pipe.csv")
    names = {"menu.csv", "empty.csv", "link.csv", "more", "pipe.csv"}
    said = became(folder, "failed", names)
    for name, reason in {
        "menu.csv": "the kind of file cannot be told from its columns (dish, price)",
        "empty.csv": "the file is empty",
        "link.csv": "a symbolic link",
        "more": "a folder",
        "pipe.csv": "no ordinary file",
    }.items():
        assert reason in said[name], said[name]
    assert "Failed." in watching.text("/imports")


def test_a_file_that_is_still_being_written_is_left_alone(watching: Service, folder: Path) -> None:
    (folder / "late.csv.part").write_text("store_id,sta")
    with (folder / "growing.csv").open("w") as file:
        file.write("store_id,status,timestamp_utc\n")
        drop(folder, "zones.csv", ZONES)
        until = time.monotonic() + PATIENCE
        number = 0
        while not list((folder / "done").glob("*/zones.csv")):
            assert time.monotonic() < until
            file.write(f"{number},active,2023-01-23 16:14:00 UTC\n")
            file.flush()
            number += 1
            time.sleep(0.2)
        assert (folder / "growing.csv").exists()
    said = became(folder, "done", {"growing.csv"})
    assert f"{number} rows: {number} new" in said["growing.csv"]
    assert (folder / "late.csv.part").exists()


def test_a_worker_that_is_killed_again_and_again_neither_loses_nor_doubles(
    watching: Service, folder: Path, database: Database
) -> None:
    names = {f"polls{number}.csv" for number in range(12)}
    for number, name in enumerate(sorted(names)):
        rows = [f"{number},active,2023-01-23 {hour:02}:14:00 UTC\n" for hour in range(24)]
        drop(folder, name, "store_id,status,timestamp_utc\n" + "".join(rows))
    for done in range(0, 12, 3):
        until = time.monotonic() + PATIENCE
        while len(list((folder / "done").glob("*/*.csv"))) < done or not any(folder.glob("working/*/*")):
            assert time.monotonic() < until
            if len(list((folder / "done").glob("*/*.csv"))) == len(names):
                break
            time.sleep(0.01)
        worker = watching.child("worker")
        worker.kill()
        psutil.wait_procs([worker], PATIENCE)
    became(folder, "done", names)
    assert count(database.url, FROM_FOLDER) == len(names)
    assert count(database.url, "SELECT count(*) FROM store_status") == 24 * len(names)


def test_a_folder_that_is_not_there_is_told_at_the_start(environment: dict[str, str], tmp_path: Path) -> None:
    more = {"STOREWATCH_WATCH_FOLDER": str(tmp_path / "nowhere")}
    answer = storewatch("serve", "--no-login", environment=environment | more)
    assert answer.returncode == 2
    assert "STOREWATCH_WATCH_FOLDER" in answer.stderr
