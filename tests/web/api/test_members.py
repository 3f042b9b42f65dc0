"""/api/v1/groups/<group_id>/members."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from tests.web.conftest import said
from tests.web.service import Service, Token

PLACES = "SELECT m.role FROM membership AS m JOIN account USING (account_no)"
MANAGER, VIEWER = GroupRole.MANAGER, GroupRole.VIEWER


@pytest.fixture
def town(service: Service) -> dict[str, Token]:
    """Mia manages Maple and Elm; Vera views Maple, Max manages it; Owen views Oak."""
    return {
        "olga": service.token("olga@example.com", Role.OPERATOR),
        "mia": service.token("mia@maple.example", Maple=MANAGER, Elm=MANAGER),
        "max": service.token("max@maple.example", Maple=MANAGER),
        "vera": service.token("vera@maple.example", Maple=VIEWER),
        "owen": service.token("owen@oak.example", Oak=VIEWER),
    }


@pytest.fixture
def groups(town: dict[str, Token]) -> dict[str, str]:
    """The path of each group's members."""
    found = said(town["olga"].get("/api/v1/groups"))["items"]
    return {group["name"]: f"/api/v1/groups/{group['group_id']}/members" for group in found}


def places(answer: Any) -> list[tuple[str, str]]:
    return [(each["email"].partition("@")[0], each["role"]) for each in said(answer)["items"]]


def test_members_are_seen_by_who_may(town: dict[str, Token], groups: dict[str, str]) -> None:
    everybody = [("max", "manager"), ("mia", "manager"), ("vera", "viewer")]
    assert places(town["olga"].get(groups["Maple"])) == everybody
    assert places(town["mia"].get(groups["Maple"])) == [("mia", "manager"), ("vera", "viewer")]
    assert places(town["vera"].get(groups["Maple"])) == [("vera", "viewer")]
    assert town["owen"].get(groups["Maple"]).status_code == 404
    max_path = f"{groups['Maple']}/{town['max'].account_id}"
    assert [town[who].get(max_path).status_code for who in ("olga", "mia", "vera")] == [200, 404, 404]


def test_the_list_comes_in_pages(town: dict[str, Token], groups: dict[str, str]) -> None:
    first = said(town["olga"].get(f"{groups['Maple']}?limit=2"))
    rest = said(town["olga"].get(f"{groups['Maple']}?limit=2&cursor={first['next_cursor']}"))
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]


def test_a_place_is_given_changed_and_ended(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    path = f"{groups['Maple']}/{town['owen'].account_id}"
    given = town["olga"].put(path, json={"role": "viewer"})
    assert (given.status_code, given.json) == (200, town["olga"].get(path).json)
    assert len(said(town["owen"].get("/api/v1/groups"))["items"]) == 2
    changed = town["olga"].put(path, json={"role": "manager"}, headers={"If-Match": given.headers["ETag"]})
    assert said(changed)["role"] == "manager"
    with service.database.session() as session:
        rows = session.execute(text(f"{PLACES} WHERE email = 'owen@oak.example'"))
        assert sorted(rows.scalars()) == ["manager", "viewer"]
    assert town["olga"].delete(path).status_code == 204
    assert (town["olga"].delete(path).status_code, town["olga"].get(path).status_code) == (404, 404)
    assert len(said(town["owen"].get("/api/v1/groups"))["items"]) == 1


def test_a_lost_update_is_refused(town: dict[str, Token], groups: dict[str, str]) -> None:
    path = f"{groups['Maple']}/{town['vera'].account_id}"
    tag = {"If-Match": town["olga"].get(path).headers["ETag"]}
    assert town["olga"].put(path, json={"role": "manager"}).status_code == 200
    assert town["olga"].put(path, json={"role": "viewer"}, headers=tag).status_code == 412
    assert town["olga"].delete(path, headers=tag).status_code == 412
    nobody = f"{groups['Maple']}/{town['owen'].account_id}"
    assert town["olga"].put(nobody, json={"role": "viewer"}, headers={"If-Match": "*"}).status_code == 412


@pytest.mark.parametrize(
    ("who", "group", "whom", "role", "status"),
    [
        ("mia", "Elm", "vera", "viewer", 200),  # a viewer of another group of theirs
        ("mia", "Elm", "vera", "manager", 403),
        ("mia", "Maple", "max", "viewer", 404),  # a manager is not theirs to see
        ("mia", "Maple", "mia", "viewer", 403),
        ("mia", "Maple", "owen", "viewer", 404),  # nor is somebody of another group
        ("mia", "Oak", "vera", "viewer", 404),
        ("vera", "Maple", "vera", "manager", 403),
        ("owen", "Maple", "vera", "viewer", 404),
    ],
)
def test_managers_place_the_viewers_whom_they_see(
    town: dict[str, Token], groups: dict[str, str], who: str, group: str, whom: str, role: str, status: int
) -> None:
    path = f"{groups[group]}/{town[whom].account_id}"
    assert town[who].put(path, json={"role": role}).status_code == status
    if status != 200:
        assert town[who].delete(path).status_code in (status, 204 if role == "manager" else status, 404)


def test_a_manager_takes_a_viewer_out_who_then_sees_nothing(
    town: dict[str, Token], groups: dict[str, str]
) -> None:
    assert town["mia"].delete(f"{groups['Maple']}/{town['vera'].account_id}").status_code == 204
    assert said(town["vera"].get("/api/v1/groups"))["items"] == []
    assert town["mia"].get(f"/api/v1/users/{town['vera'].account_id}").status_code == 404
