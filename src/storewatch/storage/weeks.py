"""The week and the zone of one store, as a person sets them. An import may replace them later."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.storage.tables import HoursWeek, MenuHours, StoreTimezone

Interval = tuple[int, int, int]
"""(day, start_s, end_s), as in `menu_hours`."""


def week(session: Session, store_key: int) -> list[Interval] | None:
    """The intervals of a store's week in order; None if hours were never given."""
    if session.execute(select(HoursWeek.week_no).where(HoursWeek.store_key == store_key)).first() is None:
        return None
    query = (
        select(MenuHours.day, MenuHours.start_s, MenuHours.end_s)
        .join(HoursWeek, HoursWeek.week_no == MenuHours.week_no)
        .where(HoursWeek.store_key == store_key)
        .order_by(MenuHours.day, MenuHours.start_s, MenuHours.end_s)
    )
    return [(row.day, row.start_s, row.end_s) for row in session.execute(query)]


def set_week(session: Session, store_key: int, intervals: Iterable[Interval]) -> None:
    """Replaces the week of a store; an empty one is closed throughout."""
    week_no = session.execute(
        text("""
            INSERT INTO hours_week (store_key) VALUES (:store_key)
            ON CONFLICT (store_key, valid_from) DO UPDATE SET import_no = NULL RETURNING week_no
        """),
        {"store_key": store_key},
    ).scalar_one()
    session.execute(delete(MenuHours).where(MenuHours.week_no == week_no))
    rows = [
        {"week_no": week_no, "day": day, "start_s": start, "end_s": end}
        for day, start, end in sorted(set(intervals))
    ]
    if rows:
        session.execute(insert(MenuHours), rows)


def forget_week(session: Session, store_key: int) -> None:
    """Takes the hours of a store away: it is open 24 x 7 then."""
    session.execute(delete(HoursWeek).where(HoursWeek.store_key == store_key))


def set_zone(session: Session, store_key: int, name: str) -> None:
    """Sets the zone of a store."""
    query = upsert(StoreTimezone).values(store_key=store_key, timezone_str=name, import_no=None)
    session.execute(
        query.on_conflict_do_update(
            index_elements=["store_key"], set_={"timezone_str": name, "import_no": None}
        )
    )


def forget_zone(session: Session, store_key: int) -> None:
    """Takes the zone of a store away: it is in the default zone then."""
    session.execute(delete(StoreTimezone).where(StoreTimezone.store_key == store_key))
