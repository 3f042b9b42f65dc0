"""/people, /groups and /audit, with a browser's cookie."""

from __future__ import annotations

import re

import pytest

from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import groups
from tests.web.browsing import Browser
from tests.web.service import Service


@pytest.fixture
def ada(service: Service) -> Browser:
    service.group("Maple", "maple-1", "maple-2")
    return Browser(service, "ada@example.com", Role.ADMIN)


def group_id(service: Service, name: str = "Maple") -> str:
    return str(groups.named(service.database, COMMAND, name).group_id)


def test_an_invitation_shows_its_link_once_is_listed_and_withdrawn(service: Service, ada: Browser) -> None:
    form = {"email": "ned@maple.example", "role": "member", "group": group_id(service), "place": "viewer"}
    made = ada.send("/people/invitations", **form)
    link = re.search(r'class="secret">[^<]+(/link/[^<]+)<', made.text)
    assert link
    page = ada.read("/people")
    assert link[1] not in page
    assert "member, viewer of Maple; invited by ada@example.com" in page
    path = re.search(r'action="(/people/invitations/[^"]+/withdraw)"', page)
    assert path
    assert "its link no longer works" in ada.done(path[1])
    assert service.browser().get(link[1]).status_code == 410


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "<no>"}, "email"),
        ({"role": "king"}, "role"),
        ({"group": ""}, "group"),
        ({"group": "x"}, "group"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused_beside_its_field(
    service: Service, ada: Browser, change: dict[str, str], field: str
) -> None:
    form = {"email": "ned@maple.example", "role": "member", "group": group_id(service), "place": "viewer"}
    answer = ada.send("/people/invitations", **form | change)
    assert (answer.status_code, f'role="alert" id="e-{field}"' in answer.text) == (422, True)
    assert "ned@maple.example" in answer.text or "&lt;no&gt;" in answer.text


def test_a_role_is_changed_and_an_account_disabled_and_enabled(service: Service, ada: Browser) -> None:
    vera = Browser(service, "vera@maple.example", Maple=GroupRole.VIEWER)
    path = f"/people/{vera.account_id}"
    assert "vera@maple.example is an operator." in ada.done(f"{path}/role", role="operator")
    assert ada.send(f"{path}/role", role="king").status_code == 422
    assert "vera@maple.example is an operator, disabled." in ada.done(f"{path}/disable")
    assert vera.get("/people").status_code == 303
    assert "is active again" in ada.done(f"{path}/enable")


def test_the_last_administrator_stays_one_and_the_page_says_why(ada: Browser) -> None:
    answer = ada.send(f"/people/{ada.account_id}/disable")
    assert (answer.status_code, "This is the only administrator" in answer.text) == (409, True)


def test_a_group_is_made_filled_renamed_and_deleted(service: Service, ada: Browser) -> None:
    page = ada.done("/groups", name="<Elm>")
    assert "&lt;Elm&gt;" in page
    path = f"/groups/{group_id(service, '<Elm>')}"
    assert "maple-2" in ada.done(f"{path}/stores", store_ids="maple-1\r\n\r\nmaple-2")
    assert "maple-2" not in ada.done(f"{path}/stores/remove", store_id="maple-2")
    assert "<h1>Elm</h1>" in ada.done(f"{path}/rename", name="Elm")
    assert "Delete the group “Elm”?" in ada.read(f"{path}/delete")
    assert "The group is deleted." in ada.done(f"{path}/delete")
    assert ada.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "form", "status", "told"),
    [
        ("", {"name": "Maple"}, 409, "There is a group"),
        ("", {"name": " "}, 422, "The name is missing"),
        ("/{id}/rename", {"name": "x\0"}, 422, "printable"),
        ("/{id}/stores", {"store_ids": "maple-1\n<gone>"}, 404, "There is no store"),
        ("/{id}/stores", {"store_ids": ""}, 422, "one a line"),
        ("/{id}/members", {"email": "nobody@example.com", "role": "viewer"}, 422, "invite them"),
    ],
)
def test_what_a_group_refuses_is_told_on_its_page(
    service: Service, ada: Browser, path: str, form: dict[str, str], status: int, told: str
) -> None:
    answer = ada.send("/groups" + path.format(id=group_id(service)), **form)
    assert (answer.status_code, told in answer.text, 'role="alert"' in answer.text) == (status, True, True)


def test_a_member_gets_a_place_and_loses_it(service: Service, ada: Browser) -> None:
    vera = Browser(service, "vera@example.com")
    path = f"/groups/{group_id(service)}"
    assert "vera@example.com" in ada.done(f"{path}/members", email="Vera@example.com", role="viewer")
    assert "maple-1" in vera.read(path)
    assert "vera@example.com" not in ada.done(f"{path}/members/{vera.account_id}/remove")
    assert vera.get(path).status_code == 404


def test_a_manager_sees_and_invites_viewers_of_their_groups_only(service: Service, ada: Browser) -> None:
    service.group("Oak", "oak-1")
    mia = Browser(service, "mia@maple.example", Maple=GroupRole.MANAGER)
    service.person("olga@oak.example", Oak=GroupRole.VIEWER)
    page = mia.read("/people")
    assert not any(word in page for word in ("Oak", "olga", "Operator:", "Manager:", "ada@", "/audit"))
    form = {"email": "ned@maple.example", "role": "member", "place": "viewer"}
    assert mia.send("/people/invitations", **form, group=group_id(service)).status_code == 200
    assert mia.send("/people/invitations", **form, group=group_id(service, "Oak")).status_code == 404
    assert "Make the group" not in mia.read("/groups")


def test_the_audit_log_is_sifted_and_paged(service: Service, ada: Browser) -> None:
    for number in range(55):
        service.group(f"g{number}")
        groups.create(service.database, COMMAND, f"made {number}")
    page = ada.read("/audit?kind=group")
    assert "made 54" in page
    earlier = re.search(r'href="(/audit\?before=[^"]+)"', page)
    assert earlier
    assert "made 0" in ada.read(earlier[1].replace("&amp;", "&"))
    assert "log in" in ada.read("/audit?person=ada@example.com&from=2020-01-01&to=9000-01-01")
    assert "Nothing fits that." in ada.read("/audit?to=2020-01-01")


@pytest.mark.parametrize("query", ["person=nobody@example.com", "from=soon", "to=0001-01-01"])
def test_what_the_audit_log_cannot_be_asked_is_told_at_its_field(ada: Browser, query: str) -> None:
    answer = ada.get(f"/audit?{query}")
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
