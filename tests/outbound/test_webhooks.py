"""POSTs to addresses that users give: to real servers, and never into a private network."""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from storewatch.errors import DeliveryError, DeliveryRefusedError, SettingsError, UsageError
from storewatch.outbound import addresses, webhooks
from tests.outbound.receiver import receiving

LOOPBACK = webhooks.networks("127.0.0.0/8, ::1/128")


def test_a_post_arrives_whole() -> None:
    with receiving() as receiver:
        body = json.dumps({"status": "complete"}).encode()
        assert webhooks.post(receiver.url, body, {"Storewatch-Signature": "t=1,v1=2"}, LOOPBACK) == 204
    ((path, headers, came),) = receiver.came
    assert (path, came) == ("/hook?key=1", body)
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert (headers["Content-Type"], headers["Storewatch-Signature"]) == ("application/json", "t=1,v1=2")


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 500, 503])
def test_what_is_not_taken_is_an_error_and_no_redirect_is_followed(status: int) -> None:
    with receiving() as receiver:
        receiver.status = status
        with pytest.raises(DeliveryError, match=f"answered {status}"):
            webhooks.post(receiver.url, b"{}", {}, LOOPBACK)
        assert [path for path, _, _ in receiver.came] == ["/hook?key=1"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",  # noqa: S104
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with receiving() as receiver:
        with pytest.raises(DeliveryRefusedError, match="private network"):
            webhooks.post(f"http://{host}:{receiver.port}/", b"{}", {}, ())
        assert receiver.came == []


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("192.0.2.1", False),
        ("::", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("fe80::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("2002:0a00:0001::", False),  # 6to4 of 10.0.0.1
        ("64:ff9b::0a00:1", False),  # NAT64 of 10.0.0.1
        ("2001::1", False),  # Teredo
        ("2001:db8::1", False),
        ("64:ff9b:1::0a00:1", False),  # NAT64 with a prefix of one's own
        ("fec0::1", False),  # private once
        ("::7f00:1", False),  # 127.0.0.1 in an old way
    ],
)
def test_only_public_addresses_may_be_reached(address: str, may: bool) -> None:
    assert addresses.may_reach(ipaddress.ip_address(address), ()) == may


def test_a_setting_allows_a_network_and_no_other() -> None:
    allowed = webhooks.networks("10.1.2.0/24")
    assert addresses.may_reach(ipaddress.ip_address("10.1.2.3"), allowed)
    assert addresses.may_reach(ipaddress.ip_address("::ffff:10.1.2.3"), allowed)
    assert not addresses.may_reach(ipaddress.ip_address("10.1.3.3"), allowed)


def test_the_name_is_looked_up_once_and_the_checked_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else the second time gains nothing."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answers(host: str, port: int, **more: int) -> object:
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", port, **more)

    with receiving() as receiver:
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, port, *_, **more: (
                answers(host, port, **more) if host == "rebinding.example" else real(host, port, *_, **more)
            ),
        )
        url = receiver.url.replace("127.0.0.1", "rebinding.example")
        assert webhooks.post(url, b"{}", {}, LOOPBACK) == 204
    assert asked == ["rebinding.example"]
    assert receiver.came[0][1]["Host"] == f"rebinding.example:{receiver.port}"


@contextmanager
def silent(answer: bytes = b"", every: float = 0) -> Iterator[int]:
    """A server that says the same again and again, or nothing; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while not ended.wait(every or 0.05):
                    try:
                        connection.sendall(answer)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize("answer", [b"", b"H"])
def test_a_server_that_dawdles_is_left_after_a_fixed_time(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_PATIENCE", 0.5)
    with silent(answer, every=0.05) as port:
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="cannot be reached"):
            webhooks.post(f"http://127.0.0.1:{port}/", b"{}", {}, LOOPBACK)
        assert time.monotonic() - began < 5


def test_a_server_that_talks_without_end_is_not_heard_out() -> None:
    with silent(b"x" * 4096) as port, pytest.raises(DeliveryError, match="does not answer in HTTP"):
        webhooks.post(f"http://127.0.0.1:{port}/", b"{}", {}, LOOPBACK)


def test_nobody_there_is_an_error_that_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/", "http://nobody.invalid/"):
        with pytest.raises(DeliveryError) as caught:
            webhooks.post(url, b"{}", {}, LOOPBACK)
        assert not isinstance(caught.value, DeliveryRefusedError)


def test_a_server_without_tls_is_no_https() -> None:
    with receiving() as receiver, pytest.raises(DeliveryError, match="cannot be reached"):
        webhooks.post(receiver.url.replace("http:", "https:"), b"{}", {}, LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://me@example.com/",
        "http://me:secret@example.com/",
        "http://good.example\\@evil.example/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://[::1/",
        "http://exa mple.com/",
        "http://example.com/\r\nX: y",
        "http://exämple.com/",
        "http://example.com/" + "x" * 2000,
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        webhooks.check_url(url)
    assert caught.value.field == "webhook"


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://10.0.0.1:8080/a?b=c", "https://[2606:4700::1]/"]
)
def test_an_address_is_taken(url: str) -> None:
    webhooks.check_url(url)


@pytest.mark.parametrize("text", ["home", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_setting_that_is_no_network_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="STOREWATCH_WEBHOOK_NETWORKS"):
        webhooks.networks(text)


def test_the_signature_is_that_of_the_documentation() -> None:
    """As `printf '%s' '1674497640.{}' | openssl dgst -sha256 -hmac secret` has it."""
    assert webhooks.signature("secret", b"{}", 1674497640) == (
        "t=1674497640,v1=bd3925dfce2e06fcc3f8d66dcf7cc47f22cc6ffc295bb6940646c07910bc505a"
    )
