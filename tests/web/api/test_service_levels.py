"""/api/v1/service-levels, and how they stand."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.db import Database
from tests.factories import load, load_chicago
from tests.web.conftest import said
from tests.web.service import Service

PATH = "/api/v1/service-levels"
MONTH = {"name": "99 % a month", "target": 99}


def made(client: Any, **more: Any) -> str:
    answer = client.post(PATH, json=MONTH | more)
    assert answer.status_code == 201, answer.text
    return f"{PATH}/{said(answer)['level_id']}"


def status(client: Any, path: str, periods: int = 1) -> Any:
    answer = client.get(f"{path}/status?periods={periods}")
    assert answer.status_code == 200, answer.text
    return said(answer)["items"]


def test_a_level_is_made_read_changed_and_removed(service: Service) -> None:
    operator = service.token("olga@example.com", Role.OPERATOR)
    path = made(operator)
    first = operator.get(path)
    assert said(first) | {"level_id": "", "created_at": ""} == {
        "level_id": "",
        "name": "99 % a month",
        "store_id": None,
        "group_id": None,
        "period": "month",
        "measure": "availability",
        "target": 99.0,
        "unknown_as": "ignored",
        "min_outage_seconds": 0,
        "created_at": "",
    }
    tag = {"If-Match": first.headers["ETag"]}
    assert said(operator.patch(path, json={"target": 99.5}, headers=tag))["target"] == 99.5
    assert operator.patch(path, json={"target": 98}, headers=tag).status_code == 412
    assert operator.delete(path).status_code == 204
    assert operator.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"target": 101}, 400, "target"),
        ({"target": 1.5, "measure": "outages"}, 400, "target"),
        ({"target": -1}, 422, "target"),
        ({"period": "year"}, 422, "period"),
        ({"name": ""}, 422, "name"),
        ({"per_cent": 99}, 422, "per_cent"),
        ({"store_id": "1", "group_id": "00000000-0000-0000-0000-000000000000"}, 400, "group_id"),
        ({"store_id": "1"}, 404, None),
        ({"group_id": "00000000-0000-0000-0000-000000000000"}, 404, None),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: FlaskClient, body: dict[str, Any], code: int, field: str | None
) -> None:
    answer = client.post(PATH, json=MONTH | body)
    assert (answer.status_code, said(answer).get("field")) == (code, field)


def test_members_see_what_concerns_their_stores_and_managers_change_it(service: Service) -> None:
    number = service.group("maple", "1")
    service.group("oak", "2")
    operator = service.token("olga@example.com", Role.OPERATOR)
    manager = service.token("mia@example.com", maple=GroupRole.MANAGER)
    viewer = service.token("vera@example.com", maple=GroupRole.VIEWER)
    [group] = said(viewer.get("/api/v1/groups"))["items"]
    fleet, oak = made(operator), made(operator, store_id="2")
    own = [made(manager, store_id="1"), made(manager, group_id=group["group_id"])]
    assert len(said(viewer.get(PATH))["items"]) == 2
    for path in own:
        assert viewer.get(path).status_code == 200
        assert viewer.patch(path, json={"target": 1}).status_code == 403
        assert manager.patch(path, json={"target": 98}).status_code == 200
    for path in (fleet, oak):
        assert [viewer.get(path + part).status_code for part in ("", "/status")] == [404, 404]
        assert manager.delete(path).status_code == 404
    assert manager.post(PATH, json=MONTH).status_code == 403
    assert manager.post(PATH, json=MONTH | {"store_id": "2"}).status_code == 404
    assert viewer.post(PATH, json=MONTH | {"store_id": "1"}).status_code == 403
    assert number


def test_the_worked_example_a_week_of_three_open_hours(client: FlaskClient, database: Database) -> None:
    """T is Monday 11:15, 45 minutes of the week's three hours are to come; 30:30 of them are down so far."""
    load_chicago(database)
    path = made(client, period="week", target=75)
    [now] = status(client, path)
    assert (now["first_day"], now["last_day"], now["complete"]) == ("2023-01-23", "2023-01-29", False)
    assert (now["open_seconds"], now["whole_open_seconds"]) == (8_100, 10_800)
    assert (now["budget_seconds"], now["used_seconds"], now["left_seconds"]) == (2_700, 1_830, 870)
    assert (now["status"], now["stores_met"]) == ("met", 1.0)
    client.patch(path, json={"target": 78})
    assert status(client, path)[0]["status"] == "at_risk"  # 2,376 s are allowed, and 2,440 s would be used
    load(database, "store_id,status,timestamp_utc\n1,inactive,2023-01-30 07:00:00\n")
    over, running = status(client, path, 2)
    assert (over["status"], over["used_seconds"], over["complete"]) == ("missed", 4_530, True)
    assert over["days_that_used_most"] == [{"day": "2023-01-23", "used_seconds": 4530, "used_outages": None}]
    assert over["stores_that_used_most"][0]["store_id"] == "1"
    assert running["status"] == "no_data"


@pytest.mark.parametrize(("shortest", "used"), [(0, 1), (4530, 1), (4531, 0)])
def test_outages_shorter_than_the_level_says_do_not_count(
    client: FlaskClient, database: Database, shortest: int, used: int
) -> None:
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc\n2,active,2023-01-30 18:00:00\n")
    path = made(client, measure="outages", target=0, period="week", min_outage_seconds=shortest)
    over = status(client, path, 2)[0]
    assert (over["used_outages"], over["used_seconds"]) == (used, None)
    assert over["status"] == ("missed" if used else "met")


def test_a_group_is_judged_by_open_time_and_tells_the_share_of_its_stores(
    client: FlaskClient, database: Database
) -> None:
    day = "2023-01-24 06:00:00"
    load(
        database,
        f"store_id,status,timestamp_utc\n1,active,2023-01-23 18:00:00\n2,inactive,{day}\n3,active,{day}\n",
    )
    [now] = status(client, made(client, period="week", target=50))
    assert (
        now["stores"] == {"met": 2, "at_risk": 0, "missed": 0, "no_data": 0} or now["stores"]["at_risk"] == 1
    )
    assert now["stores_met"] == pytest.approx(2 / 3)
    assert now["stores_that_used_most"][0]["store_id"] == "2"


def test_without_polls_nothing_is_told(client: FlaskClient) -> None:
    assert client.get(f"{made(client)}/status").status_code == 409


def test_an_exception_ahead_changes_the_budget_of_the_running_period(
    client: FlaskClient, database: Database
) -> None:
    """Closed from 11:30 to 12:00 today, T is 11:15: two and a half open hours are left of three."""
    load_chicago(database)
    path = made(client, period="week", target=75)
    with database.transaction() as session:
        closed = "'closed', '2023-01-23 11:30', '2023-01-23 12:00', 'early night'"
        session.execute(
            text(f"INSERT INTO exception (effect, start_local, end_local, note) VALUES ({closed})")
        )
    [now] = status(client, path)
    assert (now["whole_open_seconds"], now["budget_seconds"]) == (9_000, 2_250)
