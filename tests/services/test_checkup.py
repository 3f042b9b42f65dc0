"""The doctor's ailments: each is made for real, and found with advice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.checkup import Finding, State
from storewatch.domain.clock import DAY, HOUR, SECOND, to_us
from storewatch.services import checkup, zone_data
from storewatch.services.checkup import Place
from storewatch.storage import db, queue
from storewatch.storage.db import Database
from tests.factories import load

NOW = datetime.now(UTC)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path / "uploads")


def machine(place: Place) -> dict[str, Finding]:
    return {finding.about: finding for finding in checkup.of_machine(place)}


def inside(database: Database, place: Place) -> dict[str, Finding]:
    return {finding.about: finding for finding in checkup.of_database(database, place)}


def do(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        for statement in statements:
            session.execute(text(statement))


def poll(database: Database, at: datetime) -> None:
    load(database, f"store_id,status,timestamp_utc\n1,active,{at:%Y-%m-%d %H:%M:%S} UTC\n")


def at_work(database: Database) -> None:
    """A worker that said just now that it is alive."""
    do(database, "INSERT INTO procrastinate_workers DEFAULT VALUES")


def test_a_service_that_is_well(database: Database, place: Place) -> None:
    at_work(database)
    poll(database, datetime.now(UTC) - timedelta(minutes=5))
    load(
        database,
        "store_id,timezone_str\n1,Asia/Tokyo\n",
        "store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n",
    )
    do(database, "DELETE FROM procrastinate_jobs")
    found = inside(database, place)
    assert set(found) == {
        "PostgreSQL",
        "schema",
        "clock",
        "database",
        "queue",
        "polls",
        "stores",
        "zone data",
    }
    assert {name for name, each in found.items() if each.state is State.BAD} == set()
    assert {found[name].state for name in ("schema", "queue", "polls", "stores")} == {State.OK}
    assert found["stores"].what == "1 store; 0 without hours, 0 without a zone"


def test_a_migration_that_is_pending(database: Database, place: Place) -> None:
    do(database, "UPDATE alembic_version SET version_num = '0014'")
    found = inside(database, place)
    assert (found["schema"].state, "storewatch db upgrade" in found["schema"].advice) == (State.BAD, True)
    assert "queue" not in found  # its tables may be other ones


def test_a_schema_of_a_later_storewatch(database: Database, place: Place) -> None:
    do(database, "UPDATE alembic_version SET version_num = '9999'")
    found = inside(database, place)["schema"]
    assert (found.state, f"newer than {db.HEAD}" in found.what) == (State.BAD, True)


def test_a_database_that_does_not_answer(place: Place) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/none")
    found = inside(gone, place)
    gone.close()
    assert list(found) == ["database"]
    assert (found["database"].state, "cannot be reached" in found["database"].what) == (State.BAD, True)


def test_a_queue_that_nobody_works_at(database: Database, place: Place) -> None:
    with database.transaction() as session:
        for number in range(40):
            queue.defer(session, "reports", "make_report", report_id=str(number))
    do(database, "UPDATE procrastinate_events SET at = at - interval '3 hours'")
    found = inside(database, place)["queue"]
    assert found.state is State.BAD
    assert found.what == "no worker is at work; 40 jobs wait, the oldest for 3 h"
    at_work(database)
    found = inside(database, place)["queue"]
    assert (found.state, found.what) == (State.BAD, "40 jobs wait, the oldest for 3 h")


def test_a_job_that_is_for_later_does_not_wait(database: Database, place: Place) -> None:
    at_work(database)
    with database.transaction() as session:
        queue.defer_at(session, "alerts", "deliver", datetime.now(UTC) + timedelta(hours=1), delivery_no=1)
    found = inside(database, place)["queue"]
    assert (found.state, found.what) == (State.OK, "0 jobs wait")


def test_a_job_whose_worker_is_gone(database: Database, place: Place) -> None:
    at_work(database)
    with database.transaction() as session:
        queue.defer(session, "reports", "make_report", report_id="1")
    do(
        database,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')",
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = w.id "
        "FROM (SELECT max(id) AS id FROM procrastinate_workers) AS w",
    )
    found = inside(database, place)["queue"]
    assert (found.state, found.what) == (State.BAD, "1 job belongs to a worker that is gone; 0 jobs wait")


def test_polls_that_are_old_and_stores_that_lack(database: Database, place: Place) -> None:
    poll(database, datetime.now(UTC) - timedelta(hours=5, minutes=1))
    found = inside(database, place)
    assert (found["polls"].state, found["polls"].what) == (State.WARN, "the newest is 5 h old")
    assert found["stores"].what == "1 store; 1 without hours, 1 without a zone"
    assert (found["stores"].state, "America/Chicago" in found["stores"].advice) == (State.WARN, True)


def backed_up(home: Path, at: datetime) -> Path:
    file = home / "backups" / "one.tar"
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"1234")
    file.chmod(0o600)
    told = {"at": at.isoformat().replace("+00:00", "Z"), "path": str(file), "bytes": 4}
    (home / "backups" / "last.json").write_text(json.dumps(told))
    (home / "backups" / "last.json").chmod(0o600)
    return file


def test_no_backup(place: Place) -> None:
    assert machine(place)["backup"].state is State.WARN


def test_a_backup_that_is_old_or_gone(place: Place) -> None:
    file = backed_up(place.home, NOW - timedelta(hours=47))
    assert machine(place)["backup"].state is State.OK
    late = Place(place.home, place.uploads, backup_us=DAY)
    found = machine(late)["backup"]
    assert (found.state, found.what) == (
        State.BAD,
        f"the last one is 47 h old ({file})",
    )
    file.unlink()
    found = machine(place)["backup"]
    assert (found.state, "the file is gone" in found.what) == (State.BAD, True)


@pytest.mark.parametrize(
    ("name", "less"),
    [
        ("backups/one.tar", "go-rwx"),
        ("postgres/pgpass", "go-rwx"),
        ("uploads", "go-rwx"),
        (".", "go-w"),  # PostgreSQL's user must get in
        ("secret", "o-rwx"),
    ],
)
def test_a_file_that_others_may_read(place: Place, name: str, less: str) -> None:
    backed_up(place.home, NOW)
    (place.home / "postgres").mkdir(mode=0o711)
    for path in (place.home / "postgres/pgpass", place.home / "secret"):
        path.write_text("x")
        path.chmod(0o600)
    place.uploads.mkdir(mode=0o700)
    place.home.chmod(0o755)
    place = Place(place.home, place.uploads, secrets=[place.home / "secret"])
    assert machine(place)["files"].state is State.OK
    loose = place.home / name
    loose.chmod(0o777 if loose.is_dir() else 0o644)
    found = machine(place)["files"]
    assert (found.state, str(loose) in found.what, f"chmod {less} {loose}" == found.advice) == (
        State.BAD,
        True,
        True,
    )


def test_zones_are_compared_by_what_they_say(database: Database) -> None:
    """The database is real; it is our own claims that are bent here, for its zone data cannot be."""
    at_us = to_us(datetime(2026, 1, 15, tzinfo=UTC))
    ours = [claim for name in ("Asia/Tokyo", "America/New_York") for claim in zone_data.claims(name, at_us)]
    assert len(ours) > 200
    with database.session() as session:
        assert zone_data.differing(session, ours) == {}
        name, at, offset = ours[3]
        bent = [*ours[:3], (name, at, offset + HOUR), *ours[4:]]
        told = "2025-02-04T00:00:00Z: +10:00, not +09:00"
        assert zone_data.differing(session, bent) == {"Asia/Tokyo": [told]}
        assert zone_data.unknown(session, ["Asia/Tokyo", "Mars/Base"]) == ["Mars/Base"]


def test_who_changes_a_day_later_is_found(database: Database) -> None:
    """A claim just before, and just at, each change."""
    at_us = to_us(datetime(2026, 1, 15, tzinfo=UTC))
    change = to_us(datetime(2026, 3, 8, 7, tzinfo=UTC))
    ours = {at: offset for _, at, offset in zone_data.claims("America/New_York", at_us)}
    assert (ours[change - SECOND], ours[change]) == (-5 * HOUR, -4 * HOUR)
