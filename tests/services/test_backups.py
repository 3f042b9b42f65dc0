"""A backup is one private file that is whole or not there, of one state of the database."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from storewatch.errors import SettingsError
from storewatch.services import backups
from storewatch.storage.db import Database
from tests.backing_up import NOW, back_up, counts, nothing_yet, places, restore
from tests.factories import load_chicago


def test_it_is_private_and_has_no_name_until_it_is_whole(database: Database, tmp_path: Path) -> None:
    seen = []

    def look(_: int) -> None:
        [part] = (tmp_path / "backups").iterdir()
        seen.append((part.suffix, stat.S_IMODE(part.stat().st_mode)))

    before = os.umask(0)
    try:
        path = back_up(database, tmp_path, progress=look)
    finally:
        os.umask(before)
    assert {*seen} == {(".part", 0o600)}
    assert [*path.parent.iterdir()] == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_last_one_is_remembered(database: Database, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert backups.last_backup(home) is None
    path = back_up(database, tmp_path)
    found = backups.last_backup(home)
    assert found == backups.LastBackup(NOW, path, path.stat().st_size)
    (home / "backups/last.json").write_text('{"at": 1}')
    assert backups.last_backup(home) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from storewatch.storage.db import Database
from tests.backing_up import back_up
back_up(Database(sys.argv[1]), Path(sys.argv[2]), progress=lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_killed_one_leaves_no_file_of_its_name_and_the_next_clears_up(
    database: Database, tmp_path: Path
) -> None:
    first = back_up(database, tmp_path)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, database.url, str(tmp_path)]
    assert subprocess.run(command, cwd=root, check=False).returncode == -signal.SIGKILL
    assert sorted(path.suffix for path in first.parent.iterdir()) == [".part", ".zip"]
    assert backups.last_backup(tmp_path / "home") == backups.LastBackup(NOW, first, first.stat().st_size)
    second = back_up(database, tmp_path, NOW + timedelta(seconds=1))
    assert sorted(first.parent.iterdir()) == [first, second]


def test_what_somebody_else_is_writing_is_left_alone(database: Database, tmp_path: Path) -> None:
    def another(_: int) -> None:
        if not made:
            made.append(back_up(database, tmp_path, NOW + timedelta(hours=1)))

    made: list[Path] = []
    first = back_up(database, tmp_path, progress=another)
    assert sorted(first.parent.iterdir()) == [first, *made]


def test_a_full_disk_leaves_nothing_and_is_told(database: Database, tmp_path: Path) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(SettingsError, match=r"cannot be written to .*backups \(No space left"):
        back_up(database, tmp_path, progress=full)
    assert [*(tmp_path / "backups").iterdir()] == []
    assert backups.last_backup(tmp_path / "home") is None


def test_only_the_newest_are_kept_and_nothing_else_is_touched(database: Database, tmp_path: Path) -> None:
    made = [back_up(database, tmp_path, NOW + timedelta(hours=hour)) for hour in range(4)]
    other = made[0].parent / "storewatch-notes.zip"
    other.touch()
    assert backups.keep(other.parent, 2) == made[:2]
    assert sorted(other.parent.iterdir()) == [*made[2:], other]


def test_it_holds_one_state_whatever_is_written_meanwhile(
    database: Database, server_url: str, tmp_path: Path
) -> None:
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            with database.transaction() as session:
                session.execute(text("INSERT INTO store (store_id) VALUES (gen_random_uuid()::text)"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not counts(database)["store"]:
            pass
        path = back_up(database, tmp_path)
    finally:
        ended.set()
        writer.join()
    with nothing_yet(server_url) as other:
        restore(path, other, tmp_path)  # which counts, and commits nothing if a row is missing
        assert 0 < counts(other)["store"] <= counts(database)["store"]


def test_uploads_that_wait_are_in_it_and_those_taken_in_are_not(
    database: Database, server_url: str, tmp_path: Path
) -> None:
    load_chicago(database)
    waiting, done, gone = uuid4(), uuid4(), uuid4()
    depot = places(tmp_path).depot
    depot.folder.mkdir()
    for upload_id in (waiting, done):
        depot.path(upload_id).write_text("store_id,status,timestamp_utc\n")
    with database.transaction() as session:
        insert = (
            "INSERT INTO upload (upload_id, file_name, size_bytes, sha256, status, finished_at) "
            "VALUES (:id, 'a.csv', 30, repeat('0', 64), :status, :at)"
        )
        for upload_id, status in ((waiting, "queued"), (gone, "queued"), (done, "complete")):
            at = NOW if status == "complete" else None
            session.execute(text(insert), {"id": upload_id, "status": status, "at": at})
    path = back_up(database, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["database.dump", "manifest.json", f"uploads/{waiting}"]
    with nothing_yet(server_url) as other:
        restore(path, other, tmp_path)
    assert (tmp_path / "restored" / str(waiting)).read_text() == "store_id,status,timestamp_utc\n"
