"""What settings and options say about the network's edge."""

from __future__ import annotations

import pytest

from storewatch.cli import edge
from storewatch.config import Settings
from storewatch.errors import SettingsError, UsageError
from storewatch.outbound.mail import Security, Server
from storewatch.services.mailing import Mail


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("https://stores.example.com", "https://stores.example.com"),
        (" HTTPS://Stores.Example.com/ ", "https://stores.example.com"),
        ("https://stores.example.com:443", "https://stores.example.com"),
        ("http://stores.example.com:80/", "http://stores.example.com"),
        ("https://stores.example.com:8443", "https://stores.example.com:8443"),
        ("http://10.0.0.7:8000", "http://10.0.0.7:8000"),
        ("https://[FD00::1]:8000", "https://[fd00::1]:8000"),
        ("https://xn--lden-loa.example", "https://xn--lden-loa.example"),
    ],
)
def test_a_url_is_taken_as_browsers_write_it(text: str, url: str) -> None:
    assert edge.outside_url(Settings(url=text)) == url


@pytest.mark.parametrize(
    "text",
    [
        "stores.example.com",
        "stores.example.com:8000",
        "ftp://stores.example.com",
        "https://",
        "https://:8000",
        "https://stores.example.com/app",
        "https://stores.example.com?x",
        "https://stores.example.com/#x",
        "https://ada@stores.example.com",
        "https://stores.example.com:port",
        "https://stores.example.com:99999",
        "https://[::1",
        "https://läden.example",
        "https://stores example",
        "https://a,b",
    ],
)
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="STOREWATCH_URL is ") as refused:
        edge.outside_url(Settings(url=text))
    assert "https://stores.example.com" in str(refused.value)


OUT = "https://stores.example"


@pytest.mark.parametrize(
    ("host", "url", "no_login", "insecure", "complaint"),
    [
        ("127.0.0.1", "", False, False, None),
        ("::1", "", True, False, None),
        ("127.0.0.1", OUT, False, False, None),
        ("127.0.0.1", "http://localhost:8000", True, False, None),
        ("0.0.0.0", OUT, False, False, None),  # noqa: S104
        ("0.0.0.0", "http://stores.example", False, True, None),  # noqa: S104
        ("0.0.0.0", "", False, False, "STOREWATCH_URL must say"),  # noqa: S104
        ("0.0.0.0", "", False, True, "STOREWATCH_URL must say"),  # noqa: S104
        ("::", "", False, False, "STOREWATCH_URL must say"),
        ("example.org", "", False, False, "STOREWATCH_URL must say"),
        ("0.0.0.0", "http://stores.example", False, False, "--insecure"),  # noqa: S104
        ("0.0.0.0", "http://127.0.0.1:8000", False, False, "--insecure"),  # noqa: S104
        ("127.0.0.1", "http://stores.example", False, False, "--insecure"),
        ("0.0.0.0", OUT, True, True, "take --host 127.0.0.1"),  # noqa: S104
        ("127.0.0.1", OUT, True, False, "unset STOREWATCH_URL"),
    ],
)
def test_nothing_is_open_to_the_network_by_mistake(
    host: str, url: str, no_login: bool, insecure: bool, complaint: str | None
) -> None:
    if complaint is None:
        edge.check(host, url, no_login=no_login, insecure=insecure)
        return
    with pytest.raises(UsageError, match=complaint):
        edge.check(host, url, no_login=no_login, insecure=insecure)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1/32",)),
        ("10.0.0.0/8, fd00::/8,", ("10.0.0.0/8", "fd00::/8")),
    ],
)
def test_trusted_proxies_are_addresses_or_networks(text: str, found: tuple[str, ...]) -> None:
    assert edge.networks(text) == found


@pytest.mark.parametrize("text", ["proxy", "10.0.0.7/8", "10.0.0.0/33", "10.0.0.0 fd00::", "::/0"])
def test_other_trusted_proxies_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--trusted-proxies"):
        edge.networks(text)


def test_mail_needs_a_url_and_a_sender() -> None:
    smtp = "smtp://127.0.0.1:2525"
    ready = Settings(smtp_url=smtp, url=OUT, mail_from="storewatch@stores.example")
    server = Server("127.0.0.1", 2525, Security.NONE)
    assert edge.mail(ready) == Mail(server, "storewatch@stores.example", OUT)
    assert edge.mail(Settings(url=OUT)) is None
    for lacking, name in (
        (Settings(smtp_url=smtp, mail_from="storewatch@stores.example"), "STOREWATCH_URL"),
        (Settings(smtp_url=smtp, url=OUT), "STOREWATCH_MAIL_FROM"),
        (Settings(smtp_url=smtp, url=OUT, mail_from="me"), "STOREWATCH_MAIL_FROM"),
    ):
        with pytest.raises(SettingsError, match=name):
            edge.mail(lacking)
