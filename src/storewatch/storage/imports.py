"""The records of imports and of the rows that they rejected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from storewatch.storage.tables import Import, ImportReject

KEPT_REJECTS = 10_000
"""So many rejected rows of an import are kept in the database; all are counted."""

KINDS = ("store_status", "menu_hours", "store_timezone")
_LOCK_SPACE = 0x53574900


def try_lock(session: Session, kind: str) -> bool:
    """Takes this kind's import lock until the end of the transaction, if it is free."""
    query = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(session.execute(query, {"key": _LOCK_SPACE + KINDS.index(kind)}).scalar())


def lock(session: Session, kind: str) -> None:
    """Waits for this kind's import lock: imports of one kind run one after another."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_SPACE + KINDS.index(kind)})


def open_import(session: Session, kind: str, source: str, file_name: str, started_at: datetime) -> int:
    """Begins the record of an import and returns its number; `close_import` completes it."""
    values = dict.fromkeys(_COUNTS, 0) | {"size_bytes": 0, "sha256": "0" * 64, "assumptions": {}}
    return session.execute(
        insert(Import)
        .values(
            kind=kind,
            source=source,
            file_name=file_name,
            started_at=started_at,
            finished_at=started_at,
            **values,
        )
        .returning(Import.import_no)
    ).scalar_one()


_COUNTS = ("rows_read", "rows_new", "rows_corrected", "rows_unchanged", "rows_kept", "rows_rejected")


def close_import(session: Session, import_no: int, values: dict[str, Any]) -> None:
    """Completes the record of an import."""
    session.execute(update(Import).where(Import.import_no == import_no).values(**values))


def keep_rejects(session: Session, import_no: int, rejects: list[tuple[int, str, str]]) -> None:
    """Keeps rejected rows: (line, reason, row)."""
    if rejects:
        rows = [
            {"import_no": import_no, "line": line, "reason": reason, "row": row}
            for line, reason, row in rejects
        ]
        session.execute(insert(ImportReject), rows)


def latest(session: Session) -> int | None:
    """The number of the latest import."""
    return session.execute(select(func.max(Import.import_no))).scalar()


def any_not_from(session: Session, source: str) -> bool:
    """Whether there is an import of another source."""
    return (
        session.execute(select(Import.import_no).where(Import.source != source).limit(1)).first() is not None
    )
