"""Reports that are cancelled or deleted while they are made, at any instant."""

from __future__ import annotations

import random
import threading
import time
from uuid import UUID

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND
from storewatch.errors import ConflictError, NotFoundError
from storewatch.services import making, reporting, reports, stores
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.verify import verify
from tests.factories import load

NOW = 1 << 60
STORES = 450


@pytest.fixture
def fleet(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """So many stores that a report is made in several parts."""
    monkeypatch.setattr(making, "_STORE_DAYS_AT_ONCE", 0)  # then it is 100 at once
    monkeypatch.setattr(making, "_NOTE_EVERY_S", 0.0)
    rows = "".join(f"s{number},active,2023-01-23 16:14:00\n" for number in range(STORES))
    load(database, "store_id,status,timestamp_utc\n" + rows)
    return database


def rows(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM store_report")).scalar_one())


def waiting(database: Database) -> UUID:
    return reporting.trigger(database, COMMAND, Request(), NOW)


def test_a_report_that_runs_stops_soon_after_it_is_cancelled(fleet: Database) -> None:
    report_id, seen = waiting(fleet), []

    def progress(percent: int) -> None:
        seen.append(percent)
        if len(seen) == 2:
            reports.cancel(fleet, COMMAND, report_id)

    making.make(fleet, report_id, progress)
    assert len(seen) == 2
    assert (reporting.get(fleet, COMMAND, report_id).status, rows(fleet)) == ("cancelled", 0)


def test_a_report_that_runs_stops_soon_after_it_is_deleted(fleet: Database) -> None:
    report_id, seen = waiting(fleet), []

    def progress(percent: int) -> None:
        seen.append(percent)
        if len(seen) == 2:
            reports.delete(fleet, COMMAND, report_id)

    making.make(fleet, report_id, progress)
    assert (len(seen), rows(fleet)) == (2, 0)
    with pytest.raises(NotFoundError):
        reporting.get(fleet, COMMAND, report_id)


def test_a_cancellation_at_any_instant_leaves_all_or_nothing(fleet: Database) -> None:
    dice = random.Random(4)  # noqa: S311
    began = time.monotonic()
    making.make(fleet, waiting(fleet))
    length = time.monotonic() - began
    complete, outcomes = 1, set()
    for _ in range(25):
        report_id = waiting(fleet)
        maker = threading.Thread(target=making.make, args=(fleet, report_id))
        maker.start()
        time.sleep(dice.uniform(0, 1.3) * length)
        try:
            reports.cancel(fleet, COMMAND, report_id)
        except ConflictError:
            complete += 1
        maker.join()
        status = reporting.get(fleet, COMMAND, report_id).status
        outcomes.add(status)
        assert rows(fleet) == complete * STORES
    assert outcomes == {"complete", "cancelled"}
    with fleet.session() as session:
        assert [name for name, wrong in verify(session) if wrong] == []


def test_a_store_that_is_deleted_meanwhile_is_in_no_report(fleet: Database) -> None:
    """The deletion waits for the report, then takes the store's row out of it."""
    report_id = waiting(fleet)
    deleter = threading.Thread(target=stores.delete, args=(fleet, COMMAND, "s7", "s7"))

    def progress(percent: int) -> None:
        if not deleter.ident:
            deleter.start()
            time.sleep(0.1)

    making.make(fleet, report_id, progress)
    deleter.join()
    assert rows(fleet) == STORES - 1
    with fleet.session() as session:
        assert [name for name, wrong in verify(session) if wrong] == []
