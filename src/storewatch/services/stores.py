"""Stores: made, listed, read, changed, archived, deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError, UsageError
from storewatch.services import exception_marks
from storewatch.services.store_taker import StoresTaker
from storewatch.storage import audit, clearing, groups, history, imports, poll_packs, store_pages, stores
from storewatch.storage.db import Database
from storewatch.storage.store_pages import Filter, Found

OF_MANAGERS = frozenset({"name", "notes"})
"""The fields that the manager of one of a store's groups may change, beside its hours and zone."""

PATIENCE_S = 10
"""So long does a request wait for an import that is running."""

_KIND = "stores"


def page(
    database: Database, caller: Caller, which: Filter, after: Sequence[str] | None, count: int
) -> list[Found]:
    """The stores that the caller may see. NotFoundError for a group that they may not see."""
    with database.session() as session:
        if which.group_id is not None:
            _group_nos(session, caller, [which.group_id])
        return store_pages.page(session, caller.seen_by, which, after, count)


def get(database: Database, caller: Caller, store_id: str) -> Found:
    """A store that the caller may see. NotFoundError without one."""
    with database.session() as session:
        return found(session, caller, store_id)


def create(
    database: Database, caller: Caller, store_id: str, values: dict[str, Any], group_ids: Sequence[UUID]
) -> Found:
    """Makes a store. ConflictError if there is one of that id."""
    with database.transaction(PATIENCE_S) as session:
        imports.lock(session, _KIND)
        if len(stores.keys(session, [store_id])):
            raise ConflictError(f"There is a store '{store_id}' already")
        numbers = _group_nos(session, caller, group_ids)
        [store_key] = stores.allot_keys(session, [store_id])["store_key"].to_list()
        store_pages.change(session, store_key, values)
        for number in numbers:
            groups.add_stores(session, number, [store_key])
        audit.record(session, caller, "create", "store", store_id, **_told(values))
        exception_marks.mark_groups(session, {number: [store_key] for number in numbers})
        return found(session, caller, store_id)


def update(
    database: Database,
    caller: Caller,
    store_id: str,
    values: dict[str, Any],
    check: Callable[[Found], None],
) -> Found:
    """Changes fields of a store. `check` looks at the locked row, and raises if it must not be changed."""
    with database.transaction(PATIENCE_S) as session:
        present = to_change(session, caller, store_id, _KIND, frozenset(values))
        check(present)
        changed = {name: value for name, value in values.items() if getattr(present.store, name) != value}
        if changed:
            store_pages.change(session, present.store.store_key, changed)
            history.wake(session)
            audit.record(session, caller, "update", "store", store_id, **_told(changed))
        return found(session, caller, store_id)


def delete(database: Database, caller: Caller, store_id: str, confirm: str) -> int:
    """Deletes a store and all that hangs on it: polls, hours, zone, rows of reports. Returns how many polls.

    `confirm` is the store's id once more; UsageError if it is not.
    """
    if confirm != store_id:
        raise UsageError("Say the store's id again in `confirm`: nothing brings it back", field="confirm")
    with database.transaction(PATIENCE_S) as session:
        for kind in imports.KINDS:
            imports.lock(session, kind)
        stores.may_go(session)
        present = found(session, caller, store_id)
        polls = clearing.remove_store(session, present.store.store_key)
        poll_packs.wake(session)
        history.wake(session)
        audit.record(session, caller, "delete", "store", store_id, name=present.store.name, polls=polls)
        return polls


def bulk(
    database: Database, caller: Caller, rows: pl.DataFrame
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    """Takes in what many rows say of stores, as a file of stores would: makes those that are new.

    `rows` is raw text as `domain.store_rows` takes it, `line` the index in the request; a column `given`
    names the fields that each row sets. Returns counts and the rejected, (index, reason).
    """
    with database.transaction(PATIENCE_S) as session:
        imports.lock(session, _KIND)
        taker = StoresTaker(session)
        read = taker.read(rows)
        taker.take(read)
        counts, _ = taker.finish()
        taker.mark()
        rejected = [(int(line), str(reason)) for line, reason in read.bad.iter_rows()]
        audit.record(
            session, caller, "bulk", "store", f"{len(rows)} stores", **counts, rejected=len(rejected)
        )
        return counts, rejected


def found(session: Session, caller: Caller, store_id: str, *, lock: bool = False) -> Found:
    """A store that the caller may see. NotFoundError without one."""
    store = store_pages.find(session, store_id, caller.seen_by, lock=lock)
    if store is None:
        raise NotFoundError(f"There is no store '{store_id}'")
    return store


def to_change(session: Session, caller: Caller, store_id: str, kind: str, fields: frozenset[str]) -> Found:
    """A store that the caller may change these fields of, locked, as is this kind of import.

    NotFoundError if they may not see it, ForbiddenError if they may not change it: who may not is told
    before the wait for an import, or viewers could hold every thread of the server.
    """
    _changeable(session, caller, store_id, fields, lock=False)
    imports.lock(session, kind)
    return _changeable(session, caller, store_id, fields, lock=True)


def may_change(session: Session, caller: Caller, store_key: int) -> bool:
    """Whether the caller decides on a store's hours, zone, notes and exceptions."""
    return caller.sees_all or store_pages.may_change(session, store_key, caller.seen_by)


def to_edit(database: Database, caller: Caller, store_id: str) -> Found:
    """A store whose hours, zone, notes and exceptions the caller decides on. NotFoundError if they may not
    see it, ForbiddenError if it is not theirs.
    """
    with database.session() as session:
        return changeable(session, caller, store_id)


def changeable(session: Session, caller: Caller, store_id: str, *, lock: bool = False) -> Found:
    """The same within a session that is there already; with `lock` nobody changes the store meanwhile."""
    return _changeable(session, caller, store_id, frozenset(), lock=lock)


def _changeable(
    session: Session, caller: Caller, store_id: str, fields: frozenset[str], *, lock: bool
) -> Found:
    present = found(session, caller, store_id, lock=lock)
    if caller.sees_all:
        return present
    if not may_change(session, caller, present.store.store_key):
        raise ForbiddenError("You may see this store; its group's managers may change it.")
    if fields - OF_MANAGERS - {"hours", "zone"}:
        raise ForbiddenError(f"Only operators may change {', '.join(sorted(fields - OF_MANAGERS))}.")
    return present


def _group_nos(session: Session, caller: Caller, group_ids: Sequence[UUID]) -> list[int]:
    found_groups = {group_id: groups.find(session, group_id, caller.seen_by) for group_id in group_ids}
    lacking = [group_id for group_id, group in found_groups.items() if group is None]
    if lacking:
        raise NotFoundError(f"There is no group '{lacking[0]}'")
    return [group.group_no for group in found_groups.values() if group is not None]


def _told(values: dict[str, Any]) -> dict[str, Any]:
    """Values as the audit log keeps them."""
    return {name: value if value is None else str(value) for name, value in values.items()}
