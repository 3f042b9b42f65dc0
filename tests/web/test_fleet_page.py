"""The page of many stores: the answer first, figures, pictures, a list to sort and filter, nobody else's."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND, GroupRole
from storewatch.services import history, revenue
from storewatch.services.reporting import Request
from storewatch.services.revenue import Takings
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.service import Service
from tests.web.test_page_files import HTML, check, pages

POLLS = "store_id,status,timestamp_utc\n"
COUNT = 30


def work_off(database: Database) -> None:
    while history.update(database, Request()):
        pass


def make_fleet(database: Database) -> None:
    """s00 to s29, open day and night in Chicago, polled each hour of two days; every tenth is down for its
    last hours: s00 for 9, s10 for 6, s20 for 3.
    """
    rows = [
        f"s{n:02},{'inactive' if n % 10 == 0 and hour >= 39 + 3 * n // 10 else 'active'},"
        f"2023-01-{23 + hour // 24} {hour % 24:02}:00:00\n"
        for n in range(COUNT)
        for hour in range(48)
    ]
    load(database, POLLS + "".join(rows))
    with database.transaction() as session:
        session.execute(
            text("""
            UPDATE store SET name = 'Store ' || store_id,
                   platform = CASE WHEN store_id < 's15' THEN 'Dashly' ELSE 'Plateo' END,
                   location = CASE WHEN store_id = 's07' THEN 'Boise, ID' END
        """)
        )
    load(database, "store_id,timezone_str\ns05,Asia/Tokyo\n")
    work_off(database)


def page(client: FlaskClient, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/{query}", headers=HTML)
    assert answer.status_code == status, answer.text
    return unescape(answer.text)


def headline(said: str) -> str:
    return str(re.findall(r"<h1[^>]*>(.*?)</h1>", said)[0])


def rows(said: str) -> list[str]:
    """The ids of the list, in its order."""
    return re.findall(r'<th role="rowheader"[^>]*><a href="/stores/(\w+)"', said.split('id="list"')[1])


def row(said: str, store_id: str) -> str:
    """The words of a store's row."""
    found = re.findall(
        rf'<tr role="row"><th[^>]*><a href="/stores/{store_id}">.*?</tr>',
        said.split('id="list"')[1],
        re.DOTALL,
    )
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip()


def test_the_answer_comes_first_with_the_four_states(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    said = page(client)
    assert headline(said) == "3 of 30 open stores are down."
    counts = dict(re.findall(r'id="is-(\w+)" href="[^"]*"><span class="n">(\d+)<', said))
    assert counts == {"up": "27", "down": "3", "closed": "0", "unseen": "0"}
    assert "As of <b>Tue 24 Jan 2023, 17:00 CST</b>" in said
    assert "No poll has come since Tue 24 Jan, 17:00 CST." in said
    assert "being brought up to date" not in said


def test_down_right_now_shows_who_lost_most_today(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    part = page(client).split('id="h-down"')[1].split("</section>")[0]
    assert re.findall(r'href="/stores/(\w+)"', part) == ["s00", "s10", "s20"]
    assert "Tue 24 Jan, 08:30 CST" in part


def test_a_store_is_the_same_number_here_on_its_page_and_by_the_api(
    client: FlaskClient, database: Database
) -> None:
    make_fleet(database)
    told = client.get("/api/v1/history?store_id=s00&by=week&first_day=2023-01-18&last_day=2023-01-24").json
    down = sum(item["down_seconds"] for item in told["items"])  # type: ignore[index]
    assert down == 8.5 * 3600
    assert row(page(client), "s00").startswith(
        "Store s00 Dashly Open and down since Tue 24 Jan, 08:30 CST 1 8.5 h 8.0 to 9.0 h 18.0 h"
    )
    own = page(client, "stores/s00?days=7")
    assert "8 h 30 min" in own
    share = row(page(client), "s00").split("18.0 h ")[1].split(" ")[0]
    assert share in own


def test_the_list_comes_in_pages_and_the_old_address_leads_to_it(
    client: FlaskClient, database: Database
) -> None:
    make_fleet(database)
    first = page(client, "?sort=name")
    assert rows(first) == [f"s{n:02}" for n in range(25)]
    assert "1 to 25 of 30" in first
    assert 'href="/?sort=name&page=2" rel="next"' in first
    assert rows(page(client, "?sort=name&page=2")) == [f"s{n}" for n in range(25, 30)]
    assert rows(page(client, "?sort=name&page=9")) == [f"s{n}" for n in range(25, 30)]
    moved = client.get("/stores?q=s0&page=2", headers=HTML)
    assert (moved.status_code, moved.location) == (308, "/?q=s0&page=2")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", "s00"),
        ("?sort=name&order=desc", "s29"),
        ("?sort=down&order=asc", "s01"),
        ("?sort=state", "s00"),
        ("?sort=since", "s01"),
        ("?sort=outages", "s00"),
        ("?sort=availability", "s00"),
        ("?sort=coverage", "s00"),
        ("?sort=lost", "s00"),
        ("?sort=unknown", "s00"),
        ("?sort=down&days=1", "s00"),
        ("?sort=down&days=30", "s00"),
    ],
)
def test_the_list_is_sorted_by_any_figure(
    client: FlaskClient, database: Database, query: str, first: str
) -> None:
    make_fleet(database)
    said = page(client, query)
    assert rows(said)[0] == first
    assert len(re.findall(r'aria-sort="(?:asc|desc)ending"', said)) == (0 if "lost" in query else 1)


@pytest.mark.parametrize(
    ("query", "found", "answer"),
    [
        ("q=Boise", ["s07"], "The one open store is not down."),
        ("q=s1", [f"s{n}" for n in range(10, 20)], "1 of 10 open stores is down."),
        ("state=down", ["s00", "s10", "s20"], "3 of 30 open stores are down."),
        ("state=down&platform=Dashly", ["s00", "s10"], "2 of 15 open stores are down."),
        ("zone=Asia/Tokyo", ["s05"], "The one open store is not down."),
        ("state=closed", [], "3 of 30 open stores are down."),
        ("q=%25", [], "No store fits that."),
    ],
)
def test_stores_are_filtered(
    client: FlaskClient, database: Database, query: str, found: list[str], answer: str
) -> None:
    make_fleet(database)
    said = page(client, f"?sort=name&{query}")
    assert (rows(said), headline(said)) == (found, answer)
    assert found or "No store is like that." in said


def test_a_group_filters_and_has_its_trend(service: Service) -> None:
    make_fleet(service.database)
    service.group("north", "s00", "s01")
    work_off(service.database)
    with service.database.session() as session:
        group = session.execute(text("SELECT group_id FROM store_group")).scalar_one()
    reader = service.token("bob@example.com", north=GroupRole.MANAGER)
    said = reader.get(f"/?sort=name&group={group}", headers=HTML).text
    assert rows(said) == ["s00", "s01"]
    assert "data-trend" in said
    assert service.token("eve@example.com").get(f"/?group={group}", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=" + "x" * 201, "q"),
        ("q=%00", "q"),
        ("platform=%00", "platform"),
        ("zone=%1b", "zone"),
        ("group=7", "group"),
        ("state=asleep", "state"),
        ("days=8", "days"),
        ("sort=colour", "sort"),
        ("order=up", "order"),
        ("page=0", "page"),
        ("page=1e3", "page"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"/?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert field in answer.text
    page(client, f"?{query}", status=400)


def test_the_pictures_have_their_numbers_as_tables(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    said = page(client)
    days = said.split('<table class="days"')[1].split("</table>")[0]
    assert re.findall(r'<th scope="row">(.*?)<td>', days) == [
        "Sat 21 Jan", "Sun 22 Jan", "Mon 23 Jan", "Tue 24 Jan", "Wed 25 Jan",
    ]  # fmt: skip
    heat = said.split('<table class="heat"')[1].split("</table>")[0]
    assert len(re.findall(r"<td class=h\d", heat)) > 24
    assert 'title="Tue 16:00, 10.0%"><b>10.0%</b>' in heat
    assert "Tuesdays, 16:00 to 17:00" in said
    assert "data-trend" not in page(client, "?platform=Dashly")


def test_it_says_that_figures_are_being_brought_up_to_date(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    load(database, POLLS + "s01,inactive,2023-01-25 01:00:00\n")
    assert "Figures are being brought up to date" in page(client)
    work_off(database)
    assert "Figures are being brought up to date" not in page(client)


def test_what_was_lost_is_told_if_it_is_known_of_any(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    assert "Lost" not in page(client).split('id="list"')[1]
    revenue.put(database, COMMAND, "s00", Takings(weekly=Decimal(1680)), lambda _: None)
    work_off(database)
    said = page(client)
    assert "$85" in row(said, "s00")  # 8.5 h at 10 an hour
    assert row(said, "s01").endswith("–")


def test_a_member_sees_nothing_of_other_groups(service: Service) -> None:
    make_fleet(service.database)
    with service.database.transaction() as session:
        session.execute(text("UPDATE store SET platform = 'Secret' WHERE store_id = 's29'"))
    service.group("Unseen group", "s29", "s05")
    service.group("mine", *(f"s{n:02}" for n in range(10, 25)))
    work_off(service.database)
    member = service.token("owner@example.com", mine=GroupRole.VIEWER)
    said = member.get("/?sort=name", headers=HTML).text
    assert headline(said) == "2 of 15 open stores are down."
    assert rows(said) == [f"s{n}" for n in range(10, 25)]
    assert "1 to 15 of 15" in said
    for other in ("s29", "s05", "Secret", "Unseen group", "Asia/Tokyo"):
        assert other not in said, other
    asked = member.get("/?q=s0", headers=HTML).text
    assert (headline(asked), rows(asked)) == ("No store fits that.", [])


def test_words_are_text_and_what_the_page_needs_is_there(client: FlaskClient, database: Database) -> None:
    make_fleet(database)
    answer = client.get("/?q=<script>", headers=HTML)
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    check(client, pages(client, "/", "/?days=30&sort=name"))
