"""Hosts, origins and headers."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storewatch.storage.db import Database
from tests.factories import load_chicago


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:8000"]
)
def test_loopback_names_are_served(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "192.168.0.1", "[::1"]
)
def test_other_names_are_not_for_they_may_be_rebound_to_us(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_page_cannot_start_a_report(
    client: FlaskClient, database: Database, method: str, headers: dict[str, str]
) -> None:
    load_chicago(database)
    assert client.open("/trigger_report", method=method, headers=headers).status_code == 403


def test_our_own_page_can(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/reports", headers=headers).status_code == 303


def test_a_link_from_elsewhere_to_a_page_is_followed(client: FlaskClient) -> None:
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_every_answer_keeps_to_itself(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/style.css"):
        with client.get(path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_page_is_a_problem_or_a_page_as_asked(client: FlaskClient) -> None:
    assert client.get("/nowhere").mimetype == "application/problem+json"
    page = client.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.delete("/trigger_report")
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)
