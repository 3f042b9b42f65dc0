"""The page of a group's alerts: managers decide, viewers read, and secrets stay secret."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from tests.alerting import Town, minutes_ago, polled, ways
from tests.outbound.receiver import receiving
from tests.web.browsing import Browser
from tests.web.service import Service

PASTED = "https://hooks.slack.com/services/T12345678/B12345678/abcdefghijklmnopqrstuvwx"


@pytest.fixture
def mia(service: Service) -> Browser:
    polled(service.database, ("17", minutes_ago(30), "inactive"), ("17", minutes_ago(20), "inactive"))
    service.group("maple", "17")
    return Browser(service, "mia@maple.example", maple=GroupRole.MANAGER)


def place(browser: Browser) -> str:
    """The page of the only group that somebody sees."""
    found = re.search(r'href="(/groups/[0-9a-f-]{36})"', browser.read("/groups"))
    assert found
    return f"{found[1]}/alerts"


def test_a_manager_says_what_is_told_and_the_page_says_it_in_sentences(mia: Browser) -> None:
    page = mia.done(
        place(mia), down="yes", still_down_after="2h, 6 h", mass_percent="20", mass_within="10 min",
        no_data_after="90m", budget_percent="80", quiet_from="22:00", quiet_until="07:00",
        quiet_zone="America/Chicago",
    )  # fmt: skip
    for said in (
        "It is still down, after 2 h, 6 h.",
        "more than 20% of the open stores within 10 min",
        "No store of the group was polled for 1 h 30 min.",
        "A service level used 80% of its budget.",
        "Nothing is sent from 22:00 to 07:00 on the clock of America/Chicago",
    ):
        assert said in page
    assert "It is up again: to those" not in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"still_down_after": "soon"}, "Write a length like 2h, 90m or 1h30m"),
        ({"still_down_after": "6h, 2h"}, "in order"),
        ({"mass_percent": "30"}, "need both"),
        ({"mass_percent": "0", "mass_within": "15m"}, "1 to 100 per cent"),
        ({"no_data_after": "1m"}, "5 to 10080 minutes"),
        ({"quiet_from": "22:00"}, "need all three"),
        ({"quiet_from": "22:00", "quiet_until": "22:00", "quiet_zone": "UTC"}, "nothing would ever be said"),
        ({"quiet_from": "22:00", "quiet_until": "07:00", "quiet_zone": "Mars"}, "no such time zone"),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field_and_kept(
    mia: Browser, form: dict[str, str], words: str
) -> None:
    answer = mia.send(place(mia), **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert next(iter(form.values())) in answer.text


def test_an_address_is_shown_masked_and_stands_in_no_page_answer_or_audit(
    service: Service, mia: Browser
) -> None:
    path = place(mia).removesuffix("alerts") + "channels"
    answer = mia.send(path, name="ops room", kind="slack", url=PASTED)
    assert answer.status_code == 200
    vera = Browser(service, "vera@maple.example", maple=GroupRole.VIEWER)
    api = mia.client.get(f"/api/v1{path}").text
    for shown in (answer.text, mia.read(place(mia)), vera.read(place(mia)), api):
        assert "https://hooks.slack.com/…" in shown or "https://hooks.slack.com/\\u2026" in shown
        assert "B12345678" not in shown
    with service.database.session() as session:
        held = session.execute(text("SELECT string_agg(a::text, ' ') FROM audit AS a")).scalar_one()
    assert "ops room" in held
    assert "B12345678" not in held


@pytest.mark.parametrize(
    ("kind", "url", "words"),
    [
        ("slack", "https://evil.example/services/T1/B1/x", "This is not Slack"),
        ("teams", "https://evil.example/workflows/x", "This is not Teams"),
        ("webhook", "ftp://example.com", "must be like https://example.com/alerts"),
        ("mail", "nobody", "@-sign"),
        ("other", "json://127.0.0.1:1/x", "are not allowed here"),
        ("owl", "https://example.com", "Choose one of the list"),
        ("slack", "", "Give the address"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_what_to_do(
    mia: Browser, kind: str, url: str, words: str
) -> None:
    path = place(mia).removesuffix("alerts") + "channels"
    answer = mia.send(path, name="room", kind=kind, url=url)
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()


TEAMS = (
    "https://prod-15.uksouth.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/"
    "paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=AAAABBBB-1234_xyz"
)


@pytest.mark.parametrize(("kind", "url"), [("slack", PASTED), ("teams", TEAMS), ("mail", "ops@example.com")])
def test_addresses_are_taken_as_people_paste_them(mia: Browser, kind: str, url: str) -> None:
    path = place(mia).removesuffix("alerts") + "channels"
    assert "go to “room” from now on" in mia.send(path, name="room", kind=kind, url=url).text


@pytest.mark.parametrize(("status", "said"), [(204, "was taken"), (500, "answered 500")])
def test_the_test_button_sends_a_real_test_and_shows_what_came_of_it(
    service: Service, mia: Browser, status: int, said: str
) -> None:
    with receiving() as receiver:
        receiver.status = status
        path = place(mia).removesuffix("alerts") + "channels"
        made = mia.send(path, name="hook", kind="webhook", url=receiver.url)
        assert "signed with this secret" in made.text
        found = re.search(r'action="([^"]+/test)"', made.text)
        assert found
        answer = mia.send(found[1])
        assert "is on its way" in mia.read(answer.location)
        Town(service.database).work(ways())
        assert said in mia.read(answer.location)
    assert len(receiver.came) == 1


def test_a_store_that_is_down_is_listed_and_answered(service: Service, mia: Browser) -> None:
    Town(service.database).down("17", minutes_ago(30))
    page = mia.read(place(mia))
    assert "1 store is down." in page
    found = re.search(r'action="([^"]+/alerts/answer/[^"]+)"', page)
    assert found
    assert "Snoozed until" in mia.done(found[1], how="tomorrow")
    assert "Seen by mia@maple.example" in mia.done(found[1], how="acknowledge")


def test_a_viewer_reads_and_changes_nothing_but_their_own_mails(service: Service, mia: Browser) -> None:
    vera = Browser(service, "vera@maple.example", maple=GroupRole.VIEWER)
    page = vera.read(place(mia))
    assert "Change what is told" not in page
    assert vera.send(place(mia), down="yes").status_code == 403
    assert "You get no mails of this group’s alerts." in vera.done(place(mia) + "/mine", on="no")
    assert "Switch on" in vera.read("/account")
    vera.done(place(mia) + "/mine", on="yes", **{"from": "account"})
    assert "Switch off" in vera.read("/account")


def test_the_log_says_that_an_end_waits_for_its_beginning(service: Service, mia: Browser) -> None:
    town = Town(service.database)
    with service.database.session() as session:
        maple = session.execute(text("SELECT group_no FROM store_group")).scalar_one()
    incident = town.down("17", minutes_ago(30))
    nobody = ways(port=9)
    town.deliver(town.tell(incident, "begun", maple, email="mia@maple.example"), nobody)
    town.end(incident)
    town.deliver(town.tell(incident, "ended", maple, email="mia@maple.example"), nobody)
    page = mia.read(place(mia))
    assert "Tried once, again" in page
    assert "Waits: its beginning is told first" in page
