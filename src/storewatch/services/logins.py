"""Logging in and out; who a cookie or a token stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, Role, Scope, Via
from storewatch.errors import LoginRefusedError, SlowDownError
from storewatch.services import secrets
from storewatch.storage import accounts, audit, tokens
from storewatch.storage.access_tables import Account, Token
from storewatch.storage.db import Database

IDLE = timedelta(hours=12)
"""A session ends when it was not used for so long,"""
LONGEST = timedelta(days=14)
"""and at the latest after this time."""

_REMEMBERED = timedelta(minutes=30)  # failed logins are counted for so long
_KNOWN = timedelta(days=90)  # who logged in from an address is known there for so long
_FREE_BY_ACCOUNT, _FREE_BY_ADDRESS = 5, 20
_LONGEST_PAUSE = timedelta(minutes=5)
_NOTED_EVERY = timedelta(minutes=1)


def log_in(database: Database, email: str, password: str, address: str) -> str:
    """Begins a session and returns its secret, for the cookie.

    LoginRefusedError says the same whether the account is unknown, disabled or the password wrong;
    SlowDownError if too many logins failed of late for this account or from this address.
    """
    account = proved(database, email, password, address)
    if account is None:
        with database.transaction() as session:
            nobody = Caller(Role.MEMBER, Via.NONE, address=address)
            audit.record(session, nobody, "fail_log_in", "session", "")
        raise LoginRefusedError("The email address or the password is wrong.")
    now, (secret, digest) = datetime.now(UTC), secrets.new_secret()
    with database.transaction() as session:
        accounts.begin_login(session, digest, account.account_no, address, now)
        accounts.clear_up(session, now - IDLE, now - LONGEST)
        audit.record(session, _caller(session, account, Via.SESSION, address), "log_in", "session", "")
    return secret


def proved(database: Database, email: str, password: str, address: str) -> Account | None:
    """The active account of an address, if that is its password. SlowDownError as for `log_in`.

    A try counts as failed from its beginning until it is known that it did not: so those that are made at
    once slow each other down as well.
    """
    name = secrets.digest(email.strip().lower())
    with database.transaction() as session:
        accounts.hold_name(session, name)
        now = datetime.now(UTC)
        _check_pace(session, email.strip(), address, now)
        accounts.note_try(session, "log_in", name, address, now)
        account = accounts.by_email(session, email.strip())
        password_hash = account.password_hash if account and account.active else None
    if not secrets.matches(password, password_hash):
        return None
    with database.transaction() as session:
        accounts.forgive(session, name)
    return account


def _check_pace(session: Session, email: str, address: str, now: datetime) -> None:
    """Each failure beyond the free ones doubles the pause before the next try.

    Where somebody has logged in before, only what fails there counts against their account: else a stranger
    could keep them out by guessing on and on.
    """
    name, since = secrets.digest(email.lower()), now - _REMEMBERED
    by_account, by_address = accounts.tries(session, "log_in", name, address, since)
    if len(by_account) >= _FREE_BY_ACCOUNT and accounts.was_here(session, email, address, now - _KNOWN):
        by_account = accounts.tries_here(session, "log_in", name, address, since)
    for failed, free in ((by_account, _FREE_BY_ACCOUNT), (by_address, _FREE_BY_ADDRESS)):
        if len(failed) >= free:
            pause = min(timedelta(seconds=2 ** min(len(failed) - free, 20)), _LONGEST_PAUSE)
            left = (failed[0] + pause - now).total_seconds()
            if left > 0:
                raise SlowDownError("Too many logins failed. Wait a moment, then try again.", int(left) + 1)


def log_out(database: Database, secret: str, caller: Caller) -> None:
    """Ends a session: a copy of its cookie is worth nothing from then on."""
    with database.transaction() as session:
        accounts.end_login(session, secrets.digest(secret))
        audit.record(session, caller, "log_out", "session", "")


def replace(database: Database, secret: str) -> None:
    """Ends a session in whose place the same browser has got another one."""
    with database.transaction() as session:
        accounts.end_login(session, secrets.digest(secret))


def renewed(session: Session, account_no: int, address: str) -> str:
    """Ends every session of a person and begins one, whose secret is returned."""
    secret, digest = secrets.new_secret()
    accounts.end_logins(session, account_no)
    accounts.begin_login(session, digest, account_no, address, datetime.now(UTC))
    return secret


def by_session(database: Database, secret: str, address: str, *, used: bool = True) -> Caller | None:
    """Whose session it is; None if it has ended. Unless it is `used` it goes on towards its end."""
    now, digest = datetime.now(UTC), secrets.digest(secret)
    with database.session() as session:
        account = accounts.by_login(session, digest, now - IDLE, now - LONGEST)
        if account is None:
            return None
        if used:
            accounts.touch_login(session, digest, now, now - _NOTED_EVERY)
        return _caller(session, account, Via.SESSION, address)


def by_token(database: Database, secret: str, address: str) -> Caller | None:
    """Whose token it is; None if it is unknown, revoked or has expired."""
    now = datetime.now(UTC)
    with database.session() as session:
        found = tokens.by_digest(session, secrets.digest(secret), now)
        if found is None:
            return None
        token, account = found
        tokens.note_use(session, token, now)
        return _caller(session, account, Via.TOKEN, address, Scope(token.scope), token)


def _caller(
    session: Session,
    account: Account,
    via: Via,
    address: str,
    scope: Scope = Scope.WRITE,
    token: Token | None = None,
) -> Caller:
    role = Role(account.role)
    return Caller(
        role,
        via,
        account.account_no,
        account.account_id,
        account.email,
        accounts.groups_of(session, account.account_no) if role is Role.MEMBER else {},
        scope,
        token.token_id if token else None,
        address,
    )


def caller_of(session: Session, account: Account, via: Via) -> Caller:
    """A person as a caller, for what is done in their name."""
    return _caller(session, account, via, "")
