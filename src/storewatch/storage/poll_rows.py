"""Polls as people read, correct and delete them: one, or a page or a range of a store's."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, from_us
from storewatch.storage import polls, stores
from storewatch.storage.clearing import remove_polls
from storewatch.storage.tables import DeletedPoll, StoreStatus


def page(
    session: Session,
    store_key: int,
    first: datetime,
    end: datetime,
    count: int,
    *,
    active: bool | None = None,
    newest_first: bool = True,
) -> list[StoreStatus]:
    """Polls of a store at instants in [first, end)."""
    at = StoreStatus.timestamp_utc
    query = select(StoreStatus).where(StoreStatus.store_key == store_key, at >= first, at < end)
    if active is not None:
        query = query.where(StoreStatus.active == active)
    return list(session.execute(query.order_by(at.desc() if newest_first else at).limit(count)).scalars())


def find(session: Session, store_key: int, at: datetime) -> StoreStatus | None:
    """The poll of a store at an instant."""
    query = select(StoreStatus).where(StoreStatus.store_key == store_key, StoreStatus.timestamp_utc == at)
    return session.execute(query.execution_options(populate_existing=True)).scalars().first()


def correct(session: Session, store_key: int, at: datetime, active: bool, reason: str | None) -> None:
    """Sets a poll that is there as by hand. The caller holds the lock of this kind of import."""
    session.execute(
        update(StoreStatus)
        .where(StoreStatus.store_key == store_key, StoreStatus.timestamp_utc == at)
        .values(active=active, reason=reason, import_no=None)
    )


def add(session: Session, store_key: int, at_us: int, active: bool, reason: str | None) -> None:
    """Adds a poll by hand, also one that was deleted by hand. The caller holds the lock of this kind of
    import.
    """
    day, at = at_us // DAY, from_us(at_us)
    if day not in polls.days(session):
        polls.make_day(session, day)
    session.execute(
        delete(DeletedPoll).where(DeletedPoll.store_key == store_key, DeletedPoll.timestamp_utc == at)
    )
    values = {"store_key": store_key, "timestamp_utc": at, "active": active, "reason": reason}
    session.execute(insert(StoreStatus).values(import_no=None, **values))
    polls.note_day(session, day, 1, at)
    stores.lower_first_polls(session, np.array([store_key]), np.array([at_us]))


def remove(session: Session, store_key: int, first: datetime, end: datetime) -> tuple[int, int, int] | None:
    """Deletes the polls of a store at instants in [first, end), so that no import brings them back.

    The caller holds the lock of this kind of import. Returns how many, the first of them and the last
    (microseconds); None if there were none.
    """
    gone = remove_polls(session, store_key, first, end, for_good=True)
    if gone is not None:
        _find_first(session, store_key)
    return gone


def _find_first(session: Session, store_key: int) -> None:
    session.execute(
        text("""
            UPDATE store SET first_poll_at = (
                SELECT min(timestamp_utc) FROM store_status WHERE store_key = :store_key)
            WHERE store_key = :store_key
              AND first_poll_at >= (SELECT polls_from::timestamp AT TIME ZONE 'UTC' FROM retention)
        """),
        {"store_key": store_key},
    )
