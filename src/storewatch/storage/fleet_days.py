"""The local days of groups and of all stores: added up from those of stores, written, read; what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.storage.arrays import read_arrays
from storewatch.storage.copying import PG_EPOCH, copy_rows
from storewatch.storage.db import raw
from storewatch.storage.store_days import MOST_HOURS

EVERY = 0
"""In place of a group's number: all stores."""

CLOCK_HOURS = 24
_EPOCH = "date '1970-01-01'"
_PG_DAY = PG_EPOCH // DAY
_TOTALS = [f"{kind.name.lower()}_us" for kind in Kind]
_SUMS = (*_TOTALS, "down_min_us", "down_max_us", "outages")
_COLUMNS = ("group_no", "day", "stores", *_SUMS, "down_by_hour_us", "known_by_hour_us")


@dataclass(frozen=True)
class Added:
    """Days added up, by group and day: `group` and `day` int64[rows], `sums` int64[rows, 9] (six totals by
    `Kind`, the two bounds, outages), `heat` int64[rows, 24, 2] down and known by the hour of the clocks.
    """

    group: Int64
    day: Int64
    stores: Int64
    sums: Int64
    heat: Int64

    def __len__(self) -> int:
        return len(self.group)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Added:
        return Added(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True)
class ByZone:
    """Sums of the stores of a group in one zone on one day; `by_hour` int64[2, 25] elapsed hours."""

    group: int
    day: int
    zone: str
    stores: int
    sums: list[int]
    by_hour: Int64


# --- adding up ------------------------------------------------------------------------------------

_HOUR_SUMS = ", ".join(
    f"coalesce(sum({source}[{hour + 1}]), 0)::bigint"
    for source in ("d.down_by_hour_us", "d.up_by_hour_us")
    for hour in range(MOST_HOURS)
)
_ADD_UP = f"""
    SELECT {{group}} AS group_no, d.day - {_EPOCH} AS day, coalesce(z.timezone_str, :default_zone) AS zone,
           count(*) AS stores, ARRAY[{", ".join(f"sum({name})::bigint" for name in _SUMS)}] AS sums,
           ARRAY[{_HOUR_SUMS}] AS by_hour
    FROM store_day AS d JOIN store AS s USING (store_key) LEFT JOIN store_timezone AS z USING (store_key)
    {{joined}}
    WHERE d.day = ANY(CAST(:days AS date[])) AND (s.archived_from IS NULL OR d.day < s.archived_from)
        {{which}}
    GROUP BY 1, 2, 3
"""


def of_all(session: Session, days: Sequence[int], default_zone: str) -> list[ByZone]:
    """All stores, as group `EVERY`."""
    query = _ADD_UP.format(group=EVERY, joined="", which="")
    return _by_zone(session, query, days, default_zone)


def of_groups(
    session: Session, days: Sequence[int], default_zone: str, groups: Sequence[int] | None
) -> list[ByZone]:
    """The stores of some groups, or (None) of each; one in two of them is in both."""
    query = _ADD_UP.format(
        group="g.group_no",
        joined="JOIN group_store AS g USING (store_key)",
        which="" if groups is None else "AND g.group_no = ANY(CAST(:groups AS int[]))",
    )
    return _by_zone(session, query, days, default_zone, {} if groups is None else {"groups": list(groups)})


def of_stores(
    session: Session, days: Sequence[int], default_zone: str, store_keys: Sequence[int]
) -> list[ByZone]:
    """Some stores, as group `EVERY`."""
    query = _ADD_UP.format(group=EVERY, joined="", which="AND d.store_key = ANY(CAST(:keys AS int[]))")
    return _by_zone(session, query, days, default_zone, {"keys": list(store_keys)})


def _by_zone(
    session: Session, query: str, days: Sequence[int], default_zone: str, values: dict[str, Any] | None = None
) -> list[ByZone]:
    given = {"days": _dates(days), "default_zone": default_zone} | (values or {})
    return [
        ByZone(group, day, zone, stores, told, _known(np.array(by_hour, np.int64).reshape(2, MOST_HOURS)))
        for group, day, zone, stores, told, by_hour in session.execute(text(query), given)
    ]


def _known(down_and_up: Int64) -> Int64:
    """Down and known, of down and up."""
    return np.stack([down_and_up[0], down_and_up.sum(axis=0)])


def _dates(days: Sequence[int]) -> list[date]:
    first = date(1970, 1, 1).toordinal()
    return [date.fromordinal(first + day) for day in days]


# --- stored ---------------------------------------------------------------------------------------


def read(session: Session, groups: Sequence[int] | None, first_day: int, last_day: int) -> Added:
    """The stored days of groups, or (None) of each, from one to another, both included."""
    query = f"""
        SELECT group_no, day - {_EPOCH}, stores, ARRAY[{", ".join(_SUMS)}], down_by_hour_us, known_by_hour_us
        FROM fleet_day WHERE day BETWEEN {_EPOCH} + {int(first_day)} AND {_EPOCH} + {int(last_day)}
            {"" if groups is None else "AND group_no = ANY(CAST(:groups AS int[]))"}
        ORDER BY group_no, day
    """
    values = {} if groups is None else {"groups": list(groups)}
    rows = session.execute(text(query), values).all()
    group, day, stores, told, down, known = (
        (np.array([row[part] for row in rows], np.int64)) for part in range(6)
    )
    heat = np.stack([each.reshape(-1, CLOCK_HOURS) for each in (down, known)], axis=2)
    return Added(group, day, stores, told.reshape(-1, len(_SUMS)), heat)


def read_sums(session: Session, group: int, first_day: int, last_day: int) -> tuple[Int64, Int64]:
    """(int64[days], int64[days, 9]) the stored days of a group without their hours, as `Added` has them."""
    columns = ", ".join(f"array_agg({name} ORDER BY day)" for name in _SUMS)
    query = f"""
        SELECT array_agg(day - {_EPOCH} ORDER BY day), {columns} FROM fleet_day
        WHERE group_no = {int(group)}
            AND day BETWEEN {_EPOCH} + {int(first_day)} AND {_EPOCH} + {int(last_day)}
    """
    day, *sums = read_arrays(session, query, {}, (">i4", *(">i8",) * len(_SUMS)))
    return day.astype(np.int64), np.stack(sums, axis=1)


def keep(session: Session, added: Added) -> None:
    """Stores days; those that were there in their place are gone already."""
    columns = [
        added.group.astype(np.int32),
        (added.day - _PG_DAY).astype(np.int32),
        added.stores.astype(np.int32),
        *added.sums.T,
        added.heat[:, :, 0],
        added.heat[:, :, 1],
    ]
    if len(added):
        copy_rows(
            raw(session), f"COPY fleet_day ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)", [columns]
        )


def remove(session: Session, days: Sequence[int], groups: Sequence[int] | None) -> None:
    """Removes the days of groups, or (None) of each and of all stores."""
    _delete(session, "fleet_day", days, groups)


def _delete(session: Session, table: str, days: Sequence[int], groups: Sequence[int] | None) -> None:
    query = f"DELETE FROM {table} WHERE day = ANY(CAST(:days AS date[]))"
    values: dict[str, Any] = {"days": _dates(days)}
    if groups is not None:
        query += " AND group_no = ANY(CAST(:groups AS int[]))"
        values["groups"] = list(groups)
    session.execute(text(query), values)


def bounds(session: Session) -> tuple[int, int] | None:
    """The first and the last day that any store or group has; None without any."""
    row = session.execute(
        text(f"""
            SELECT least((SELECT min(day) FROM store_day), (SELECT min(day) FROM fleet_day)) - {_EPOCH},
                   greatest((SELECT max(day) FROM store_day), (SELECT max(day) FROM fleet_day)) - {_EPOCH}
        """)
    ).one()
    return None if row[0] is None else (int(row[0]), int(row[1]))


# --- what is due ----------------------------------------------------------------------------------


def newest_due(session: Session, count: int) -> list[int]:
    """The newest days that are due of every group and of all, so many."""
    return _due(session, "group_no IS NULL", count)


def newest_due_of_groups(session: Session, count: int) -> tuple[list[int], list[int]]:
    """The newest days that are due of some groups, so many, and these groups."""
    days = _due(session, "group_no IS NOT NULL", count)
    query = """
        SELECT DISTINCT group_no FROM fleet_due
        WHERE group_no IS NOT NULL AND day = ANY(CAST(:days AS date[]))
    """
    return days, list(session.execute(text(query), {"days": _dates(days)}).scalars())


def _due(session: Session, which: str, count: int) -> list[int]:
    query = f"""
        SELECT DISTINCT day - {_EPOCH} AS day FROM fleet_due WHERE {which} ORDER BY day DESC LIMIT :count
    """
    return list(session.execute(text(query), {"count": count}).scalars())


def claim(session: Session, days: Sequence[int], groups: Sequence[int] | None) -> None:
    """Takes away the marks that are there by now for days of groups, or (None) of each and of all. To be
    called before the days are read: a change that is seen later left a mark that stays.
    """
    _delete(session, "fleet_due", days, groups)


def due(session: Session) -> set[tuple[int | None, int]]:
    """(group or None for each and all, day) of every mark."""
    query = f"SELECT DISTINCT group_no, day - {_EPOCH} FROM fleet_due"
    return {(row[0], row[1]) for row in session.execute(text(query))}


def is_due(session: Session) -> bool:
    """Whether there is a mark."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM fleet_due)")).scalar())


def stores_of(session: Session, groups: Sequence[int] | None) -> int:
    """How many stores groups have, those in two counted twice; (None) how many there are."""
    if groups is None:
        return int(session.execute(text("SELECT count(*) FROM store")).scalar_one())
    query = text("SELECT count(*) FROM group_store WHERE group_no = ANY(CAST(:groups AS int[]))")
    return int(session.execute(query, {"groups": list(groups)}).scalar_one())
