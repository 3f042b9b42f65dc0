"""The checker of the faults finds each kind of damage; else that it finds none would say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.clock import to_us
from storewatch.domain.permissions import COMMAND
from storewatch.services import history, packing, reporting
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.acceptance.invariants import Batch, check, settle, stored, under_way
from tests.factories import load_chicago
from tests.services.packs import LATER

DAMAGE = {
    "UPDATE store_status SET timestamp_utc = timestamp_utc + interval '1 s' WHERE active": (
        "acknowledged polls that are lost: 1",
        "batches that are there by half: 1",
        "polls that nobody sent: 1",
    ),
    "UPDATE poll_pack SET polls = overlay(polls placing '\\x09' from 1), version = stretch.version"
    " FROM poll_stretch AS stretch": ("packs that differ from the polls: 1",),
    "UPDATE store_day SET outages = outages + 5 WHERE outages > 0": ("days of history that differ from",),
    "DELETE FROM history_due": (),
    "DELETE FROM store_report": ("every complete report has its rows: 1",),
    """INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
       VALUES ('reports', 'make_report', '{"report_id": "x"}', 'failed')""": (
        "jobs with something to do that were given up: 1",
    ),
    "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('reports', 'x', 'doing')": (
        "jobs that a dead worker has: 1",
    ),
    """INSERT INTO delivery (account_no, status) SELECT account_no, 'sent' FROM account""": (
        "alerts that are marked as sent and never arrived: 1",
    ),
}

_ACCOUNT = """
    INSERT INTO account (account_id, email, role)
    VALUES (gen_random_uuid(), 'mia@example.com', 'member')
"""


@pytest.fixture
def sound(database: Database) -> tuple[Database, list[Batch]]:
    """A database that holds a little of everything, at rest, and what was sent to it."""
    load_chicago(database)
    reporting.make_now(database, COMMAND, Request(), to_us(LATER), lambda _: None)
    while history.update(database, Request()):
        pass
    packing.pack(database, LATER)
    with database.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        session.execute(text("DELETE FROM watch_due"))
        session.execute(text(_ACCOUNT))
        return database, [Batch(frozenset(stored(session)), taken=True)]


def test_what_is_sound_passes(sound: tuple[Database, list[Batch]], tmp_path: Path) -> None:
    database, sent = sound
    settle(database)
    check(database, [*sent, Batch(frozenset({("9", 1, True)}), taken=False)], set(), uploads=tmp_path)


def test_damage_is_found(sound: tuple[Database, list[Batch]]) -> None:
    database, sent = sound
    with database.transaction() as session:
        for damage in DAMAGE:
            session.execute(text(damage.replace(":", "\\:")))
    with pytest.raises(AssertionError) as found:
        check(database, sent, set())
    for told in DAMAGE.values():
        assert all(words in str(found.value) for words in told), str(found.value)


def test_what_waits_is_under_way(sound: tuple[Database, list[Batch]]) -> None:
    database, _ = sound
    reporting.trigger(database, COMMAND, Request(), to_us(LATER))
    assert under_way(database) == {"reports": 1, "jobs": 1}
    with pytest.raises(AssertionError, match="does not come to rest"):
        settle(database, 0.2)
