"""/api/v1/audit."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storewatch.domain.permissions import Role
from tests.web.conftest import said
from tests.web.service import Service, Token


@pytest.fixture
def ada(service: Service) -> Token:
    return service.token("ada@example.com", Role.ADMIN)


def entries(answer: Any) -> list[tuple[str, str]]:
    return [(entry["action"], entry["kind"]) for entry in said(answer)["items"]]


def test_it_tells_who_did_what_to_what_newest_first(ada: Token) -> None:
    made = said(ada.post("/api/v1/groups", json={"name": "Maple"}))
    ada.delete(f"/api/v1/groups/{made['group_id']}")
    newest = said(ada.get("/api/v1/audit"))["items"][0]
    assert newest | {"at": "", "entry_id": "", "token_id": ""} == {
        "entry_id": "",
        "at": "",
        "account_id": str(ada.account_id),
        "email": "ada@example.com",
        "via": "token",
        "token_id": "",
        "address": "127.0.0.1",
        "action": "delete",
        "kind": "group",
        "subject": made["group_id"],
        "detail": {"name": "Maple"},
    }
    assert entries(ada.get("/api/v1/audit"))[:2] == [("delete", "group"), ("create", "group")]


def test_it_is_filtered(service: Service, ada: Token) -> None:
    made = said(ada.post("/api/v1/groups", json={"name": "Maple"}))
    olga = service.token("olga@example.com", Role.OPERATOR)
    olga.post("/api/v1/stores", json={"store_id": "17"})
    for query, found in (
        (f"account_id={olga.account_id}", [("create", "store")]),
        ("action=create&kind=group", [("create", "group")]),
        (f"subject={made['group_id']}", [("create", "group")]),
        ("kind=store&subject=17", [("create", "store")]),
        ("kind=none", []),
        ("end=2026-01-01T00:00:00Z", []),
        ("start=2026-01-01T00:00:00Z&kind=store", [("create", "store")]),
        ("start=9998-12-31T23:59:59Z", []),
    ):
        assert entries(ada.get(f"/api/v1/audit?{query}")) == found, query


def test_start_and_end_are_half_open(ada: Token) -> None:
    ada.post("/api/v1/groups", json={"name": "Maple"})
    at = said(ada.get("/api/v1/audit"))["items"][0]["at"]
    assert entries(ada.get(f"/api/v1/audit?start={at}")) == [("create", "group")]
    assert ("create", "group") not in entries(ada.get(f"/api/v1/audit?end={at}"))


def test_it_comes_in_pages(ada: Token) -> None:
    for number in range(5):
        ada.post("/api/v1/groups", json={"name": f"group {number}"})
    names, cursor = [], ""
    while cursor is not None:
        answer = said(ada.get(f"/api/v1/audit?kind=group&limit=2&cursor={cursor}"))
        names += [entry["detail"]["name"] for entry in answer["items"]]
        cursor = answer["next_cursor"]
    assert names == [f"group {number}" for number in reversed(range(5))]


@pytest.mark.parametrize(
    "query",
    ["from=soon", "to=1999-01-01", "account_id=7", "limit=0", "what=else", "cursor=W10", "kind=%00"],
)
def test_a_query_that_makes_no_sense_is_refused(ada: Token, query: str) -> None:
    assert ada.get(f"/api/v1/audit?{query}").status_code in (400, 422)


def test_a_made_up_cursor_is_refused(ada: Token) -> None:
    from storewatch.web.api.v1.common import cursor_of

    for path, value in (("audit", 1 << 64), ("groups", "\0"), ("users", "\ud800")):
        assert ada.get(f"/api/v1/{path}?cursor={cursor_of(value)}").status_code == 400


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.MEMBER])
def test_only_admins_read_it(service: Service, role: Role) -> None:
    assert service.token("olga@example.com", role).get("/api/v1/audit").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_it_over_the_api(ada: Token, method: str) -> None:
    assert ada.send(method, "/api/v1/audit").status_code == 405


@pytest.mark.parametrize("statement", ["UPDATE audit SET email = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_refuses_to_change_it(service: Service, ada: Token, statement: str) -> None:
    ada.post("/api/v1/groups", json={"name": "Maple"})
    with pytest.raises(DBAPIError, match="only ever added to"), service.database.transaction() as session:
        session.execute(text(statement))
    assert ("create", "group") in entries(ada.get("/api/v1/audit"))
