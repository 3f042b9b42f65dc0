"""A database without room, and one that goes away while rows are copied: what is said, and what waits."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storewatch import embedded
from storewatch.domain.permissions import COMMAND, Role
from storewatch.services import making, reporting, uploads
from storewatch.services.depot import Depot
from storewatch.services.reporting import Request
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.conftest import clone_of, named, sql
from tests.factories import CHICAGO_MONDAY, load
from tests.faults import cut, disk
from tests.faults.town import open_folder
from tests.web.conftest import said
from tests.web.service import Service, Token

pytestmark = pytest.mark.xdist_group("no room")

POLL = {"store_id": "1", "status": "active", "timestamp_utc": "2023-01-25T16:14:00Z"}
NOW = 1_700_000_000_000_000


@dataclass(frozen=True)
class Small:
    """A server, what to make databases of, and the disk on which these lie."""

    url: str
    template: str
    disk: Path

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """There is no room, for the length of the block."""
        filler = self.disk / "filler"
        disk.take_all_but(filler, 0)
        try:
            yield
        finally:
            filler.unlink()


@pytest.fixture(scope="module")
def small() -> Iterator[Small]:
    """Databases on a disk of 256 MB; all else, such as the log of the server, is where there is room."""
    with disk.small_disk(256) as folder, open_folder() as outside:
        if folder is None:
            pytest.skip("a small disk is not to be had: only root may mount one")
        home = outside / "home"
        with embedded.running(home, lambda _: None):
            pass
        data = home / "postgres/data"
        subprocess.run(["cp", "-a", str(data / "base"), str(folder)], check=True)
        shutil.rmtree(data / "base")
        (data / "base").symlink_to(folder / "base")
        with embedded.running(home, lambda _: None):
            url = db.normalised_url(embedded.tcp_url(home))
            sql(url, "CREATE DATABASE plain")
            database = Database(named(url, "plain"))
            db.prepare(database)
            database.close()
            yield Small(url, "plain", folder)


@pytest.fixture
def database(small: Small) -> Iterator[Database]:
    with clone_of(small.url, small.template) as url:
        made = Database(url)
        yield made
        made.close()


def polls(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM store_status")).scalar_one())


def operator_of(database: Database) -> Token:
    return Service(database).token("olga@example.com", Role.OPERATOR)


def test_a_full_disk_is_answered_507_and_nothing_of_it_is_stored(small: Small, database: Database) -> None:
    operator = operator_of(database)
    with small.full():
        answer = operator.post("/api/v1/polls", json={"polls": [POLL]})
        assert (answer.status_code, "disk of the database is full" in said(answer)["detail"]) == (507, True)
    assert polls(database) == 0
    assert operator.post("/api/v1/polls", json={"polls": [POLL]}).status_code == 200
    assert polls(database) == 1


def test_a_connection_that_is_lost_within_copied_rows_is_answered_503(database: Database) -> None:
    with cut.proxy(database.url) as between:
        through = Database(cut.through_it(database.url, between))
        operator = operator_of(through)
        between.judge = cut.rows(random.Random(1))  # noqa: S311
        answer = operator.post("/api/v1/polls", json={"polls": [POLL]})
        assert between.done.is_set()
        assert (answer.status_code, "cannot be reached" in said(answer)["detail"]) == (503, True)
        assert polls(database) == 0
        assert operator.post("/api/v1/polls", json={"polls": [POLL]}).status_code == 200
        through.close()


def test_a_report_waits_for_room_however_often_it_was_tried(small: Small, database: Database) -> None:
    load(database, CHICAGO_MONDAY)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    with small.full():
        for _ in range(making.MAX_ATTEMPTS + 2):
            with pytest.raises((OperationalError, psycopg.OperationalError), match="No space left"):
                making.make(database, report_id)
    making.make(database, report_id)
    report = reporting.get(database, COMMAND, report_id)
    assert (report.status, report.attempt, report.error) == ("complete", 1, None)


def test_an_upload_waits_for_room_however_often_it_was_tried(
    small: Small, database: Database, tmp_path: Path
) -> None:
    operator = Service(database, tmp_path).token("olga@example.com", Role.OPERATOR)
    sent = operator.post("/api/v1/uploads", data=CHICAGO_MONDAY.encode(), content_type="text/csv")
    depot, upload_id = Depot(tmp_path, 1 << 20), UUID(said(sent)["upload_id"])
    with small.full():
        for _ in range(uploads.MAX_ATTEMPTS + 2):
            with pytest.raises((OperationalError, psycopg.OperationalError), match="No space left"):
                uploads.take(database, depot, upload_id, lambda: NOW)
    uploads.take(database, depot, upload_id, lambda: NOW)
    upload, _ = uploads.get(database, upload_id)
    assert (upload.status, upload.attempt, upload.error) == ("complete", 1, None)
    assert polls(database) == 2
