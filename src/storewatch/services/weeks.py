"""The opening hours and the zone of one store, set by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller
from storewatch.services import stores
from storewatch.services.hours_from import FROM_TODAY, HoursFrom, past_days
from storewatch.services.stores import found, to_change
from storewatch.storage import audit, history, week_change, weeks
from storewatch.storage.db import Database
from storewatch.storage.weeks import Held, Interval

Week = list[Interval] | None
"""None: hours were never given, the store is open 24 x 7. An empty week is closed throughout."""


@dataclass(frozen=True)
class Course:
    """The weeks of a store in order, and the local day of now on its clock. Without weeks: open 24 x 7."""

    weeks: list[Held]
    today: date

    def on(self, day: date) -> Held | None:
        """The week in force on a local day; None if the store is open 24 x 7."""
        return next((week for week in reversed(self.weeks) if week.holds_on(day)), None)


def course(database: Database, caller: Caller, store_id: str, now_us: int, hold: HoursFrom) -> Course:
    """The weeks of a store that the caller may see."""
    with database.session() as session:
        return _course(session, found(session, caller, store_id).store.store_key, now_us, hold)


def _course(session: Session, store_key: int, now_us: int, hold: HoursFrom) -> Course:
    today = weeks.local_today(session, store_key, now_us, hold.default_zone)
    return Course(weeks.course(session, store_key), today)


def set_week(
    database: Database,
    caller: Caller,
    store_id: str,
    wanted: Week,
    check: Callable[[Course], None],
    now_us: int,
    hold: HoursFrom = FROM_TODAY,
) -> tuple[Course, int]:
    """Gives a store a week, or takes all its weeks away, and tells how many past days have other hours now.
    `check` looks at the present ones, and raises if they must not be changed.
    """
    with database.transaction(stores.PATIENCE_S) as session:
        key = to_change(session, caller, store_id, "menu_hours", frozenset({"hours"})).store.store_key
        present = _course(session, key, now_us, hold)
        check(present)
        past = _write_week(session, key, wanted, now_us, hold)
        result = _course(session, key, now_us, hold)
        if result != present:
            audit.record(session, caller, "set_hours", "store", store_id, **_told(result, present))
        return result, past


def _write_week(session: Session, store_key: int, wanted: Week, now_us: int, hold: HoursFrom) -> int:
    week_change.give(session, now_us, hold.default_zone, store_key)
    if wanted is None:
        week_change.forget(session, store_key)
    else:
        week_change.add_week(session, store_key, hold.since, wanted)
        week_change.take(session, None)
    past = past_days(session)
    history.mark_hours(session, *week_change.changed_from(session))
    return past


def _told(result: Course, before: Course) -> dict[str, object]:
    """For the audit log: the week of today, and all weeks by their first day where there are several."""
    told: dict[str, object] = {}
    for name, weeks_of in (("hours", result), ("before", before)):
        held = weeks_of.on(weeks_of.today)
        told[name] = held and held.openings
    if len(result.weeks) > 1 or len(before.weeks) > 1:
        told["weeks"] = [
            [held.valid_from and held.valid_from.isoformat(), held.openings] for held in result.weeks
        ]
    return told


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
