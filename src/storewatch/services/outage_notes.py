"""Notes on outages: what people know of the one that an instant of a store lies in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import ForbiddenError, NotFoundError
from storewatch.services.stores import found, to_change
from storewatch.storage import audit, outage_notes
from storewatch.storage.db import Database
from storewatch.storage.outage_notes import Note

_KIND = "stores"


def page(
    database: Database, caller: Caller, store_id: str | None, after: Sequence[int] | None, count: int
) -> list[Note]:
    """Notes on stores that the caller may see, the newest instant first. NotFoundError for a store that they
    may not see.
    """
    with database.session() as session:
        key = None if store_id is None else found(session, caller, store_id).store.store_key
        return outage_notes.page(session, caller.seen_by, key, after, count)


def get(database: Database, caller: Caller, note_id: UUID) -> Note:
    """A note that the caller may see. NotFoundError without one."""
    with database.session() as session:
        return _found(session, caller, note_id)


def add(database: Database, caller: Caller, store_id: str, at: datetime, note: str) -> Note:
    """Adds a note. NotFoundError for a store that the caller may not see, ForbiddenError if they may not
    change it.
    """
    with database.transaction() as session:
        store = to_change(session, caller, store_id, _KIND, frozenset({"notes"})).store
        made = outage_notes.add(session, store.store_key, at, note, caller.account_no)
        detail = {"store_id": store_id, "at": at.isoformat(), "note": note}
        audit.record(session, caller, "create", "outage_note", made, **detail)
        return _found(session, caller, made)


def remove(database: Database, caller: Caller, note_id: UUID) -> None:
    """Removes a note. Errors as for `add`."""
    with database.transaction() as session:
        note = _found(session, caller, note_id)
        if not outage_notes.may_change(session, note, caller.seen_by):
            raise ForbiddenError("You may see this note; the managers of its store's groups may remove it.")
        outage_notes.remove(session, note.note_no)
        detail = {"store_id": note.store_id, "at": note.at.isoformat(), "note": note.note}
        audit.record(session, caller, "delete", "outage_note", note_id, **detail)


def _found(session: Session, caller: Caller, note_id: UUID) -> Note:
    note = outage_notes.find(session, note_id, caller.seen_by)
    if note is None:
        raise NotFoundError(f"There is no note {note_id}")
    return note
