"""Links of alerts: they show, ask, do one thing, for one person, without a login."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.alerting import Town, minutes_ago, polled, ways
from tests.post_office import PostOffice, post_office
from tests.web.browsing import HTML
from tests.web.service import Service

ACTIONS = ("snooze", "tomorrow", "acknowledge", "closed", "leave")


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as open_now:
        yield open_now


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)


@pytest.fixture
def links(service: Service, town: Town, office: PostOffice) -> dict[str, str]:
    """The paths of the links in a mail to the manager of the group of a store that is down."""
    at = [(30, "active"), (20, "inactive"), (10, "inactive")]
    polled(service.database, *[("17", minutes_ago(each), status) for each, status in at])
    maple = service.group("maple", "17")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    town.tell(town.down("17", minutes_ago(20)), "begun", maple, email="mia@maple.example")
    town.work(ways(office))
    found = re.findall(r"https://stores\.example(/alerts/\S+)", office.texts()[0])
    return dict(zip(ACTIONS, found, strict=True))


def one(service: Service, query: str) -> Any:
    with service.database.session() as session:
        return session.execute(text(query)).scalar()


SNOOZED = "SELECT round(extract(epoch FROM snoozed_until - now()) / 3600) FROM incident"
ACKNOWLEDGED = "SELECT acknowledged_at IS NOT NULL FROM incident"
MUTED = "SELECT count(*) FROM alert_mute"
EXCEPTIONS = "SELECT count(*) FROM exception WHERE effect = 'closed'"
CHANGES = (SNOOZED, ACKNOWLEDGED, MUTED, EXCEPTIONS)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("snooze", "Say no more of it for 4 hours?"),
        ("tomorrow", "until tomorrow?"),
        ("acknowledge", "Have you seen it?"),
        ("closed", "Was it closed on purpose?"),
        ("leave", "No more of these mails?"),
    ],
)
def test_following_a_link_shows_what_it_would_do_and_for_whom_and_does_nothing(
    service: Service, links: dict[str, str], action: str, words: str
) -> None:
    before = [one(service, query) for query in CHANGES]
    answer = service.browser().get(links[action], headers=HTML)
    assert answer.status_code == 200
    assert words in answer.text
    assert "mia@maple.example" in answer.text
    assert [one(service, query) for query in CHANGES] == before
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]


CLOSED = {"effect": "closed", "until": "2099-01-01T08:00", "note": "water damage"}


@pytest.mark.parametrize(
    ("action", "form", "query", "expected"),
    [
        ("snooze", {}, SNOOZED, 4),
        ("acknowledge", {}, ACKNOWLEDGED, True),
        ("leave", {}, MUTED, 1),
        ("leave", {"List-Unsubscribe": "One-Click"}, MUTED, 1),
    ],
)
def test_sending_it_does_it_without_a_cookie_and_twice_is_as_good_as_once(
    service: Service, links: dict[str, str], action: str, form: dict[str, str], query: str, expected: Any
) -> None:
    for _ in range(2):
        answer = service.browser().post(links[action], data=form, headers=HTML)
        assert (answer.status_code, one(service, query)) == (200, expected)
    assert one(service, "SELECT count(*) FROM audit WHERE via = 'link' AND email = 'mia@maple.example'") > 0


def test_closed_on_purpose_makes_an_exception_from_the_beginning_of_the_outage(
    service: Service, links: dict[str, str]
) -> None:
    until = f"{minutes_ago(-1500):%Y-%m-%dT%H:%M}"
    answer = service.browser().post(links["closed"], data=CLOSED | {"until": until}, headers=HTML)
    assert answer.status_code == 200
    assert "can be undone there" in answer.text
    begun = one(service, "SELECT start_at FROM exception WHERE effect = 'closed' AND note = 'water damage'")
    # half way between the last poll that was up and the first that was down; a minute may have begun since
    assert begun in (minutes_ago(25), minutes_ago(26))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"until": "2001-01-01T00:00"}, "a time that is to come"),
        ({"until": "soon"}, "until when"),
        ({"until": "2099-01-01T08:00"}, "more than 366 days"),
        ({"note": ""}, "The reason is missing"),
        ({"effect": "up"}, "Choose one of the list"),
    ],
)
def test_a_form_that_makes_no_sense_comes_back_with_what_was_entered(
    service: Service, links: dict[str, str], change: dict[str, str], words: str
) -> None:
    form = CLOSED | {"until": f"{minutes_ago(-1500):%Y-%m-%dT%H:%M}"} | change
    answer = service.browser().post(links["closed"], data=form, headers=HTML)
    assert answer.status_code == 422
    assert words in answer.text
    assert one(service, "SELECT count(*) FROM exception") == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE incident SET ended_at = now()", 409),
        ("UPDATE account SET active = false", 404),
        ("DELETE FROM membership", 404),
        ("UPDATE membership SET role = 'viewer'", 403),
        ("DELETE FROM incident", 404),
    ],
)
def test_what_who_got_the_link_may_no_longer_do_the_link_does_not_do(
    service: Service, links: dict[str, str], change: str, status: int
) -> None:
    with service.database.transaction() as session:
        session.execute(text(change))
    for send in (service.browser().get, service.browser().post):
        assert send(links["acknowledge"], headers=HTML).status_code == status


@pytest.mark.parametrize("change", ["x", "cut", "other"])
def test_a_link_that_was_changed_opens_nothing(service: Service, links: dict[str, str], change: str) -> None:
    path = links["snooze"]
    path = {"x": "/alerts/x", "cut": path[:-1], "other": path[:9] + "A" + path[10:]}[change]
    for send in (service.browser().get, service.browser().post):
        assert send(path, headers=HTML).status_code == 404


def test_whoever_is_logged_in_plays_no_part_and_no_word_of_the_session_is_needed(
    service: Service, links: dict[str, str]
) -> None:
    browser = service.browser()
    service.person("otto@example.com")
    form = {"email": "otto@example.com", "password": "correct horse battery"}
    assert browser.post("/login", data=form, headers=HTML).status_code == 303
    assert browser.post(links["acknowledge"], headers=HTML).status_code == 200
    query = "SELECT email FROM audit WHERE action = 'acknowledge'"
    assert one(service, query) == "mia@maple.example"


def test_another_site_cannot_send_it(service: Service, links: dict[str, str]) -> None:
    headers = {"Origin": "https://evil.example"}
    assert service.browser().post(links["acknowledge"], headers=headers).status_code == 403
