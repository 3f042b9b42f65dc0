"""Storefronts set, tried out and removed, from pages and by the API; stores added with one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import stores
from storewatch.storage.db import Database
from storewatch.storage.store_pages import Filter
from storewatch.web.app import Edge, create_app
from tests.outbound.storefront import Page, Storefront, storefront
from tests.web.browsing import HTML, Browser
from tests.web.conftest import said
from tests.web.service import Service, Token

STORE = {"name": "Corner Café", "zone": "Europe/Berlin", "hours": "same", "opens": "17:00", "closes": "01:30"}
ONE = "/api/v1/storefronts/1"
TRY = "/api/v1/storefront-tries/1"


@pytest.fixture
def shop() -> Iterator[Storefront]:
    with storefront() as running:
        running.pages["/"] = Page(body=b"Order now")
        yield running


@pytest.fixture
def trusting(database: Database) -> FlaskClient:
    """A client of a service that may look at storefronts on loopback."""
    settings = Settings(probe_networks="127.0.0.0/8")
    return create_app(settings, database, Edge(login=False, limits=False)).test_client()


def told(page: str) -> str:
    """What a page says of a try."""
    found = re.search(r'id="tried"><p>(.*?)</p>', page, re.S)
    return unescape(re.sub("<.*?>", "", found[1])) if found else ""


def sent(client: FlaskClient, path: str, status: int, **fields: str) -> str:
    answer = client.post(path, data=fields, headers=HTML)
    assert answer.status_code == status, answer.text
    return answer.location if status == 303 else answer.text


def wrong(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'role="alert" id=".*?">(.*?)</p>', page, re.S)]


# --- a store is added -----------------------------------------------------------------------------


def test_a_store_is_added_with_its_zone_hours_and_storefront(trusting: FlaskClient) -> None:
    place = sent(trusting, "/add-store", 303, **STORE, url="https://example.com/menu", says="Order", do="add")
    assert place == "/stores/corner-cafe?done=added"
    page = trusting.get(place).text
    assert "Corner Café" in page
    assert "https://example.com/menu" in page
    assert "looked at every 5 min" in page
    store = trusting.get("/api/v1/stores/corner-cafe").json
    assert store is not None
    assert (store["zone"], store["storefront_url"]) == ("Europe/Berlin", "https://example.com/menu")
    hours = trusting.get("/api/v1/hours/corner-cafe").json
    assert hours is not None
    assert hours["hours"][6] == {"day": 6, "opens": "17:00", "closes": "01:30"}
    front = trusting.get("/api/v1/storefronts/corner-cafe").json
    assert front is not None
    assert (front["says"], front["looked_at"]) == ("Order", None)


def test_ids_are_made_of_names_and_each_is_a_new_one(trusting: FlaskClient) -> None:
    places = [
        sent(trusting, "/add-store", 303, **STORE | {"name": name}) for name in ("A & B", "a-b", "日本")
    ]
    assert [re.sub("[0-9a-f]{6}", "…", place.partition("?")[0]) for place in places] == [
        "/stores/a-b",
        "/stores/a-b-2",
        "/stores/store-…",
    ]


def test_hours_day_by_day_are_written_next(trusting: FlaskClient) -> None:
    assert sent(trusting, "/add-store", 303, **STORE | {"hours": "later"}) == "/hours/edit?store=corner-cafe"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "The name is missing"),
        ({"zone": "Mars/Base"}, "Choose one of the list"),
        ({"hours": "never"}, "Choose one of the list"),
        ({"opens": ""}, "Say from when until when it is open"),
        ({"opens": "17:00", "closes": "17:00"}, "17:00"),
        ({"store_id": "2.57E+14"}, "damaged by a spreadsheet"),
        ({"store_id": "taken"}, "There is a store 'taken' already"),
        ({"url": "ftp://example.com"}, "url must be an address"),
        ({"url": "http://213[::1]"}, "url must be an address"),
        ({"url": "http://[0:4700::1111]]:"}, "url must be an address"),
        ({"url": "https://example.com", "every_s": "5"}, "between 30 and 86400"),
        ({"url": "https://example.com", "every_s": "x"}, "whole number"),
        ({"url": "https://example.com", "statuses": "fine"}, "Write expected statuses like 2xx"),
    ],
)
def test_what_cannot_be_added_is_told_at_its_field_and_nothing_is_stored(
    trusting: FlaskClient, database: Database, fields: dict[str, str], message: str
) -> None:
    sent(trusting, "/add-store", 303, **STORE | {"store_id": "taken"})
    status = 409 if fields.get("store_id") == "taken" else 422
    page = sent(trusting, "/add-store", status, **STORE | fields)
    assert message in wrong(page)[0]
    assert [each.store.store_id for each in stores.page(database, COMMAND, _ALL, None, 9)] == ["taken"]


_ALL = Filter()


def test_a_try_shows_what_was_seen_and_keeps_what_was_entered(
    trusting: FlaskClient, database: Database, shop: Storefront
) -> None:
    page = sent(trusting, "/add-store", 200, **STORE, url=f"{shop.url}/", says="order NOW", do="try")
    assert re.fullmatch(r"It counts as up: answered 200, after 0\.\d s\.", told(page))
    assert 'value="Corner Café"' in page
    page = sent(trusting, "/add-store", 200, **STORE, url=f"{shop.url}/", says="Closed", do="try")
    assert told(page).startswith("It counts as down: the page does not say 'Closed'")
    assert stores.page(database, COMMAND, _ALL, None, 9) == []


def test_a_manager_adds_stores_to_their_own_groups_only(service: Service) -> None:
    service.group("Maple", "maple-1")
    service.group("Oak", "oak-1")
    mia = Browser(service, "mia@maple.example", Maple=GroupRole.MANAGER)
    page = mia.read("/add-store")
    assert ("<option>Maple" in page, "Oak" in page) == (True, False)
    assert wrong(mia.send("/add-store", **STORE, group="Oak").text) == ["Choose one of your groups"]
    assert wrong(mia.send("/add-store", **STORE).text) == ["Choose one of your groups"]
    assert "Corner Café" in mia.done("/add-store", **STORE, group="Maple", url="https://example.com/")
    assert (
        Browser(service, "olga@oak.example", Oak=GroupRole.MANAGER).get("/stores/corner-cafe").status_code
        == 404
    )


# --- a storefront ---------------------------------------------------------------------------------


def test_a_storefront_is_set_paused_and_removed_on_its_page(trusting: FlaskClient, shop: Storefront) -> None:
    sent(trusting, "/add-store", 303, **STORE, store_id="1")
    page = "/storefront?store=1"
    assert "it counts as up" in told(sent(trusting, page, 200, url=f"{shop.url}/", do="try")).lower()
    sent(trusting, page, 303, url=f"{shop.url}/", says="Order", do="save", tag="")
    assert (
        "Somebody else changed" in wrong(sent(trusting, page, 409, url="https://b.c/", do="save", tag=""))[0]
    )
    for do, shown in (("pause", "Not looked at."), ("resume", "Looked at every 5 min")):
        place = sent(trusting, page, 303, do=do, tag=tag(trusting, page))
        assert shown in trusting.get(place).text
    place = sent(trusting, page, 303, do="remove", tag=tag(trusting, page))
    assert "Polls come from elsewhere only" in trusting.get(place).text


def tag(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="tag" value="(.*?)"', client.get(path).text)
    assert found
    return found[1]


@pytest.fixture
def operator(service: Service) -> Token:
    made = service.token("olga@example.com", Role.OPERATOR)
    assert made.post("/api/v1/stores", json={"store_id": "1"}).status_code == 201
    return made


def test_the_api_sets_reads_and_removes_it_and_it_is_audited(service: Service, operator: Token) -> None:
    assert operator.get(ONE).status_code == 404
    made = operator.put(ONE, json={"url": "https://example.com/", "json_path": "open", "json_value": "true"})
    assert made.status_code == 200, made.text
    assert said(operator.get(ONE)) == said(made)
    assert (said(made)["every_s"], said(made)["enabled"], said(made)["active"]) == (300, True, None)
    old = {"If-Match": made.headers["ETag"]}
    assert operator.put(ONE, json={"url": "https://example.org/"}, headers=old).status_code == 200
    assert operator.delete(ONE, headers=old).status_code == 412
    assert operator.delete(ONE).status_code == 204
    admin = service.token("ada@example.com", Role.ADMIN)
    done = [item["action"] for item in said(admin.get("/api/v1/audit"))["items"]]
    assert done[1:4] == ["remove_storefront", "set_storefront", "set_storefront"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://me:secret@example.com/"}, "url"),
        ({"url": "https://example.com/", "every_s": 29}, "every_s"),
        ({"url": "https://example.com/", "timeout_s": 61}, "timeout_s"),
        ({"url": "https://example.com/", "statuses": "99x"}, "statuses"),
        ({"url": "https://example.com/", "json_path": "a"}, "json_value"),
        ({"url": "https://example.com/", "says": "a\nb"}, "says"),
        ({"url": "https://example.com/", "enabled": 0}, "enabled"),
        ({"url": "https://example.com/", "color": "red"}, "color"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(operator: Token, body: dict[str, Any], field: str) -> None:
    answer = operator.put(ONE, json=body)
    assert (answer.status_code in (400, 422), said(answer)["field"]) == (True, field)


def test_a_try_into_a_private_network_is_refused_however_it_gets_there(
    operator: Token, shop: Storefront
) -> None:
    for url in (f"{shop.url}/", f"http://2130706433:{shop.port}/", f"http://[::ffff:127.0.0.1]:{shop.port}/"):
        seen = said(operator.post(TRY, json={"url": url}))
        assert (seen["active"], seen["status"]) == (None, None)
        assert "private network" in seen["reason"]
    assert shop.came == []


def test_eleven_tries_a_minute_are_too_many(operator: Token) -> None:
    found = [operator.post(TRY, json={"url": "http://127.0.0.1/"}) for _ in range(11)]
    assert [each.status_code for each in found] == [200] * 10 + [429]
    assert 0 < int(found[-1].headers["Retry-After"]) <= 60


def test_the_setting_must_be_networks(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="STOREWATCH_PROBE_NETWORKS"):
        create_app(Settings(probe_networks="home"), database)
