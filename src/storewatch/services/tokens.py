"""Tokens: made, listed, revoked. The secret is shown once, when the token is made."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, Role, Scope
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError, UsageError
from storewatch.services import secrets
from storewatch.storage import accounts, audit, tokens
from storewatch.storage.access_tables import Token
from storewatch.storage.db import Database

PREFIX = "storewatch_"
"""So that a secret that got into a log or a repository is found by those who search for such."""

_MOST = 100


def create(
    database: Database,
    caller: Caller,
    name: str,
    scope: Scope,
    expires_at: datetime | None,
    account_id: UUID | None = None,
) -> tuple[Token, str]:
    """Makes a token of the caller's, or of `account_id`'s for an admin. Returns it and its secret.

    A token makes none that lasts longer than itself: so one that got lost does not live on in another.
    """
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise UsageError("expires_at lies in the past", field="expires_at")
    if not name.strip():
        raise UsageError("Give the token a name", field="name")
    secret, digest = secrets.new_secret(PREFIX)
    with database.transaction() as session:
        account_no = _whose(session, caller, account_id)
        check_life(session, caller, expires_at)
        accounts.locked(session, account_no)  # so that two at once cannot make one too many
        if len(tokens.of(session, account_no)) >= _MOST:
            raise ConflictError(f"There are {_MOST} tokens already: revoke some first")
        token = tokens.add(session, account_no, name.strip(), scope.value, digest, expires_at)
        audit.record(session, caller, "create", "token", token.token_id, name=name, scope=scope.value)
    return token, secret


def _whose(session: Session, caller: Caller, account_id: UUID | None) -> int:
    """The number of the account whose tokens are meant: the caller's, or for admins another's."""
    if account_id is None or account_id == caller.account_id:
        if caller.account_no is None:
            raise UsageError("Say whose token: nobody is logged in here", field="account_id")
        return caller.account_no
    if caller.role is not Role.ADMIN:
        raise ForbiddenError("Only admins have to do with the tokens of others")
    account = accounts.by_id(session, account_id)
    if account is None:
        raise NotFoundError(f"There is no user '{account_id}'")
    return account.account_no


def check_life(
    session: Session, caller: Caller, expires_at: datetime | None, field: str = "expires_at"
) -> None:
    """UsageError about a field if the caller is a token that ends before `expires_at`."""
    used = None if caller.token_id is None else tokens.find(session, caller.token_id, None)
    latest = None if used is None else used.expires_at
    if latest is not None and (expires_at is None or expires_at > latest):
        raise UsageError(
            f"The token that you send ends at {latest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, and makes nothing "
            "that lasts longer: name an earlier end, or log in",
            field=field,
        )


def own(database: Database, caller: Caller, account_id: UUID | None = None) -> list[Token]:
    """The caller's tokens that were not revoked, newest first; or those of `account_id` for an admin."""
    with database.session() as session:
        if account_id is None and caller.account_no is None:
            return []
        return tokens.of(session, _whose(session, caller, account_id))


def get(database: Database, caller: Caller, token_id: UUID) -> Token:
    """A token of the caller's, or anybody's for an admin, that was not revoked. NotFoundError without one."""
    with database.session() as session:
        return _found(session, caller, token_id)


def _found(session: Session, caller: Caller, token_id: UUID) -> Token:
    token = tokens.find(session, token_id, None if caller.role is Role.ADMIN else caller.account_no)
    if token is None or token.revoked_at is not None:
        raise NotFoundError(f"There is no token '{token_id}'")
    return token


def revoke(database: Database, caller: Caller, token_id: UUID) -> None:
    """Ends a token of the caller's, or anybody's for an admin."""
    with database.transaction() as session:
        token = _found(session, caller, token_id)
        tokens.revoke(session, token.token_no, datetime.now(UTC))
        audit.record(session, caller, "revoke", "token", token_id, name=token.name)
