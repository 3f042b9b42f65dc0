"""A filled database of an older schema becomes one of the newest, and says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storewatch.domain.clock import DAY
from storewatch.services import proof
from storewatch.services.importing import import_file
from storewatch.services.reporting import Request
from storewatch.services.simulating import simulate
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.conftest import clone_of
from tests.storage.older import END, fill, make_history, make_older, told


@pytest.fixture
def full(database: Database, tmp_path: Path) -> Database:
    fill(database, tmp_path)
    return database


@pytest.fixture
def old(server_url: str, template: str, full: Database) -> Iterator[Database]:
    with clone_of(server_url, template) as url:
        database = Database(url)
        make_older(database, full)
        yield database
        database.close()


def test_a_filled_database_is_upgraded_and_says_the_same(full: Database, old: Database) -> None:
    assert db.upgrade(old)
    db.prepare(old)
    assert proof.verify(old, Request()).wrong == 0
    make_history(old)
    for part in (proof.verify, proof.verify_standing, proof.verify_groups):
        found = part(old, Request())
        assert (found.wrong, found.compared > 0) == (0, True)
    assert told(old) == told(full)


def test_an_upgraded_database_takes_the_next_polls(old: Database, tmp_path: Path) -> None:
    db.upgrade(old)
    more = simulate(tmp_path / "more", stores=40, days=15, seed=3, end_us=END + DAY, progress=lambda *_: None)
    with more.store_status.open("rb") as source:
        import_file(old, source, "more.csv", now_us=END + DAY)
    make_history(old)
    assert proof.verify(old, Request()).wrong == 0
    assert proof.verify_standing(old, Request()).wrong == 0
