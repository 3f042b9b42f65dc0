"""Logging in and out, with a browser's cookie."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.domain.permissions import COMMAND, Role
from storewatch.services import reporting
from tests.factories import load_chicago
from tests.web.service import PASSWORD, Service

HTML = {"Accept": "text/html"}


def log_in(browser: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
    return browser.post("/login", data={"email": email, "password": password, **more}, headers=HTML)


def test_a_stranger_is_sent_to_the_login_and_back(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    sent = browser.get("/?x=1", headers=HTML)
    assert (sent.status_code, sent.location) == (303, "/login?next=/?x%3D1")
    assert browser.get("/", headers={"Accept": "application/json"}).status_code == 401
    answer = log_in(browser, "ADA@example.com", next="/?x=1")
    assert (answer.status_code, answer.location) == (303, "/?x=1")
    assert browser.get("/", headers=HTML).status_code == 200


def test_the_cookie_is_worth_nothing_after_the_logout(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    cookie = browser.get_cookie("storewatch")
    assert cookie is not None
    token = word_of(browser)
    assert browser.post("/logout", data={"csrf_token": token}, headers=HTML).status_code == 303
    thief = service.browser()
    thief.set_cookie("storewatch", cookie.value)
    assert thief.get("/", headers=HTML).status_code == 303


def word_of(browser: FlaskClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', browser.get("/api", headers=HTML).text)
    assert found
    return found[1]


def test_a_form_without_our_word_changes_nothing(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    assert browser.post("/logout", headers=HTML).status_code == 400
    assert browser.post("/api/v1/groups", json={"name": "x"}).status_code == 400
    word = {"X-CSRFToken": word_of(browser)}
    assert browser.post("/api/v1/groups", json={"name": "x"}, headers=word).status_code == 201


def test_the_pages_own_button_starts_a_report(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    load_chicago(service.database)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    page = browser.get("/reports", headers=HTML).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    assert "Log out" in page
    assert browser.post("/reports", data={"csrf_token": found[1]}, headers=HTML).status_code == 303
    assert len(reporting.latest(service.database, COMMAND)) == 1


def test_no_message_tells_whether_an_account_exists(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    tried = ("ada@example.com", "b@c.de")
    wrong, unknown = (log_in(service.browser(), email, "wrong password") for email in tried)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("ada@example.com", "b@c.de") == unknown.text


def test_failed_logins_slow_down_for_accounts_that_exist_and_that_do_not(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    for email in ("ada@example.com", "b@c.de"):
        codes = [log_in(service.browser(), email, "wrong password").status_code for _ in range(7)]
        assert codes == [401] * 5 + [429] * 2
        assert log_in(service.browser(), email).headers["Retry-After"]


def test_an_address_that_no_database_can_hold_is_unknown(service: Service) -> None:
    assert log_in(service.browser(), "a\0@example.com").status_code == 401


def test_many_logins_at_once_gain_nothing(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    with ThreadPoolExecutor(12) as threads:
        tries = threads.map(
            lambda _: log_in(service.browser(), "ada@example.com", "wrong password"), range(12)
        )
        codes = sorted(answer.status_code for answer in tries)
    assert codes == [401] * 5 + [429] * 7


def test_a_link_does_not_start_a_report_in_a_session(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    refused = browser.get("/trigger_report")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


def test_a_bad_token_is_refused_even_beside_a_good_cookie(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    assert browser.get("/api/v1/groups").status_code == 200
    assert browser.get("/api/v1/groups", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_page_that_only_asks_by_itself_does_not_keep_a_login_alive(service: Service) -> None:
    def seen(set_back: bool = False) -> timedelta:
        with service.database.transaction() as session:
            if set_back:
                session.execute(text("UPDATE login SET last_seen_at = now() - interval '11 hours'"))
            found = session.execute(text("SELECT now() - last_seen_at FROM login")).scalar_one()
            assert isinstance(found, timedelta)
            return found

    load_chicago(service.database)
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    log_in(browser, "ada@example.com")
    seen(set_back=True)
    for path in ("/now", "/now?cards=1", "/store-now?store=1"):
        assert browser.get(path, headers=HTML).status_code == 200
    assert seen() > timedelta(hours=10)
    assert browser.get("/", headers=HTML).status_code == 200
    assert seen() < timedelta(hours=1)
