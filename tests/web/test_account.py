"""/account, with a browser's cookie."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.domain.permissions import GroupRole
from tests.web.service import PASSWORD, Service, Token

HTML = {"Accept": "text/html"}
NEW = "another password of mine"


@pytest.fixture
def browser(service: Service) -> FlaskClient:
    """Vera's, logged in."""
    service.person("vera@maple.example", Maple=GroupRole.VIEWER)
    found = service.browser()
    assert log_in(found).status_code == 303
    return found


def log_in(browser: FlaskClient, password: str = PASSWORD) -> TestResponse:
    return browser.post("/login", data={"email": "vera@maple.example", "password": password}, headers=HTML)


def page(browser: FlaskClient) -> str:
    return browser.get("/account", headers=HTML).text


def send(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Sends a form of the page."""
    word = re.search(r'name="csrf_token" value="([^"]+)"', page(browser))
    assert word
    return browser.post(path, data={"csrf_token": word[1], **fields}, headers=HTML)


def test_the_page_says_who_is_logged_in_and_is_linked_from_every_page(browser: FlaskClient) -> None:
    assert 'href="/account"' in browser.get("/", headers=HTML).text
    assert "vera@maple.example. You see the stores of your groups." in page(browser)
    assert "Maple: viewer" in page(browser)


def test_a_token_is_made_shown_once_listed_and_revoked(service: Service, browser: FlaskClient) -> None:
    made = send(browser, "/account/tokens", name="<poller>", scope="read", life="30d")
    found = re.search(r'class="secret">([^<]+)<', made.text)
    assert (made.status_code, made.headers["Cache-Control"], found is not None) == (200, "no-store", True)
    assert found
    token = Token(service.browser(), found[1])
    assert token.get("/api/v1/users/me").status_code == 200
    shown = page(browser)
    assert found[1] not in shown
    assert "&lt;poller&gt;" in shown
    path = re.search(r'action="(/account/tokens/[^"]+/revoke)"', shown)
    assert path
    assert send(browser, path[1]).location == "/account?done=token"
    assert token.get("/api/v1/users/me").status_code == 401
    assert "You have none." in page(browser)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"name": " "}, 400, "Give the token a name"),
        ({"name": "x" * 201}, 400, "200 characters"),
        ({"name": "\0"}, 400, "printable"),
        ({"scope": "all"}, 400, "what the token may do"),
        ({"life": "5000d"}, 400, "when the token ends"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_on_the_page(
    browser: FlaskClient, change: dict[str, str], status: int, told: str
) -> None:
    wanted = {"name": "poller", "scope": "read", "life": "30d"} | change
    answer = send(browser, "/account/tokens", **wanted)
    assert (answer.status_code, told in answer.text, "A new token" in answer.text) == (status, True, True)


def test_the_password_is_changed_and_other_sessions_end(service: Service, browser: FlaskClient) -> None:
    other = service.browser()
    log_in(other)
    done = send(browser, "/account/password", old=PASSWORD, password=NEW)
    assert (done.status_code, done.location) == (303, "/account?done=password")
    assert "Your password is changed" in browser.get(done.location, headers=HTML).text
    assert other.get("/account", headers=HTML).status_code == 303
    assert log_in(service.browser()).status_code == 401
    assert log_in(service.browser(), NEW).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "status", "told"),
    [
        ("wrong", NEW, 401, "The present password is wrong."),
        (PASSWORD, "short", 400, "10 characters or more"),
    ],
)
def test_a_password_that_will_not_do_is_refused_on_the_page(
    service: Service, browser: FlaskClient, old: str, new: str, status: int, told: str
) -> None:
    answer = send(browser, "/account/password", old=old, password=new)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert log_in(service.browser()).status_code == 303


def test_guesses_of_the_old_password_are_slowed_down_with_those_at_the_login(
    service: Service, browser: FlaskClient
) -> None:
    guesses = [send(browser, "/account/password", old="wrong", password=NEW).status_code for _ in range(6)]
    assert guesses == [401] * 5 + [429]
    assert send(browser, "/account/password", old=PASSWORD, password=NEW).status_code == 429
    assert log_in(service.browser()).status_code == 429


def test_logging_out_everywhere_ends_this_session_too(service: Service, browser: FlaskClient) -> None:
    other = service.browser()
    log_in(other)
    assert send(browser, "/account/sessions/end").location == "/login"
    for each in (browser, other):
        assert each.get("/account", headers=HTML).status_code == 303


@pytest.mark.parametrize("path", ["tokens", "password", "sessions/end"])
def test_a_form_of_another_site_does_nothing(browser: FlaskClient, path: str) -> None:
    assert browser.post(f"/account/{path}", data={"name": "x"}, headers=HTML).status_code == 400


def test_without_logins_the_page_says_so(client: Any) -> None:
    assert "runs without logins" in client.get("/account", headers=HTML).text
    assert client.post("/account/password", data={"old": "x", "password": NEW}).status_code == 403
    assert client.post("/account/sessions/end").status_code == 403
