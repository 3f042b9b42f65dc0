"""People: the first administrator, invitations, passwords, who is active and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, GroupRole, Role, Via, may_invite
from storewatch.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    LoginRefusedError,
    NotFoundError,
    UsageError,
)
from storewatch.services import logins, secrets
from storewatch.storage import accounts, audit, groups, links, queue
from storewatch.storage.access_tables import Account, OneTimeLink
from storewatch.storage.db import Database

QUEUE = "mail"
MAIL_INVITATION = "mail_invitation"

_INVITATION_LASTS = timedelta(days=14)
_RESET_LASTS = timedelta(hours=2)
_FIRST_ADMIN_LASTS = timedelta(days=1)

LINK_IS_OVER = "This link has been used or has run out. Ask for a new one."


def checked_email(email: str) -> str:
    """The address in its usual form; UsageError if it is none. Whether it gets mail is not asked."""
    try:
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise UsageError(f"'{email[:80]}' is not an email address: {error}", field="email") from None


# --- the first administrator ----------------------------------------------------------------------


def first_admin_link(database: Database) -> str | None:
    """The secret of a link by which the first administrator is made; None if there are accounts."""
    secret, digest = secrets.new_secret()
    with database.transaction() as session:
        if accounts.any_account(session):
            return None
        links.add_first_admin(session, digest, datetime.now(UTC) + _FIRST_ADMIN_LASTS)
    return secret


def become_first_admin(database: Database, secret: str, email: str, password: str, address: str) -> None:
    """Makes the first administrator. The link works as long as there is no account."""
    email = checked_email(email)
    password_hash = secrets.hashed(secrets.checked_password(password, email))
    with database.transaction() as session:
        link = _link(session, secret, "first_admin")
        links.use_up(session, link)
        if accounts.any_account(session):
            raise GoneError(LINK_IS_OVER)
        account = accounts.add(session, email, Role.ADMIN, password_hash)
        audit.record(session, _by_link(account, address), "create", "user", account.account_id, role="admin")


# --- invitations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What an invitation is to give."""

    email: str
    role: Role = Role.MEMBER
    groups: dict[int, GroupRole] | None = None


@dataclass(frozen=True)
class Invitation:
    """What became of it: the secret of the link, for the inviter to pass on; None if it is mailed."""

    link: OneTimeLink
    email: str
    expires_at: datetime
    secret: str | None


def invite(database: Database, caller: Caller, wanted: Wanted, *, by_mail: bool) -> Invitation:
    """Invites somebody. The answer is the same whether they have an account or not."""
    with database.transaction() as session:
        return invite_in(session, caller, wanted, by_mail=by_mail)


def invite_in(session: Session, caller: Caller, wanted: Wanted, *, by_mail: bool) -> Invitation:
    """The same within a transaction. One of the caller's that is open and gives the same ends."""
    email, given = checked_email(wanted.email), wanted.groups or {}
    if not may_invite(caller, wanted.role, given):
        raise ForbiddenError(
            "Admins may invite anybody, operators managers and viewers, managers viewers of their own groups"
        )
    if wanted.role is Role.MEMBER and not given:
        raise UsageError("A member needs a group to see anything: name one", field="groups")
    if given and len(groups.by_numbers(session, list(given))) < len(given):
        raise NotFoundError("There is no such group")
    expires_at = datetime.now(UTC) + _INVITATION_LASTS
    secret, digest = (None, None) if by_mail else secrets.new_secret()
    links.end_same(session, email, wanted.role, given, caller.account_no)
    link = links.add_invitation(session, digest, email, wanted.role, given, caller.account_no, expires_at)
    if by_mail:
        queue.defer(session, QUEUE, MAIL_INVITATION, link_no=link.link_no)
    audit.record(session, caller, "invite", "user", email, role=wanted.role.value)
    return Invitation(link, email, expires_at, secret)


@dataclass(frozen=True)
class Offer:
    """What the page behind a link asks: whose it is, and whether they choose a password or log in."""

    kind: str
    email: str | None
    needs_login: bool


def offer(database: Database, secret: str) -> Offer:
    """What a link is for. GoneError if it has been used or has run out."""
    with database.transaction() as session:
        link = links.find(session, secrets.digest(secret), datetime.now(UTC))
        if link is None or (link.kind == "first_admin" and accounts.any_account(session)):
            raise GoneError(LINK_IS_OVER)
        if link.kind == "reset":
            return Offer(link.kind, accounts.locked(session, link.account_no or 0).email, needs_login=False)
        known = link.email is not None and accounts.by_email(session, link.email) is not None
        return Offer(link.kind, link.email, needs_login=known)


def accept(database: Database, secret: str, password: str, address: str) -> None:
    """Accepts an invitation as somebody new, with a password of their own."""
    with database.transaction() as session:
        link = _link(session, secret, "invitation")
        email = link.email or ""
        password_hash = secrets.hashed(secrets.checked_password(password, email))
        if accounts.by_email(session, email) is not None:
            raise ConflictError("You have an account already: log in to accept this invitation")
        account = accounts.add(session, email, Role.MEMBER, password_hash)
        _give(session, link, account, address)


def accept_as(database: Database, secret: str, caller: Caller) -> None:
    """Accepts an invitation as the person who is logged in; it must be theirs."""
    with database.transaction() as session:
        link = _link(session, secret, "invitation")
        if caller.email is None or caller.email.lower() != (link.email or "").lower():
            raise ForbiddenError("This invitation is for another address: log out, then log in as that one")
        account = accounts.by_email(session, caller.email)
        if account is None:
            raise GoneError(LINK_IS_OVER)
        _give(session, link, account, caller.address or "")


def _give(session: Session, link: OneTimeLink, account: Account, address: str) -> None:
    """Gives what an invitation holds, if its inviter may still give it. Nobody loses rights by it."""
    given, role = links.given_groups(link), Role(link.role or "member")
    if not may_invite(_inviter(session, link), role, given):
        raise ForbiddenError("Who invited you may no longer do so. Ask for a new invitation.")
    there = groups.by_numbers(session, list(given))
    places = {group_no: place for group_no, place in given.items() if group_no in there}
    accounts.put_in_groups(session, account.account_no, places)
    if role is Role.ADMIN or account.role == "member":
        accounts.change(session, account.account_no, role=role.value)
    links.use_up(session, link)
    audit.record(session, _by_link(account, address), "accept", "user", account.account_id, role=role.value)


def _inviter(session: Session, link: OneTimeLink) -> Caller:
    if link.invited_by is None:
        return Caller(Role.ADMIN, Via.COMMAND)
    account = accounts.locked(session, link.invited_by)
    if not account.active:
        return Caller(Role.MEMBER, Via.NONE)
    return logins.caller_of(session, account, Via.LINK)


def group_numbers(database: Database, caller: Caller, names: list[str]) -> dict[str, int]:
    """Numbers of groups by name; those that are lacking are made."""
    with database.transaction() as session:
        new = [name for name in names if groups.by_name(session, name) is None]
        numbers = groups.named(session, names)
        for name in new:
            audit.record(session, caller, "create", "group", name, name=name)
        return numbers


# --- passwords ------------------------------------------------------------------------------------


def reset_link(database: Database, caller: Caller, email: str) -> tuple[str, str] | None:
    """(address, secret) of a link to reset a password; None without such an active account."""
    secret, digest = secrets.new_secret()
    with database.transaction() as session:
        account = accounts.by_email(session, email)
        if account is None or not account.active:
            return None
        links.add_reset(session, digest, account.account_no, datetime.now(UTC) + _RESET_LASTS)
        audit.record(session, caller, "offer_reset", "user", account.account_id)
        return account.email, secret


def reset(database: Database, secret: str, password: str, address: str) -> None:
    """Sets a new password by a link, and ends every session of the person."""
    with database.transaction() as session:
        link = _link(session, secret, "reset")
        account = accounts.locked(session, link.account_no or 0)
        _set_password(session, account, password)
        accounts.end_logins(session, account.account_no)
        audit.record(session, _by_link(account, address), "reset_password", "user", account.account_id)


def change_password(database: Database, caller: Caller, old: str, new: str) -> str:
    """Sets a new password, knowing the old one, and ends the person's sessions. Returns a new one's secret.

    Who guesses the old one in a session that is not theirs is slowed down as at the login.
    """
    if caller.account_no is None or caller.email is None:
        raise ForbiddenError("Nobody is logged in here, so there is no password to change")
    if logins.proved(database, caller.email, old, caller.address or "") is None:
        raise LoginRefusedError("The present password is wrong.")
    with database.transaction() as session:
        account = accounts.locked(session, caller.account_no)
        _set_password(session, account, new)
        audit.record(session, caller, "change_password", "user", account.account_id)
        return logins.renewed(session, account.account_no, caller.address or "")


def _set_password(session: Session, account: Account, password: str) -> None:
    password_hash = secrets.hashed(secrets.checked_password(password, account.email))
    accounts.change(session, account.account_no, password_hash=password_hash)
    links.end_resets(session, account.account_no)


def _link(session: Session, secret: str, kind: str) -> OneTimeLink:
    link = links.find(session, secrets.digest(secret), datetime.now(UTC))
    if link is None or link.kind != kind:
        raise GoneError(LINK_IS_OVER)
    return link


def _by_link(account: Account, address: str) -> Caller:
    return Caller(
        Role(account.role), Via.LINK, account.account_no, account.account_id, account.email, address=address
    )
