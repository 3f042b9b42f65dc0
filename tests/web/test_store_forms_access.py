"""Who may use the forms of a store, and what they refer to."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.browsing import HTML, Browser
from tests.web.service import Service
from tests.web.store_forms import HOURS, NEW, STRUCK, ZONE, got, hidden, sent, tag, week
from tests.web.test_page_files import check, pages


def town(service: Service) -> dict[str, Browser]:
    load_chicago(service.database)
    load(service.database, "store_id,status,timestamp_utc\n2,active,2023-01-23 16:14:00\n")
    service.group("maple", "1")
    service.group("oak", "2")
    return {
        "manager": Browser(service, "mia@maple.example", maple=GroupRole.MANAGER),
        "viewer": Browser(service, "vera@maple.example", maple=GroupRole.VIEWER),
        "outsider": Browser(service, "olga@oak.example", oak=GroupRole.MANAGER),
        "operator": Browser(service, "oscar@example.com", Role.OPERATOR),
    }


NOTE = "/notes/new?store=1&at=2023-01-23T17:15:00Z"
FORMS = [(NEW, STRUCK), (HOURS, week()), (ZONE, {"zone": ""}), (NOTE, {"note": "x"})]


@pytest.mark.parametrize(("path", "fields"), FORMS, ids=lambda value: str(value)[:14])
def test_who_may_not_change_a_store_gets_no_form_and_no_preview(
    service: Service, path: str, fields: dict[str, str]
) -> None:
    people = town(service)
    assert people["manager"].get(path).status_code == 200
    for who, status in (("viewer", 403), ("outsider", 404)):
        assert people[who].get(path).status_code == status
        for more in ({}, {"do": "yes"}):
            assert people[who].send(path, **fields, **more).status_code == status
    missing, other = (unworded(people["outsider"].get(path.replace("store=1", f"store={n}"))) for n in (3, 1))
    assert missing.replace("'3'", "'1'") == other


def unworded(answer: TestResponse) -> str:
    """A page without the word that its forms send and the number of the request: others each time."""
    return unescape(re.sub(r'name="csrf_token" value="[^"]+"|Request .* UTC', "", answer.text))


def test_without_the_word_of_our_page_nothing_is_taken(service: Service) -> None:
    mia = town(service)["manager"]
    for path, fields in FORMS:
        assert mia.client.post(path, data=fields | {"do": "yes"}, headers=HTML).status_code == 400


def test_the_page_offers_what_one_may(service: Service) -> None:
    people = town(service)
    body = {"effect": "closed", "all": True, "start": "2023-01-25", "end": "2023-01-26", "note": "snow"}
    token = service.token("ada@example.com", Role.ADMIN)
    assert token.post("/api/v1/exceptions", json=body).status_code == 201
    offers = {who: people[who].read("/stores/1") for who in ("manager", "viewer", "operator")}
    assert {who: "Edit hours" in page for who, page in offers.items()} == {
        "manager": True, "viewer": False, "operator": True,
    }  # fmt: skip
    assert {who: "/undo?store=1" in page for who, page in offers.items()} == {
        "manager": False, "viewer": False, "operator": True,
    }  # fmt: skip
    address = re.search(r'href="(/exceptions/[\w-]+/undo\?store=1)"', offers["operator"])
    assert address is not None
    assert [people[who].get(address[1]).status_code for who in ("manager", "viewer", "outsider")] == [
        403,
        403,
        404,
    ]
    assert "It is for all stores" in people["operator"].read(address[1])


def test_pages_refer_to_what_is_there(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    found: list[TestResponse] = pages(client, NEW, HOURS, ZONE, NOTE)
    check(client, found)
    for each in found:
        assert "<script>" not in each.text
        assert 'style="' not in each.text


@pytest.mark.parametrize("store", ["", "%00", "2", "no/such//one"])
def test_a_store_that_is_not_there_has_no_forms(client: FlaskClient, database: Database, store: str) -> None:
    load_chicago(database)
    for path, _ in FORMS:
        assert client.get(path.replace("store=1", f"store={store}"), headers=HTML).status_code == 404


def test_before_any_poll_hours_can_be_set(client: FlaskClient, database: Database) -> None:
    load(database, "store_id,timezone_str\n1,America/Chicago\n")
    page = sent(client, HOURS, {"tag": tag(got(client, HOURS))} | week(day0="09:00-12:00"))
    assert "These hours change no figure so far." in page
    sent(client, HOURS, hidden(page), 303)
