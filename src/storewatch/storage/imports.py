"""The records of imports and of the rows that they rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, text, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account
from storewatch.storage.tables import Base, Import, ImportReject

KEPT_REJECTS = 10_000
"""So many rejected rows of an import are kept in the database; all are counted."""

KINDS = ("store_status", "menu_hours", "store_timezone", "stores")
_LOCK_SPACE = 0x53574900
_TABLE = Base.metadata.tables["import"]
"""Not the class: its first use has SQLAlchemy prepare all classes, which takes as long as a small file."""


def try_lock(session: Session, kind: str) -> bool:
    """Takes this kind's import lock until the end of the transaction, if it is free."""
    query = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(session.execute(query, {"key": _LOCK_SPACE + KINDS.index(kind)}).scalar())


def lock(session: Session, kind: str) -> None:
    """Waits for this kind's import lock: imports of one kind run one after another."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_SPACE + KINDS.index(kind)})


def open_import(
    session: Session,
    kind: str,
    source: str,
    file_name: str,
    started_at: datetime,
    account_no: int | None = None,
) -> int:
    """Begins the record of an import and returns its number; `close_import` completes it."""
    values = dict.fromkeys(_COUNTS, 0) | {"size_bytes": 0, "sha256": "0" * 64, "assumptions": {}}
    import_no: int = session.execute(
        insert(_TABLE)
        .values(
            kind=kind,
            source=source,
            file_name=file_name,
            started_at=started_at,
            finished_at=started_at,
            account_no=account_no,
            **values,
        )
        .returning(_TABLE.c.import_no)
    ).scalar_one()
    return import_no


_COUNTS = ("rows_read", "rows_new", "rows_corrected", "rows_unchanged", "rows_kept", "rows_rejected")


def going_on(session: Session, kind: str, source: str, file_name: str, now: datetime) -> int:
    """The number of the record to which a source adds bit by bit, and all of it has the same name; the newest
    of that source has it, or a new one is made.
    """
    newest = select(_TABLE.c.import_no, _TABLE.c.file_name).where(_TABLE.c.source == source)
    row = session.execute(newest.order_by(_TABLE.c.import_no.desc()).limit(1)).first()
    if row is not None and row.file_name == file_name:
        return int(row.import_no)
    return open_import(session, kind, source, file_name, now)


def add_counts(session: Session, import_no: int, counts: dict[str, int], now: datetime) -> None:
    """Adds rows (new, corrected, ...) to a record that goes on."""
    names = {f"rows_{name}": count for name, count in counts.items()}
    names["rows_read"] = sum(counts.values())
    more = {name: _TABLE.c[name] + count for name, count in names.items()}
    session.execute(update(_TABLE).where(_TABLE.c.import_no == import_no).values(finished_at=now, **more))


def close_import(session: Session, import_no: int, values: dict[str, Any]) -> None:
    """Completes the record of an import."""
    session.execute(update(_TABLE).where(_TABLE.c.import_no == import_no).values(**values))


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


def page(session: Session, before: int | None, count: int, **which: str) -> list[tuple[Import, str | None]]:
    """Imports, newest first, before a number; each with the e-mail address of who loaded it. `which` are
    columns and the values they must have.
    """
    query = _with_email().filter_by(**which).order_by(Import.import_no.desc()).limit(count)
    found = session.execute(query if before is None else query.where(Import.import_no < before))
    return [(row[0], row[1]) for row in found]


def find(session: Session, import_no: int) -> tuple[Import, str | None] | None:
    """An import and the e-mail address of who loaded it."""
    row = session.execute(_with_email().where(Import.import_no == import_no)).first()
    return None if row is None else (row[0], row[1])


def by_number(session: Session, numbers: Sequence[int]) -> dict[int, Import]:
    """Imports, by their numbers."""
    found = session.execute(select(Import).where(Import.import_no.in_(numbers))).scalars()
    return {each.import_no: each for each in found}


def common_reasons(session: Session, import_no: int, count: int) -> list[tuple[str, int]]:
    """Why most of the rejected rows that were kept were rejected, and how many for each reason."""
    rows = func.count().label("rows")
    query = (
        select(ImportReject.reason, rows)
        .where(ImportReject.import_no == import_no)
        .group_by(ImportReject.reason)
        .order_by(rows.desc(), ImportReject.reason)
        .limit(count)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _with_email() -> Select[Import, str | None]:
    return select(Import, Account.email).outerjoin(Account, Account.account_no == Import.account_no)


def rejects(
    session: Session, import_no: int, after: int = -1, count: int | None = None
) -> Iterator[tuple[int, str, str]]:
    """Rejected rows that were kept, in order: (line, reason, row); those after a line, at most `count`."""
    query = select(ImportReject.line, ImportReject.reason, ImportReject.row)
    of_import = query.where(ImportReject.import_no == import_no, ImportReject.line > after)
    in_order = of_import.order_by(ImportReject.line).limit(count)
    for row in session.execute(in_order.execution_options(yield_per=500)):
        yield row[0], row[1], row[2]


def any_not_from(session: Session, source: str) -> bool:
    """Whether there is an import of another source."""
    return (
        session.execute(select(Import.import_no).where(Import.source != source).limit(1)).first() is not None
    )
