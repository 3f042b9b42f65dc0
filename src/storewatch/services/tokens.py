"""Tokens: made, listed, revoked. The secret is shown once, when the token is made."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from storewatch.domain.permissions import Caller, Scope
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
    """Makes a token of the caller's, or of `account_id`'s for an admin. Returns it and its secret."""
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise UsageError("expires_at lies in the past", field="expires_at")
    secret, digest = secrets.new_secret(PREFIX)
    with database.transaction() as session:
        account = accounts.by_id(session, account_id) if account_id else None
        account_no = account.account_no if account else caller.account_no
        if account_no is None or not name.strip():
            raise UsageError("Say whose token it is, and give it a name", field="name")
        if account_no != caller.account_no and caller.role != "admin":
            raise ForbiddenError("Only admins make tokens for others")
        if len(tokens.of(session, account_no)) >= _MOST:
            raise ConflictError(f"There are {_MOST} tokens already: revoke some first")
        token = tokens.add(session, account_no, name.strip(), scope.value, digest, expires_at)
        audit.record(session, caller, "create", "token", token.token_id, name=name, scope=scope.value)
    return token, secret


def own(database: Database, caller: Caller) -> list[Token]:
    """The caller's tokens that were not revoked, newest first."""
    with database.session() as session:
        return tokens.of(session, caller.account_no or 0)


def revoke(database: Database, caller: Caller, token_id: UUID) -> None:
    """Ends a token of the caller's, or anybody's for an admin."""
    with database.transaction() as session:
        token = tokens.find(session, token_id, None if caller.role == "admin" else caller.account_no)
        if token is None or token.revoked_at is not None:
            raise NotFoundError(f"There is no token '{token_id}'")
        tokens.revoke(session, token.token_no, datetime.now(UTC))
        audit.record(session, caller, "revoke", "token", token_id, name=token.name)
