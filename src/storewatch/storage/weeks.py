"""The weeks and the zone of one store, as a person sees and sets them. An import may replace them later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us
from storewatch.storage.tables import StoreTimezone

Interval = tuple[int, int, int]
"""(day, start_s, end_s), as in `menu_hours`."""


@dataclass(frozen=True)
class Held:
    """A week and the local days on which it holds: from `valid_from` on (None: ever since) to the last before
    `until` (None: for good).
    """

    valid_from: date | None
    until: date | None
    openings: list[Interval]

    def holds_on(self, day: date) -> bool:
        """Whether it is the week of a local day."""
        began = self.valid_from is None or self.valid_from <= day
        return began and (self.until is None or day < self.until)


def course(session: Session, store_key: int) -> list[Held]:
    """The weeks of a store in order; none if hours were never given."""
    query = text("""
        SELECT CASE WHEN isfinite(w.valid_from) THEN w.valid_from END AS first,
               lead(w.valid_from) OVER (ORDER BY w.valid_from) AS until,
               ARRAY(SELECT ARRAY[m.day, m.start_s, m.end_s] FROM menu_hours AS m
                     WHERE m.week_no = w.week_no ORDER BY m.day, m.start_s, m.end_s) AS openings
        FROM hours_week AS w WHERE w.store_key = :store_key ORDER BY w.valid_from
    """)
    rows = session.execute(query, {"store_key": store_key})
    return [Held(row.first, row.until, [(a, b, c) for a, b, c in row.openings]) for row in rows]


def local_today(session: Session, store_key: int, now_us: int, default_zone: str) -> date:
    """The date on a store's clock at an instant."""
    query = text("""
        SELECT (CAST(:now AS timestamptz) AT TIME ZONE clock_zone(coalesce(
            (SELECT timezone_str FROM store_timezone WHERE store_key = :store_key), :default_zone)))::date
    """)
    values = {"now": from_us(now_us), "store_key": store_key, "default_zone": default_zone}
    found: date = session.execute(query, values).scalar_one()
    return found


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
