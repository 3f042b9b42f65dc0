"""The opening hours and the zone of one store, set by hand."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.services import stores
from storewatch.services.stores import found, to_change
from storewatch.storage import audit, history, weeks
from storewatch.storage.db import Database
from storewatch.storage.weeks import Interval

Week = list[Interval] | None
"""None: hours were never given, the store is open 24 x 7. An empty week is closed throughout."""


def week(database: Database, caller: Caller, store_id: str) -> Week:
    """The week of a store that the caller may see."""
    with database.session() as session:
        return weeks.week(session, found(session, caller, store_id).store.store_key)


def set_week(
    database: Database, caller: Caller, store_id: str, wanted: Week, check: Callable[[Week], None]
) -> Week:
    """Replaces a store's week, or takes it away. `check` looks at the present one, and raises if it must
    not be changed.
    """
    with database.transaction(stores.PATIENCE_S) as session:
        key = to_change(session, caller, store_id, "menu_hours", frozenset({"hours"})).store.store_key
        present = weeks.week(session, key)
        check(present)
        _write_week(session, key, wanted)
        result = weeks.week(session, key)
        if result != present:
            audit.record(session, caller, "set_hours", "store", store_id, hours=result, before=present)
            history.mark(session, [key], None, None)
        return result


def _write_week(session: Session, store_key: int, wanted: Week) -> None:
    if wanted is None:
        weeks.forget_week(session, store_key)
    else:
        weeks.set_week(session, store_key, wanted)


def zone(database: Database, caller: Caller, store_id: str) -> str | None:
    """The zone of a store that the caller may see; None if it has none."""
    with database.session() as session:
        return found(session, caller, store_id).zone


def set_zone(
    database: Database,
    caller: Caller,
    store_id: str,
    name: str | None,
    check: Callable[[str | None], None],
) -> str | None:
    """Sets a store's zone; None takes it away. `check` looks at the present one, as with `set_week`."""
    with database.transaction(stores.PATIENCE_S) as session:
        present = to_change(session, caller, store_id, "store_timezone", frozenset({"zone"}))
        check(present.zone)
        if name is None:
            weeks.forget_zone(session, present.store.store_key)
        else:
            weeks.set_zone(session, present.store.store_key, name)
        if name != present.zone:
            audit.record(session, caller, "set_zone", "store", store_id, zone=name, before=present.zone)
            history.mark(session, [present.store.store_key], None, None)
        return name
