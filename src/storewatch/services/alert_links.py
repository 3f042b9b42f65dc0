"""Links in alerts that work without a login: signed, for one person or channel and one thing, for a while.

What a link does, the caller of whom it speaks must be allowed to do when it is used, not when it was made.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from storewatch.errors import NotFoundError
from storewatch.storage import app_secrets

ACTIONS = ("snooze", "tomorrow", "acknowledge", "closed")
"""What can be done about an incident."""

LEAVE = "leave"
"""To get no more of a group's alerts, or of a schedule."""

LIFE = timedelta(days=7)
LIFE_OF_LEAVE = timedelta(days=60)
"""A mail that is found later must still be good for leaving: it can do no harm."""

_SECRET = "alert_links"  # noqa: S105 - its name
OVER = "This link does not work: it was copied in part, or it is older than a week. Log in to do the same."


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What a link is for: an action, on an incident, a group or a schedule, in the name of a person or a
    channel.
    """

    action: str
    account: str | None = None
    channel: str | None = None
    incident: str | None = None
    group: str | None = None
    schedule: str | None = None


class Signer:
    """Makes and reads links, with the key of a database."""

    def __init__(self, session: Session) -> None:
        key = app_secrets.kept(session, _SECRET, secrets.token_bytes(32))
        self._serializer = URLSafeTimedSerializer(key, salt="alerts")

    def made(self, ticket: Ticket) -> str:
        """The part of a link's address that stands for a ticket."""
        told = {_SHORT[name]: value for name, value in asdict(ticket).items() if value is not None}
        signed = self._serializer.dumps(told)
        return signed if isinstance(signed, str) else signed.decode()

    def read(self, token: str) -> Ticket:
        """The ticket of a link. NotFoundError if it is none of ours, or too old."""
        try:
            told = self._serializer.loads(token, max_age=int(LIFE_OF_LEAVE.total_seconds()))
            if told.get("a") != LEAVE:
                told = self._serializer.loads(token, max_age=int(LIFE.total_seconds()))
            ticket = Ticket(**{_NAMES[name]: value for name, value in told.items()})
        except (BadData, AttributeError, KeyError, TypeError, ValueError):
            raise NotFoundError(OVER) from None
        return ticket


_SHORT = {"action": "a", "account": "u", "channel": "c", "incident": "i", "group": "g", "schedule": "s"}
_NAMES = {short: name for name, short in _SHORT.items()}


def uuid(text: str | None) -> UUID:
    """An id in a ticket, which we signed."""
    return UUID(text or "")
