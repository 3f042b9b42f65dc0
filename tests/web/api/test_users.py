"""/api/v1/users."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role, Scope
from tests.web.conftest import said
from tests.web.service import PASSWORD, Service, Token

MANAGER, VIEWER = GroupRole.MANAGER, GroupRole.VIEWER


@pytest.fixture
def town(service: Service) -> dict[str, Token]:
    """Two managers and two viewers of Maple, one of them also of Oak; one of Oak alone; staff."""
    return {
        "ada": service.token("ada@example.com", Role.ADMIN),
        "olga": service.token("olga@example.com", Role.OPERATOR),
        "mia": service.token("mia@maple.example", Maple=MANAGER),
        "max": service.token("max@maple.example", Maple=MANAGER),
        "vera": service.token("vera@maple.example", Maple=VIEWER),
        "walt": service.token("walt@maple.example", Maple=VIEWER, Oak=VIEWER),
        "owen": service.token("owen@oak.example", Oak=VIEWER),
    }


def emails(answer: Any) -> list[str]:
    return [user["email"].partition("@")[0] for user in said(answer)["items"]]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("ada", ["ada", "max", "mia", "olga", "owen", "vera", "walt"]),
        ("olga", ["ada", "max", "mia", "olga", "owen", "vera", "walt"]),
        ("mia", ["mia", "vera", "walt"]),
        ("vera", ["vera"]),
    ],
)
def test_managers_see_the_viewers_of_their_groups_and_members_themselves(
    town: dict[str, Token], who: str, seen: list[str]
) -> None:
    assert emails(town[who].get("/api/v1/users")) == seen
    for name, person in town.items():
        answer = town[who].get(f"/api/v1/users/{person.account_id}")
        assert answer.status_code == (200 if name in seen else 404), name


def test_of_a_viewer_a_manager_sees_the_places_in_their_own_groups(town: dict[str, Token]) -> None:
    path = f"/api/v1/users/{town['walt'].account_id}"
    for who, groups in (("mia", ["Maple"]), ("walt", ["Maple", "Oak"]), ("olga", ["Maple", "Oak"])):
        assert [place["name"] for place in said(town[who].get(path))["groups"]] == groups


def test_who_became_an_operator_is_no_longer_a_managers_to_see(town: dict[str, Token]) -> None:
    path = f"/api/v1/users/{town['vera'].account_id}"
    assert town["ada"].patch(path, json={"role": "operator"}).status_code == 200
    assert town["mia"].get(path).status_code == 404


def test_the_list_comes_in_pages_and_is_filtered(town: dict[str, Token]) -> None:
    found, cursor = [], ""
    while cursor is not None:
        answer = town["ada"].get(f"/api/v1/users?limit=3&cursor={cursor}")
        found += emails(answer)
        cursor = said(answer)["next_cursor"]
    assert found == ["ada", "max", "mia", "olga", "owen", "vera", "walt"]
    assert emails(town["ada"].get("/api/v1/users?q=MAPLE&role=member&active=true")) == [
        *("max", "mia", "vera", "walt")
    ]
    assert emails(town["ada"].get("/api/v1/users?active=false")) == []


def test_who_asks_is_told_who_they_are(service: Service, town: dict[str, Token]) -> None:
    assert town["walt"].account_id
    reader = service.another_token(town["walt"].account_id, Scope.READ)
    me = said(reader.get("/api/v1/users/me"))
    assert (me["email"], me["role"], me["via"], me["scope"]) == (
        *("walt@maple.example", "member", "token", "read"),
    )
    assert [(place["name"], place["role"]) for place in me["groups"]] == [
        ("Maple", "viewer"),
        ("Oak", "viewer"),
    ]


def test_without_logins_there_is_nobody(client: Any) -> None:
    me = said(client.get("/api/v1/users/me"))
    assert (me["account_id"], me["role"], me["via"]) == (None, "admin", "no-login")
    assert client.delete("/api/v1/users/me/sessions").status_code == 403


def test_a_person_is_disabled_and_let_in_again(service: Service, town: dict[str, Token]) -> None:
    path = f"/api/v1/users/{town['vera'].account_id}"
    answer = town["ada"].patch(path, json={"active": False})
    assert (answer.status_code, said(answer)["active"]) == (200, False)
    with service.database.session() as session:
        row = session.execute(text("SELECT active FROM account WHERE email LIKE 'vera%'")).scalar()
    assert row is False
    assert town["vera"].get("/api/v1/groups").status_code == 401
    town["ada"].patch(path, json={"active": True})
    assert town["vera"].get("/api/v1/groups").status_code == 200


def test_a_lost_update_is_refused(town: dict[str, Token]) -> None:
    path = f"/api/v1/users/{town['vera'].account_id}"
    tag = {"If-Match": town["ada"].get(path).headers["ETag"]}
    assert town["ada"].patch(path, json={"role": "operator"}, headers=tag).status_code == 200
    assert town["ada"].patch(path, json={"role": "admin"}, headers=tag).status_code == 412
    assert said(town["ada"].get(path))["role"] == "operator"


def test_the_last_administrator_stays(town: dict[str, Token]) -> None:
    path = f"/api/v1/users/{town['ada'].account_id}"
    for change in ({"role": "member"}, {"active": False}):
        assert town["ada"].patch(path, json=change).status_code == 409
    town["ada"].patch(f"/api/v1/users/{town['olga'].account_id}", json={"role": "admin"})
    assert town["ada"].patch(path, json={"role": "member"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"role": "king"}, 422), ({"active": "no!"}, 422), ({"email": "a"}, 422)]
)
def test_a_change_that_makes_no_sense_is_refused(
    town: dict[str, Token], body: dict[str, Any], status: int
) -> None:
    answer = town["ada"].patch(f"/api/v1/users/{town['vera'].account_id}", json=body)
    assert answer.status_code == status


def test_logging_out_everywhere_ends_all_sessions_and_no_token(
    service: Service, town: dict[str, Token]
) -> None:
    browser = service.browser()
    browser.post("/login", data={"email": "vera@maple.example", "password": PASSWORD})
    assert said(browser.get("/api/v1/users/me"))["via"] == "session"
    assert town["vera"].delete("/api/v1/users/me/sessions").status_code == 204
    assert browser.get("/api/v1/users/me").status_code == 401
    assert town["vera"].get("/api/v1/users/me").status_code == 200
