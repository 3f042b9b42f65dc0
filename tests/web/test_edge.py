"""A service that is reached from outside, directly and behind a proxy."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from storewatch.config import Settings
from storewatch.domain.permissions import Role
from storewatch.storage.access_tables import Audit
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.web.service import PASSWORD, Service

URL = "https://stores.example"


def outside(database: Database, *proxies: str, url: str = URL) -> FlaskClient:
    app = create_app(Settings(), database, Edge(url=url, trusted_proxies=proxies, limits=False))
    return app.test_client()


# --- hosts and origins ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("stores.example", 200),
        ("STORES.example", 200),
        ("127.0.0.1:8000", 200),
        ("stores.example:8000", 400),
        ("evil.example", 400),
        ("stores.example.evil.example", 400),
        ("stores.example@evil.example", 400),
        ("", 400),
    ],
)
def test_our_own_host_is_served_and_loopback(database: Database, host: str, status: int) -> None:
    assert outside(database).get("/healthz", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://stores.example", 401),
        ("http://stores.example", 403),
        ("https://stores.example:8443", 403),
        ("https://evil.example", 403),
        ("https://[", 403),
        ("null", 403),
    ],
)
def test_only_pages_of_our_own_url_may_send_requests(database: Database, origin: str, status: int) -> None:
    headers = {"Host": "stores.example", "Origin": origin, "Accept": "text/html"}
    answer = outside(database).post("/login", data={"email": "a@b.de", "password": "x"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("url", "cookie"),
    [("https://stores.example", "__Host-storewatch"), ("http://stores.example", "storewatch")],
)
def test_the_cookie_is_as_safe_as_the_url(database: Database, url: str, cookie: str) -> None:
    Service(database).person("ada@example.com", Role.ADMIN)
    data = {"email": "ada@example.com", "password": PASSWORD}
    answer = outside(database, url=url).post("/login", data=data, headers={"Host": "stores.example"})
    (found,) = answer.headers.getlist("Set-Cookie")
    assert found.startswith(f"{cookie}=")
    assert "HttpOnly; Path=/" in found
    assert "Domain" not in found
    assert ("Secure" in found) == url.startswith("https")


# --- behind a proxy -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, unknown, 10.9.9.9", "10.9.9.9"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_a_trusted_proxy_says_who_asks(database: Database, peer: str, forwarded: str, seen: str) -> None:
    client = outside(database, "127.0.0.1/32", "10.0.0.0/8")
    headers = {"Host": "stores.example", "X-Forwarded-For": forwarded}
    data = {"email": "a@b.de", "password": "x"}
    client.post("/login", data=data, headers=headers, environ_base={"REMOTE_ADDR": peer})
    with database.session() as session:
        assert session.execute(select(Audit.address)).scalars().all() == [seen]


def test_without_trusted_proxies_nobody_is_believed(database: Database) -> None:
    headers = {"Host": "stores.example", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    outside(database).post("/login", data={"email": "a@b.de", "password": "x"}, headers=headers)
    with database.session() as session:
        assert session.execute(select(Audit.address)).scalars().all() == ["127.0.0.1"]


def test_failed_logins_are_counted_by_the_address_that_the_proxy_names(database: Database) -> None:
    client = outside(database, "127.0.0.1")

    def tried(number: int, address: str) -> int:
        headers = {"Host": "stores.example", "X-Forwarded-For": address}
        data = {"email": f"{number}@b.de", "password": "x"}
        return client.post("/login", data=data, headers=headers).status_code

    assert [tried(number, "203.0.113.9") for number in range(21)] == [401] * 20 + [429]
    assert tried(99, "203.0.113.10") == 401
