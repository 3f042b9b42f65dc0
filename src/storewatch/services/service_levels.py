"""Service levels: made, listed, changed, removed. Who manages what they are of may change them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.errors import ForbiddenError, NotFoundError, UsageError
from storewatch.services import stores
from storewatch.services.chosen import Chosen
from storewatch.storage import audit, groups, service_levels, store_pages
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found


def page(database: Database, caller: Caller, after: tuple[str, UUID] | None, count: int) -> list[Found]:
    """Those that the caller may see, by name."""
    with database.session() as session:
        return service_levels.page(session, caller.seen_by, after, count)


def get(database: Database, caller: Caller, level_id: UUID) -> Found:
    """One that the caller may see. NotFoundError without it."""
    with database.session() as session:
        return found(session, caller, level_id)


def create(database: Database, caller: Caller, of: Chosen, values: dict[str, Any]) -> Found:
    """Makes one for a store, a group, or all stores. NotFoundError for what the caller may not see,
    ForbiddenError for what they may not manage, UsageError for a target that makes no sense.
    """
    _check(values["measure"], values["target"])
    with database.transaction() as session:
        store_key, group_no = _managed(session, caller, of)
        scope = {"store_key": store_key, "group_no": group_no, "account_no": caller.account_no}
        level_id = service_levels.add(session, values | scope)
        audit.record(session, caller, "create", "service_level", level_id, **_told(values), **_scope(of))
        return found(session, caller, level_id)


def update(
    database: Database, caller: Caller, level_id: UUID, values: dict[str, Any], check: Callable[[Found], None]
) -> Found:
    """Changes one. `check` looks at the locked row, and raises if it must not be changed."""
    with database.transaction() as session:
        present = _to_change(session, caller, level_id)
        check(present)
        changed = {name: value for name, value in values.items() if getattr(present.level, name) != value}
        _check(present.level.measure, changed.get("target", present.level.target))
        if changed:
            service_levels.change(session, present.level.level_no, changed)
            audit.record(session, caller, "update", "service_level", level_id, **_told(changed))
        return found(session, caller, level_id)


def remove(database: Database, caller: Caller, level_id: UUID) -> None:
    """Removes one."""
    with database.transaction() as session:
        present = _to_change(session, caller, level_id)
        service_levels.remove(session, present.level.level_no)
        audit.record(session, caller, "delete", "service_level", level_id, name=present.level.name)


def found(session: Session, caller: Caller, level_id: UUID, *, lock: bool = False) -> Found:
    """One that the caller may see. NotFoundError without it."""
    level = service_levels.find(session, level_id, caller.seen_by, lock=lock)
    if level is None:
        raise NotFoundError(f"There is no service level '{level_id}'")
    return level


def _to_change(session: Session, caller: Caller, level_id: UUID) -> Found:
    present = found(session, caller, level_id, lock=True)
    _managed(session, caller, Chosen(present.store_id, present.group_id))
    return present


def _managed(session: Session, caller: Caller, of: Chosen) -> tuple[int | None, int | None]:
    """(store_key, group_no) of what the caller manages."""
    if of.store_id is not None and of.group_id is not None:
        raise UsageError("Give store_id or group_id, not both", field="group_id")
    if of.store_id is not None:
        key = stores.found(session, caller, of.store_id).store.store_key
        if not caller.sees_all and not store_pages.may_change(session, key, caller.seen_by):
            raise ForbiddenError("The managers of a store's groups set its service levels.")
        return key, None
    if of.group_id is None:
        if not caller.sees_all:
            raise ForbiddenError(
                "Only operators set service levels of all stores: give store_id or group_id."
            )
        return None, None
    group = groups.find(session, of.group_id, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{of.group_id}'")
    if not caller.manages(group.group_no):
        raise ForbiddenError("The managers of a group set its service levels.")
    return None, group.group_no


def _check(measure: str, target: Decimal) -> None:
    if measure == "availability" and not 0 <= target <= 100:
        raise UsageError("target is per cent of the open time: 0 to 100", field="target")
    if measure == "outages" and target != int(target):
        raise UsageError("target is a number of outages: it must be whole", field="target")


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _scope(of: Chosen) -> dict[str, Any]:
    return {"store_id": of.store_id, "group_id": None if of.group_id is None else str(of.group_id)}
