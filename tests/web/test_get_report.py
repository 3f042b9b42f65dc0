"""GET /get_report and /download/<report_id>."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, text

from storewatch.services import making
from storewatch.storage import reports
from storewatch.storage.db import Database
from tests.factories import MONDAY_NOON, load_chicago
from tests.web.conftest import said

CHICAGO_CSV = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week\n"
    "1,0.00,1.74,1.74,60.00,1.26,1.26\n"
)

UNKNOWN = "c63d1b0d-377a-4a20-8801-a32c48525a4a"


@pytest.fixture
def report_id(client: FlaskClient, database: Database) -> str:
    """A queued report on the first worked example."""
    load_chicago(database)
    answer = client.post("/trigger_report", json={"as_of": MONDAY_NOON})
    return str(said(answer)["report_id"])


@pytest.fixture
def complete_id(report_id: str, database: Database) -> str:
    """The same, made."""
    making.make(database, UUID(report_id))
    return report_id


def test_a_queued_report_counts_as_running(client: FlaskClient, report_id: str) -> None:
    answer = client.get(f"/get_report?report_id={report_id}")
    assert (answer.status_code, said(answer)) == (200, {"status": "Running", "progress": 0})


def test_progress_is_shown_while_it_runs(client: FlaskClient, database: Database, report_id: str) -> None:
    with database.transaction() as session:
        report = reports.begin_attempt(session, UUID(report_id))
        assert report is not None
        reports.set_progress(session, report, 42)
    assert said(client.get(f"/get_report?report_id={report_id}")) == {"status": "Running", "progress": 42}


def test_a_complete_report_gives_its_file_and_coverage(client: FlaskClient, complete_id: str) -> None:
    for _ in range(2):  # as often as one asks
        assert said(client.get(f"/get_report?report_id={complete_id}")) == {
            "status": "Complete",
            "download_url": f"/download/{complete_id}",
            "coverage": {"last_hour": 1.0, "last_day": 0.8389, "last_week": 0.8389},
        }


def test_the_file_is_named_by_the_id_and_exact(client: FlaskClient, complete_id: str) -> None:
    answer = client.get(f"/download/{complete_id}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{complete_id}.csv"'
    assert answer.text == CHICAGO_CSV


def test_who_accepts_csv_gets_the_csv(client: FlaskClient, complete_id: str) -> None:
    answer = client.get(f"/get_report?report_id={complete_id}", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.text) == (200, CHICAGO_CSV)


def test_who_accepts_csv_too_early_is_told_when_to_come_back(client: FlaskClient, report_id: str) -> None:
    answer = client.get(f"/get_report?report_id={report_id}", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")


def test_wait_waits_and_no_longer_than_asked(client: FlaskClient, report_id: str) -> None:
    began = time.monotonic()
    assert said(client.get(f"/get_report?report_id={report_id}&wait=1"))["status"] == "Running"
    assert 1 <= time.monotonic() - began < 30


def test_wait_ends_with_the_report(client: FlaskClient, complete_id: str) -> None:
    began = time.monotonic()
    assert said(client.get(f"/get_report?report_id={complete_id}&wait=30"))["status"] == "Complete"
    assert time.monotonic() - began < 25


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "1.5", "²"])
def test_a_wait_that_makes_no_sense_is_refused(client: FlaskClient, report_id: str, wait: str) -> None:
    answer = client.get(f"/get_report?report_id={report_id}&wait={wait}")
    assert (answer.status_code, said(answer)["field"]) == (400, "wait")


def test_a_failed_report_says_why(client: FlaskClient, database: Database, report_id: str) -> None:
    with database.transaction() as session:
        report = reports.begin_attempt(session, UUID(report_id))
        assert report is not None
        reports.fail(session, report, "The disk is full.")
    assert said(client.get(f"/get_report?report_id={report_id}")) == {
        "status": "Failed",
        "error": "The disk is full.",
    }
    answer = client.get(f"/download/{report_id}")
    assert (answer.status_code, "The disk is full." in said(answer)["detail"]) == (409, True)


def test_no_file_before_the_report_is_complete(client: FlaskClient, report_id: str) -> None:
    answer = client.get(f"/download/{report_id}")
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")


def test_the_id_must_be_given(client: FlaskClient) -> None:
    answer = client.get("/get_report")
    assert (answer.status_code, said(answer)["field"]) == (400, "report_id")


@pytest.mark.parametrize("path", ["/download/{}", "/api/v1/reports/{}/file?format=json"])
def test_a_database_that_is_lost_before_the_first_row_is_told(
    client: FlaskClient, database: Database, complete_id: str, path: str
) -> None:
    reads: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def end_it(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "FROM store_report" in statement:
            reads.append(statement)
            with database.transaction() as other:
                number = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})

    answer = client.get(path.format(complete_id))
    assert (len(reads), answer.status_code) == (1, 503)


@pytest.mark.parametrize("path", ["/get_report?report_id={}", "/download/{}"])
@pytest.mark.parametrize("report_id", [UNKNOWN, "1", "x" * 500, "../../etc/passwd"])
def test_an_unknown_id_is_not_found(client: FlaskClient, path: str, report_id: str) -> None:
    answer = client.get(path.format(report_id))
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_time_before_the_first_poll_gives_the_header_alone(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    report_id = said(client.post("/trigger_report", json={"as_of": "2022-01-01T00:00:00Z"}))["report_id"]
    making.make(database, UUID(report_id))
    assert client.get(f"/download/{report_id}").text == CHICAGO_CSV.splitlines(keepends=True)[0]
