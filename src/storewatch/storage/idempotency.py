"""Requests that were made under a key of their client, and what was answered."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import IdempotencyKey


def try_lock(session: Session, account_no: int, key: str) -> bool:
    """Takes the key until the end of the transaction. False if another transaction has it."""
    digest = hashlib.sha256(f"{account_no} {key}".encode()).digest()
    number = int.from_bytes(digest[:8], signed=True)
    return bool(session.execute(select(func.pg_try_advisory_xact_lock(number))).scalar_one())


def find(session: Session, account_no: int, key: str, since: datetime) -> IdempotencyKey | None:
    """What was answered under the key, since an instant."""
    query = select(IdempotencyKey).where(
        IdempotencyKey.account_no == account_no,
        IdempotencyKey.key == key,
        IdempotencyKey.created_at > since,
    )
    return session.execute(query).scalar()


def keep(session: Session, **values: Any) -> None:
    """Keeps an answer; one under the same key, which has run out, goes."""
    query = upsert(IdempotencyKey).values(**values)
    said = {name: query.excluded[name] for name in ("fingerprint", "status", "headers", "body")}
    session.execute(
        query.on_conflict_do_update(
            index_elements=["account_no", "key"], set_={**said, "created_at": func.now()}
        )
    )


def remove_old(session: Session, before: datetime) -> int:
    """Removes what was answered before an instant. Returns how many there were."""
    query = delete(IdempotencyKey).where(IdempotencyKey.created_at <= before)
    return len(session.execute(query.returning(IdempotencyKey.key)).all())
