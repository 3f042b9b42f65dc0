"""POST and GET /trigger_report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND
from storewatch.services import reporting
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.conftest import said


def test_a_report_is_queued_together_with_its_job(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    answer = client.post("/trigger_report")
    assert answer.status_code == 202
    report_id = said(answer)["report_id"]
    assert answer.headers["Location"] == f"/get_report?report_id={report_id}"
    assert reporting.get(database, COMMAND, UUID(report_id)).status == "queued"
    with database.session() as session:
        query = "SELECT args FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'make_report'"
        args = session.execute(text(query)).scalar_one()
    assert args == {"report_id": report_id}


def test_get_works_as_in_the_original(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert client.get("/trigger_report?policy=previous&max_gap=3h").status_code == 202


def test_head_starts_none(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert client.head("/trigger_report").status_code == 405
    assert reporting.latest(database, COMMAND) == []


def test_parameters_of_the_body_reach_the_report(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    body = {"as_of": "2023-01-23T12:00:00-06:00", "policy": "previous", "max_gap": "1h30m"}
    report_id = said(client.post("/trigger_report", json=body))["report_id"]
    report = reporting.get(database, COMMAND, UUID(report_id))
    assert report.as_of_asked is not None
    assert report.as_of_asked.isoformat() == "2023-01-23T18:00:00+00:00"
    assert (report.policy, report.max_gap_us) == ("previous", 90 * 60 * 1_000_000)


def test_a_time_without_offset_is_utc(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    report_id = said(client.post("/trigger_report", json={"as_of": "2023-01-23 18:00"}))["report_id"]
    report = reporting.get(database, COMMAND, UUID(report_id))
    assert report.as_of_asked is not None
    assert report.as_of_asked.isoformat() == "2023-01-23T18:00:00+00:00"


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"as_of": "yesterday"}, "as_of", "write it like"),
        ({"as_of": "2999-01-01T00:00:00Z"}, "as_of", "future"),
        ({"as_of": "1999-01-01T00:00:00Z"}, "as_of", "before the year 2000"),
        ({"as_of": 5}, "as_of", "must be a text"),
        ({"policy": "linear"}, "policy", "nearest or previous"),
        ({"max_gap": "soon"}, "max_gap", "write it like"),
        ({"max_gap": "59s"}, "max_gap", "between 1 minute and 30 days"),
        ({"max_gap": "31d"}, "max_gap", "between 1 minute and 30 days"),
        ({"max_gap": "1d1d"}, "max_gap", "write it like"),
        ({"polcy": "nearest"}, "polcy", "There is no parameter"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    client: FlaskClient, database: Database, body: dict[str, Any], field: str, words: str
) -> None:
    load_chicago(database)
    answer = client.post("/trigger_report", json=body)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert said(answer)["field"] == field
    assert words in said(answer)["detail"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"nearest"', b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_refused(
    client: FlaskClient, database: Database, body: bytes
) -> None:
    load_chicago(database)
    answer = client.post("/trigger_report", data=body)
    assert answer.status_code == 400
    assert "JSON object" in said(answer)["detail"]


def test_without_polls_the_answer_says_what_to_do(client: FlaskClient) -> None:
    answer = client.post("/trigger_report")
    assert answer.status_code == 409
    assert "import store_status first" in said(answer)["detail"]


def test_hours_alone_are_not_polls(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,timezone_str\n1,UTC\n")
    assert client.post("/trigger_report").status_code == 409


def test_a_body_that_is_too_big_is_refused(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    answer = client.post("/trigger_report", data=b"x" * 100_000)
    assert answer.status_code == 413
