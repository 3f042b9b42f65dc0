"""What is given of a store of which nothing can be counted yet, for there is no poll."""

from __future__ import annotations

from dataclasses import dataclass

from storewatch.domain.permissions import Caller
from storewatch.services import stores, weeks
from storewatch.services.exceptions import may
from storewatch.services.hours_from import HoursFrom
from storewatch.services.weeks import Course
from storewatch.storage import exceptions as exception_rows
from storewatch.storage.db import Database
from storewatch.storage.store_pages import Found

_SHOWN = 20


@dataclass(frozen=True)
class Given:
    """A store, its weeks, its newest exceptions in force, and what of it the caller may change or undo."""

    store: Found
    course: Course
    exceptions: list[exception_rows.Found]
    may_change: bool
    undoable: frozenset[int]


def given(database: Database, caller: Caller, store_id: str, default_zone: str, now_us: int) -> Given:
    """NotFoundError for a store that the caller may not see."""
    course = weeks.course(database, caller, store_id, now_us, HoursFrom(default_zone=default_zone))
    with database.session() as session:
        store = stores.found(session, caller, store_id)
        key = store.store.store_key
        which = exception_rows.Filter(store_key=key, in_force=True)
        rows = exception_rows.page(session, caller.seen_by, which, None, _SHOWN)
        shown = exception_rows.shown(session, rows, caller.seen_by)
        undoable = frozenset(row.exception_no for row in rows if may(session, caller, row))
        return Given(store, course, shown, stores.may_change(session, caller, key), undoable)
