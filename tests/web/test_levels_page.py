"""/levels and /months, with a browser's cookie."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.db import Database
from storewatch.web import times, words
from tests.factories import load, load_chicago
from tests.web.browsing import HTML, Browser
from tests.web.conftest import said
from tests.web.service import Service

LEVEL = {"name": "99 a week", "target": "75", "measure": "availability", "period": "week", "store_id": "1"}
MONTH = "first_day=2023-01-01&last_day=2023-01-31"


@pytest.fixture
def olga(service: Service) -> Browser:
    load_chicago(service.database)
    return Browser(service, "olga@example.com", Role.OPERATOR)


def made(browser: Browser, **more: str) -> str:
    answer = browser.send("/levels", **(LEVEL | more))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).partition("?")[0]


def test_without_levels_the_page_explains_what_one_is(client: FlaskClient) -> None:
    page = client.get("/levels", headers=HTML).text
    assert "There is no service level yet." in page
    assert "A service level says how much" in page
    assert "A new service level" in page


def test_a_level_is_set_told_in_words_and_deleted(olga: Browser) -> None:
    place = made(olga)
    page = olga.read("/levels")
    assert "On course" in page
    assert "30 min of 45 min used, 75% of the week&#39;s open time is over." in page
    one = olga.read(place)
    assert "Of 1." in one
    assert "Nothing of it is excluded by exceptions." in one
    assert re.search(
        r'href="/stores/1\?from=2023-01-23&amp;to=2023-01-29">1</a></th><td class="num">30 min', one
    )
    assert one.count("?first=") == 1  # weeks from before the first poll are left out
    assert olga.send(f"{place}/delete").status_code == 303
    assert olga.get(place).status_code == 404


def test_a_level_is_changed_and_the_audit_says_by_whom(service: Service, olga: Browser) -> None:
    place = made(olga)
    answer = olga.send(place, name="98 a week", target="98,25", unknown_as="down")
    assert (answer.status_code, answer.headers["Location"].partition("?")[2]) == (303, "done=changed")
    page = olga.read(f"{place}?done=changed")
    assert "98.25% up in a week, unknown time counts as down" in page
    assert 'value="98 a week"' in page
    audit = Browser(service, "ada@example.com", Role.ADMIN).read("/audit")
    assert re.search(r"olga@example\.com.*98\.25", audit, re.DOTALL)


def test_outages_of_a_level_count_from_so_many_minutes_on(olga: Browser) -> None:
    place = made(olga, measure="outages", target="0", minutes="10")
    assert "Missed: more than the budget is used" in olga.read(place)
    assert olga.send(place, name="few", target="0", minutes="90").status_code == 303
    page = olga.read(place)
    assert "At most 0 outages of 1 h 30 min or more in a week" in page
    assert "0 outages of 0 outages used" in page


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"target": "101"}, "target"),
        ({"target": "x"}, "target"),
        ({"unknown_as": "x"}, "unknown_as"),
        ({"minutes": "1.5"}, "minutes"),
        ({"minutes": "99999999"}, "minutes"),
    ],
)
def test_the_form_of_a_change_says_at_its_field_what_is_wrong(
    olga: Browser, change: dict[str, str], field: str
) -> None:
    answer = olga.send(made(olga), **({"name": "n", "target": "9"} | change))
    assert answer.status_code == 422
    assert field == "minutes" or re.search(rf'<p class="error" role="alert" id="e-{field}">', answer.text)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"target": "101"}, "target"),
        ({"target": "many"}, "target"),
        ({"target": "nan"}, "target"),
        ({"target": "1.5", "measure": "outages"}, "target"),
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"period": "year"}, "period"),
        ({"group_id": "x"}, "group_id"),
    ],
)
def test_the_form_says_at_its_field_what_is_wrong(olga: Browser, change: dict[str, str], field: str) -> None:
    answer = olga.send("/levels", **(LEVEL | change))
    assert answer.status_code == 422
    assert re.search(rf'<p class="error" role="alert" id="e-{field}">', answer.text)


def test_a_form_without_its_word_is_refused(olga: Browser) -> None:
    assert olga.client.post("/levels", data=LEVEL, headers=HTML).status_code == 400


def test_members_see_levels_and_months_of_their_stores_only(service: Service, olga: Browser) -> None:
    service.group("Maple", "1")
    service.group("Oak", "2")
    place = made(olga, name="of Maple")
    max_, oak = (
        Browser(service, "max@example.com", Maple=GroupRole.VIEWER),
        Browser(service, "otto@example.com", Oak=GroupRole.MANAGER),
    )
    assert "of Maple" in max_.read("/levels")
    assert "A new service level" not in max_.read("/levels")
    assert "Delete" not in max_.read(place)
    assert max_.send(f"{place}/delete").status_code == 403
    assert "Change this service level" not in max_.read(place)
    assert max_.send(place, name="mine", target="1").status_code == 403
    assert "of Maple" not in oak.read("/levels")
    assert "of Maple" not in oak.read("/months/2023-01")
    assert "Maple" not in oak.read("/levels")
    assert [oak.get(path).status_code for path in (place, "/months/2023-01?store=1")] == [404, 404]
    assert oak.send("/levels", **LEVEL).status_code == 404


def test_a_months_figures_are_those_of_the_api(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    client.post("/api/v1/service-levels", json={"name": "most", "target": 50})
    page = client.get("/months/2023-01", headers=HTML).text
    [told] = said(client.get(f"/api/v1/history?by=month&{MONTH}"))["items"]
    [row] = said(client.get(f"/api/v1/ranking?{MONTH}"))["items"]
    assert f"up {words.share(told['availability'], 2)} of January 2023, so far." in page
    for name in ("down_seconds", "down_min_seconds", "down_max_seconds"):
        assert told[name] == row[name]
        assert times.hours(round(told[name] * 1e6)) in page
    assert f"{words.share(told['coverage'], 0)}</span>" in page
    assert re.search(rf'data-label="Outages">{told["outages"]}<', page)
    assert ">most</a>" in page
    assert 'href="/months/2022-12"' not in page  # no poll speaks of it
    assert 'href="/months/2023-01"' in client.get("/months/2023-02", headers=HTML).text


def test_a_month_of_a_store_tells_what_was_lost(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert "Lost" not in client.get("/months/2023-01?store=1", headers=HTML).text
    assert client.put("/api/v1/revenue/1", json={"weekly": 300}).status_code == 200
    cost = said(client.get(f"/api/v1/ranking?store_id=1&{MONTH}"))["items"][0]["lost"]
    assert f'<dt>Lost</dt><dd><span class="n">{cost:.2f}' in client.get("/months/2023-01?store=1").text


def test_a_month_of_a_store_tells_its_outages_with_reasons_and_the_exceptions_in_it(
    client: FlaskClient, database: Database
) -> None:
    load_chicago(database)
    load(
        database,
        "store_id,status,timestamp_utc,reason\n1,inactive,2023-01-23 17:20:00,printer broke\n"
        "9,active,2023-02-20 12:00:00,\n",
    )
    said_of = {"effect": "excluded", "store_id": "1", "note": "snow"}
    for day, status in (("2023-01-24", 201), ("2023-03-24", 201)):
        body = said_of | {"start": f"{day}T09:00", "end": f"{day}T10:00"}
        assert client.post("/api/v1/exceptions", json=body).status_code == status
    page = client.get("/months/2023-01?store=1", headers=HTML).text
    assert "printer broke" in page
    assert re.search(r'scope="row">Mon 23 Jan, [^<]* CST</th>', page)
    assert page.count("snow") == 1
    assert "Stores down longest" not in page
    part = client.get("/months/2023-01/outages", headers=HTML | {"HX-Request": "true"}).text
    assert "printer broke" in part
    assert "<html" not in part
    assert "The longest outages</h1>" in client.get("/months/2023-01/outages", headers=HTML).text


def test_what_a_month_cost_is_the_same_on_the_page_and_apart(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    assert client.put("/api/v1/revenue/1", json={"weekly": 300}).status_code == 200
    cost = said(client.get(f"/api/v1/ranking?store_id=1&{MONTH}"))["items"][0]["lost"]
    assert f'<dt>Lost</dt><dd><span class="n">{cost:.2f}' in client.get("/months/2023-01", headers=HTML).text
    assert f"<b>{cost:.2f} USD</b> were lost" in client.get("/months/2023-01/costs", headers=HTML).text


def test_a_monthly_level_is_found_behind_many_others(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    with database.transaction() as session:
        session.execute(
            text("""INSERT INTO service_level (name, period, measure, target)
                    SELECT 'a' || n, 'week', 'availability', 99 FROM generate_series(1, 300) AS n""")
        )
    client.post("/api/v1/service-levels", json={"name": "zz", "target": 50})
    assert ">zz</a>" in client.get("/months/2023-01", headers=HTML).text


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("2023-13", 404, "There is no month"),
        ("1999-12", 404, "There is no month"),
        ("2023-01?group=x", 400, "group is the id"),
        ("2023-01?store=%00", 404, "no such store"),
        ("2023-01?store=none", 404, "There is no store"),
        ("2099-12", 200, "nothing is known of December 2099"),
    ],
)
def test_a_month_that_is_none_says_so(
    client: FlaskClient, database: Database, path: str, code: int, told: str
) -> None:
    load_chicago(database)
    answer = client.get(f"/months/{path}", headers=HTML)
    assert (answer.status_code, told in answer.text) == (code, True), answer.text


def test_without_polls_levels_and_months_are_there(client: FlaskClient) -> None:
    client.post("/api/v1/service-levels", json={"name": "most", "target": 50})
    assert "there are no polls yet" in client.get("/levels", headers=HTML).text
    assert "Nothing is known of January 2023 yet." in client.get("/months/2023-01", headers=HTML).text
