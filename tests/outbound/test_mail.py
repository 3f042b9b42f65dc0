"""Mail against a real SMTP server."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewatch.errors import MailFailedError, MailRefusedError, SettingsError
from storewatch.outbound.mail import Letter, Security, Server, parse_server, send
from tests.post_office import certificate, login_as, post_office

LETTER = Letter("mia@maple.example", "Hello", "A line with an umlaut: ü\n" + "long " * 40 + "\n")
FROM = "storewatch@example.com"


def plain(port: int) -> Server:
    return Server("127.0.0.1", port, Security.NONE)


# --- the setting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", Server("mail.example.com", 587, Security.STARTTLS)),
        ("smtp://localhost", Server("localhost", 25, Security.NONE)),
        ("smtp://127.0.0.1:2525", Server("127.0.0.1", 2525, Security.NONE)),
        ("smtp://[::1]:2525/", Server("::1", 2525, Security.NONE)),
        ("smtps://u:p@mail.example.com", Server("mail.example.com", 465, Security.TLS, "u", "p")),
        ("smtp://a%40b.de:p%2Fq%3A@h:25", Server("h", 25, Security.STARTTLS, "a@b.de", "p/q:")),
    ],
)
def test_the_setting_names_a_server(url: str, server: Server) -> None:
    assert parse_server(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://h:port",
        "smtp://h:99999",
        "smtp://h/path",
        "smtp://u:sesame#x@h",
        "smtp://u:sesame/x@h",
        "smtp://u:sesame%C3%BC@h",
    ],
)
def test_a_setting_that_names_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="STOREWATCH_SMTP_URL") as refused:
        parse_server(url)
    assert "sesame" not in str(refused.value)


def test_a_password_is_not_in_what_a_log_would_show() -> None:
    assert "sesame" not in repr(parse_server("smtp://u:sesame@h"))


# --- sending --------------------------------------------------------------------------------------


def test_a_letter_arrives_as_it_was_written() -> None:
    with post_office() as office:
        send(plain(office.port), FROM, LETTER)
    (letter,) = office.letters
    assert (letter["To"], letter["From"], letter["Subject"]) == (LETTER.to, f"storewatch <{FROM}>", "Hello")
    assert letter.get_content().replace("\r\n", "\n") == LETTER.text
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"]
    assert office.seen == [(False, None)]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_who_we_are_is_said_by_tls_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    context, authority = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    starttls = security is Security.STARTTLS
    options = login_as("ada", "sesame", starttls=starttls)
    with post_office(**{"tls_context" if starttls else "ssl_context": context}, **options) as office:
        send(Server("127.0.0.1", office.port, security, "ada", "sesame"), FROM, LETTER)
        with pytest.raises(MailFailedError, match="535"):
            send(Server("127.0.0.1", office.port, security, "ada", "wrong"), FROM, LETTER)
    assert office.seen == [(True, "ada")]


def test_a_server_whose_certificate_nobody_knows_gets_nothing(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with post_office(tls_context=context) as office, pytest.raises(MailFailedError, match="certificate"):
        send(Server("127.0.0.1", office.port, Security.STARTTLS, "ada", "sesame"), FROM, LETTER)
    assert office.letters == []


def test_a_server_without_starttls_gets_nothing() -> None:
    with post_office() as office, pytest.raises(MailFailedError, match="STARTTLS"):
        send(Server("127.0.0.1", office.port, Security.STARTTLS, "ada", "sesame"), FROM, LETTER)
    assert office.letters == []


@pytest.mark.parametrize(
    ("refusal", "error"),
    [("450 greylisted", MailFailedError), ("550 no such user", MailRefusedError)],
)
def test_an_address_is_refused_for_now_or_for_good(refusal: str, error: type[Exception]) -> None:
    with post_office() as office:
        office.refusal = refusal
        with pytest.raises(error, match=refusal) as refused:
            send(plain(office.port), FROM, LETTER)
    assert type(refused.value) is error


def test_an_address_that_the_server_cannot_take_is_refused_for_good() -> None:
    with post_office(enable_SMTPUTF8=False) as office, pytest.raises(MailRefusedError):
        send(plain(office.port), FROM, Letter("mía@maple.example", "Hello", "x"))


def test_a_server_that_is_down_may_be_up_later() -> None:
    with pytest.raises(MailFailedError, match=r"127\.0\.0\.1:1 "):
        send(plain(1), FROM, LETTER)
