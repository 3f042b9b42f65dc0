"""Reports as a service: attempts, fences, failures, removal."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, to_us
from storewatch.domain.permissions import COMMAND
from storewatch.errors import NoPollsError, SettingsError, UsageError
from storewatch.services import making, reporting
from storewatch.services.reporting import Request
from storewatch.storage import report_rows, reports
from storewatch.storage.db import Database
from storewatch.storage.verify import verify
from tests.factories import load, load_chicago, rows_of

NOW = to_us(datetime.now(UTC))


def rows(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM store_report")).scalar_one())


def test_a_report_that_is_made_twice_has_its_rows_once(database: Database) -> None:
    load_chicago(database)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    making.make(database, report_id)
    making.make(database, report_id)
    report = reporting.get(database, COMMAND, report_id)
    assert (report.status, report.progress, report.attempt, rows(database)) == ("complete", 100, 1, 1)


def test_a_worker_that_wakes_too_late_changes_nothing(database: Database) -> None:
    """A paused worker (SIGSTOP, a sleeping laptop) comes back when another has taken the report over."""
    load_chicago(database)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    with database.transaction() as session:
        paused = reports.begin_attempt(session, report_id)
        assert paused is not None
    making.make(database, report_id)
    with pytest.raises(making._TakenOverError):
        making._make(database, paused, lambda _: None)
    with database.transaction() as session:
        assert not reports.fail(session, paused, "too late")
    report = reporting.get(database, COMMAND, report_id)
    assert (report.status, report.attempt, rows(database)) == ("complete", 2, 1)


def test_a_paused_attempt_does_not_hold_up_the_next(database: Database) -> None:
    load_chicago(database)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    with database.transaction() as session:
        paused = reports.begin_attempt(session, report_id)
        assert paused is not None
    with Session(database.engine) as session:
        report_rows.add(session, paused, np.array([1], np.int32), *rows_of(np.zeros((1, 3, 6), np.int64)))
        making.make(database, report_id)
        session.rollback()
    assert (reporting.get(database, COMMAND, report_id).status, rows(database)) == ("complete", 1)


def test_a_report_that_takes_its_worker_down_each_time_is_given_up(database: Database) -> None:
    load_chicago(database)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    for _ in range(making.MAX_ATTEMPTS):
        with database.transaction() as session:
            assert reports.begin_attempt(session, report_id) is not None
    making.make(database, report_id)
    report = reporting.get(database, COMMAND, report_id)
    assert (report.status, "given up" in (report.error or "")) == ("failed", True)


def test_progress_never_goes_back_or_beyond(database: Database) -> None:
    load_chicago(database)
    seen: list[int] = []
    reporting.make_now(database, COMMAND, Request(), NOW, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 100


def test_polls_that_are_gone_make_a_failed_report_with_a_reason(database: Database) -> None:
    load_chicago(database)
    report_id = reporting.trigger(database, COMMAND, Request(), NOW)
    with database.transaction() as session:
        session.execute(text("DELETE FROM store_status_day"))
    making.make(database, report_id)
    report = reporting.get(database, COMMAND, report_id)
    assert (report.status, report.error) == (
        "failed",
        "There are no polls any more, so there is nothing to report.",
    )


def test_a_report_can_be_repeated_though_later_polls_came(database: Database) -> None:
    load_chicago(database)
    first = reporting.make_now(database, COMMAND, Request(), NOW, lambda _: None)
    load(database, "store_id,status,timestamp_utc\n1,inactive,2023-01-23 17:30:00\n2,active,2023-01-24\n")
    assert first.as_of is not None
    again = reporting.make_now(database, COMMAND, Request(as_of=to_us(first.as_of)), NOW, lambda _: None)
    assert again.summary == first.summary


def test_a_report_notes_what_it_was_made_of(database: Database) -> None:
    imported = load(database, "store_id,status,timestamp_utc\n1,active,2023-01-23 16:14:00\n")
    report = reporting.make_now(database, COMMAND, Request(), NOW, lambda _: None)
    assert report.last_import == imported[0].import_no
    assert report.zone_data_version.startswith("20")
    assert report.timings is not None
    assert report.timings["seconds"] > 0


def test_old_reports_are_removed_with_their_rows_unless_pinned(database: Database) -> None:
    load_chicago(database)
    kept, old = (reporting.make_now(database, COMMAND, Request(), NOW, lambda _: None) for _ in range(2))
    waiting = reporting.trigger(database, COMMAND, Request(), NOW)
    with database.transaction() as session:
        session.execute(text("UPDATE report SET created_at = now() - interval '91 days'"))
        session.execute(text("UPDATE report SET pinned = true WHERE report_no = :n"), {"n": kept.report_no})
    assert reporting.remove_old(database, 90 * DAY) == 1
    assert {r.report_id for r in reporting.latest(database, COMMAND)} == {kept.report_id, waiting}
    assert old.report_id not in {r.report_id for r in reporting.latest(database, COMMAND)}
    assert rows(database) == 1
    with database.session() as session:
        assert all(wrong == 0 for _, wrong in verify(session))


def test_without_polls_there_is_no_report(database: Database) -> None:
    with pytest.raises(NoPollsError, match="import store_status first"):
        reporting.trigger(database, COMMAND, Request(), NOW)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Request(as_of=NOW + DAY), "as_of"),
        (Request(as_of=0), "as_of"),
        (Request(max_gap=1), "max_gap"),
        (Request(max_gap=31 * DAY), "max_gap"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(database: Database, request_: Request, field: str) -> None:
    load_chicago(database)
    with pytest.raises(UsageError) as caught:
        reporting.trigger(database, COMMAND, request_, NOW)
    assert caught.value.field == field


@pytest.mark.parametrize(("seen_within", "zone"), [("soon", "UTC"), ("45m", "Mars/Base"), ("", "UTC")])
def test_a_setting_that_cannot_be_used_is_named(seen_within: str, zone: str) -> None:
    with pytest.raises(SettingsError, match="STOREWATCH_"):
        reporting.usual(seen_within, zone)
