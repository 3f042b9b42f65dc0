"""Exceptions: holidays, maintenance, corrections; made, listed, undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import exception_rows
from storewatch.domain.clock import iso, to_us
from storewatch.domain.exception_rows import Wanted
from storewatch.domain.permissions import Caller
from storewatch.domain.touched_days import past_days
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError
from storewatch.services import exception_marks
from storewatch.services.groups import get as get_group
from storewatch.services.stores import found as found_store
from storewatch.storage import audit, exceptions, store_pages
from storewatch.storage.db import Database
from storewatch.storage.exceptions import Filter, Found
from storewatch.storage.truth_tables import ExceptionRow


@dataclass(frozen=True)
class Clock:
    """The present, and the zone of stores without one: what counting past days needs."""

    now_us: int
    default_zone: str


@dataclass(frozen=True)
class Changed:
    """An exception that was made or undone, and how many local days of stores it touches up to now."""

    found: Found
    past_days: int


# --- making ---------------------------------------------------------------------------------------


def add(database: Database, caller: Caller, wanted: Sequence[Wanted], clock: Clock) -> list[Changed]:
    """Makes exceptions, all or none. NotFoundError for a store or group that the caller may not see,
    ForbiddenError for what is not theirs to decide.
    """
    with database.transaction() as session:
        rows = [row_of(session, caller, each) for each in wanted]
        return add_rows(session, caller, rows, clock)


def add_rows(session: Session, caller: Caller, rows: list[dict[str, Any]], clock: Clock) -> list[Changed]:
    """The same within a transaction, of columns that `row_of` gave. Nothing may come after it."""
    made = exceptions.shown(session, exceptions.add(session, rows), caller.seen_by)
    for found in made:
        audit.record(session, caller, "create", "exception", found.row.exception_id, **_told(found))
    counter = _Days(session, clock)
    days = [counter.past(row) for row in rows]
    for found in made:
        exception_marks.mark(session, found.row)
    return [Changed(found, count) for found, count in zip(made, days, strict=True)]


def add_new(database: Database, caller: Caller, wanted: Wanted, clock: Clock) -> Changed:
    """`add` for one, and ConflictError if one that says the same is in force: a form was sent twice."""
    with database.transaction() as session:
        row = row_of(session, caller, wanted)
        exceptions.one_import_at_a_time(session)
        if identity(row) in {identity(columns(each)) for each in exceptions.in_force(session)}:
            raise ConflictError("There is such an exception already, with the same times and reason")
        [made] = add_rows(session, caller, [row], clock)
        return made


def row_of(session: Session, caller: Caller, wanted: Wanted) -> dict[str, Any]:
    """The columns of an exception that the caller may make."""
    store_key, group = None, None
    if wanted.store_id is not None:
        store_key = exceptions.held_store(session, wanted.store_id, caller.seen_by)
        if store_key is None:
            raise NotFoundError(f"There is no store '{wanted.store_id}'")
    if wanted.group is not None:
        group = exceptions.held_group(session, wanted.group, caller.seen_by)
        if group is None:
            raise NotFoundError(f"There is no group '{wanted.group}'")
    _check_may(session, caller, store_key, None if group is None else group.group_no)
    return {
        "effect": wanted.effect,
        "store_key": store_key,
        "group_no": None if group is None else group.group_no,
        "start_at": None if wanted.local else wanted.start,
        "end_at": None if wanted.local else wanted.end,
        "start_local": wanted.start if wanted.local else None,
        "end_local": wanted.end if wanted.local else None,
        "rrule": wanted.rrule,
        "openings": None if wanted.openings is None else list(wanted.openings),
        "note": wanted.note,
        "account_no": caller.account_no,
    }


def may(session: Session, caller: Caller, row: ExceptionRow) -> bool:
    """Whether the caller decides on an exception: whether they may undo it."""
    try:
        _check_may(session, caller, row.store_key, row.group_no)
    except ForbiddenError:
        return False
    return True


def _check_may(session: Session, caller: Caller, store_key: int | None, group_no: int | None) -> None:
    if caller.sees_all:
        return
    if store_key is not None:
        if not store_pages.may_change(session, store_key, caller.seen_by):
            raise ForbiddenError("You may see this store; its group's managers decide on its exceptions.")
    elif group_no is None:
        raise ForbiddenError("Only operators and admins decide on exceptions of all stores.")
    elif not caller.manages(group_no):
        raise ForbiddenError("Only the managers of a group decide on its exceptions.")


class _Days:
    """Counts how many local days of stores, since the first poll of each, hold time of an exception before
    now.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._stores: dict[tuple[int | None, int | None], list[tuple[str, int, int]]] = {}

    def past(self, row: dict[str, Any]) -> int:
        """Of the exception with these columns."""
        start, end = row["start_at"] or row["start_local"], row["end_at"] or row["end_local"]
        total = 0
        for zone, stores in groupby(self._concerned(row), key=lambda each: each[0]):
            first, count = np.array([each[1:] for each in stores], np.int64).T
            days = past_days(start, end, row["rrule"], zone, self._clock.now_us, first)
            total += int((days * count).sum())
        return total

    def _concerned(self, row: dict[str, Any]) -> list[tuple[str, int, int]]:
        scope = row["store_key"], row["group_no"]
        if scope not in self._stores:
            self._stores[scope] = sorted(
                exceptions.first_days(self._session, *scope, self._clock.default_zone)
            )
        return self._stores[scope]


# --- reading --------------------------------------------------------------------------------------


def page(
    database: Database,
    caller: Caller,
    which: Filter,
    of: tuple[str | None, UUID | None],
    after: tuple[datetime, UUID] | None,
    count: int,
) -> list[Found]:
    """Exceptions that the caller may see, newest first; `of` are a store's id, for those that concern it, and
    a group's, for its own. NotFoundError for what they may not see.
    """
    store_id, group_id = of
    group = None if group_id is None else get_group(database, caller, group_id)
    with database.session() as session:
        key = None if store_id is None else found_store(session, caller, store_id).store.store_key
        which = replace(which, store_key=key, group_no=None if group is None else group.group_no)
        rows = exceptions.page(session, caller.seen_by, which, after, count)
        return exceptions.shown(session, rows, caller.seen_by)


def group_id_of(database: Database, caller: Caller, name_or_id: str) -> UUID:
    """The id of a group that the caller may see. NotFoundError without one."""
    with database.session() as session:
        group = exceptions.held_group(session, name_or_id, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{name_or_id}'")
    return group.group_id


def get(database: Database, caller: Caller, exception_id: UUID) -> Found:
    """An exception that the caller may see. NotFoundError without one."""
    with database.session() as session:
        row = _found(session, caller, exception_id)
        return exceptions.shown(session, [row], caller.seen_by)[0]


def _found(session: Session, caller: Caller, exception_id: UUID, *, lock: bool = False) -> ExceptionRow:
    row = exceptions.find(session, exception_id, caller.seen_by, lock=lock)
    if row is None:
        raise NotFoundError(f"There is no exception '{exception_id}'")
    return row


# --- undoing --------------------------------------------------------------------------------------


def undo(database: Database, caller: Caller, exception_id: UUID, clock: Clock) -> Changed:
    """Takes an exception back; one that is back already stays as it is, and touches no day."""
    with database.transaction() as session:
        row = _found(session, caller, exception_id, lock=True)
        _check_may(session, caller, row.store_key, row.group_no)
        fresh = row.undone_at is None
        if fresh:
            row = exceptions.undo(session, row.exception_no, caller.account_no)
        [found] = exceptions.shown(session, [row], caller.seen_by)
        if not fresh:
            return Changed(found, 0)
        audit.record(session, caller, "undo", "exception", exception_id, **_told(found))
        days = _Days(session, clock).past(columns(row))
        exception_marks.mark(session, row)
        return Changed(found, days)


def columns(row: ExceptionRow) -> dict[str, Any]:
    """What an exception says, by column."""
    return {name: getattr(row, name) for name in (*exceptions.SAME, "note")}


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """The same for exceptions that say the same, of their columns."""
    values = [row[name] for name in (*exceptions.SAME, "note")]
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


# --- words ----------------------------------------------------------------------------------------


def told_scope(row: ExceptionRow) -> str:
    """Whom an exception concerns: store, group or all."""
    if row.store_key is not None:
        return "store"
    return "all" if row.group_no is None else "group"


def told_time(at: datetime | None, local: datetime | None) -> str:
    """An instant with Z, or a local time without; to be written again as it is read."""
    if at is None:
        return "" if local is None else local.isoformat()
    return iso(to_us(at))


def told_hours(row: ExceptionRow) -> str | None:
    """The openings of other hours, as they are written."""
    return None if row.openings is None else exception_rows.told_openings(row.openings)


def _told(found: Found) -> dict[str, Any]:
    """An exception as the audit log keeps it: whole."""
    row, group = found.row, found.group
    return {
        "effect": row.effect,
        "scope": told_scope(row),
        "store_id": found.store_id,
        "group_id": None if group is None else str(group.group_id),
        "group": None if group is None else group.name,
        "start": told_time(row.start_at, row.start_local),
        "end": told_time(row.end_at, row.end_local),
        "rrule": row.rrule,
        "hours": told_hours(row),
        "note": row.note,
    }
