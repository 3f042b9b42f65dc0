"""Exceptions beside figures: adjusted and raw, in every answer; and which exception said so."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND
from storewatch.services import reporting
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.factories import load
from tests.web.api.test_report_rows import sheet

POLLS = """store_id,status,timestamp_utc
a,active,2023-01-24 16:00:00
a,inactive,2023-01-24 17:00:00
a,inactive,2023-01-24 18:00:00
a,active,2023-01-24 19:00:00
b,active,2023-01-24 19:00:00
"""
OUTAGE = {"start": "2023-01-24T16:30:00Z", "end": "2023-01-24T18:30:00Z", "note": "the poller was blocked"}
TWO_HOURS = 7_200.0


@pytest.fixture
def client(database: Database) -> FlaskClient:
    load(database, POLLS)
    return create_app(Settings(), database, Edge(login=False, limits=False)).test_client()


def excepted(client: FlaskClient, effect: str, store_id: str = "a") -> str:
    answer = client.post("/api/v1/exceptions", json={"effect": effect, "store_id": store_id} | OUTAGE)
    assert answer.status_code == 201, answer.text
    return str(said(answer)["exception_id"])


def said(answer: Any) -> Any:
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def down(client: FlaskClient, path: str, figures: str = "adjusted") -> float:
    told = said(client.get(f"/api/v1/{path}figures={figures}"))
    rows = told.get("windows") or told["items"]
    return float(sum(row["down_seconds"] for row in rows))


PATHS = ["availability?store_id=a&windows=last_day&", "history?store_id=a&", "history/week?store_id=a&"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("effect", ["up", "excluded", "closed", "ignore_polls"])
def test_what_an_exception_strikes_out_is_there_in_raw_figures(
    client: FlaskClient, path: str, effect: str
) -> None:
    assert (down(client, path), down(client, path, "raw")) == (TWO_HOURS, TWO_HOURS)
    exception_id = excepted(client, effect)
    assert (down(client, path), down(client, path, "raw")) == (0, TWO_HOURS)
    said(client.post(f"/api/v1/exceptions/{exception_id}/undo"))
    assert (down(client, path), down(client, path, "raw")) == (TWO_HOURS, TWO_HOURS)


def test_a_timeline_says_which_exception_decided(client: FlaskClient) -> None:
    exception_id = excepted(client, "excluded")
    told = said(client.get("/api/v1/timeline/a"))["items"]
    [piece] = [piece for piece in told if piece["exception"]]
    assert (piece["state"], piece["poll"], piece["length_seconds"]) == ("excluded", None, TWO_HOURS)
    by = {"effect": "excluded", "exception_id": exception_id, "note": OUTAGE["note"]}
    assert piece["exception"] == by
    raw = said(client.get("/api/v1/timeline/a?figures=raw"))["items"]
    assert {piece["state"] for piece in raw} == {"up", "down"}


def test_a_timeline_lists_the_polls_that_do_not_count(client: FlaskClient) -> None:
    excepted(client, "ignore_polls")
    told = said(client.get("/api/v1/timeline/a"))
    assert [poll["timestamp_utc"] for poll in told["ignored_polls"]] == [
        "2023-01-24T17:00:00.000000Z",
        "2023-01-24T18:00:00.000000Z",
    ]
    assert {piece["state"] for piece in told["items"]} == {"up"}


def made(database: Database) -> str:
    return str(reporting.make_now(database, COMMAND, Request(), 1 << 60, lambda _: None).report_id)


def test_a_report_carries_both_where_they_differ_and_lists_the_exceptions(
    client: FlaskClient, database: Database
) -> None:
    exception_id = excepted(client, "excluded")
    path = f"/api/v1/reports/{made(database)}"
    report = said(client.get(path))
    assert report["figures"]["last_day"]["excluded_seconds"] == TWO_HOURS
    assert report["raw_figures"]["last_day"]["down_seconds"] == TWO_HOURS
    by = {"effect": "excluded", "exception_id": exception_id, "note": OUTAGE["note"]}
    assert report["exceptions"] == [by]
    rows = {row["store_id"]: row["windows"]["last_day"] for row in said(client.get(f"{path}/rows"))["items"]}
    assert (rows["a"]["down_seconds"], rows["a"]["raw"]["down_seconds"]) == (0, TWO_HOURS)
    assert rows["b"]["raw"] is None
    [file] = [said(client.get(f"{path}/file?format=json"))["exceptions"]]
    assert [(each["exception_id"], each["note"]) for each in file] == [(exception_id, OUTAGE["note"])]


def test_the_seven_columns_are_adjusted_or_raw(client: FlaskClient, database: Database) -> None:
    excepted(client, "excluded")
    report_id = made(database)
    for query, cell in (("", "0.00"), ("?figures=adjusted", "0.00"), ("?figures=raw", "2.00")):
        for path in (f"/download/{report_id}{query}", f"/api/v1/reports/{report_id}/file{query}"):
            rows = list(csv.DictReader(io.StringIO(client.get(path).text)))
            assert rows[0]["downtime_last_day"] == cell
    assert client.get(f"/download/{report_id}?figures=all").status_code == 400


def test_an_xlsx_has_a_sheet_of_exceptions_if_there_are_some(client: FlaskClient, database: Database) -> None:
    exception_id = excepted(client, "closed")
    book = client.get(f"/api/v1/reports/{made(database)}/file?format=xlsx").data
    head, row = ([cell for _, cell in line] for line in sheet(book, 3))
    told = dict(zip(head, row, strict=True))
    assert (told["exception_id"], told["effect"], told["note"]) == (exception_id, "closed", OUTAGE["note"])


def test_a_report_without_exceptions_has_one_kind_of_figures(client: FlaskClient, database: Database) -> None:
    report = said(client.get(f"/api/v1/reports/{made(database)}"))
    assert (report["raw_figures"], report["exceptions"]) == (None, [])
