"""Chat services by Apprise: to real servers, under the network rule; no error holds their address."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from storewatch.errors import DeliveryError, DeliveryRefusedError, UsageError
from storewatch.outbound import notifying, webhooks
from tests.outbound.receiver import receiving

ONE = webhooks.networks("127.0.0.1/32")
SCHEMES = frozenset({"json", "ntfy"})


def test_a_text_arrives() -> None:
    with receiving() as receiver:
        notifying.send(f"json://127.0.0.1:{receiver.port}/a", "Down: Café", "Since 11:34 CST", ONE)
    told = json.loads(receiver.came[0][2])
    assert (told["title"], told["message"]) == ("Down: Café", "Since 11:34 CST")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0"],  # noqa: S104
)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with receiving() as receiver:
        with pytest.raises(DeliveryError):
            notifying.send(f"json://{host}:{receiver.port}/a", "a", "b", ())
        assert receiver.came == []


def test_a_name_that_leads_into_a_private_network_is_refused() -> None:
    with receiving() as receiver, pytest.raises(DeliveryRefusedError, match="private network"):
        notifying.send(f"json://localhost:{receiver.port}/a", "a", "b", ())
    assert receiver.came == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_into_a_private_network_is_not_followed(status: int) -> None:
    with receiving() as inside, receiving() as outside:
        outside.status, outside.location = status, f"http://127.0.0.2:{inside.port}/"
        with pytest.raises(DeliveryError):
            notifying.send(f"json://127.0.0.1:{outside.port}/a?redirect=yes", "a", "b", ONE)
    assert (len(outside.came), inside.came) == (1, [])


def test_the_name_is_looked_up_once_and_the_checked_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def twofaced(host: str, *arguments: Any, **named: Any) -> Any:
        if host != "twofaced.example":
            return real(host, *arguments, **named)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *arguments, **named)

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", twofaced)
        notifying.send(f"json://twofaced.example:{receiver.port}/a", "a", "b", ONE)
    assert len(asked) == 1
    assert len(receiver.came) == 1


def test_an_error_tells_what_was_answered_and_not_the_address() -> None:
    with receiving() as receiver:
        receiver.status = 503
        with pytest.raises(DeliveryError, match="503") as raised:
            notifying.send(f"json://127.0.0.1:{receiver.port}/abcdefghij-secret", "a", "b", ONE)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ntfy://topic", None),
        ("json://example.com/x", None),
        ("discord://1/2", "not allowed here"),
        ("mailto://a:b@example.com", "not allowed here"),
        ("file:///etc/passwd", "not allowed here"),
        ("json://", "not complete"),
        ("json://a b", "without spaces"),
    ],
)
def test_only_schemes_of_the_allow_list_are_taken(url: str, words: str | None) -> None:
    if words is None:
        notifying.check(notifying.OTHER, url, SCHEMES)
        return
    with pytest.raises(UsageError, match=words):
        notifying.check(notifying.OTHER, url, SCHEMES)


@pytest.mark.parametrize("url", ["syslog://", "mailto://a:b@example.com"])
def test_a_service_that_is_not_reached_by_http_is_refused_even_if_it_is_listed(url: str) -> None:
    with pytest.raises(UsageError, match="by HTTP"):
        notifying.check(notifying.OTHER, url, frozenset({"syslog", "mailto"}))
