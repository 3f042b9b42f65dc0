"""Groups of stores: made, renamed, filled, removed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import ConflictError, NotFoundError
from storewatch.services import exception_marks
from storewatch.storage import audit, groups, stores
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database


def page(database: Database, caller: Caller, after: str, count: int) -> list[StoreGroup]:
    """The groups that the caller may see, by name, after a name."""
    with database.session() as session:
        return groups.page(session, caller.seen_by, after, count)


def get(database: Database, caller: Caller, group_id: UUID) -> StoreGroup:
    """A group that the caller may see. NotFoundError without one."""
    with database.session() as session:
        return _found(session, caller, group_id)


def named(database: Database, caller: Caller, name: str) -> StoreGroup:
    """The group of that name that the caller may see. NotFoundError without one."""
    with database.session() as session:
        group = groups.by_name(session, name, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{name}'")
    return group


def create(database: Database, caller: Caller, name: str) -> StoreGroup:
    """Makes a group. ConflictError if the name is taken."""
    with database.transaction() as session:
        _check_name(session, name)
        group = groups.add(session, name)
        audit.record(session, caller, "create", "group", group.group_id, name=name)
        return group


def rename(
    database: Database, caller: Caller, group_id: UUID, name: str, check: Callable[[StoreGroup], None]
) -> StoreGroup:
    """Gives a group another name. `check` looks at the locked row, and raises if it must not be changed."""
    with database.transaction() as session:
        group = _found(session, caller, group_id, lock=True)
        check(group)
        if name != group.name:
            _check_name(session, name)
            groups.rename(session, group.group_no, name)
            audit.record(session, caller, "rename", "group", group_id, name=name, before=group.name)
        session.refresh(group)
        return group


def remove(database: Database, caller: Caller, group_id: UUID) -> None:
    """Removes a group; its stores and people stay."""
    with database.transaction() as session:
        group = _found(session, caller, group_id, lock=True)
        exception_marks.mark_group_gone(session, group.group_no)
        groups.remove(session, group.group_no)
        audit.record(session, caller, "delete", "group", group_id, name=group.name)


def add_stores(database: Database, caller: Caller, group_id: UUID, store_ids: list[str]) -> int:
    """Puts stores into a group. Returns how many were new there. NotFoundError names a store that is not."""
    with database.transaction() as session:
        group, keys = _found(session, caller, group_id, lock=True), _keys(session, store_ids)
        changed = groups.add_stores(session, group.group_no, keys)
        audit.record(session, caller, "add_stores", "group", group_id, stores=store_ids)
        exception_marks.mark_groups(session, {group.group_no: changed})
        return len(changed)


def remove_stores(database: Database, caller: Caller, group_id: UUID, store_ids: list[str]) -> int:
    """Takes stores out of a group. Returns how many were there."""
    with database.transaction() as session:
        group, keys = _found(session, caller, group_id, lock=True), _keys(session, store_ids)
        changed = groups.remove_stores(session, group.group_no, keys)
        audit.record(session, caller, "remove_stores", "group", group_id, stores=store_ids)
        exception_marks.mark_groups(session, {group.group_no: changed})
        return len(changed)


def _found(session: Session, caller: Caller, group_id: UUID, *, lock: bool = False) -> StoreGroup:
    group = groups.find(session, group_id, caller.seen_by, lock=lock)
    if group is None:
        raise NotFoundError(f"There is no group '{group_id}'")
    return group


def _check_name(session: Session, name: str) -> None:
    if groups.by_name(session, name) is not None:
        raise ConflictError(f"There is a group '{name}' already")


def _keys(session: Session, store_ids: list[str]) -> list[int]:
    found = stores.keys(session, store_ids)
    lacking = set(store_ids) - set(found["store_id"])
    if lacking:
        raise NotFoundError(f"There is no store '{min(lacking)}'")
    return [int(key) for key in found["store_key"]]
