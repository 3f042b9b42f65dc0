"""Sessions: what begins one, what ends it, and that nothing of it is left."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.domain.permissions import GroupRole, Role
from storewatch.web.app import Edge, create_app
from tests.web.browsing import Browser
from tests.web.service import PASSWORD, Service

HTML = {"Accept": "text/html"}
HTTPS = "https://stores.example"


def log_in(
    browser: FlaskClient, email: str, password: str = PASSWORD, address: str = "203.0.113.1"
) -> TestResponse:
    form = {"email": email, "password": password}
    return browser.post("/login", data=form, headers=HTML, environ_base={"REMOTE_ADDR": address})


def cookie_of(browser: FlaskClient) -> str:
    found = browser.get_cookie("storewatch")
    assert found is not None
    return found.value


def works(service: Service, cookie: str) -> bool:
    """Whether somebody gets in with a copy of a cookie."""
    thief = service.browser()
    thief.set_cookie("storewatch", cookie)
    return thief.get("/account", headers=HTML).status_code == 200


def test_who_logs_in_as_another_ends_the_first_session(service: Service) -> None:
    service.person("vera@maple.example", Maple=GroupRole.VIEWER)
    ada = Browser(service, "ada@example.com", Role.ADMIN)
    before = cookie_of(ada.client)
    assert works(service, before)
    ada.send("/login", email="vera@maple.example", password=PASSWORD)
    assert "vera@maple.example" in ada.read("/account")
    assert not works(service, before)
    assert works(service, cookie_of(ada.client))


def test_a_new_password_gives_a_new_session_and_ends_the_old_one(service: Service) -> None:
    vera = Browser(service, "vera@maple.example", Maple=GroupRole.VIEWER)
    before = cookie_of(vera.client)
    vera.done("/account/password", old=PASSWORD, password="another password of mine")
    assert not works(service, before)
    assert works(service, cookie_of(vera.client))
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM login")).scalar_one() == 1


def test_a_logout_lets_the_browser_forget_our_pages(service: Service) -> None:
    for path in ("/logout", "/account/sessions/end"):
        vera = Browser(service, f"vera{len(path)}@maple.example", Maple=GroupRole.VIEWER)
        assert vera.send(path).headers["Clear-Site-Data"] == '"cache", "storage"'


def test_a_cookie_of_https_is_of_this_host_alone(service: Service) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = create_app(Settings(), service.database, Edge(url=HTTPS, limits=False)).test_client()
    form = {"email": "ada@example.com", "password": PASSWORD}
    answer = browser.post("/login", data=form, headers=HTML, base_url=HTTPS)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-storewatch=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert len(cookie) < 4096


def test_https_is_for_good_and_http_never_says_so(service: Service, client: Any) -> None:
    https = create_app(Settings(), service.database, Edge(url=HTTPS)).test_client()
    for path in ("/login", "/api/v1/groups", "/static/style.css", "/healthz", "/nothing"):
        with https.get(path, base_url=HTTPS) as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", path
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


def test_every_answer_keeps_itself_to_our_own_pages(client: Any) -> None:
    for path in ("/", "/api/v1/stores", "/static/style.css", "/nothing", "/api"):
        with client.get(path) as answer:
            headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Referrer-Policy"] == "same-origin", path
        for rule in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert rule in headers["Content-Security-Policy"], path
        assert "Access-Control-Allow-Origin" not in headers, path
        if not path.startswith("/static/"):
            assert headers["Cache-Control"] == "no-store", path


def test_a_stranger_who_guesses_does_not_keep_the_owner_out(service: Service) -> None:
    service.person("vera@maple.example", Maple=GroupRole.VIEWER)
    assert log_in(service.browser(), "vera@maple.example").status_code == 303
    guesses = [
        log_in(service.browser(), "vera@maple.example", "wrong", "198.51.100.7").status_code for _ in range(7)
    ]
    assert guesses == [401] * 5 + [429] * 2
    elsewhere = log_in(service.browser(), "vera@maple.example", address="192.0.2.99")
    assert elsewhere.status_code == 429  # nobody knows her there
    assert log_in(service.browser(), "vera@maple.example").status_code == 303


def test_guesses_from_where_somebody_is_known_slow_them_down_there(service: Service) -> None:
    service.person("vera@maple.example", Maple=GroupRole.VIEWER)
    assert log_in(service.browser(), "vera@maple.example").status_code == 303
    codes = [log_in(service.browser(), "vera@maple.example", "wrong").status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2


def test_what_is_refused_is_in_the_log_without_secrets(service: Service) -> None:
    viewer = service.token("vera@maple.example", Maple=GroupRole.VIEWER)
    with capture_logs() as lines:
        viewer.get("/api/v1/audit")
        viewer.client.get("/api/v1/stores", headers={"Authorization": "Bearer storewatch_wrong"})
        viewer.client.post("/link/of-nobody", headers={"Origin": "https://evil.example"})
    refused = [line for line in lines if line["event"] == "refused"]
    told = [(line["status"], line["path"], line["account_id"]) for line in refused]
    assert told == [
        (403, "/api/v1/audit", str(viewer.account_id)),
        (401, "/api/v1/stores", None),
        (403, "/link/…", None),
    ]
    assert not re.search(r"storewatch_|of-nobody", repr(lines))
