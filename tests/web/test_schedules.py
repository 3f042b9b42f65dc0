"""Schedules by pages and API: made, changed, paused, tried, removed, by whom they belong to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storewatch.domain.permissions import GroupRole, Role
from tests.alerting import ways
from tests.post_office import post_office
from tests.scheduling import Clockwork, down_for, in_zone, words
from tests.web.browsing import Browser
from tests.web.service import Service, Token

FORM = {
    "name": "Sundays", "what": "digest", "every": "week", "weekday": "6", "month_day": "1", "at": "18:30",
    "zone": "Europe/Berlin", "format": "csv",
}  # fmt: skip


@pytest.fixture
def maple(service: Service) -> str:
    """The id of a group with a store in Berlin."""
    down_for(service.database, "17", 60)
    in_zone(service.database, "Europe/Berlin", "17")
    service.group("maple", "17")
    service.group("oak", "21")
    [(found,)] = Clockwork(service.database).rows("SELECT group_id FROM store_group WHERE name = 'maple'")
    return str(found)


@pytest.fixture
def mia(service: Service, maple: str) -> Browser:
    return Browser(service, "mia@maple.example", maple=GroupRole.MANAGER)


def first(browser: Browser) -> str:
    """The address of the first schedule on the page."""
    found = re.search(r'href="(/schedules/[0-9a-f-]{36})"', browser.read("/schedules"))
    assert found
    return found[1]


# --- the page -------------------------------------------------------------------------------------


def test_a_schedule_is_made_and_the_page_tells_its_next_run_on_its_clock(mia: Browser) -> None:
    page = mia.done("/schedules", **FORM)
    assert "Every Sunday at 18:30" in page
    assert "Digest of all stores that you see, to you, with CSV" in page
    assert re.search(r"The next mail comes Sun \d+ \w{3}, 18:30 CES?T\.", page)
    again = mia.done(first(mia), **FORM | {"every": "month", "month_day": "31", "only_if_missed": "yes"})
    assert "On day 31 of each month, or its last day, at 18:30" in again
    assert "if a target was missed" in again


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "The name is missing"),
        ({"at": "noon"}, "Write a time like 08:00"),
        ({"every": "year"}, "every must be day, week or month"),
        ({"every": "month", "month_day": "32"}, "on_day must be 1 to 31"),
        ({"zone": "Mars"}, "There is no such time zone"),
        ({"what": "report", "format": "none"}, "A report is a file"),
        ({"what": "report", "only_if_missed": "yes"}, "Only a digest knows"),
        ({"to_group": "yes"}, "Say to the people of which group"),
        ({"group_id": "x"}, "Choose one of the list"),
    ],
)
def test_what_makes_no_sense_is_told_and_what_was_entered_is_kept(
    mia: Browser, wrong: dict[str, str], said: str
) -> None:
    answer = mia.send("/schedules", **FORM | wrong)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="18:30"' in answer.text or wrong.get("at")


def test_it_is_paused_goes_on_without_making_up_and_is_removed(mia: Browser) -> None:
    mia.done("/schedules", **FORM)
    place = first(mia)
    assert "switched off" in mia.done(f"{place}/switch", on="no")
    assert "Nothing comes by itself." in mia.read("/schedules")
    assert ": next Sun" in mia.done(f"{place}/switch", on="yes")
    Clockwork(mia.service.database).begin()
    assert Clockwork(mia.service.database).rows("SELECT 1 FROM schedule_run") == []
    assert "It is removed." in mia.done(f"{place}/remove")
    assert mia.get(place).status_code == 404


def test_send_it_to_me_now_does_and_the_log_tells_it(mia: Browser) -> None:
    mia.done("/schedules", **FORM)
    place = first(mia)
    assert "It is on its way to you." in mia.done(f"{place}/send")
    with post_office() as office:
        Clockwork(mia.service.database).jobs(ways(office))
        [letter] = office.letters
    assert letter["To"] == "mia@maple.example"
    assert "mia@maple.example asked for this." in words(letter)
    page = mia.read(place)
    assert "asked for" in page
    assert re.search(r"Sent \w{3} \d+ \w{3}, \d\d:\d\d CES?T", page)


# --- who ------------------------------------------------------------------------------------------


def test_ones_own_is_nobody_elses_business(mia: Browser, service: Service) -> None:
    mia.done("/schedules", **FORM)
    place = first(mia)
    for other in (
        Browser(service, "mo@maple.example", maple=GroupRole.MANAGER),
        Browser(service, "ada@example.com", Role.ADMIN),
    ):
        assert "Sundays" not in other.read("/schedules")
        assert other.get(place).status_code == 404
        assert other.send(f"{place}/send").status_code == 404
        assert other.send(f"{place}/remove").status_code == 404


def test_a_groups_one_is_read_by_its_people_changed_by_its_managers_and_hidden_from_others(
    mia: Browser, service: Service, maple: str
) -> None:
    mia.done("/schedules", **FORM | {"group_id": maple, "to_group": "yes"})
    place = first(mia)
    vera = Browser(service, "vera@maple.example", maple=GroupRole.VIEWER)
    olga = Browser(service, "olga@oak.example", oak=GroupRole.MANAGER)
    assert "Digest of maple, to all its people" in vera.read(place)
    assert "Change it" not in vera.read(place)
    for act in ("", "/switch", "/remove"):
        assert vera.send(place + act, **FORM).status_code == 403
        assert olga.send(place + act, **FORM).status_code == 404
    assert "It comes no more." in vera.done(f"{place}/mine", on="no")
    assert "but not to you" in vera.read("/schedules")
    assert "but not to you" not in mia.read("/schedules")
    form = FORM | {"group_id": maple, "to_group": "yes"}
    assert vera.send("/schedules", **form).status_code == 403
    assert olga.send("/schedules", **form).status_code == 404


def test_of_a_group_that_one_left_ones_own_schedule_tells_no_name(
    mia: Browser, service: Service, maple: str
) -> None:
    mia.done("/schedules", **FORM | {"group_id": maple})
    assert "Digest of maple, to you" in mia.read(first(mia))
    Clockwork(service.database).write("DELETE FROM membership")
    assert "Digest of a group that you see no more, to you" in mia.read(first(mia))
    assert told(mia.client.get(f"/api/v1{first(mia)}"))["group_id"] is None


# --- the API --------------------------------------------------------------------------------------


@pytest.fixture
def token(service: Service, maple: str) -> Token:
    return service.token("mia@maple.example", maple=GroupRole.MANAGER)


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_by_default_it_is_a_digest_on_monday_at_eight_on_the_stores_clock_with_a_spreadsheet(
    token: Token,
) -> None:
    made = told(token.post("/api/v1/schedules", json={"name": "Weekly"}), 201)
    assert {
        name: made[name] for name in ("what", "every", "on_day", "at", "zone", "on_clock_of", "format")
    } == {
        "what": "digest",
        "every": "week",
        "on_day": 0,
        "at": "08:00",
        "zone": None,
        "on_clock_of": "Europe/Berlin",
        "format": "xlsx",
    }
    assert told(token.get("/api/v1/schedules"))["items"] == [made]
    at = datetime.fromisoformat(made["next_run_at"])
    assert at.weekday() == 0
    assert datetime.now(UTC) < at <= datetime.now(UTC) + timedelta(days=7, hours=1)


def test_a_change_says_only_what_changes_and_not_over_somebody_elses(token: Token) -> None:
    made = token.post("/api/v1/schedules", json={"name": "Weekly"})
    path = made.headers["Location"]
    tag = made.headers["ETag"]
    changed = told(token.patch(path, json={"every": "month", "at": "06:15"}, headers={"If-Match": tag}))
    assert (changed["every"], changed["on_day"], changed["at"], changed["name"]) == (
        "month",
        1,
        "06:15",
        "Weekly",
    )
    assert token.patch(path, json={"name": "Mine"}, headers={"If-Match": tag}).status_code == 412
    off = told(token.patch(path, json={"enabled": False}))
    assert (off["enabled"], off["next_run_at"]) == (False, None)
    assert told(token.patch(path, json={"every": "week", "on_day": 9}), 400)["field"] == "on_day"
    assert token.delete(path).status_code == 204
    assert token.get(path).status_code == 404


def test_lists_come_page_by_page(token: Token, service: Service) -> None:
    for number in range(3):
        told(token.post("/api/v1/schedules", json={"name": f"No {number}"}), 201)
    names, cursor = [], ""
    while True:
        page = told(token.get(f"/api/v1/schedules?limit=2&cursor={cursor}"))
        names += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["No 0", "No 1", "No 2"]
    made = told(token.get("/api/v1/schedules"))["items"][0]["schedule_id"]
    for _ in range(3):
        told(token.post(f"/api/v1/schedules/{made}/send"), 202)
    first_page = told(token.get(f"/api/v1/schedules/{made}/log?limit=2"))
    rest = told(token.get(f"/api/v1/schedules/{made}/log?limit=2&cursor={first_page['next_cursor']}"))
    runs = [item["run"] for item in (*first_page["items"], *rest["items"])]
    assert runs == sorted(runs, reverse=True)
    assert len(set(runs)) == 3
    assert rest["next_cursor"] is None
