"""Backups of a test's database, restored into others."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storewatch import embedded
from storewatch.domain.clock import to_us
from storewatch.formats.backup_file import Progress
from storewatch.services import backups, restoring
from storewatch.services.backups import Places
from storewatch.services.depot import Depot
from storewatch.services.reporting import Request
from storewatch.services.restoring import Target
from storewatch.storage import dumping
from storewatch.storage.db import Database
from tests.conftest import named, sql

DEBIAN = "/usr/lib/postgresql"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def places(folder: Path) -> Places:
    return Places(folder / "home", folder / "backups", Depot(folder / "uploads", 1 << 20))


def silent(_: int) -> None:
    """Progress that nobody follows."""


def back_up(database: Database, folder: Path, now: datetime = NOW, progress: Progress = silent) -> Path:
    return backups.back_up(database, places(folder), {"STOREWATCH_CURRENCY": "EUR"}, now, progress).path


def restore(file: Path, database: Database, folder: Path, *, replace: bool = False) -> None:
    target = Target(database, "The database", Depot(folder / "restored", 1 << 20), replace)
    restoring.restore(file, target, Request(), to_us(datetime.now(UTC)), lambda *_: silent)


def counts(database: Database) -> dict[str, int]:
    """The rows of every table."""
    with database.snapshot() as session:
        return dumping.lock_and_count(session)


@contextmanager
def nothing_yet(server_url: str) -> Iterator[Database]:
    """A database without anything in it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    sql(server_url, f"CREATE DATABASE {name}")
    database = Database(named(server_url, name))
    try:
        yield database
    finally:
        database.close()
        sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def another_major() -> Path:
    """The programs of a PostgreSQL that is older than storewatch's own."""
    found = sorted(Path(DEBIAN).glob("*/bin/initdb"))
    if not found:
        assert os.environ.get("CI") != "true", "another PostgreSQL must be there: apt-get install postgresql"
        pytest.skip("no other PostgreSQL in this system: apt-get install postgresql")
    return found[0].parent


@contextmanager
def older_home() -> Iterator[Path]:
    """A home whose data are of another major version of PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="storewatch-tests-"))
    folder.chmod(0o755)  # as root the server runs as another user, who must get in
    try:
        with embedded.using(another_major()):
            yield folder / "home"
            embedded.stop(folder / "home", print, force=True)
    finally:
        shutil.rmtree(folder)
