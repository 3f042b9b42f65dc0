"""/api/v1/shares: links to some days of a store, made, listed and revoked by who decides on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role, Scope
from tests.factories import load_chicago
from tests.web.conftest import said
from tests.web.service import Service, Token

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
WANTED = {"store_id": "1", "label": " Lou ", "first_day": "2023-01-23", "last_day": "2023-01-23"}


@pytest.fixture
def ada(service: Service) -> Token:
    load_chicago(service.database)
    return service.token("ada@example.com", Role.ADMIN)


@pytest.fixture
def mia(service: Service, ada: Token) -> Token:
    """The manager of a group with the store."""
    service.group("maple", "1", "2")
    return service.token("mia@example.com", maple=GroupRole.MANAGER)


def test_a_link_is_made_opened_listed_and_revoked(service: Service, mia: Token) -> None:
    made = mia.post("/api/v1/shares", json=WANTED)
    assert (made.status_code, said(made)["label"], said(made)["works"]) == (201, "Lou", True)
    path, place = said(made)["link"].partition("/shared/")[2], made.headers["Location"]
    assert service.browser().get(f"/shared/{path}", headers={"Accept": "text/html"}).status_code == 200
    told = said(mia.get(place))
    assert "link" not in told
    assert told["made_by"] == "mia@example.com"
    assert told["first_used_at"] == told["last_used_at"] is not None
    assert said(mia.get("/api/v1/shares"))["items"] == [told]
    assert mia.delete(place).status_code == 204
    assert (mia.get(place).status_code, mia.delete(place).status_code) == (404, 404)
    assert said(mia.get("/api/v1/shares?store_id=1"))["items"] == []


def test_no_table_holds_the_secret_and_a_repeated_request_shows_none(service: Service, ada: Token) -> None:
    first, again = (ada.post("/api/v1/shares", json=WANTED, headers=KEY) for _ in range(2))
    assert said(again) == said(first) | {"link": None}
    assert again.headers["ETag"] == ada.get(first.headers["Location"]).headers["ETag"]
    secret = said(first)["link"].rpartition("/")[2]
    with service.database.session() as session:
        for table, kept in (("idempotency_key", "convert_from(body, 'UTF8')"), ("audit", "detail::text")):
            found = session.execute(text(f"SELECT string_agg({kept}, '') FROM {table}")).scalar_one()
            assert secret not in found
        told = session.execute(text("SELECT action, detail FROM audit WHERE kind = 'share'")).all()
    assert [(row.action, row.detail["store_id"]) for row in told] == [("create", "1")]


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"label": " "}, 422, "label"),
        ({"label": "a\x00"}, 422, "label"),
        ({"first_day": "2023-01-24"}, 400, "last_day"),
        ({"last_day": "2023-04-25"}, 400, "last_day"),
        ({"last_day": "9999-12-31"}, 422, "last_day"),
        ({"first_day": "soon"}, 422, "first_day"),
        ({"days": 91}, 422, "days"),
        ({"days": 0}, 422, "days"),
        ({"store_id": "3"}, 404, None),
    ],
)
def test_what_makes_no_sense_is_refused(
    ada: Token, wrong: dict[str, Any], status: int, field: str | None
) -> None:
    answer = ada.post("/api/v1/shares", json=WANTED | wrong)
    assert (answer.status_code, said(answer).get("field")) == (status, field)
    assert said(ada.get("/api/v1/shares"))["items"] == []


def test_managers_see_and_end_the_links_of_their_stores_whoever_made_them(ada: Token, mia: Token) -> None:
    theirs = ada.post("/api/v1/shares", json=WANTED).headers["Location"]
    others = ada.post("/api/v1/stores", json={"store_id": "9"})
    assert others.status_code == 201
    hidden = ada.post("/api/v1/shares", json=WANTED | {"store_id": "9"}).headers["Location"]
    [told] = said(mia.get("/api/v1/shares"))["items"]
    assert (told["store_id"], told["made_by"]) == ("1", None)  # a manager does not see the admins
    assert (mia.get(hidden).status_code, mia.delete(hidden).status_code) == (404, 404)
    assert mia.get("/api/v1/shares?store_id=9").status_code == 404
    assert mia.delete(theirs).status_code == 204
    assert len(said(ada.get("/api/v1/shares"))["items"]) == 1


def test_a_link_whose_maker_may_share_no_more_is_told_not_to_work(
    service: Service, ada: Token, mia: Token
) -> None:
    mia.post("/api/v1/shares", json=WANTED)
    for table, column in (
        ("account", "active = email <> 'mia@example.com'"),
        ("membership", "role = 'viewer'"),
    ):
        with service.database.transaction() as session:
            session.execute(text(f"UPDATE {table} SET {column}"))
        assert [each["works"] for each in said(ada.get("/api/v1/shares"))["items"]] == [False]
        with service.database.transaction() as session:
            session.execute(text("UPDATE account SET active = true"))


def test_a_token_makes_no_link_that_outlives_it(service: Service, ada: Token) -> None:
    assert ada.account_id is not None
    short = service.another_token(ada.account_id, Scope.WRITE, datetime.now(UTC) + timedelta(days=8))
    answer = short.post("/api/v1/shares", json=WANTED)
    assert (answer.status_code, said(answer)["field"]) == (400, "days")
    assert short.post("/api/v1/shares", json=WANTED | {"days": 7}).status_code == 201


def test_a_store_has_a_hundred_links_at_most_and_lists_have_pages(ada: Token) -> None:
    for number in range(100):
        made = ada.post("/api/v1/shares", json=WANTED | {"label": str(number)})
        assert made.status_code == 201
    assert ada.post("/api/v1/shares", json=WANTED).status_code == 409
    assert ada.post("/api/v1/stores", json={"store_id": "9"}).status_code == 201
    assert ada.post("/api/v1/shares", json=WANTED | {"store_id": "9"}).status_code == 201
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = said(ada.get(f"/api/v1/shares?store_id=1&limit=40&cursor={cursor}"))
        found, cursor = found + [each["label"] for each in page["items"]], page["next_cursor"]
    assert found == [str(number) for number in reversed(range(100))]
