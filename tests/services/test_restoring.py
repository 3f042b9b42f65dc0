"""A restore brings back all of a backup, or changes nothing and says why."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url, text

from storewatch import embedded
from storewatch.embedded.programs import find_programs
from storewatch.errors import BusyError, ConflictError, EmbeddedServerError, FileRefusedError
from storewatch.storage import db, dumping
from storewatch.storage.db import SCHEMA_LOCK, Database
from tests.acceptance.conftest import PATIENCE
from tests.backing_up import back_up, counts, nothing_yet, older_home, restore
from tests.conftest import clone_of
from tests.factories import CHICAGO_MONDAY, load, load_chicago


def schema(database: Database) -> list[str]:
    """All that pg_dump says of the schema, in any order. Of a view's text only the brackets may
    differ; before PostgreSQL 18 NOT NULL had no name.
    """
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(find_programs().folder / "pg_dump"), "--schema-only", "--no-owner", f"--dbname={url}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    said = re.sub(r"CONSTRAINT \w+_not_null |[() ]", "", said)
    return sorted(line for line in said.splitlines() if not line.startswith(("\\", "--")))


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """A backup of one store with two polls."""
    load_chicago(database)
    return back_up(database, tmp_path)


def test_every_table_comes_back_with_all_that_belongs_to_it(
    database: Database, file: Path, server_url: str, tmp_path: Path
) -> None:
    with nothing_yet(server_url) as other:
        restore(file, other, tmp_path)
        before, after = counts(database), counts(other)
        assert after.pop("lived_in") == 1  # that it came out of a backup is settled
        assert before.pop("lived_in") == 0
        assert after == before
        assert schema(other) == schema(database)
        load(other, CHICAGO_MONDAY.replace("2023-01-23", "2023-01-24"))
        assert counts(other)["store_status"] == 4


@pytest.mark.slow
def test_it_goes_into_another_major_and_comes_back(
    database: Database, file: Path, server_url: str, tmp_path: Path
) -> None:
    with older_home() as home, embedded.running(home, print) as url:
        older = Database(url)
        restore(file, older, tmp_path)
        with older.session() as session:
            assert db.server_version(session) // 10_000 < find_programs().major
        expected = counts(database) | {"lived_in": 1}
        assert counts(older) == expected
        back = back_up(older, tmp_path / "back")
        older.close()
    with nothing_yet(server_url) as other:
        restore(back, other, tmp_path)
        assert counts(other) == expected
        assert schema(other) == schema(database)


# --- Files that are refused -----------------------------------------------------------------------


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def changed(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[data.index(b"PGDMP") + 1000] ^= 1
    file.write_bytes(data)


def no_zip(file: Path) -> None:
    file.write_text("nothing")


def another_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")


def told(**more: Any) -> Callable[[Path], None]:
    """Its manifest says something else."""

    def change(file: Path) -> None:
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | more).encode()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)

    return change


def without_a_row(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        rows = json.loads(archive.read("manifest.json"))["rows"]
    told(rows=rows | {"store": rows["store"] + 1})(file)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (cut_off, FileRefusedError, "cut off"),
        (changed, FileRefusedError, "is not whole"),
        (no_zip, FileRefusedError, "not a whole backup"),
        (another_zip, FileRefusedError, "not a backup that"),
        (Path.unlink, FileRefusedError, "There is no file"),
        (told(format=2), FileRefusedError, "a newer storewatch"),
        (told(schema="9999"), FileRefusedError, "newer than this one"),
        (told(pg_dump=99), EmbeddedServerError, "made by pg_dump 99"),
        (told(members={}), FileRefusedError, "is not whole"),
        (without_a_row, EmbeddedServerError, "table store: 1 rows instead of 2"),
    ],
)
def test_a_file_that_is_not_right_changes_nothing(
    database: Database,
    file: Path,
    server_url: str,
    template: str,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    error: type[Exception],
    words: str,
) -> None:
    spoil(file)
    with nothing_yet(server_url) as empty:
        with pytest.raises(error, match=words):
            restore(file, empty, tmp_path)
        assert counts(empty) == {}
    before = counts(database)
    database.close()
    with pytest.raises(error, match=words):
        restore(file, database, tmp_path, replace=True)
    assert counts(database) == before


# --- Databases that are refused -------------------------------------------------------------------


def test_a_database_with_data_is_refused_unless_it_is_to_be_replaced(
    database: Database, file: Path, tmp_path: Path
) -> None:
    expected = counts(database) | {"lived_in": 1}
    load(database, CHICAGO_MONDAY.replace("2023-01-23", "2023-01-29"), "store_id,timezone_str\n2,UTC\n")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE of_mine (a int); CREATE VIEW seen AS SELECT * FROM store"))
    before = counts(database)
    database.close()
    with pytest.raises(ConflictError, match=r"holds data \(stores: 2, imports: 4\).*--replace"):
        restore(file, database, tmp_path)
    assert counts(database) == before
    database.close()
    restore(file, database, tmp_path, replace=True)
    assert counts(database) == expected
    with database.session() as session:
        assert session.execute(text("SELECT to_regclass('seen')")).scalar() is None


def test_a_schema_without_data_is_no_hindrance(
    file: Path, server_url: str, template: str, tmp_path: Path
) -> None:
    with clone_of(server_url, template) as url:
        other = Database(url)
        restore(file, other, tmp_path)
        assert counts(other)["store"] == 1
        other.close()


@pytest.mark.parametrize("replace", [False, True])
def test_tables_of_another_program_are_never_touched(
    file: Path, server_url: str, tmp_path: Path, replace: bool
) -> None:
    with nothing_yet(server_url) as other:
        with other.transaction() as session:
            session.execute(text("CREATE TABLE theirs (a int)"))
        with pytest.raises(ConflictError, match="tables of another program"):
            restore(file, other, tmp_path, replace=replace)
        assert counts(other) == {"theirs": 0}


def test_a_database_in_use_is_refused(database: Database, file: Path, tmp_path: Path) -> None:
    before = counts(database)
    other = Database(database.url)
    with other.session() as session:
        session.execute(text("SET application_name = 'pgAdmin'"))
        with pytest.raises(BusyError, match=r"is in use .*pgAdmin.*Stop the service"):
            restore(file, database, tmp_path, replace=True)
    other.close()
    assert counts(database) == before


KILLED = """
import sys
from pathlib import Path
from storewatch.storage import dumping
from storewatch.storage.db import Database
from tests.backing_up import restore
dumping.others = lambda _: []  # the test looks on
restore(Path(sys.argv[1]), Database(sys.argv[2]), Path(sys.argv[3]), replace=True)
"""


def test_a_killed_restore_leaves_all_as_it_was(database: Database, file: Path, tmp_path: Path) -> None:
    load(database, "store_id,timezone_str\n2,UTC\n")
    before = counts(database)
    with database.transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SCHEMA_LOCK})
        command = [sys.executable, "-c", KILLED, str(file), database.url, str(tmp_path)]
        process = psutil.Popen(command, cwd=Path(__file__).parents[2])
        await_count(database, 1)
        process.kill()
        process.wait()
    await_count(database, 0)
    assert counts(database) == before


def await_count(database: Database, count: int) -> None:
    """Waits until so many sessions of psql are there."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'psql'"
    )
    until = time.monotonic() + PATIENCE
    while True:
        with database.session() as session:
            if session.execute(query).scalar() == count:
                return
        assert time.monotonic() < until
        time.sleep(0.05)


def test_dumping_knows_all_tables_of_a_new_database(database: Database) -> None:
    with database.snapshot() as session:
        assert not dumping.is_foreign(session)
        assert dumping.holdings(session) == {}
