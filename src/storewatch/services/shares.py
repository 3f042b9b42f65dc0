"""Links by which people without an account see some days of one store: made, listed, revoked, opened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, Role, Via
from storewatch.errors import ConflictError, NotFoundError, UsageError
from storewatch.services import secrets, stores, tokens
from storewatch.services.picture import MOST_DAYS
from storewatch.storage import audit, shares
from storewatch.storage.db import Database
from storewatch.storage.shares import Found

LONGEST_DAYS = 90
OVER = "This link does not work, or no longer. Ask whoever sent it to you for a new one."
"""The same whether it never was, has expired or was revoked: who tries addresses learns nothing."""

_MOST = 100  # two at once may make one too many, which does no harm


def create(
    database: Database,
    caller: Caller,
    store_id: str,
    label: str,
    first: date,
    last: date,
    lives: timedelta,
) -> tuple[Found, str]:
    """Makes a link to the local days of a store from `first` to `last`. Returns it and its secret.

    NotFoundError for a store that the caller may not see, ForbiddenError if they do not decide on it. A token
    makes none that lasts longer than itself.
    """
    _check_days(first, last)
    secret, digest = secrets.new_secret()
    with database.transaction() as session:
        now = datetime.now(UTC)
        ends = (now + lives).replace(second=0, microsecond=0)  # which people read
        store = stores.changeable(session, caller, store_id).store
        tokens.check_life(session, caller, ends, "days")
        if shares.count(session, store.store_key, now) >= _MOST:
            raise ConflictError(f"The store has {_MOST} links already: revoke some first")
        days = (first, last)
        share_id = shares.add(session, digest, store.store_key, caller.account_no, label, days, ends)
        made = _found(session, caller, share_id)
        audit.record(session, caller, "create", "share", share_id, **_told(made))
    return made, secret


def _check_days(first: date, last: date) -> None:
    if last < first:
        raise UsageError("The last day lies before the first one", field="last_day")
    if (last - first).days >= MOST_DAYS:
        raise UsageError(f"At most {MOST_DAYS} days can be shared by one link", field="last_day")


def _told(made: Found) -> dict[str, str]:
    """For the audit log."""
    share = made.share
    days = {"first_day": share.first_day.isoformat(), "last_day": share.last_day.isoformat()}
    return {"name": share.label, "store_id": made.store_id, **days, "ends": share.expires_at.isoformat()}


def page(
    database: Database, caller: Caller, store_id: str | None, after: int | None, count: int
) -> list[Found]:
    """Links to a store that the caller decides on, or to all such stores, the newest first. Errors as for
    `create`.
    """
    with database.session() as session:
        key = None if store_id is None else stores.changeable(session, caller, store_id).store.store_key
        return shares.page(session, caller.seen_by, key, datetime.now(UTC), after, count)


def get(database: Database, caller: Caller, share_id: UUID) -> Found:
    """A link to a store that the caller decides on, which has not ended. NotFoundError without one."""
    with database.session() as session:
        return _found(session, caller, share_id)


def revoke(database: Database, caller: Caller, share_id: UUID) -> None:
    """Ends a link at once. For who decides on its store, whoever made it."""
    with database.transaction() as session:
        found = _found(session, caller, share_id)
        if shares.revoke(session, found.share.share_no, datetime.now(UTC)):
            audit.record(session, caller, "revoke", "share", share_id, **_told(found))


def _found(session: Session, caller: Caller, share_id: UUID) -> Found:
    found = shares.find(session, share_id, caller.seen_by, datetime.now(UTC))
    if found is None:
        raise NotFoundError(f"There is no link {share_id}")
    return found


# --- for who has one ------------------------------------------------------------------------------


def opened(database: Database, secret: str, address: str) -> Found:
    """The link of a secret; its use is noted, the first one audited. NotFoundError if it does not work."""
    now = datetime.now(UTC)
    with database.session() as session:
        found = shares.by_digest(session, secrets.digest(secret), now)
        if found is None:
            raise NotFoundError(OVER)
        if found.share.first_used_at is not None:
            shares.note_use(session, found.share, now)
            return found
    with database.transaction() as session:
        if shares.begin_use(session, found.share.share_no, now):
            audit.record(session, _by_link(address), "open", "share", found.share.share_id, **_told(found))
    return found


def _by_link(address: str) -> Caller:
    return Caller(Role.MEMBER, Via.LINK, address=address)
