"""Looks at storefronts: at real servers, and never into a private network."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from storewatch.domain.storefronts import MAX_BODY, Answer, Outcome, Rule
from storewatch.outbound import addresses
from storewatch.outbound.addresses import Network
from storewatch.outbound.probing import Prober, Resolve
from tests.outbound.storefront import Page, storefront

LOOPBACK = addresses.networks("127.0.0.0/8, ::1/128", "X")
READS = Rule(says="order now")


def look(
    url: str,
    rule: Rule = READS,
    allowed: Sequence[Network] = LOOPBACK,
    resolve: Resolve | None = None,
    timeout_s: int = 5,
) -> Answer:
    async def looked() -> Answer:
        prober = Prober(allowed, "storewatch-probe/1 (+https://watch.example)", resolve)
        try:
            return await prober.look(url, rule, timeout_s)
        finally:
            await prober.close()

    return asyncio.run(looked())


def saying(*answers: Iterable[str]) -> tuple[Resolve, list[str]]:
    """A name server that gives another answer each time, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Iterable[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


def test_a_page_is_read_and_we_say_who_we_are() -> None:
    with storefront() as shop:
        shop.pages["/menu?a=1"] = Page(body="Bestellen für 5 €".encode("latin-1", "replace"))
        answer = look(f"{shop.url}/menu?a=1#top")
    assert (answer.outcome, answer.status, answer.body) == (Outcome.ANSWERED, 200, b"Bestellen f\xfcr 5 ?")
    ((path, headers),) = shop.came
    assert (path, headers["Host"]) == ("/menu?a=1", f"127.0.0.1:{shop.port}")
    assert headers["User-Agent"] == "storewatch-probe/1 (+https://watch.example)"


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
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_loopback_is_refused_however_it_is_written(host: str) -> None:
    with storefront() as shop:
        answer = look(f"http://{host}:{shop.port}/", allowed=())
    assert answer.outcome is Outcome.UNASKED
    assert "private network: STOREWATCH_PROBE_NETWORKS" in answer.trouble
    assert shop.came == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::0a00:1",
        "64:ff9b:1::0a00:1",
        "2002:0a00:0001::",
        "2001::1",
    ],
)
def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    resolve, asked = saying([address])
    answer = look("http://inside.example/", allowed=(), resolve=resolve)
    assert (answer.outcome, asked) == (Outcome.UNASKED, ["inside.example"])
    assert "inside.example is in a private network" in answer.trouble


def test_of_a_name_with_several_addresses_only_those_that_may_be_reached_are_tried() -> None:
    with storefront("127.0.0.1") as inside, storefront("127.0.0.2") as shop:
        only = addresses.networks("127.0.0.2/32", "X")
        resolve, _ = saying(["127.0.0.1", "::1", "127.0.0.2"])
        answer = look(f"http://shop.example:{shop.port}/", allowed=only, resolve=resolve)
        assert (answer.status, len(shop.came), inside.came) == (200, 1, [])


def test_the_name_is_looked_up_once_and_the_checked_address_is_used() -> None:
    with storefront() as shop:
        resolve, asked = saying(["127.0.0.1"], ["192.0.2.1"])
        assert look(f"http://shop.example:{shop.port}/", resolve=resolve).status == 200
    assert (asked, shop.came[0][1]["Host"]) == (["shop.example"], f"shop.example:{shop.port}")


def test_a_name_server_that_changes_its_answer_between_two_hops_gains_nothing() -> None:
    only = addresses.networks("127.0.0.2/32", "X")
    with storefront("127.0.0.2") as shop, storefront("127.0.0.1") as inside:
        shop.pages["/"] = Page(302, headers={"Location": f"http://shop.example:{inside.port}/secret"})
        resolve, asked = saying(["127.0.0.2"], ["127.0.0.1"])
        answer = look(f"http://shop.example:{shop.port}/", allowed=only, resolve=resolve)
    assert (answer.outcome, asked, inside.came) == (Outcome.UNASKED, ["shop.example"] * 2, [])


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://user:pass@127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
    ],
)
def test_a_redirect_into_a_private_network_is_not_followed(location: str) -> None:
    only = addresses.networks("127.0.0.2/32", "X")
    with storefront("127.0.0.2") as shop, storefront("127.0.0.1") as inside:
        shop.pages["/"] = Page(301, headers={"Location": location.format(port=inside.port)})
        answer = look(f"{shop.url}/", allowed=only)
    assert (answer.outcome, inside.came) == (Outcome.UNASKED, [])


def test_three_redirects_are_followed_and_no_more() -> None:
    with storefront() as shop:
        for number in range(4):
            shop.pages[f"/{number}"] = Page(302, headers={"Location": f"{number + 1}"})
        assert look(f"{shop.url}/1").status == 200
        assert "more than 3 times" in look(f"{shop.url}/0").trouble


def test_a_redirect_that_is_expected_is_an_answer() -> None:
    with storefront() as shop:
        shop.pages["/"] = Page(302, headers={"Location": "/closed"})
        assert look(f"{shop.url}/", Rule("302")).status == 302


def test_a_redirect_with_letters_beyond_ascii_is_followed() -> None:
    with storefront() as shop:
        shop.pages["/"] = Page(raw="HTTP/1.1 302 x\r\nLocation: /menü 1\r\n\r\n".encode("latin-1"))
        assert look(f"{shop.url}/").status == 200
        assert shop.came[1][0] == "/men%C3%BC%201"


def test_of_a_page_without_end_half_a_mebibyte_is_read() -> None:
    with storefront() as shop:
        shop.pages["/"] = Page(body=b"x" * 3 * MAX_BODY)
        answer = look(f"{shop.url}/")
    assert (len(answer.body), answer.cut) == (MAX_BODY, True)


def test_a_packed_page_is_unpacked_no_further_than_that() -> None:
    with storefront() as shop:
        packed = {"Content-Encoding": "gzip"}
        shop.pages["/"] = Page(body=gzip.compress(b"Order now"), headers=packed)
        shop.pages["/bomb"] = Page(body=gzip.compress(b"\0" * (200 << 20)), headers=packed)
        shop.pages["/no"] = Page(body=b"Order now", headers=packed)
        shop.pages["/br"] = Page(body=b"Order now", headers={"Content-Encoding": "br"})
        assert look(f"{shop.url}/").body == b"Order now"
        assert len(look(f"{shop.url}/bomb").body) == MAX_BODY
        assert look(f"{shop.url}/no").trouble == "its answer cannot be unpacked"
        assert look(f"{shop.url}/br").trouble == "its answer cannot be unpacked"


def test_headers_without_end_are_not_heard_out() -> None:
    with storefront() as shop:
        shop.pages["/"] = Page(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * (4 << 20))
        assert look(f"{shop.url}/").outcome is Outcome.SILENT


@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        (Page(wait_s=9), "no answer within 1 s"),
        (Page(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), "it does not answer in HTTP"),
        (Page(raw=b""), "it does not answer in HTTP"),
    ],
)
def test_what_is_no_answer_is_told_in_plain_words(page: Page, trouble: str) -> None:
    with storefront() as shop:
        shop.pages["/"] = page
        began = time.monotonic()
        answer = look(f"{shop.url}/", timeout_s=1)
    assert (answer.outcome, answer.trouble) == (Outcome.SILENT, trouble)
    assert time.monotonic() - began < 4


def test_nobody_there_and_no_such_name_are_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert look(f"http://127.0.0.1:{port}/").trouble == "the connection is refused"

    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def down(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert look("http://nobody.invalid/", resolve=unknown).trouble == "its name cannot be found"
    assert look("http://nobody.invalid/", resolve=down).outcome is Outcome.UNASKED


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("7", 7, 7), ("", 60, 60), ("soon", 60, 60), ("99999999999", 3600, 3600), ("in 30 s", 20, 30)],
)
def test_who_asks_for_a_pause_is_understood(said: str, least: int, most: int) -> None:
    headers = {"Retry-After": formatdate(time.time() + 30, usegmt=True) if "in" in said else said}
    with storefront() as shop:
        shop.pages["/"] = Page(429, headers=headers)
        answer = look(f"{shop.url}/")
    assert answer.outcome is Outcome.WAIT
    assert least <= answer.wait_s <= most


def test_a_certificate_must_be_that_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    resolve, _ = saying(["127.0.0.1"])
    with storefront(tls=context) as shop:
        unknown = look(f"https://shop.example:{shop.port}/", resolve=resolve)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert look(f"https://shop.example:{shop.port}/", resolve=resolve).status == 200
        other = look(f"https://other.example:{shop.port}/", resolve=resolve)
        plain = look(f"http://shop.example:{shop.port}/", resolve=resolve)
    assert unknown.trouble.startswith("its certificate is not valid")
    assert other.trouble.startswith("its certificate is not valid: Hostname mismatch")
    assert plain.outcome is Outcome.SILENT
