"""Secrets that all processes of a service share."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import AppSecret


def kept(session: Session, name: str, value: bytes) -> bytes:
    """The secret of that name; the value given becomes it if there is none yet."""
    session.execute(upsert(AppSecret).values(name=name, value=value).on_conflict_do_nothing())
    return session.execute(select(AppSecret.value).where(AppSecret.name == name)).scalar_one()
