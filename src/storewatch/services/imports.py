"""Who loaded what, and which rows were rejected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from storewatch.errors import NotFoundError
from storewatch.storage import imports, uploads
from storewatch.storage.db import Database
from storewatch.storage.tables import Import

Reject = tuple[int, str, str]
"""(line, reason, the row as it was)"""


@dataclass(frozen=True)
class Loaded:
    """An import, the email address of who loaded it, the upload that it came by."""

    record: Import
    email: str | None
    upload_id: UUID | None


def page(database: Database, before: int | None, count: int, **which: str) -> list[Loaded]:
    """Imports, newest first, before a number; `which` are columns and the values they must have."""
    with database.session() as session:
        found = imports.page(session, before, count, **which)
        of_uploads = uploads.of_imports(session, [record.import_no for record, _ in found])
    return [Loaded(record, email, of_uploads.get(record.import_no)) for record, email in found]


def get(database: Database, import_no: int) -> Loaded:
    """An import. NotFoundError without one."""
    with database.session() as session:
        found = imports.find(session, import_no)
        if found is None:
            raise NotFoundError(f"There is no import {import_no}")
        return Loaded(*found, uploads.of_imports(session, [import_no]).get(import_no))


def rejects(database: Database, import_no: int, after: int, count: int) -> list[Reject]:
    """Rejected rows of an import that were kept, after a line. NotFoundError without such an import."""
    get(database, import_no)
    with database.snapshot() as session:
        return list(imports.rejects(session, import_no, after, count))


def common_reasons(database: Database, import_no: int, count: int) -> list[tuple[str, int]]:
    """The reasons for which most rows of an import were rejected, with how many."""
    with database.session() as session:
        return imports.common_reasons(session, import_no, count)


def all_rejects(database: Database, import_no: int) -> Iterator[Reject]:
    """All rejected rows of an import that were kept; one state throughout."""
    with database.snapshot() as session:
        yield from imports.rejects(session, import_no)
