"""/api/v1/ranking and /api/v1/comparison."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service

POLLS = """store_id,status,timestamp_utc
a,active,2023-01-23 18:00:00
b,inactive,2023-01-23 18:00:00
c,active,2023-01-23 12:00:00
c,inactive,2023-01-23 18:00:00
a,active,2023-01-24 18:00:00
b,active,2023-01-24 18:00:00
c,active,2023-01-24 18:00:00
"""
DAY = "first_day=2023-01-23&last_day=2023-01-23"
"""Open day and night in Chicago, which begins its 23rd at 06:00Z: a is up all day, b is down to the 24th
06:00Z, the midpoint; c from 15:00Z to there."""


@pytest.mark.parametrize(
    ("sort", "order"),
    [("down", "b c a"), ("availability", "b c a"), ("outages", "b c a"), ("lost", "b a c")],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_worst_come_first_in_pages(
    client: FlaskClient, database: Database, sort: str, order: str, limit: int
) -> None:
    load(database, POLLS)
    for store in "ab":
        client.put(f"/api/v1/revenue/{store}", json={"weekly": 1680})
    found, cursor = [], ""
    while cursor is not None:
        page = said(client.get(f"/api/v1/ranking?{DAY}&sort={sort}&limit={limit}&cursor={cursor}"))
        assert (page["stores"], page["stores_without_revenue"]) == (3, 1)
        found += page["items"]
        cursor = page["next_cursor"]
    assert " ".join(item["store_id"] for item in found) == order
    told = {item["store_id"]: (item["down_seconds"], item["lost"]) for item in found}
    assert told == {"a": (0, 0), "b": (86_400, 240), "c": (54_000, None)}


def test_two_days_are_compared(client: FlaskClient, database: Database) -> None:
    load(database, POLLS)
    client.put("/api/v1/revenue/b", json={"weekly": 1680})
    answer = said(client.get("/api/v1/comparison?first_day=2023-01-24&last_day=2023-01-24"))
    assert (answer["other"]["first_day"], answer["other"]["last_day"]) == ("2023-01-23", "2023-01-23")
    assert answer["other"]["down_seconds"] == 140_400
    assert (answer["range"]["down_seconds"], answer["range"]["availability"]) == (0, 1)
    difference = answer["difference"]
    assert (difference["down_seconds"], difference["outages"], difference["lost"]) == (-140_400, -2, -240)
    changed = [(each["store_id"], each["difference_seconds"]) for each in answer["changed_most"]]
    assert changed == [("b", -86_400), ("c", -54_000)]


def test_the_ranking_adds_up_to_the_history(client: FlaskClient, database: Database) -> None:
    load(database, POLLS)
    items = said(client.get("/api/v1/ranking?first_day=2023-01-22&last_day=2023-01-24"))["items"]
    [month] = said(client.get("/api/v1/history?by=month&first_day=2023-01-22&last_day=2023-01-24"))["items"]
    for name in ("open_seconds", "up_seconds", "down_seconds", "unknown_seconds", "seen_seconds", "outages"):
        assert sum(item[name] for item in items) == month[name]


def test_a_member_sees_their_own_stores_alone(service: Service) -> None:
    load(service.database, POLLS)
    service.group("maple", "a")
    service.group("oak", "b", "c")
    member = service.token("vera@maple.example", maple=GroupRole.VIEWER)
    ranked = said(member.get(f"/api/v1/ranking?{DAY}"))
    assert ([item["store_id"] for item in ranked["items"]], ranked["stores"]) == (["a"], 1)
    compared = said(member.get(f"/api/v1/comparison?{DAY}"))
    assert (compared["range"]["down_seconds"], compared["changed_most"]) == (0, [])


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("ranking?sort=best", 422, "sort"),
        ("ranking?cursor=abc", 400, "cursor"),
        ("comparison?other_first_day=2023-01-01", 400, "other_last_day"),
        ("comparison?first_day=2000-01-01&last_day=2023-01-01", 400, "first_day"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: FlaskClient, database: Database, path: str, status: int, field: str
) -> None:
    load(database, POLLS)
    answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, said(answer)["field"]) == (status, field)
