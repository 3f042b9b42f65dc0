"""The number of a request, and what of it is logged."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storewatch.cli.logs import configure_log
from storewatch.errors import SettingsError
from storewatch.storage.db import Database
from tests.factories import load_chicago


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a service writes to its log."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure_log("json", "web")
    yield out
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("number", ["7f3a-11.b_2", "a" * 64])
def test_a_number_that_comes_with_a_request_is_kept(client: FlaskClient, number: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": number}).headers["X-Request-Id"] == number


@pytest.mark.parametrize(
    "number", ["", "short", "a" * 65, "a b c d e f", "abcdefgh\x1b[31m", "{'a': '12345'}"]
)
def test_a_number_that_could_do_harm_is_replaced(client: FlaskClient, number: str) -> None:
    found = client.get("/healthz", headers={"X-Request-ID": number}).headers["X-Request-Id"]
    assert (len(found), found == number) == (12, False)


def test_each_line_of_a_request_has_its_number(
    client: FlaskClient, database: Database, written: io.StringIO
) -> None:
    load_chicago(database)
    answer = client.post("/trigger_report", headers={"X-Request-ID": "from-the-proxy"})
    queued, request = lines(written)
    assert answer.json is not None
    assert (queued["event"], queued["report_id"]) == ("report queued", answer.json["report_id"])
    told = {name: request[name] for name in ("event", "method", "path", "status", "level", "process")}
    assert told == {
        "event": "request",
        "method": "POST",
        "path": "/trigger_report",
        "status": 202,
        "level": "info",
        "process": "web",
    }
    assert {line["request_id"] for line in (queued, request)} == {"from-the-proxy"}
    assert request["timestamp"].endswith("Z")


def test_what_merely_reads_leaves_no_line(client: FlaskClient, written: io.StringIO) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/nowhere").status_code == 404
    assert written.getvalue() == ""


def test_a_path_cannot_begin_a_line_of_its_own(client: FlaskClient, written: io.StringIO) -> None:
    client.post('/a%0A{"event": "all is well"}')
    assert [line["path"] for line in lines(written)] == ['/a\\x0a{"event": "all is well"}']


def test_no_secret_is_logged(database: Database, written: io.StringIO) -> None:
    log, secret = structlog.get_logger(), "hunter" + "2"  # a traceback shows the lines of this file
    log.warning("no way", url=f"smtp://me:{secret}@mail.example", header=f"Authorization: Bearer {secret}")
    log.warning("a link", page=f"https://stores.example.com/link/{secret}?x=1")
    try:
        with database.session() as session:
            session.execute(text("SELECT :secret FROM nowhere"), {"secret": secret})
    except DBAPIError:
        log.exception("it failed")
    assert secret not in written.getvalue()
    assert "nowhere" in lines(written)[2]["exception"]
    assert lines(written)[0]["url"] == "smtp://…@mail.example"


def test_a_format_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="auto, json or text"):
        configure_log("xml")


def test_text_is_for_people(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", written)  # pytest has put its own in place since
    configure_log("text")
    structlog.get_logger().info("hello", store_id="1")
    assert "[info     ] hello" in written.getvalue()
    assert logging.getLogger().handlers  # pytest's own, which stay
