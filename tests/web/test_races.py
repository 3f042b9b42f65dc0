"""Requests that come at once: one of them wins, the others are told, and none is answered with a 500."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from storewatch.domain.permissions import GroupRole, Role
from storewatch.services import stores
from storewatch.storage import imports
from tests.web.service import PASSWORD, Service, Token


@pytest.fixture
def admin(service: Service) -> Token:
    return service.token("ada@example.com", Role.ADMIN)


def at_once(*calls: Callable[[], Any]) -> list[int]:
    """The statuses of requests that start together, in the order of the calls."""
    begin = Barrier(len(calls))

    def go(call: Callable[[], Any]) -> int:
        begin.wait()
        return int(call().status_code)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(go, calls))


def request(service: Service, by: Token, method: str, path: str, **options: Any) -> Callable[[], Any]:
    """A request with a client of its own, to be sent."""
    own = Token(service.browser(), by.secret)
    return lambda: own.send(method, f"/api/v1/{path}", **options)


def group(by: Token, name: str) -> str:
    return str(by.post("/api/v1/groups", json={"name": name}).json["group_id"])  # type: ignore[index]


def test_of_many_who_make_one_group_one_does(service: Service, admin: Token) -> None:
    for number in range(4):
        make = request(service, admin, "POST", "groups", json={"name": f"Maple {number}"})
        assert sorted(at_once(*[make] * 6)) == [201] + [409] * 5


def test_of_two_groups_one_gets_the_name(service: Service, admin: Token) -> None:
    for number in range(6):
        ids = [group(admin, f"{name} {number}") for name in ("Maple", "Oak")]
        renamed = [
            request(service, admin, "PATCH", f"groups/{each}", json={"name": f"Elm {number}"}) for each in ids
        ]
        assert sorted(at_once(*renamed)) == [200, 409]


def test_a_group_goes_while_others_fill_and_rename_it(service: Service, admin: Token) -> None:
    service.group("Oak", "oak")
    vera = service.person("vera@example.com")
    for number in range(10):
        path = f"groups/{group(admin, f'Maple {number}')}"
        codes = at_once(
            request(service, admin, "DELETE", path),
            request(service, admin, "PATCH", path, json={"name": f"Elm {number}"}),
            request(service, admin, "POST", f"{path}/stores", json={"store_ids": ["oak"]}),
            request(service, admin, "PUT", f"{path}/members/{vera}", json={"role": "viewer"}),
        )
        assert codes[0] == 204
        assert set(codes[1:]) <= {200, 404, 409}


def test_two_invitations_of_one_person_make_one_account(service: Service, admin: Token) -> None:
    for number in range(4):
        email = f"mia{number}@example.com"
        links = [
            admin.post("/api/v1/invitations", json={"email": email, "role": role}).json["link"]  # type: ignore[index]
            for role in ("operator", "admin")
        ]
        form = {"password": PASSWORD}

        def accept(link: str) -> Callable[[], Any]:
            return lambda: service.browser().post(link.partition("8000")[2], data=form)  # noqa: B023

        codes = at_once(*map(accept, links))
        assert 303 in codes
        assert set(codes) <= {303, 401, 409}


CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("PATCH", "stores/oak", {"notes": "x"}),
    ("PUT", "hours/oak", {"hours": []}),
    ("PUT", "zones/oak", {"zone": "Europe/Paris"}),
)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_an_import_is_waited_for_by_those_who_may_change_and_not_for_ever(
    service: Service, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    service.group("Oak", "oak")
    vera = service.token("vera@example.com", Oak=GroupRole.VIEWER)
    otto = service.token("otto@example.com", Oak=GroupRole.MANAGER)
    with service.database.transaction() as session:
        for kind in imports.KINDS:
            imports.lock(session, kind)
        monkeypatch.setattr(stores, "PATIENCE_S", 0)  # PostgreSQL's word for: wait for ever
        assert vera.send(method, f"/api/v1/{path}", json=body).status_code == 403
        assert vera.send(method, f"/api/v1/{path.replace('oak', 'elm')}", json=body).status_code == 404
        monkeypatch.setattr(stores, "PATIENCE_S", 1)
        assert otto.send(method, f"/api/v1/{path}", json=body).status_code == 503
    assert otto.send(method, f"/api/v1/{path}", json=body).status_code == 200
