"""upload: files that came over HTTP, and how far a job is with them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, Upload

Found = tuple[Upload, str | None]
"""An upload, and the email address of who sent it."""

_WAITING = ("queued", "running")
_FINISHED = ("complete", "failed")


_WATCH = 0x53574F46
_VERSION = 0xF << 76
_OF_FOLDER = 8


def id_of_folder() -> UUID:
    """A new id of an upload that comes from the watched folder: one of version 8, by which it is known."""
    return UUID(int=uuid4().int & ~_VERSION | _OF_FOLDER << 76)


def source(upload_id: UUID) -> str:
    """What its import notes as the source."""
    return "folder" if upload_id.version == _OF_FOLDER else "upload"


def try_watch(session: Session) -> bool:
    """Whether nobody else looks at the watched folder, until the end of the transaction."""
    return bool(session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _WATCH}).scalar())


def add(session: Session, values: dict[str, Any]) -> None:
    """Adds an upload that waits for its job."""
    session.execute(insert(Upload).values(status="queued", **values))


def find(session: Session, upload_id: UUID) -> Found | None:
    """An upload."""
    row = session.execute(_with_email().where(Upload.upload_id == upload_id)).first()
    return None if row is None else (row[0], row[1])


def locked(session: Session, upload_id: UUID) -> Upload | None:
    """An upload that nobody else changes until the end of the transaction."""
    query = select(Upload).where(Upload.upload_id == upload_id).with_for_update()
    return session.execute(query).scalars().first()


def page(session: Session, before: int | None, count: int, **which: str) -> list[Found]:
    """Uploads, newest first, before a number; `which` are columns and the values they must have."""
    query = _with_email().filter_by(**which).order_by(Upload.upload_no.desc()).limit(count)
    found = session.execute(query if before is None else query.where(Upload.upload_no < before))
    return [(row[0], row[1]) for row in found]


def sent_by(session: Session, account_no: int | None, count: int) -> list[Upload]:
    """Somebody's newest uploads, newest first; None: those of nobody who is known."""
    query = select(Upload).where(Upload.account_no.is_not_distinct_from(account_no))
    return list(session.execute(query.order_by(Upload.upload_no.desc()).limit(count)).scalars())


def _with_email() -> Select[Upload, str | None]:
    return select(Upload, Account.email).outerjoin(Account, Account.account_no == Upload.account_no)


def of_imports(session: Session, import_nos: Iterable[int]) -> dict[int, UUID]:
    """The uploads by which imports came."""
    query = select(Upload.import_no, Upload.upload_id).where(Upload.import_no.in_(list(import_nos)))
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def begin_attempt(session: Session, upload_id: UUID) -> Upload | None:
    """Marks an upload as running and counts the attempt. None if it is finished or gone."""
    return session.execute(
        update(Upload)
        .where(Upload.upload_id == upload_id, Upload.status.in_(_WAITING))
        .values(status="running", attempt=Upload.attempt + 1, progress=0)
        .returning(Upload)
    ).scalar()


def set_progress(session: Session, upload: Upload, percent: int) -> None:
    """Notes how far this attempt is, in per cent."""
    _change(session, upload, progress=percent)


def complete(session: Session, upload: Upload, import_no: int, kind: str) -> bool:
    """Marks an upload as taken in by this attempt. False if another attempt has begun."""
    values = {"status": "complete", "progress": 100, "finished_at": func.clock_timestamp()}
    return _change(session, upload, import_no=import_no, kind=kind, **values)


def fail(session: Session, upload: Upload, error: str) -> bool:
    """Marks an upload as failed by this attempt. False if another attempt has begun."""
    return _change(session, upload, status="failed", error=error, finished_at=func.clock_timestamp())


def uncount(session: Session, upload: Upload) -> None:
    """Takes back that this attempt, which is over, was counted; unless another one has begun."""
    _change(session, upload, attempt=Upload.attempt - 1)


def _change(session: Session, upload: Upload, **values: Any) -> bool:
    """Changes a running upload, unless another attempt has begun."""
    changed = session.execute(
        update(Upload)
        .where(
            Upload.upload_no == upload.upload_no,
            Upload.attempt == upload.attempt,
            Upload.status == "running",
        )
        .values(**values)
        .returning(Upload.upload_no)
    )
    return changed.first() is not None


def remove(session: Session, upload: Upload) -> None:
    """Removes the record of an upload."""
    session.execute(delete(Upload).where(Upload.upload_no == upload.upload_no))


def note_removed(session: Session, moment: datetime) -> list[UUID]:
    """Notes that the files of uploads finished before a moment are removed, and tells which."""
    return list(
        session.execute(
            update(Upload)
            .where(Upload.status.in_(_FINISHED), Upload.finished_at < moment, Upload.removed_at.is_(None))
            .values(removed_at=func.now())
            .returning(Upload.upload_id)
        ).scalars()
    )


def with_files(session: Session) -> set[UUID]:
    """The uploads whose files are to be there."""
    query = select(Upload.upload_id).where(Upload.removed_at.is_(None))
    return set(session.execute(query).scalars())
