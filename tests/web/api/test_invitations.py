"""/api/v1/invitations."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.domain.permissions import GroupRole, Role
from tests.web.conftest import said
from tests.web.service import Service, Token

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
MANAGER, VIEWER = GroupRole.MANAGER, GroupRole.VIEWER
PLACES = "SELECT m.role FROM membership AS m JOIN account USING (account_no)"
HTML = {"Accept": "text/html"}


@pytest.fixture
def town(service: Service) -> dict[str, Token]:
    return {
        "ada": service.token("ada@example.com", Role.ADMIN),
        "olga": service.token("olga@example.com", Role.OPERATOR),
        "mia": service.token("mia@maple.example", Maple=MANAGER),
        "vera": service.token("vera@maple.example", Maple=VIEWER),
        "owen": service.token("owen@oak.example", Oak=MANAGER),
    }


@pytest.fixture
def groups(town: dict[str, Token]) -> dict[str, str]:
    found = said(town["ada"].get("/api/v1/groups"))["items"]
    return {group["name"]: group["group_id"] for group in found}


def invite(who: Token, email: str, role: str = "member", **options: Any) -> TestResponse:
    return who.post("/api/v1/invitations", json={"email": email, "role": role, **options})


def place(group_id: str, role: str = "viewer") -> list[dict[str, str]]:
    return [{"group_id": group_id, "role": role}]


def accept(service: Service, link: str) -> int:
    """Chooses a password behind the link."""
    path = urlsplit(link).path
    return service.browser().post(path, data={"password": "a password of mine"}, headers=HTML).status_code


def test_somebody_is_invited_and_comes_in(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    made = invite(town["mia"], "new@maple.example", groups=place(groups["Maple"]))
    assert (made.status_code, said(made)["mailed"], said(made)["invited_by"]) == (
        201,
        False,
        "mia@maple.example",
    )
    path = made.headers["Location"]
    told = said(town["mia"].get(path))
    assert told == {name: value for name, value in said(made).items() if name not in ("link", "mailed")}
    assert [group["name"] for group in told["groups"]] == ["Maple"]
    assert accept(service, said(made)["link"]) == 303
    assert town["mia"].get(path).status_code == 404
    with service.database.session() as session:
        row = session.execute(text(f"{PLACES} WHERE email = 'new@maple.example'"))
        assert row.scalar_one() == "viewer"


@pytest.mark.parametrize(
    ("who", "role", "group", "as_what", "status"),
    [
        ("ada", "admin", "", "", 201),
        ("ada", "member", "Maple", "manager", 201),
        ("ada", "member", "", "", 400),
        ("olga", "operator", "", "", 403),
        ("olga", "member", "Oak", "manager", 201),
        ("mia", "member", "Maple", "viewer", 201),
        ("mia", "member", "Maple", "manager", 403),
        ("mia", "operator", "", "", 403),
        ("mia", "operator", "Maple", "viewer", 403),
        ("mia", "member", "Oak", "viewer", 404),
        ("vera", "member", "Maple", "viewer", 403),
        ("vera", "member", "Oak", "viewer", 404),
    ],
)
def test_who_may_invite_whom(
    town: dict[str, Token], groups: dict[str, str], who: str, role: str, group: str, as_what: str, status: int
) -> None:
    wanted = place(groups[group], as_what) if group else []
    assert invite(town[who], "new@maple.example", role, groups=wanted).status_code == status


def test_no_answer_tells_whether_an_address_has_an_account(
    town: dict[str, Token], groups: dict[str, str]
) -> None:
    told = []
    for email in ("owen@oak.example", "nobody@oak.example"):
        made = invite(town["mia"], email, groups=place(groups["Maple"]))
        listed = said(town["mia"].get("/api/v1/invitations"))["items"][0]
        told.append((made.status_code, sorted(said(made)), said(made)["mailed"], listed["email"] == email))
    assert told[0] == told[1]


def test_open_ones_are_listed_and_withdrawn(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    by_mia = said(invite(town["mia"], "a@maple.example", groups=place(groups["Maple"])))
    by_ada = said(invite(town["ada"], "b@example.com", "operator"))
    paths = [f"/api/v1/invitations/{each['invitation_id']}" for each in (by_mia, by_ada)]
    seen = {who: said(town[who].get("/api/v1/invitations"))["items"] for who in town}
    assert [each["email"] for each in seen["ada"]] == ["b@example.com", "a@maple.example"]
    assert [len(seen[who]) for who in ("olga", "mia", "vera", "owen")] == [2, 1, 0, 0]
    assert [town["owen"].send(method, paths[0]).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert (town["mia"].get(paths[1]).status_code, town["olga"].delete(paths[1]).status_code) == (404, 403)
    assert town["mia"].delete(paths[0]).status_code == 204
    assert accept(service, by_mia["link"]) == 410
    assert town["ada"].delete(paths[1]).status_code == 204
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM one_time_link")).scalar() == 0


def test_the_list_comes_in_pages(town: dict[str, Token], groups: dict[str, str]) -> None:
    many(town["ada"], "".join(f"u{number}@example.com,viewer,Maple\n" for number in range(5)))
    emails, cursor = [], ""
    while cursor is not None:
        answer = said(town["ada"].get(f"/api/v1/invitations?limit=2&cursor={cursor}"))
        emails += [each["email"] for each in answer["items"]]
        cursor = answer["next_cursor"]
    assert sorted(emails) == [f"u{number}@example.com" for number in range(5)]


def test_the_same_again_replaces_the_open_one(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    first, second = (invite(town["mia"], "A@maple.example", groups=place(groups["Maple"])) for _ in range(2))
    assert len(said(town["mia"].get("/api/v1/invitations"))["items"]) == 1
    assert accept(service, said(first)["link"]) == 410
    assert accept(service, said(second)["link"]) == 303


def test_a_repeated_request_invites_once_and_shows_no_link(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    body = {"email": "a@maple.example", "groups": place(groups["Maple"])}
    first, again = (town["mia"].post("/api/v1/invitations", json=body, headers=KEY) for _ in range(2))
    assert said(again) == {**said(first), "link": None}
    with service.database.session() as session:
        kept = session.execute(text("SELECT convert_from(body, 'UTF8') FROM idempotency_key")).scalar_one()
    assert said(first)["link"].rpartition("/")[2] not in kept
    assert accept(service, said(first)["link"]) == 303


def test_with_a_mail_server_the_link_is_mailed_and_not_shown(
    service: Service, town: dict[str, Token]
) -> None:
    service.app.extensions["storewatch.mail"] = True
    made = said(invite(town["ada"], "a@b.example", "operator"))
    assert (made["link"], made["mailed"]) == (None, True)
    assert said(many(town["ada"], "c@d.example,admin,\n"))["items"][0]["mailed"] is True
    with service.database.session() as session:
        jobs = session.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'mail'"))
        assert jobs.scalar() == 2
        digests = session.execute(text("SELECT count(digest) FROM one_time_link"))
        assert digests.scalar() == 0  # made when the mail is written


def test_what_the_inviter_may_no_longer_see_is_not_told(
    town: dict[str, Token], groups: dict[str, str]
) -> None:
    invite(town["mia"], "a@maple.example", groups=place(groups["Maple"]))
    town["ada"].delete(f"/api/v1/groups/{groups['Maple']}/members/{town['mia'].account_id}")
    assert said(town["mia"].get("/api/v1/invitations"))["items"][0]["groups"] == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"role": "admin"}, 422, "email"),
        ({"email": "no address", "role": "admin"}, 400, "email"),
        ({"email": "a@b.example", "role": "viewer"}, 422, "role"),
        ({"email": "a@b.example"}, 400, "groups"),
        ({"email": "a@b.example", "groups": [{"group_id": "7", "role": "viewer"}]}, 422, "groups.0.group_id"),
        ({"email": "a@b.example", "groups": 2 * place("0" * 32)}, 422, "groups"),
    ],
)
def test_errors_name_the_field(town: dict[str, Token], body: dict[str, Any], status: int, field: str) -> None:
    answer = town["ada"].post("/api/v1/invitations", json=body)
    assert (answer.status_code, said(answer)["field"]) == (status, field)


# --- a file of people -----------------------------------------------------------------------------


def many(who: Token, rows: str, header: str = "email,role,group\n", **options: Any) -> TestResponse:
    return who.post("/api/v1/invitations/bulk", data=header + rows, content_type="text/csv", **options)


def test_a_file_invites_many_and_everybody_once(
    service: Service, town: dict[str, Token], groups: dict[str, str]
) -> None:
    rows = "a@b.example,Manager,Maple\nA@B.example,viewer,Oak\n\nc@d.example,operator,\n"
    answer = many(town["ada"], rows)
    items = {each["email"]: each for each in said(answer)["items"]}
    assert (answer.status_code, said(answer)["rejected"], sorted(items)) == (
        200,
        [],
        ["a@b.example", "c@d.example"],
    )
    places = [(group["name"], group["role"]) for group in items["a@b.example"]["groups"]]
    assert places == [("Maple", "manager"), ("Oak", "viewer")]
    assert items["c@d.example"]["role"] == "operator"
    assert accept(service, items["a@b.example"]["link"]) == 303


REJECTED = {
    ",viewer,Maple": "no email",
    "nobody,viewer,Maple": "'nobody' is not an email address",
    "a@b.example,,Maple": "no role: it is admin, operator, manager or viewer",
    "a@b.example,king,Maple": "role 'king' is not admin, operator, manager or viewer",
    "a@b.example,viewer,": "a viewer needs a group",
    "a@b.example,viewer": "a viewer needs a group",
    "a@b.example,admin,Maple": "an admin sees every group: leave 'group' empty",
    "a@b.example,viewer,Elm": "there is no group 'Elm'",
    "a@b.example,admin,": "you may not invite an admin",
    'a@b.example,"viewer,Maple': "quote",
}


@pytest.mark.parametrize("row", REJECTED)
def test_a_row_that_cannot_be_used_is_rejected_alone(town: dict[str, Token], row: str) -> None:
    answer = said(many(town["olga"], f"good@b.example,viewer,Maple\n{row}\nfine@b.example,manager,Maple\n"))
    assert [each["email"] for each in answer["items"]] == ["good@b.example", "fine@b.example"]
    [rejected] = answer["rejected"]
    assert rejected["line"] == 3
    assert REJECTED[row] in rejected["reason"]


def test_a_manager_invites_viewers_of_their_groups_and_learns_of_no_other(town: dict[str, Token]) -> None:
    places = ("viewer,Maple", "manager,Maple", "viewer,Oak", "viewer,Elm")
    answer = said(many(town["mia"], "".join(f"a@b.example,{place}\n" for place in places)))
    assert [each["reason"] for each in answer["rejected"]] == [
        "you may not invite a manager into 'Maple'",
        "there is no group 'Oak'",
        "there is no group 'Elm'",
    ]
    assert [group["role"] for group in answer["items"][0]["groups"]] == ["viewer"]


@pytest.mark.parametrize(
    ("header", "rows", "status"),
    [
        ("email,group\n", "a@b.example,Maple\n", 422),
        ("email,role,group,role\n", "a@b.example,viewer,Maple,viewer\n", 422),
        ("", "", 422),
        ("email,role,group\n", "a@b.example,viewer,Maple\n" * 1001, 422),
        ("email,role,group\n", "x" * (1 << 20), 413),
        ("email,role\n", "", 200),
    ],
)
def test_a_file_that_is_none_is_refused_whole(
    town: dict[str, Token], header: str, rows: str, status: int
) -> None:
    assert many(town["ada"], rows, header).status_code == status
    assert said(town["ada"].get("/api/v1/invitations"))["items"] == []


def test_a_file_that_is_cut_off_invites_nobody(town: dict[str, Token]) -> None:
    cut = many(town["ada"], "mia@maple.example,operator,\n", environ_overrides={"CONTENT_LENGTH": "100"})
    assert cut.status_code == 400
    assert said(town["ada"].get("/api/v1/invitations"))["items"] == []


def test_another_content_type_is_refused(town: dict[str, Token]) -> None:
    assert town["ada"].post("/api/v1/invitations/bulk", json={}).status_code == 415


def test_a_file_that_is_sent_again_under_a_key_invites_nobody_anew(town: dict[str, Token]) -> None:
    first, again = (many(town["ada"], "c@d.example,operator,\n", headers=KEY) for _ in range(2))
    assert said(first)["items"][0]["link"]
    assert said(again)["items"] == [{**said(first)["items"][0], "link": None}]
