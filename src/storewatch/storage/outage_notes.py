"""What people know of outages: notes at instants of stores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, insert, select, tuple_
from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us
from storewatch.storage.sight import managed, seen
from storewatch.storage.tables import Store
from storewatch.storage.truth_tables import OutageNote


@dataclass(frozen=True)
class Note:
    """A note at an instant of a store."""

    note_no: int
    note_id: UUID
    at: datetime
    note: str
    created_at: datetime
    store_id: str


def add(session: Session, store_key: int, at: datetime, note: str, account_no: int | None) -> UUID:
    """Adds a note to an instant of a store; returns its id."""
    values = {"store_key": store_key, "at": at, "note": note, "account_no": account_no}
    query = insert(OutageNote).values(**values).returning(OutageNote.note_id)
    return session.execute(query).scalar_one()


def find(session: Session, note_id: UUID, seen_by: int | None) -> Note | None:
    """A note of a store that may be seen."""
    query = _query().where(OutageNote.note_id == note_id, seen(OutageNote.store_key, seen_by))
    row = session.execute(query).first()
    return None if row is None else Note(*row)


def may_change(session: Session, note: Note, seen_by: int | None) -> bool:
    """Whether the store of a note may be changed."""
    query = select(OutageNote.note_no).where(
        OutageNote.note_no == note.note_no, managed(OutageNote.store_key, seen_by)
    )
    return session.execute(query).first() is not None


def page(
    session: Session,
    seen_by: int | None,
    store_key: int | None,
    after: Sequence[int] | None,
    count: int,
) -> list[Note]:
    """Notes of stores that may be seen, or of one of them, the newest instant first; those after (instant in
    microseconds, number).
    """
    query = _query().where(seen(OutageNote.store_key, seen_by))
    if store_key is not None:
        query = query.where(OutageNote.store_key == store_key)
    if after is not None:
        last = (from_us(after[0]), after[1])
        query = query.where(tuple_(OutageNote.at, OutageNote.note_no) < last)
    query = query.order_by(OutageNote.at.desc(), OutageNote.note_no.desc()).limit(count)
    return [Note(*row) for row in session.execute(query)]


def of_stores(session: Session, store_keys: NDArray[np.int32]) -> dict[str, list[Note]]:
    """All notes of stores, by the ids of these and in order of time."""
    query = _query().where(OutageNote.store_key.in_(store_keys.tolist()))
    found: dict[str, list[Note]] = defaultdict(list)
    for row in session.execute(query.order_by(OutageNote.at, OutageNote.note_no)):
        note = Note(*row)
        found[note.store_id].append(note)
    return dict(found)


def _query() -> Select[int, UUID, datetime, str, datetime, str]:
    said = (OutageNote.note_no, OutageNote.note_id, OutageNote.at, OutageNote.note, OutageNote.created_at)
    return select(*said, Store.store_id).join(Store, Store.store_key == OutageNote.store_key)


def remove(session: Session, note_no: int) -> None:
    """Removes a note."""
    session.execute(delete(OutageNote).where(OutageNote.note_no == note_no))
