"""The page."""

from __future__ import annotations

from uuid import UUID

from flask.testing import FlaskClient

from storewatch.domain.permissions import COMMAND
from storewatch.services import reporting
from storewatch.storage import reports
from storewatch.storage.db import Database
from tests.factories import load_chicago
from tests.web.conftest import said


def test_without_polls_it_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "No polls yet." in page
    assert "storewatch import" in page
    assert client.post("/").status_code == 303  # the button is not there, and pressing it does no harm


def test_with_polls_it_offers_a_report(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "No report yet." in client.get("/").text


def test_a_report_is_started_watched_and_read(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert client.post("/").headers["Location"] == "/"
    running = client.get("/").text
    assert "A report is being made." in running
    assert 'http-equiv="refresh"' in running
    (report,) = reporting.latest(database, COMMAND)
    reporting.make(database, report.report_id)
    done = client.get("/").text
    assert "as of Mon 23 Jan 2023, 17:15:00 UTC" in done
    assert f"/download/{report.report_id}" in done
    assert "1 store gave no zone: counted in America/Chicago." in done
    assert 'http-equiv="refresh"' not in done


def test_a_report_of_chosen_stores_is_not_told_as_one_of_all(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    for body, head in (({}, "<h1>All stores,"), ({"store_ids": ["1"]}, "<h1>Chosen stores,")):
        made = said(client.post("/api/v1/reports", json=body))
        reporting.make(database, UUID(made["report_id"]))
        assert head in client.get("/").text


def test_a_failed_report_says_why(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    client.post("/")
    (report,) = reporting.latest(database, COMMAND)
    with database.transaction() as session:
        taken = reports.begin_attempt(session, UUID(str(report.report_id)))
        assert taken is not None
        reports.fail(session, taken, "The <disk> is full.")
    assert "The &lt;disk&gt; is full." in client.get("/").text


def test_health_tells_the_version(client: FlaskClient) -> None:
    assert said(client.get("/healthz"))["status"] == "ok"
