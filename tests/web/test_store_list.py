"""The page of stores: the answer first, a week of each, and nobody else's."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.service import Service
from tests.web.test_page_files import HTML

POLLS = "store_id,status,timestamp_utc\n"


def page(client: FlaskClient, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/stores{query}", headers=HTML)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def headline(text: str) -> str:
    return str(re.findall(r"<h1>(.*?)</h1>", text)[0])


def row(text: str, store_id: str) -> str:
    """The words of a store's row."""
    found = re.findall(rf'<tr role="row"><th[^>]*><a href="/stores/{store_id}">.*?</tr>', text, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip()


def test_without_stores_and_without_polls_it_says_what_to_do(client: FlaskClient, database: Database) -> None:
    assert headline(page(client)) == "No stores yet."
    assert "storewatch import store_status.csv" in page(client)


def test_a_store_has_its_figures_with_bounds_and_coverage(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    text = page(client)
    assert headline(text) == "Your store is down."
    told = client.get("/api/v1/history?store_id=1&by=week&first_day=2023-01-17").json
    down = sum(item["down_seconds"] for item in told["items"])  # type: ignore[index]
    assert down == 30.5 * 60
    assert row(text, "1").endswith(
        "Open and down since Mon 23 Jan, 10:44:30 CST 1 outage 30 min down "
        "0 min to 1 h 1 min 77.4% up 78% seen"
    )


@pytest.mark.parametrize(
    ("polls", "said"),
    [
        ("a,active,2023-01-24 02:00:00\nb,active,2023-01-24 02:00:00", "None of your 2 stores is down."),
        ("a,inactive,2023-01-24 02:00:00\nb,active,2023-01-24 02:00:00", "1 of your 2 stores is down."),
        ("a,inactive,2023-01-24 02:00:00\nb,inactive,2023-01-24 02:00:00", "2 of your 2 stores are down."),
    ],
)
def test_the_headline_is_the_answer(client: FlaskClient, database: Database, polls: str, said: str) -> None:
    load(database, POLLS + polls + "\n")
    assert headline(page(client)) == said


def test_stores_come_in_pages_of_25_by_id(client: FlaskClient, database: Database) -> None:
    load(database, POLLS + "".join(f"s{n:02},active,2023-01-24 02:00:00\n" for n in range(30)))
    first = page(client)
    assert re.findall(r'href="/stores/(s\d\d)"', first) == [f"s{n:02}" for n in range(25)]
    assert 'href="/stores?after=s24" rel="next"' in first
    assert re.findall(r'href="/stores/(s\d\d)"', page(client, "?after=s24")) == [
        f"s{n}" for n in range(25, 30)
    ]


def test_stores_are_found_by_what_they_are_called(client: FlaskClient, database: Database) -> None:
    load(database, POLLS + "a1,active,2023-01-24 02:00:00\nb1,active,2023-01-24 02:00:00\n")
    assert re.findall(r'href="/stores/(\w+)"', page(client, "?q=A1")) == ["a1"]
    assert headline(page(client, "?q=nothing")) == "No store is called so."
    assert "<script>" not in client.get("/stores?q=<script>", headers=HTML).text
    page(client, "?q=" + "x" * 201, status=400)
    page(client, "?after=%00", status=400)


def test_a_member_sees_the_stores_of_their_groups_and_no_others(service: Service) -> None:
    load(service.database, POLLS + "mine,active,2023-01-24 02:00:00\nyours,active,2023-01-24 02:00:00\n")
    service.group("mine", "mine")
    member = service.token("owen@example.com", mine=GroupRole.VIEWER)
    text = member.get("/stores", headers=HTML).text
    assert "/stores/mine" in text
    assert "yours" not in text
    assert "/stores/yours" not in member.get("/stores?q=our", headers=HTML).text
