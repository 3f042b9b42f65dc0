"""A forgotten password, with mail and without."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.domain.permissions import Role
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.web.service import Service
from tests.web.test_login import log_in, word_of

HTML = {"Accept": "text/html"}


@pytest.fixture
def mailing(database: Database, service: Service) -> FlaskClient:
    """A browser on a service that sends mails."""
    service.person("ada@example.com", Role.ADMIN)
    edge = Edge(mail=True, trusted_proxies=("127.0.0.1",), limits=False)
    return create_app(Settings(), database, edge).test_client()


def ask(browser: FlaskClient, email: str, address: str = "192.0.2.7") -> TestResponse:
    return browser.post("/forgot", data={"email": email}, headers=HTML | {"X-Forwarded-For": address})


def waiting(database: Database) -> list[dict[str, str]]:
    with database.session() as session:
        return list(session.execute(text("SELECT args FROM procrastinate_jobs ORDER BY id")).scalars())


def test_without_mail_it_is_said_whom_to_ask(service: Service) -> None:
    browser = service.browser()
    assert "storewatch user reset-password" in browser.get("/forgot", headers=HTML).text
    assert ask(browser, "ada@example.com").status_code == 409
    assert waiting(service.database) == []


def test_with_mail_the_answer_and_the_work_are_the_same_for_everybody(
    mailing: FlaskClient, database: Database
) -> None:
    assert "Send the mail" in mailing.get("/forgot", headers=HTML).text
    known, unknown = (ask(mailing, email) for email in ("ada@example.com", "bob@example.com"))
    assert known.status_code == unknown.status_code == 202
    assert known.text.replace("ada@", "bob@") == unknown.text
    assert [job["email"] for job in waiting(database)] == ["ada@example.com", "bob@example.com"]


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a\0b@c.de", "ada@example.com, eve@evil.example"])
def test_what_is_no_address_is_said(mailing: FlaskClient, database: Database, email: str) -> None:
    answer = ask(mailing, email)
    assert (answer.status_code, "is not an email address" in answer.text) == (400, True)
    assert waiting(database) == []


def test_nobody_is_flooded(mailing: FlaskClient, database: Database) -> None:
    for email in ("ada@example.com", "bob@example.com"):
        asked = [ask(mailing, email, f"192.0.2.{n}") for n in range(5)]
        assert [answer.status_code for answer in asked] == [202] * 3 + [429] * 2
        assert 3500 < int(asked[-1].headers["Retry-After"]) <= 3601
    assert ask(mailing, "Ada@Example.com").status_code == 429
    assert len(waiting(database)) == 6


def test_nobody_floods_many(mailing: FlaskClient) -> None:
    codes = [ask(mailing, f"{n}@example.com").status_code for n in range(22)]
    assert codes == [202] * 20 + [429] * 2
    assert ask(mailing, "99@example.com", "192.0.2.8").status_code == 202


def test_who_failed_to_log_in_can_still_ask_and_log_in_after(mailing: FlaskClient, service: Service) -> None:
    for _ in range(6):
        log_in(mailing, "ada@example.com", "wrong password")
    assert ask(mailing, "ada@example.com").status_code == 202
    for _ in range(3):
        ask(mailing, "bob@example.com")
    assert log_in(mailing, "bob@example.com", "wrong password").status_code == 401


def test_who_is_logged_in_needs_the_word_of_our_forms(mailing: FlaskClient) -> None:
    log_in(mailing, "ada@example.com")
    assert ask(mailing, "bob@example.com").status_code == 400
    data = {"email": "bob@example.com", "csrf_token": word_of(mailing)}
    assert mailing.post("/forgot", data=data, headers=HTML).status_code == 202
