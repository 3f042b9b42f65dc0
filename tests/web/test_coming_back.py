"""Who was logged out comes back to where they were, after the login, and never to another site."""

from __future__ import annotations

import pytest

from storewatch.domain.permissions import Role
from tests.web.browsing import HTML, Browser
from tests.web.service import Service
from tests.web.test_login import log_in

DEEP = (
    "/?state=down&group=&sort=down&q=maple%2017&page=2",
    "/stores/maple/17?days=30&to=2026-01-31&min=10",
    "/stores/a%3Fb?days=1",
    "/reports?after=2026-01-31T10:00:00.000000Z_7fe6eacb-7612-4777-87d3-9bc35ff35dde",
    "/months/2026-01?store=caf%C3%A9",
    "/exceptions/new?store=17&effect=closed&start=2026-01-01T00:00",
)


@pytest.mark.parametrize("place", DEEP)
def test_a_deep_link_is_where_the_login_leads(service: Service, place: str) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    sent = browser.get(place, headers=HTML)
    assert sent.status_code == 303
    login = browser.get(sent.location, headers=HTML)
    assert "you are led there afterwards" in login.text
    answer = log_in(browser, "ada@example.com", next=login.request.args["next"])
    assert answer.location == place


EVIL = (
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/%0d%0aLocation:%20https://evil.example\r\nX: y",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "@evil.example",
    "evil.example",
    "//[",
    "/\u2028/evil.example",
    "http://localhost@evil.example/",
    "/logout",
    "/login?next=//evil.example",
    "/nowhere",
    "",
)


@pytest.mark.parametrize("place", EVIL, ids=repr)
def test_no_other_place_is_where_the_login_leads(service: Service, place: str) -> None:
    service.person("ada@example.com", Role.ADMIN)
    browser = service.browser()
    assert 'name="next" value="/"' in browser.get("/login", query_string={"next": place}).text
    assert log_in(browser, "ada@example.com", next=place).location == "/"
    assert browser.get("/login", query_string={"next": place}).location == "/"  # logged in already


FORMS = (
    ("/groups", "http://localhost/groups?done=made", "/groups"),
    ("/levels", "http://localhost/levels?after=a&id=b", "/levels?after%3Da%26id%3Db"),
    (
        "/account/tokens",
        "http://localhost/account/tokens",
        "/account",
    ),  # it was wrong once
    ("/people/invitations", "http://localhost/people/invitations", "/people"),
    ("/hours/edit?store=1", "http://localhost/hours/edit?store=1", "/hours/edit?store%3D1"),
    ("/groups", "http://evil.example/people", "/"),
    ("/groups", "http://[", "/"),
    ("/groups", "", "/"),
)


@pytest.mark.parametrize(("path", "referer", "place"), FORMS)
def test_a_form_sent_too_late_says_so_and_leads_back_to_its_page(
    service: Service, path: str, referer: str, place: str
) -> None:
    browser = service.browser()
    sent = browser.post(path, data={"name": "Elm"}, headers={**HTML, "Referer": referer})
    assert (sent.status_code, sent.location) == (303, f"/login?next={place}&sent=yes")
    assert "what you sent was not done" in browser.get(sent.location, headers=HTML).text


@pytest.mark.parametrize(
    ("referer", "place"),
    [("http://localhost/reports?after=x", "/reports?after=x"), ("http://evil.example/", "/"), ("", "/")],
)
def test_a_theme_is_chosen_without_losing_the_page(service: Service, referer: str, place: str) -> None:
    browser = Browser(service, "ada@example.com", Role.ADMIN)
    form = {"csrf_token": browser.word(), "theme": "dark"}
    answer = browser.client.post("/theme", data=form, headers={**HTML, "Referer": referer})
    assert (answer.status_code, answer.location) == (303, place)
