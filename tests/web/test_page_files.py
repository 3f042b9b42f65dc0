"""What pages refer to is there: style sheets, scripts, pictures, links."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.domain.permissions import Role
from tests.web.service import PASSWORD, Service

KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HTML = {"Accept": "text/html"}


def pages(client: FlaskClient, *paths: str) -> list[TestResponse]:
    found = [client.get(path, headers=HTML) for path in paths]
    assert [page.status_code for page in found] == [200] * len(paths)
    return found


def referred(page: TestResponse) -> set[str]:
    return set(map(unescape, re.findall(r'(?:href|src|data-url)="(/[^"#]*)"', page.text)))


def check(client: FlaskClient, found: list[TestResponse]) -> None:
    addresses = set().union(*map(referred, found))
    assert any(address.endswith(".css") for address in addresses)
    for address in sorted(addresses):
        answer = client.get(address, headers=HTML, buffered=True)
        kind = KINDS.get(address.rpartition(".")[2])
        assert answer.status_code in ((200,) if kind else (200, 303)), address  # 303: log in first
        assert kind is None or answer.mimetype == kind, address


def test_a_stranger_gets_all_that_their_pages_refer_to(service: Service) -> None:
    client = service.browser()
    check(client, pages(client, "/login", "/forgot", "/api"))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
def test_a_person_gets_all_that_their_pages_refer_to(service: Service, role: Role) -> None:
    service.person("ada@example.com", role)
    client = service.browser()
    form = {"email": "ada@example.com", "password": PASSWORD}
    assert client.post("/login", data=form, headers=HTML).status_code == 303
    more = ("/imports", "/audit") if role is Role.ADMIN else ()
    check(client, pages(client, "/", "/account", "/api", "/people", "/groups", *more))


def test_without_logins_too(client: FlaskClient) -> None:
    check(client, pages(client, "/", "/api"))
