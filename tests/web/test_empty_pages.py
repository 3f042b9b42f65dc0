"""Pages while there is nothing to show yet: each says what it will show, and how to get there."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole, Role
from storewatch.services.samples import NAMES
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.browsing import HTML, Browser
from tests.web.service import Service

EMPTY = {
    "/": ("Begin with your three files", "/imports"),
    "/reports": ("how much each store was up and down in its opening hours", "/imports"),
    "/imports": ("send your files", "/samples/store_status.csv"),
    "/levels": ("this page shows how much of it is used", "/imports"),
    "/months/2026-11": ("This page tells a month", "/imports"),
    "/people": ("So far only you may log in here", "#h-invite"),
    "/groups": ("A group holds the stores of a brand", "/people#h-invite"),
    "/account": ("A program that sends polls or fetches reports needs one", "/api"),
}
MEMBERS = {
    "/": "Ask who runs storewatch to put you into one",
    "/reports": "You belong to no group, so you see none",
    "/levels": "It is counted from polls, and none has come yet",
    "/months/2026-11": "It is made of polls, and none has come yet",
    "/people": "You see yourself here",
    "/groups": "So you see no store. Ask who invited you",
    "/account": "A program that sends polls",
}


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_page_says_what_it_will_show_and_leads_there(service: Service, path: str) -> None:
    page = Browser(service, "ada@example.com", Role.ADMIN).read(path)
    sentence, link = EMPTY[path]
    assert sentence in page
    assert f'href="{link}"' in page.partition("<main")[2]


@pytest.mark.parametrize("path", MEMBERS)
def test_a_member_is_told_whom_to_ask_and_sent_nowhere_that_is_not_theirs(
    service: Service, path: str
) -> None:
    page = Browser(service, "mia@example.com").read(path).partition("<main")[2]
    assert MEMBERS[path] in page
    assert "/imports" not in page
    assert "storewatch import" not in page


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/audit", "Here stands who logs in"),
        ("/people", "This page will show who may log in"),
        ("/", "Begin with your three files"),
    ],
)
def test_without_logins_too(client: FlaskClient, path: str, sentence: str) -> None:
    assert sentence in client.get(path, headers=HTML).text


def test_the_samples_fit_together_and_fill_the_pages(client: FlaskClient, database: Database) -> None:
    found = set(re.findall(r'href="/samples/([^"]+)"', client.get("/", headers=HTML).text))
    assert found == set(NAMES)
    for name in NAMES:
        answer = client.get(f"/samples/{name}")
        assert (answer.mimetype, name in answer.headers["Content-Disposition"]) == ("text/csv", True)
        load(database, answer.text)
    assert client.get("/", headers=HTML).text.count('<article class="card') == 3


def test_there_is_no_other_sample(client: FlaskClient) -> None:
    assert client.get("/samples/passwd").status_code == 404


def test_a_manager_may_invite_at_once(service: Service) -> None:
    service.group("Maple", "maple-17")
    page = Browser(service, "mia@example.com", Maple=GroupRole.MANAGER).read("/people")
    assert "Invite somebody" in page
    assert "make a group" not in page


def test_a_member_of_a_group_reads_what_a_report_waits_for(service: Service) -> None:
    service.group("Maple", "maple-17")
    page = Browser(service, "mia@example.com", Maple=GroupRole.VIEWER).read("/reports")
    assert "Once who runs this storewatch loads some, you start it here" in page
