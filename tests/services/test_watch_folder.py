"""The watched folder, step by step: by one that is killed at any line, and by names and sizes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import Via, anybody
from storewatch.jobs.tasks import Means, make_app
from storewatch.services import uploads
from storewatch.services.depot import Depot
from storewatch.services.watch_folder import REPORT, WatchFolder
from storewatch.storage.db import Database
from tests.factories import CHICAGO_MONDAY

KILLED = """
import os, sys
from pathlib import Path
from storewatch.services import depot, uploads, watch_folder
from storewatch.storage.db import Database

url, folder, files, left = sys.argv[1:4] + [int(sys.argv[4])]
ours = {module.__file__ for module in (depot, uploads, watch_folder)}

def each_line(frame, event, argument):
    global left
    if frame.f_code.co_filename not in ours:
        return None
    if event == "line":
        left -= 1
        if not left:
            os.kill(os.getpid(), 9)
    return each_line

watched = watch_folder.WatchFolder(Path(folder), 0)
database = Database(url)
sys.settrace(each_line)
watched.look(database, depot.Depot(Path(files), 1 << 20))
"""


@pytest.fixture
def folder(tmp_path: Path) -> WatchFolder:
    (tmp_path / "dropped").mkdir()
    found = WatchFolder(tmp_path / "dropped", 0)
    found.prepare()
    return found


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "uploads", 1 << 20)


def work(database: Database, depot: Depot) -> None:
    """Runs the jobs that wait."""
    app = make_app(database, Means(depot=depot))
    with app.open():
        app.run_worker(queues=["uploads"], wait=False, delete_jobs="successful", listen_notify=False)


def finish(database: Database, folder: WatchFolder, depot: Depot) -> None:
    folder.look(database, depot)
    work(database, depot)
    folder.look(database, depot)


def there(folder: WatchFolder, place: str) -> list[str]:
    return sorted(path.name for path in (folder.path / place).glob("*/*") if path.name != REPORT)


def said(folder: WatchFolder, place: str) -> str:
    [report] = (folder.path / place).glob(f"*/{REPORT}")
    return report.read_text()


def imported(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.execute(text("SELECT file_name FROM import ORDER BY import_no")).scalars())


@pytest.mark.slow
def test_one_that_is_killed_at_any_line_neither_loses_nor_doubles(
    database: Database, folder: WatchFolder, depot: Depot
) -> None:
    dropped: list[str] = []
    for half in ("first", "second"):  # up to the upload, and from the import on
        code, line = -9, 1
        while code == -9:
            name = f"{half}{line}.csv"
            (folder.path / name).write_text(CHICAGO_MONDAY)
            dropped.append(name)
            if half == "second":
                folder.look(database, depot)
                work(database, depot)
            words = [database.url, str(folder.path), str(depot.folder), str(line)]
            code = subprocess.run([sys.executable, "-c", KILLED, *words], check=False).returncode
            finish(database, folder, depot)
            line += 11
        assert code == 0
        assert line > 60
    assert sorted(imported(database)) == sorted(dropped) == there(folder, "done")
    assert not list((folder.path / "working").iterdir())


def test_nothing_is_taken_that_changed_since_the_last_look(
    database: Database, folder: WatchFolder, depot: Depot
) -> None:
    patient = WatchFolder(folder.path, 3600)
    (folder.path / "polls.csv").write_text(CHICAGO_MONDAY)
    patient.look(database, depot)
    assert (folder.path / "polls.csv").exists()
    finish(database, folder, depot)
    assert there(folder, "done") == ["polls.csv"]


@pytest.mark.parametrize("name", [".polls.csv", "polls.csv.part", "polls.csv.tmp", "polls.csv~"])
def test_names_of_what_is_not_finished_are_left_alone(
    database: Database, folder: WatchFolder, depot: Depot, name: str
) -> None:
    (folder.path / name).write_text(CHICAGO_MONDAY)
    finish(database, folder, depot)
    assert (folder.path / name).exists()


@pytest.mark.parametrize("name", [REPORT, "a b;c'\n.csv", "ü" * 120 + ".csv", os.fsdecode(b"\xff.csv")])
def test_any_name_will_do(database: Database, folder: WatchFolder, depot: Depot, name: str) -> None:
    (folder.path / name).write_text(CHICAGO_MONDAY)
    finish(database, folder, depot)
    assert "2 rows: 2 new" in said(folder, "done")
    assert len(imported(database)) == 1


def test_the_same_name_again_is_put_beside(database: Database, folder: WatchFolder, depot: Depot) -> None:
    for _ in range(2):
        (folder.path / "polls.csv").write_text(CHICAGO_MONDAY)
        finish(database, folder, depot)
    assert there(folder, "done") == ["polls.csv", "polls.csv"]


def test_a_file_of_which_every_row_is_rejected_has_failed(
    database: Database, folder: WatchFolder, depot: Depot
) -> None:
    (folder.path / "polls.csv").write_text("store_id,status,timestamp_utc\n1,up,2023-01-23 16:14:00 UTC\n")
    finish(database, folder, depot)
    assert "1 row: 1 rejected" in said(folder, "failed")


def test_a_file_that_is_too_large_has_failed(database: Database, folder: WatchFolder, depot: Depot) -> None:
    (folder.path / "polls.csv").write_bytes(b"x" * (1 << 21))
    finish(database, folder, depot)
    assert "larger than the 1,048,576 bytes" in said(folder, "failed")
    assert not list(depot.folder.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_has_failed(database: Database, folder: WatchFolder, depot: Depot) -> None:
    (folder.path / "polls.csv").write_text(CHICAGO_MONDAY)
    (folder.path / "polls.csv").chmod(0)
    finish(database, folder, depot)
    assert "it cannot be read (Permission denied)" in said(folder, "failed")


def test_what_others_put_among_ours_is_left_alone(
    database: Database, folder: WatchFolder, depot: Depot
) -> None:
    stranger = folder.path / "working" / "notes"
    stranger.mkdir()
    finish(database, folder, depot)
    assert stranger.exists()


def test_a_file_whose_upload_somebody_removed_is_not_queued_again(
    database: Database, folder: WatchFolder, depot: Depot
) -> None:
    (folder.path / "polls.csv").write_text(CHICAGO_MONDAY)
    folder.look(database, depot)
    [(upload, _)] = uploads.page(database, None, 10)
    uploads.delete(database, depot, anybody(Via.COMMAND), upload.upload_id)
    finish(database, folder, depot)
    assert said(folder, "failed").startswith("Somebody removed its upload.")
    assert not imported(database)
