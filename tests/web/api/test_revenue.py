"""/api/v1/revenue, and what downtime costs in /history."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from storewatch.services import history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.conftest import said

PATH = "/api/v1/revenue/1"
ONE_DAY = "/api/v1/history?first_day=2023-01-23&last_day=2023-01-23"


def cost(client: FlaskClient) -> dict[str, Any]:
    answer = said(client.get(ONE_DAY))
    [item] = answer["items"]
    names = ("lost", "lost_seen", "lost_inferred")
    return {name: item[name] for name in names} | {"without": answer["stores_without_revenue"]}


def chicago(database: Database) -> None:
    """The first worked example, and T on the day after: 4,530 s down, from 10:44:30 to 12:00."""
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc\n1,active,2023-01-24 18:00:00\n")


@pytest.mark.parametrize("stored", [True, False])
def test_weekly_revenue_is_spread_over_the_open_hours(
    client: FlaskClient, database: Database, stored: bool
) -> None:
    """300.00 a week at three open hours: 100.00 an hour; 4,530 s are 125.83, of which 4,530 s were seen."""
    chicago(database)
    while stored and history.update(database, Request()):
        pass
    assert cost(client) == {"lost": 0, "lost_seen": 0, "lost_inferred": 0, "without": 1}
    client.put(PATH, json={"weekly": 300})
    assert cost(client) == {"lost": 125.83, "lost_seen": 125.83, "lost_inferred": 0, "without": 0}


@pytest.mark.parametrize("stored", [True, False])
def test_revenue_by_the_hour_costs_what_each_hour_takes(
    client: FlaskClient, database: Database, stored: bool
) -> None:
    """10:44:30 to 11:00 at 60.00 an hour are 15.50; the hour from 11 takes 200.00, the next one nothing."""
    chicago(database)
    while stored and history.update(database, Request()):
        pass
    hours = [0.0] * 168
    hours[10:13] = [60, 200, 999]
    answer = client.put(PATH, json={"by_hour": hours})
    assert (said(answer)["weekly"], said(answer)["by_hour"]) == (None, hours)
    assert cost(client)["lost"] == 215.5


def test_revenue_is_set_read_and_forgotten(client: FlaskClient, database: Database) -> None:
    load_chicago(database)
    made = client.put(PATH, json={"weekly": 12500.5})
    assert said(made) == {"store_id": "1", "currency": "USD", "weekly": 12500.5, "by_hour": None}
    assert client.get(PATH).json == made.json
    assert client.put(PATH, json={"weekly": 1}, headers={"If-Match": '"x"'}).status_code == 412
    assert client.delete(PATH).status_code == 204
    assert said(client.get(PATH))["weekly"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 400), ({"weekly": 1, "by_hour": [0] * 168}, 400), ({"by_hour": [0]}, 422), ({"weekly": -1}, 422)],
)
def test_what_makes_no_sense_is_refused(
    client: FlaskClient, database: Database, body: dict[str, Any], code: int
) -> None:
    load_chicago(database)
    assert client.put(PATH, json=body).status_code == code
