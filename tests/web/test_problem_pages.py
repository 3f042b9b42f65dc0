"""Every error as a page: what happened, what to do, a way on; and what the log knows it by."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask, abort
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch import errors
from storewatch.config import Settings
from storewatch.domain.permissions import PUBLIC, Role
from storewatch.storage.db import Database
from storewatch.web.access import needs
from storewatch.web.app import Edge, create_app
from tests.factories import load_chicago
from tests.web.browsing import HTML, Browser
from tests.web.service import Service

Act = Callable[[Service, Browser], TestResponse]


def run(service: Service, sql: str) -> None:
    with service.database.transaction() as session:
        session.execute(text(sql))


def complete_report(ada: Browser) -> TestResponse:
    load_chicago(ada.service.database)
    place = str(ada.send("/reports").location)
    ada.send(f"{place}/cancel")
    return ada.send(f"{place}/cancel")


def without(service: Service, ada: Browser, sql: str) -> TestResponse:
    run(service, sql)
    return ada.get("/reports")


def too_old(service: Service, ada: Browser) -> TestResponse:
    run(service, "UPDATE alembic_version SET version_num = '0001'")
    return without(service, ada, "ALTER TABLE report RENAME TO gone")


def probed(service: Service, code: int) -> TestResponse:
    """What the library says of a code, with its own words."""
    fresh = Service(service.database)
    fresh.app.add_url_rule("/probe", "probe", needs(PUBLIC)(lambda: abort(code)))
    return fresh.browser().get("/probe", headers=HTML)


def post(ada: Browser, path: str, **options: object) -> TestResponse:
    return ada.client.post(path, headers=HTML, **options)


TABLE: dict[str, tuple[int, Act, str, str, str]] = {
    "a form without its word": (
        400,
        lambda _, a: post(a, "/groups"),
        "This form is too old",
        "copy what you typed",
        "/",
    ),
    "an address": (
        400,
        lambda _, a: a.get("/stores/1?days=x"),
        "This address cannot be read",
        "days must be",
        "/",
    ),
    "another host": (
        400,
        lambda _, a: a.client.get("/", headers=HTML | {"Host": "evil.example"}),
        "You came by another address",
        "Who runs it sets",
        "/",
    ),
    "another site": (
        403,
        lambda _, a: a.client.post("/groups", headers=HTML | {"Origin": "http://evil.example"}),
        "Another site sent you",
        "Nothing was done",
        "/",
    ),
    "a token of nobody": (
        401,
        lambda s, _: s.browser().get("/levels?after=x&id=y", headers=HTML | {"Authorization": "Bearer x"}),
        "You are not logged in",
        "Log in, then come back",
        "/login?next=/levels?after%3Dx%26id%3Dy",
    ),
    "an admin's page": (
        403,
        lambda s, _: Browser(s, "vera@example.com").get("/audit"),
        "This is not yours to do",
        "Ask an administrator",
        "/",
    ),
    "no page": (
        404,
        lambda _, a: a.get("/nowhere"),
        "There is nothing here",
        "No page of this storewatch",
        "/",
    ),
    "no store": (
        404,
        lambda _, a: a.get("/stores/17"),
        "There is nothing here",
        "There is no store &#39;17&#39;",
        "/",
    ),
    "no reading": (
        405,
        lambda _, a: a.get("/logout"),
        "This address does not do that",
        "go there by a link",
        "/",
    ),
    "too late": (
        409,
        lambda _, a: complete_report(a),
        "This cannot be done as things are now",
        "reload the page",
        "/",
    ),
    "a used link": (
        410,
        lambda s, _: s.browser().get("/link/used", headers=HTML),
        "This link works no more",
        "If you used it already, log in",
        "/forgot",
    ),
    "a long form": (
        413,
        lambda _, a: post(a, "/groups", data={"name": "x" * 70_000}),
        "This is too large",
        "Send less at once",
        "/",
    ),
    "a strange form": (415, lambda s, _: probed(s, 415), "This form is not known here", "does not take", "/"),
    "a wrong form": (
        422,
        lambda s, _: probed(s, 422),
        "Something in this is wrong",
        "nothing of it was done",
        "/",
    ),
    "too many": (429, lambda s, _: probed(s, 429), "Too much at once", "Wait a moment", "/probe"),
    "our fault": (
        500,
        lambda s, a: without(s, a, "ALTER TABLE report RENAME TO gone"),
        "Something went wrong",
        "nothing that you did",
        "/reports",
    ),
    "an older schema": (503, too_old, "Not just now", "storewatch db upgrade", "/reports"),
}


@pytest.mark.parametrize("case", TABLE)
def test_an_error_says_what_happened_and_what_to_do(service: Service, case: str) -> None:
    status, act, head, words, way = TABLE[case]
    answer = act(service, Browser(service, "ada@example.com", Role.ADMIN))
    page = answer.text.partition("<main")[2].partition("</main>")[0]
    assert answer.status_code == status
    assert f"<title>{head} ({status}) · storewatch</title>" in unescape(answer.text)
    assert f"<h1>{head}.</h1>" in unescape(page)
    assert words in page
    assert "What to do." in page
    assert f'href="{way}"' in page
    assert f"Request {answer.headers['X-Request-Id']}, " in page
    assert "UTC" in page
    for inner in ("Traceback", "sqlalchemy", "psycopg", "requested URL", "relation ", "line 1"):
        assert inner not in page


def test_without_its_database_a_page_says_wait() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    app: Flask = create_app(Settings(), nowhere, Edge(login=False))
    answer = app.test_client().get("/levels?done=made", headers=HTML)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "<h1>Not just now.</h1>" in answer.text
    assert 'href="/levels?done=made">Try again</a>' in answer.text
    assert "127.0.0.1" not in answer.text
    nowhere.close()


def test_the_log_tells_an_error_by_the_number_of_its_page(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = without(
        service, Browser(service, "ada@example.com", Role.ADMIN), "ALTER TABLE report RENAME TO gone"
    )
    number = re.search(r"Request (\w{12}),", answer.text)
    assert number
    assert number[1] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("referer", "way"),
    [("http://localhost/groups?after=Elm", "/groups?after=Elm"), ("http://evil.example/groups", None)],
)
def test_there_is_a_way_back_to_the_page_before_if_it_was_ours(
    service: Service, referer: str, way: str | None
) -> None:
    ada = Browser(service, "ada@example.com", Role.ADMIN)
    page = ada.client.post("/groups", headers=HTML | {"Referer": referer}).text
    assert (f'href="{way}">Back to the page before</a>' in page) is (way is not None)
    assert "evil.example" not in page


@pytest.mark.parametrize(
    ("kind", "status"), [(errors.GoneError, 410), (errors.NotFoundError, 404), (errors.TooLargeError, 413)]
)
def test_a_program_gets_a_problem_with_the_same_number(
    service: Service, kind: type[errors.StorewatchError], status: int
) -> None:
    def fail() -> str:
        raise kind("Lost.")

    service.app.add_url_rule("/probe", "probe", needs(PUBLIC)(fail))
    answer = service.browser().get("/probe")
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["detail"] == "Lost."
    assert len(answer.headers["X-Request-Id"]) == 12
