"""Mail by SMTP. What can go wrong is one of two: it may work later, or this address will never take it."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate, make_msgid
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from storewatch.errors import MailFailedError, MailRefusedError, SettingsError

_TIMEOUT_S = 20
_EXAMPLE = (
    "write it like smtp://user:password@mail.example.com:587 or smtps://mail.example.com, "
    "and in a password %40 for @, %2F for /, %3A for :, %23 for #, %3F for ?"
)


class Security(StrEnum):
    """How the way to the server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class Server:
    """A mail server, and who we are to it."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Attachment:
    """A file that comes with a mail; `mimetype` like `text/csv`."""

    name: str
    mimetype: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A mail in plain text. What is sent again with the same `key` is the same again, also to a mail program;
    `leave` is where a POST ends such mails (RFC 8058).
    """

    to: str
    subject: str
    text: str
    key: str | None = None
    leave: str | None = None
    attachment: Attachment | None = None


# --- the setting ----------------------------------------------------------------------------------


def parse_server(url: str) -> Server:
    """The server of STOREWATCH_SMTP_URL. SettingsError never shows the URL: it may hold a password.

    smtp:// goes over to TLS before anything is said, and refuses a server that does not; on loopback it
    stays plain. smtps:// begins with TLS.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise SettingsError(f"STOREWATCH_SMTP_URL is not a URL; {_EXAMPLE}") from None
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or more:
        raise SettingsError(f"STOREWATCH_SMTP_URL is not the address of a mail server; {_EXAMPLE}")
    security = _security(parts.scheme, parts.hostname)
    user, password = _who(parts)
    return Server(parts.hostname, port or _PORTS[security], security, user, password)


_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


def _security(scheme: str, host: str) -> Security:
    if scheme == "smtps":
        return Security.TLS
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return Security.NONE if loopback else Security.STARTTLS


def _who(parts: SplitResult) -> tuple[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise SettingsError("STOREWATCH_SMTP_URL: SMTP takes a user and a password of ASCII characters only")
    return user, password


# --- sending --------------------------------------------------------------------------------------


def send(server: Server, sender: str, letter: Letter) -> None:
    """Hands a letter to the server.

    MailRefusedError if the server will never take it for this address; MailFailedError if it may later.
    """
    try:
        session = _connected(server)
        try:
            session.send_message(_message(sender, letter), sender, [letter.to])
        except smtplib.SMTPNotSupportedError as error:  # an address beyond ASCII
            raise MailRefusedError(f"{server.host} cannot send to such an address: {error}") from error
        finally:
            _take_leave(session)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(server, error) from error
    except smtplib.SMTPDataError as error:
        said = (
            error.smtp_error
            if isinstance(error.smtp_error, str)
            else error.smtp_error.decode("utf-8", "replace")
        )
        text = f"{server.host} refused the mail: {error.smtp_code} {said}"
        raise (MailRefusedError if error.smtp_code >= 500 else MailFailedError)(text) from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailedError(f"{server.host}:{server.port} did not take the mail: {error}") from error


def _take_leave(session: smtplib.SMTP) -> None:
    """What goes wrong now does not matter: the server has the letter, and a second must not be sent."""
    try:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            session.quit()
    finally:
        session.close()


def _connected(server: Server) -> smtplib.SMTP:
    """A session in which we have said who we are."""
    context = ssl.create_default_context()
    session: smtplib.SMTP
    if server.security is Security.TLS:
        session = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
    try:
        if server.security is Security.STARTTLS:
            session.starttls(context=context)
        if server.user:
            session.login(server.user, server.password)
    except BaseException:
        session.close()
        raise
    return session


_POLICY = default.clone(max_line_length=998, cte_type="7bit")
"""A long address in a head is not to be broken up, which would make another of it."""


def _message(sender: str, letter: Letter) -> EmailMessage:
    message = EmailMessage(_POLICY)
    message["From"], message["To"] = f"storewatch <{sender}>", letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(usegmt=True)
    domain = sender.rpartition("@")[2]
    if letter.key is None:
        message["Message-ID"] = make_msgid(domain=domain)
    else:
        message["Message-ID"], message["X-Storewatch-Key"] = f"<{letter.key}@{domain}>", letter.key
    if letter.leave is not None:
        message["List-Unsubscribe"] = f"<{letter.leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"  # so that no absence note comes back
    message.set_content(letter.text)
    if letter.attachment is not None:
        main, _, sub = letter.attachment.mimetype.partition("/")
        message.add_attachment(
            letter.attachment.content,
            maintype=main,
            subtype=sub,
            filename=letter.attachment.name,
            params={"charset": "utf-8"} if main == "text" else None,
        )
    return message


def _refused(server: Server, error: smtplib.SMTPRecipientsRefused) -> MailFailedError:
    """A 5xx is about the address and for good; a 4xx, as of greylisting, passes."""
    (code, said) = next(iter(error.recipients.values()))
    text = f"{server.host} refused the address: {code} {said.decode('utf-8', 'replace')}"
    return MailRefusedError(text) if code >= 500 else MailFailedError(text)
