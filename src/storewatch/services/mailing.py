"""Mails: invitations, and links to choose a new password.

The secret of a link is made when its mail is written, so that no queue and no table ever holds one. A mail
that fails is written anew with another secret; a link that went out before no longer works then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, GroupRole, Role, Via
from storewatch.errors import MailFailedError, MailRefusedError, SlowDownError
from storewatch.outbound.mail import Letter, Server, send
from storewatch.services import people, secrets
from storewatch.storage import accounts, groups, links, queue
from storewatch.storage.access_tables import OneTimeLink
from storewatch.storage.db import Database

log = structlog.get_logger()

MAIL_RESET = "mail_reset"

_COUNTED_FOR = timedelta(hours=1)
_FREE_BY_ACCOUNT, _FREE_BY_ADDRESS = 3, 20


@dataclass(frozen=True)
class Mail:
    """How mails go out: by which server, from whom, and the URL that their links begin with."""

    server: Server
    sender: str
    url: str


# --- a forgotten password -------------------------------------------------------------------------


def ask_for_reset(database: Database, email: str, address: str) -> None:
    """Has a link mailed to choose a new password. A job finds out whether there is such an account.

    So the answer is the same and takes as long whether there is one or not. SlowDownError if too many were
    asked for of late, for this account or from this address: nobody's mailbox can be flooded.
    """
    email, now = people.checked_email(email), datetime.now(UTC)
    name = secrets.digest(email.lower())
    with database.transaction() as session:
        accounts.hold_name(session, name)
        _check_pace(session, name, address, now)
        accounts.note_try(session, "forgot", name, address, now)
        queue.defer(session, people.QUEUE, MAIL_RESET, email=email, address=address)


def _check_pace(session: Session, name: bytes, address: str, now: datetime) -> None:
    """So many an hour; the next is heard when the oldest of them is an hour old."""
    by_account, by_address = accounts.tries(session, "forgot", name, address, now - _COUNTED_FOR)
    for asked, free in ((by_account, _FREE_BY_ACCOUNT), (by_address, _FREE_BY_ADDRESS)):
        if len(asked) >= free:
            left = (asked[free - 1] + _COUNTED_FOR - now).total_seconds()
            raise SlowDownError(
                "Too many links were asked for. Look into your mail, also among the spam; "
                "in an hour another can be sent.",
                int(left) + 1,
            )


def send_reset(database: Database, mail: Mail | None, email: str, address: str) -> None:
    """Mails a link to choose a new password, if there is such an active account."""
    mail = _needed(mail)
    made = people.reset_link(database, Caller(Role.MEMBER, Via.NONE, address=address), email)
    if made is None:
        return
    to, secret = made
    _send(mail, Letter(to, "A new password for storewatch", _reset_text(mail.url, to, secret)))


def _reset_text(url: str, to: str, secret: str) -> str:
    return f"""\
Somebody asked for a new password for {to} at {url}.

If it was you, choose one here. The link works once, for two hours:

{url}/link/{secret}

If it was not you, do nothing: your password stays as it is.
"""


# --- invitations ----------------------------------------------------------------------------------


def send_invitation(database: Database, mail: Mail | None, link_no: int) -> None:
    """Mails an invitation, unless it was accepted meanwhile or has run out."""
    mail = _needed(mail)
    with database.transaction() as session:
        link = links.by_number(session, link_no, datetime.now(UTC))
        if link is None or link.email is None:
            return
        secret, digest = secrets.new_secret()
        text = _invitation_text(session, link, f"{mail.url}/link/{secret}")
        letter = Letter(link.email, "You are invited to storewatch", text)
        links.set_digest(session, link_no, digest)
    _send(mail, letter)


def _invitation_text(session: Session, link: OneTimeLink, address: str) -> str:
    until = link.expires_at.astimezone(UTC)
    inviter = accounts.email_of(session, link.invited_by) or "An administrator"
    return f"""\
{inviter} invites you to storewatch, which tells how much online stores were up or down \
during their opening hours.

{_gift(session, link)}

Begin here. The link works once, until {until:%A} {until.day} {until:%B %Y, %H:%M} UTC:

{address}

If you did not expect this, do nothing.
"""


def _gift(session: Session, link: OneTimeLink) -> str:
    """What an invitation gives, in words."""
    role, given = Role(link.role or "member"), links.given_groups(link)
    if role is Role.ADMIN:
        return "You will be an administrator: you may do everything."
    if role is Role.OPERATOR:
        return "You will be an operator: you see every store and load and change all data."
    found = groups.by_numbers(session, list(given))
    lines = (_place(found[number].name, place) for number, place in given.items() if number in found)
    return "You will be\n\n" + "\n".join(sorted(lines))


def _place(name: str, place: GroupRole) -> str:
    return f"- {place.value} of the stores of {' '.join(name.split())}"


# --- sending --------------------------------------------------------------------------------------


def _needed(mail: Mail | None) -> Mail:
    if mail is None:
        raise MailFailedError("This worker cannot send mails: STOREWATCH_SMTP_URL is not set for it")
    return mail


def _send(mail: Mail, letter: Letter) -> None:
    """Sends a letter; MailFailedError if another try is worth it. One that is refused for good is let go."""
    try:
        send(mail.server, mail.sender, letter)
    except MailRefusedError as error:
        log.warning("mail given up", subject=letter.subject, to=letter.to, error=str(error))
    except MailFailedError as error:
        log.warning("mail not sent yet", subject=letter.subject, to=letter.to, error=str(error))
        raise
    else:
        log.info("mail sent", subject=letter.subject, to=letter.to)
