"""/api/v1/tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import Role, Scope
from tests.web.conftest import said
from tests.web.service import Service, Token

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.fixture
def ada(service: Service) -> Token:
    return service.token("ada@example.com", Role.ADMIN)


@pytest.fixture
def vera(service: Service) -> Token:
    return service.token("vera@example.com")


def test_a_token_is_made_used_listed_and_revoked(service: Service, vera: Token) -> None:
    made = vera.post("/api/v1/tokens", json={"name": "poller", "scope": "read"})
    assert (made.status_code, said(made)["expires_at"]) == (201, None)
    mine = Token(service.browser(), said(made)["secret"])
    assert said(mine.get("/api/v1/users/me"))["scope"] == "read"
    path = made.headers["Location"]
    told = said(vera.get(path))
    assert told["last_used_at"] is not None
    assert "secret" not in told
    assert [token["name"] for token in said(vera.get("/api/v1/tokens"))["items"]] == ["poller", "test"]
    assert vera.delete(path).status_code == 204
    assert mine.get("/api/v1/users/me").status_code == 401
    assert (vera.get(path).status_code, vera.delete(path).status_code) == (404, 404)
    with service.database.session() as session:
        row = session.execute(text("SELECT scope, revoked_at FROM token WHERE name = 'poller'")).one()
    assert (row.scope, row.revoked_at is not None) == ("read", True)


def test_no_table_holds_the_secret(service: Service, vera: Token) -> None:
    made = vera.post("/api/v1/tokens", json={"name": "poller"}, headers=KEY)
    secret = said(made)["secret"]
    with service.database.session() as session:
        kept = session.execute(text("SELECT convert_from(body, 'UTF8') FROM idempotency_key")).scalar_one()
        details = session.execute(text("SELECT string_agg(detail::text, '') FROM audit")).scalar_one()
    assert secret not in kept + details


def test_a_repeated_request_makes_no_second_token_and_shows_no_secret(vera: Token) -> None:
    first, again = (vera.post("/api/v1/tokens", json={"name": "poller"}, headers=KEY) for _ in range(2))
    assert said(first)["secret"]
    assert said(again) == {**said(first), "secret": None}
    assert (
        again.headers["ETag"] == first.headers["ETag"] == vera.get(first.headers["Location"]).headers["ETag"]
    )
    assert len(said(vera.get("/api/v1/tokens"))["items"]) == 2


def test_only_admins_have_to_do_with_the_tokens_of_others(ada: Token, vera: Token) -> None:
    verily = {"name": "for Vera", "account_id": str(vera.account_id)}
    made = ada.post("/api/v1/tokens", json=verily)
    assert made.status_code == 201
    path = made.headers["Location"]
    listed = ada.get(f"/api/v1/tokens?account_id={vera.account_id}")
    assert [token["name"] for token in said(listed)["items"]] == ["for Vera", "test"]
    assert (vera.get(path).status_code, ada.get(path).status_code) == (200, 200)
    adas = ada.post("/api/v1/tokens", json={"name": "mine"}).headers["Location"]
    assert (vera.get(adas).status_code, vera.delete(adas).status_code) == (404, 404)
    other = {"name": "x", "account_id": str(ada.account_id)}
    assert vera.post("/api/v1/tokens", json=other).status_code == 403
    assert vera.get(f"/api/v1/tokens?account_id={ada.account_id}").status_code == 403
    assert ada.delete(path).status_code == 204


def test_a_token_makes_none_that_lasts_longer_than_itself(service: Service, vera: Token) -> None:
    assert vera.account_id
    end = datetime.now(UTC) + timedelta(days=2)
    brief = service.another_token(vera.account_id, Scope.WRITE, end)
    later, sooner = ((end + timedelta(hours=hours)).isoformat() for hours in (1, -1))
    for expires_at in (None, later):
        refused = brief.post("/api/v1/tokens", json={"name": "x", "expires_at": expires_at})
        assert (refused.status_code, said(refused)["field"]) == (400, "expires_at")
    assert brief.post("/api/v1/tokens", json={"name": "x", "expires_at": sooner}).status_code == 201


def test_a_token_that_reads_or_imports_makes_none(service: Service, vera: Token) -> None:
    assert vera.account_id
    for scope in (Scope.READ, Scope.IMPORT):
        token = service.another_token(vera.account_id, scope)
        assert token.post("/api/v1/tokens", json={"name": "x", "scope": "read"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "name"),
        ({"name": ""}, 422, "name"),
        ({"name": " "}, 400, "name"),
        ({"name": "x", "scope": "all"}, 422, "scope"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-12:00"}, 422, "expires_at"),
        ({"name": "x", "expires_at": "soon"}, 422, "expires_at"),
        ({"name": "x", "expires_at": 4}, 422, "expires_at"),
        ({"name": "\ud800"}, 422, "name"),
    ],
)
def test_errors_name_the_field(vera: Token, body: dict[str, Any], status: int, field: str) -> None:
    answer = vera.post("/api/v1/tokens", json=body)
    assert (answer.status_code, said(answer)["field"]) == (status, field)


def test_the_list_comes_in_pages_and_ends_at_a_hundred(vera: Token) -> None:
    for number in range(99):
        assert vera.post("/api/v1/tokens", json={"name": f"t{number}"}).status_code == 201
    assert vera.post("/api/v1/tokens", json={"name": "one more"}).status_code == 409
    names, cursor = [], ""
    while cursor is not None:
        answer = said(vera.get(f"/api/v1/tokens?limit=30&cursor={cursor}"))
        names += [token["name"] for token in answer["items"]]
        cursor = answer["next_cursor"]
    assert names == [*(f"t{number}" for number in reversed(range(99))), "test"]
