"""What a store takes, set by hand; and what downtime costs, by the days of history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.cost import Lost, by_hours, spread, week_times
from storewatch.domain.history import Bools, Days
from storewatch.domain.permissions import Caller
from storewatch.services.stores import found, to_change
from storewatch.storage import audit, history, revenue, store_days, store_pages
from storewatch.storage.db import Database
from storewatch.storage.revenue import Revenue

if TYPE_CHECKING:  # history's job tells what its days cost
    from storewatch.services.history import Part

_FIELDS = frozenset({"revenue_per_week"})


@dataclass(frozen=True)
class Takings:
    """What a store takes in a week, or in each of its 168 hours; None: not known so."""

    weekly: Decimal | None = None
    by_hour: list[Decimal] | None = None


def get(database: Database, caller: Caller, store_id: str) -> Takings:
    """Of a store that the caller may see."""
    with database.session() as session:
        store = found(session, caller, store_id).store
        return Takings(store.revenue_per_week, revenue.by_hour(session, store.store_key))


def put(
    database: Database, caller: Caller, store_id: str, wanted: Takings, check: Callable[[Takings], None]
) -> Takings:
    """Sets it, in place of what there is. `check` looks at the locked store's, and raises if it must not."""
    with database.transaction() as session:
        store = to_change(session, caller, store_id, "stores", _FIELDS).store
        present = Takings(store.revenue_per_week, revenue.by_hour(session, store.store_key))
        check(present)
        store_pages.change(session, store.store_key, {"revenue_per_week": wanted.weekly})
        revenue.set_by_hour(session, store.store_key, wanted.by_hour)
        if wanted != present:
            history.wake(session)
            told = {"weekly": None if wanted.weekly is None else str(wanted.weekly)}
            audit.record(
                session, caller, "set_revenue", "store", store_id, **told, by_hour=wanted.by_hour is not None
            )
        return wanted


# --- lost -----------------------------------------------------------------------------------------


def lost(session: Session, part: Part, days: Days, place: Int64, places: int) -> tuple[list[Lost], Bools]:
    """What the downtime of `days` costs, by the place of each; and bool[stores] whose revenue is known. They
    are days of a part, all or some.
    """
    known = revenue.read(session, part.seen.store_keys)
    rows = np.flatnonzero(known.weekly[days.store] >= 0)
    week_us = week_times(part.seen.schedule).of(days.store[rows], days.day[rows])
    seen = days.totals[rows, Kind.DOWN_SEEN]
    down = seen + days.totals[rows, Kind.DOWN_INFERRED]
    told = spread(known.weekly[days.store[rows]], down, seen, week_us, place[rows], places)
    if len(known.place):
        at = np.full((len(part.frame.edges), part.frame.days), -1)
        at[days.store, days.day - part.frame.first_day] = place
        for each in _by_hour(session, part, known, at, places):
            told = [one + other for one, other in zip(told, each, strict=True)]
    return told, known.given


def _by_hour(session: Session, part: Part, known: Revenue, at: Int64, places: int) -> Iterator[list[Lost]]:
    """Of the stores with revenue by the hour: of their stored days, and of those that are computed."""
    chosen = np.zeros(len(at), np.bool_)
    chosen[known.place] = True
    first, last = part.frame.first_day, part.frame.first_day + part.frame.days - 1
    key, day, hour, down, seen = store_days.down_by_hour(
        session, part.seen.store_keys[known.place], first, last
    )
    store = np.searchsorted(part.seen.store_keys, key)
    rows = np.flatnonzero(part.stored[store, day - first])
    columns = (store, day, hour, down, seen)
    yield _lost_by_hour(part, known, at, places, *(column[rows] for column in columns))
    for box in part.seen.computed(part.frame, part.stale & chosen[:, None]):
        told = store_days.hours_of(box.by_hour()[0])
        down_seen, all_down = (told[..., store_days.HOURS.index(name)] for name in ("down_seen", "down"))
        row, hour = np.nonzero(all_down)
        store, column = (each[row] for each in np.nonzero(box.wanted))
        store = store + (box.stores.start or 0)
        yield _lost_by_hour(
            part, known, at, places, store, column + box.frame.first_day, hour,
            all_down[row, hour], down_seen[row, hour],
        )  # fmt: skip


def _lost_by_hour(
    part: Part, known: Revenue, at: Int64, places: int,
    store: Int64, day: Int64, hour: Int64, down: Int64, seen: Int64,
) -> list[Lost]:  # fmt: skip
    first = part.frame.first_day
    asked = np.flatnonzero(at[store, day - first] >= 0)
    store, day, hour, down, seen = (column[asked] for column in (store, day, hour, down, seen))
    cents = np.zeros(len(store), np.int64)
    zone = part.seen.schedule.zone[store]
    for number in np.unique(zone).tolist():
        own = np.flatnonzero(zone == number)
        every_day = np.arange(first, first + part.frame.days)
        shown = periods.week_hours(every_day, store_days.MOST_HOURS, part.seen.schedule.zone_names[number])
        week_hour = shown[day[own] - first, hour[own]]
        cents[own] = known.by_hour[np.searchsorted(known.place, store[own]), week_hour]
    return by_hours(cents, down, seen, at[store, day - first], places)
