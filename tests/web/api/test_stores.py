"""/api/v1/stores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND, GroupRole, Role, Scope
from storewatch.services import reporting
from storewatch.storage import stores, verify
from storewatch.storage.db import Database
from tests.factories import load
from tests.web.conftest import said
from tests.web.service import Service, Token

POLLS = """store_id,status,timestamp_utc
1,active,2023-01-23 16:14:00 UTC
1,inactive,2023-01-25 17:15:00 UTC
2,active,2023-01-23 12:00:00 UTC
"""


@pytest.fixture
def operator(service: Service) -> Token:
    return service.token("olga@example.com", Role.OPERATOR)


def ids(answer: Any) -> list[str]:
    return [store["store_id"] for store in said(answer)["items"]]


def sound(database: Database) -> bool:
    with database.session() as session:
        return not any(wrong for _, wrong in verify.verify(session))


def test_a_store_is_made_read_changed_and_deleted(service: Service, operator: Token) -> None:
    group_id = said(operator.post("/api/v1/groups", json={"name": "Maple"}))["group_id"]
    body = {"store_id": "a/b?c", "name": "Café", "revenue_per_week": 99.995, "group_ids": [group_id]}
    made = operator.post("/api/v1/stores", json=body)
    assert made.status_code == 201
    assert said(made)["groups"] == [{"group_id": group_id, "name": "Maple"}]
    assert (said(made)["zone"], said(made)["zone_given"], said(made)["hours_given"]) == (
        "America/Chicago",
        False,
        False,
    )
    assert operator.post("/api/v1/stores", json=body).status_code == 409
    path = "/api/v1/stores/a%2Fb%3Fc"
    assert said(operator.get(path)) == said(made)
    changed = operator.patch(path, json={"name": None, "archived_from": "2026-01-31", "notes": "a\nb"})
    assert said(changed) == said(made) | {"name": None, "archived_from": "2026-01-31", "notes": "a\nb"}
    assert said(operator.get(path)) == said(changed)
    assert operator.delete(path).status_code == 400
    assert operator.delete(f"{path}?confirm=a/b").status_code == 400
    assert operator.delete(f"{path}?confirm=a/b%3Fc").status_code == 204
    assert operator.get(path).status_code == 404
    with service.database.session() as session:
        query = text("SELECT action FROM audit WHERE kind = 'store' ORDER BY audit_no")
        assert list(session.execute(query).scalars()) == ["create", "update", "delete"]


def test_a_lost_update_is_refused(operator: Token) -> None:
    tag = operator.post("/api/v1/stores", json={"store_id": "1"}).headers["ETag"]
    headers = {"If-Match": tag}
    assert operator.patch("/api/v1/stores/1", json={"name": "a"}, headers=headers).status_code == 200
    assert operator.patch("/api/v1/stores/1", json={"name": "b"}, headers=headers).status_code == 412
    assert said(operator.get("/api/v1/stores/1"))["name"] == "a"


def test_a_manager_changes_names_and_notes_of_their_stores_and_nothing_else(service: Service) -> None:
    service.group("mine", "1")
    service.group("theirs", "1", "2")
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    viewer = service.token("vera@example.com", mine=GroupRole.VIEWER)
    changed = manager.patch("/api/v1/stores/1", json={"name": "a", "notes": "b"})
    assert changed.status_code == 200
    assert [group["name"] for group in said(changed)["groups"]] == ["mine"]
    assert manager.patch("/api/v1/stores/1", json={"name": "a", "platform": "x"}).status_code == 403
    assert manager.patch("/api/v1/stores/2", json={"name": "a"}).status_code == 404
    assert manager.delete("/api/v1/stores/1?confirm=1").status_code == 403
    assert viewer.patch("/api/v1/stores/1", json={"name": "x"}).status_code == 403
    assert said(viewer.get("/api/v1/stores/1"))["name"] == "a"
    assert viewer.get("/api/v1/stores/2").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"store_id": "2.57E+14"}, "store_id"),
        ({"store_id": "a\u200bb"}, "store_id"),
        ({"store_id": "1", "storefront_url": "javascript:alert(1)"}, "storefront_url"),
        ({"store_id": "1", "revenue_per_week": -1}, "revenue_per_week"),
        ({"store_id": "1", "archived_from": "tomorrow"}, "archived_from"),
        ({"store_id": "1", "nmae": "x"}, "nmae"),
    ],
)
def test_errors_name_the_field(operator: Token, body: dict[str, Any], field: str) -> None:
    answer = operator.post("/api/v1/stores", json=body)
    assert (answer.status_code, said(answer)["field"]) == (422, field)


def test_the_list_is_filtered(service: Service, operator: Token) -> None:
    load(service.database, POLLS, "store_id,timezone_str\n2,Asia/Tokyo\n")
    load(service.database, "store_id,day,start_time_local,end_time_local\n2,0,09:00,12:00\n")
    rows = 'store_id,name,location,platform,groups\n3,50% Off,"Oak St",x,Maple\n4,b,,y,\n'
    load(service.database, rows)
    operator.patch("/api/v1/stores/4", json={"archived_from": "2023-02-01"})
    groups = said(operator.get("/api/v1/groups"))["items"]
    for query, expected in (
        ("", ["1", "2", "3", "4"]),
        (f"group_id={groups[0]['group_id']}", ["3"]),
        ("platform=y", ["4"]),
        ("zone=Asia/Tokyo", ["2"]),
        ("zone=America/Chicago", ["1", "3", "4"]),
        ("q=oak", ["3"]),
        ("q=%25 o", ["3"]),
        ("q=_", []),
        ("archived=true", ["4"]),
        ("archived=false", ["1", "2", "3"]),
        ("without=hours", ["1", "3", "4"]),
        ("without=zone", ["1", "3", "4"]),
        ("without=polls", ["3", "4"]),
        ("without=polls&archived=false", ["3"]),
        ("sort=name", ["1", "2", "3", "4"]),
    ):
        assert ids(operator.get(f"/api/v1/stores?{query}")) == expected, query
    unknown = "11111111-1111-4111-8111-111111111111"
    assert operator.get(f"/api/v1/stores?group_id={unknown}").status_code == 404


@pytest.mark.parametrize("sort", ["store_id", "name"])
def test_the_list_comes_in_pages_of_stores_that_one_may_see(service: Service, sort: str) -> None:
    names = "store_id,name,groups\n1,c,mine\n2,,mine\n3,a,mine\n4,a,theirs\n5,,mine\n6,a,mine\n"
    load(service.database, names)
    viewer = service.token("vera@example.com", mine=GroupRole.VIEWER)
    found, cursor = [], ""
    while cursor is not None:
        answer = said(viewer.get(f"/api/v1/stores?limit=2&sort={sort}&cursor={cursor}"))
        found += [store["store_id"] for store in answer["items"]]
        cursor = answer["next_cursor"]
    assert found == {"store_id": ["1", "2", "3", "5", "6"], "name": ["2", "5", "3", "6", "1"]}[sort]
    assert viewer.get(f"/api/v1/stores?sort={sort}&cursor=junk").status_code == 400


def test_a_group_that_one_may_not_see_filters_nothing_for_them(service: Service) -> None:
    service.group("mine", "1")
    service.group("theirs", "1")
    viewer = service.token("vera@example.com", mine=GroupRole.VIEWER)
    operator = service.token("olga@example.com", Role.OPERATOR)
    groups = {g["name"]: g["group_id"] for g in said(operator.get("/api/v1/groups"))["items"]}
    assert ids(viewer.get(f"/api/v1/stores?group_id={groups['mine']}")) == ["1"]
    assert viewer.get(f"/api/v1/stores?group_id={groups['theirs']}").status_code == 404


def test_many_stores_come_at_once_and_bad_rows_are_told(operator: Token) -> None:
    operator.post("/api/v1/stores", json={"store_id": "1", "name": "a", "platform": "x"})
    rows = [
        {"store_id": "1", "name": "b"},
        {"store_id": "2.5E+9", "name": "c"},
        {"store_id": "2", "groups": ["Maple", "Oak"], "revenue_per_week": 10.25},
        {"store_id": "3", "manage_url": "x"},
        {"store_id": "1", "platform": None},
    ]
    answer = operator.patch("/api/v1/stores", json={"stores": rows})
    assert answer.status_code == 200
    rejected = said(answer).pop("rejected")
    assert [row["index"] for row in rejected] == [1, 3]
    assert rejected[1]["reason"] == "manage_url 'x' is not an address like https://example.com/menu"
    assert said(answer) | {"rejected": []} == {"new": 1, "corrected": 1, "unchanged": 1, "rejected": []}
    first, second = said(operator.get("/api/v1/stores"))["items"]
    assert (first["name"], first["platform"]) == ("b", None)
    assert [group["name"] for group in second["groups"]] == ["Maple", "Oak"]
    assert second["revenue_per_week"] == 10.25
    again = said(operator.patch("/api/v1/stores", json={"stores": rows}))
    assert (again["new"], again["corrected"], again["unchanged"]) == (0, 0, 3)
    too_many = [{"store_id": str(number)} for number in range(1001)]
    assert operator.patch("/api/v1/stores", json={"stores": too_many}).status_code == 422


def test_an_import_token_and_a_member_make_no_stores(service: Service) -> None:
    account = service.person("ida@example.com", Role.OPERATOR)
    importer = service.another_token(account, Scope.IMPORT)
    manager = service.token("mia@example.com", mine=GroupRole.MANAGER)
    for token in (importer, manager):
        assert token.post("/api/v1/stores", json={"store_id": "1"}).status_code == 403
        assert token.patch("/api/v1/stores", json={"stores": [{"store_id": "1"}]}).status_code == 403


def test_an_archived_store_is_out_of_reports_from_its_local_day_on(service: Service, operator: Token) -> None:
    load(service.database, POLLS, "store_id,timezone_str\n1,Asia/Tokyo\n")
    operator.patch("/api/v1/stores/1", json={"archived_from": "2023-01-26"})

    def reported(moment: datetime) -> int:
        with service.database.session() as session:
            return len(stores.polled_until(session, moment))

    assert reported(datetime(2023, 1, 25, 14, 59, 59, tzinfo=UTC)) == 2  # a second to midnight in Tokyo
    assert reported(datetime(2023, 1, 25, 15, tzinfo=UTC)) == 1
    operator.patch("/api/v1/stores/1", json={"archived_from": None})
    assert reported(datetime(2023, 1, 25, 15, tzinfo=UTC)) == 2


def test_a_deleted_store_leaves_nothing_and_the_rest_as_it_would_be_without_it(
    service: Service, operator: Token
) -> None:
    database = service.database
    load(database, POLLS, "store_id,timezone_str\n1,Asia/Tokyo\n")
    load(database, "store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n")
    service.group("mine", "1", "2")
    reporting.make_now(database, COMMAND, reporting.Request(), 2 * 10**15, lambda _: None)
    assert operator.delete("/api/v1/stores/1?confirm=1").status_code == 204
    assert sound(database)
    with database.session() as session:
        left = "SELECT day::text, polls, newest::text FROM store_status_day WHERE polls > 0"
        assert session.execute(text(left)).all() == [("2023-01-23", 1, "2023-01-23 12:00:00+00")]
        summary = session.execute(text("SELECT summary FROM report")).scalar_one()
        one = session.execute(text("SELECT * FROM store_report")).mappings().one()
        assert summary["stores"] == 1
        assert summary["windows"]["last_week"]["up_seen_us"] == one["up_seen_us"][2]
        for table in ("hours_week", "store_timezone", "menu_hours"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
    load(database, POLLS)
    assert sound(database)
