"""A few stores as cards: the answer first, nobody else's, and the numbers of everywhere else."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.service import Service
from tests.web.test_page_files import HTML, check, pages

POLLS = "store_id,status,timestamp_utc\n"
AT = "2023-01-24 02:00:00"


def page(client: FlaskClient, path: str = "/") -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def headline(said: str) -> str:
    return str(re.findall(r"<h1[^>]*>(.*?)</h1>", said)[0])


def card(said: str, store_id: str) -> str:
    """The words of a store's card."""
    found = next(each for each in said.split("<article")[1:] if f'href="/stores/{store_id}"' in each)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.split(">", 1)[1].split("</article>")[0])).strip()


def test_without_stores_and_without_polls_it_says_what_to_do(client: FlaskClient, database: Database) -> None:
    assert headline(page(client)) == "No polls yet."
    for said in ("storewatch import store_status.csv", "storewatch demo", "store_id, timezone_str"):
        assert said in page(client)
    load(database, "store_id,timezone_str\n1,America/Chicago\n")
    assert headline(page(client)) == "No polls yet."


def test_who_is_in_no_group_is_told_whom_to_ask(service: Service) -> None:
    load(service.database, POLLS + f"yours,active,{AT}\n")
    said = service.token("owner@example.com").get("/", headers=HTML).text
    assert headline(said) == "No stores yet."
    assert "Ask who runs storewatch" in said
    assert "yours" not in said


def test_a_card_has_its_figures_with_bounds_and_coverage(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    said = page(client)
    assert headline(said) == "Your store is down."
    told = client.get("/api/v1/history?store_id=1&by=week&first_day=2023-01-17").json
    assert sum(item["down_seconds"] for item in told["items"]) == 30.5 * 60  # type: ignore[index]
    words = card(said, "1")
    assert "Down since 10:44:30 CST, for 30 min. Last seen up Mon 23 Jan, 10:14 CST." in words
    assert "Today open 09:00 to 12:00 now" in words
    assert words.endswith("Time down 30 min 0 min to 1 h 1 min 30 min 0 min to 1 h 1 min We saw 78% 78%")
    assert 'aria-label="Today: down 30 min; it is 11:15 CST"' in said


def test_a_card_tells_what_was_lost_if_it_is_known(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    with database.transaction() as session:
        session.execute(text("UPDATE store SET revenue_per_week = 300"))  # in three hours
    assert "Money lost $51 $51" in card(page(client), "1")
    assert "50.83" in page(client, "/stores/1")


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("u", "Your store is up."),
        ("d", "Your store is down."),
        ("uu", "None of your two stores is down."),
        ("du", "One of your two stores is down."),
        ("dd", "Both of your stores are down."),
        ("ddu", "Two of your three stores are down."),
        ("ddd", "All your three stores are down."),
        ("uuuuuuuuuu", "None of your ten stores is down."),
    ],
)
def test_the_headline_is_the_answer(client: FlaskClient, database: Database, states: str, said: str) -> None:
    words = {"u": "active", "d": "inactive"}
    load(database, POLLS + "".join(f"s{n},{words[each]},{AT}\n" for n, each in enumerate(states)))
    found = page(client)
    assert headline(found) == said
    assert found.count("<article") == len(states)
    assert ("is not taking orders" in found) == (states.count("d") == 1)


def test_a_closed_store_says_when_it_opens(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    load(database, POLLS + "1,active,2023-01-23 23:00:00\n")
    words = card(page(client), "1")
    assert words.startswith("Closed 1")
    assert "Closed. Opens Mon 30 Jan, 09:00 CST. Nothing to do. One outage in 7 days" in words


def test_it_says_that_no_data_comes(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "No poll has come since Mon 23 Jan, 11:15 CST." in page(client)


def test_a_member_sees_the_stores_of_their_groups_and_no_others(service: Service) -> None:
    load(service.database, POLLS + f"mine,active,{AT}\n" + "".join(f"y{n},active,{AT}\n" for n in range(20)))
    service.group("mine", "mine")
    said = service.token("owner@example.com", mine=GroupRole.VIEWER).get("/", headers=HTML).text
    assert headline(said) == "Your store is up."
    assert "/stores/y" not in said


def test_archived_stores_are_left_out(client: FlaskClient, database: Database) -> None:
    load(database, POLLS + f"a,active,{AT}\nb,inactive,{AT}\n")
    with database.transaction() as session:
        session.execute(text("UPDATE store SET archived_from = '2023-01-01' WHERE store_id = 'b'"))
    assert headline(page(client)) == "Your store is up."


def test_names_are_text_and_what_the_page_needs_is_there(client: FlaskClient, database: Database) -> None:
    load(database, POLLS + f"<b>,active,{AT}\n")
    assert "<b><" not in client.get("/", headers=HTML).text.split("<main")[1].split("<b>Today")[0]
    check(client, pages(client, "/"))
