"""A real SMTP server on loopback, which keeps what it is sent or refuses it."""

from __future__ import annotations

import email
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.acceptance.conftest import PATIENCE, free_port


@dataclass
class PostOffice:
    """What was sent; `refusal` is what the next recipients are answered."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    refusal: str = ""
    seen: list[tuple[bool, str | None]] = field(default_factory=list)
    """(whether it came by TLS, who logged in) of each letter."""
    raw: list[bytes] = field(default_factory=list)
    """The letters as they came."""
    at: list[float] = field(default_factory=list)
    """When each letter came."""
    on_letter: Callable[[], None] = lambda: None
    """Called when a letter is here, before its sender hears of it."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.refusal:
            envelope.rcpt_tos.append(address)
        return self.refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.raw.append(content)
        self.at.append(time.time())
        self.letters.append(email.message_from_bytes(content, policy=default))
        user = session.auth_data.login.decode() if session.auth_data else None
        assert server.transport is not None
        self.seen.append((server.transport.get_extra_info("ssl_object") is not None, user))
        self.on_letter()
        return "250 OK"

    def wait_for(self, count: int) -> None:
        """Waits for so many letters."""
        until = time.monotonic() + PATIENCE
        while len(self.letters) < count:
            assert time.monotonic() < until, f"{len(self.letters)} letters came"
            time.sleep(0.05)

    def texts(self) -> list[str]:
        """The letters' texts."""
        return [letter.get_content() for letter in self.letters]

    def paths(self) -> list[str]:
        """The paths of the links in the letters."""
        return [re.findall(r"https?://\S+?(/link/\S+)", text)[0] for text in self.texts()]


@contextmanager
def post_office(**options: Any) -> Iterator[PostOffice]:
    """A server that runs for the length of the block."""
    office = PostOffice(free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def login_as(user: str, password: str, *, starttls: bool) -> dict[str, Any]:
    """Options of a server that knows one user, and with `starttls` takes mail of nobody else."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            user.encode(),
            password.encode(),
        )
        return AuthResult(success=right, handled=False, auth_data=data)

    needs = ("require_starttls", "auth_require_tls", "auth_required")
    return {"authenticator": check} | dict.fromkeys(needs, starttls)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """(what a server on 127.0.0.1 shows, the file of the authority that signed it)."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path
