"""The stored local days: read as arrays, added up by hour, written, compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.history import Days
from storewatch.storage.arrays import among, positions, read_arrays
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import raw

_EPOCH = "date '1970-01-01'"
_PG_DAY = 10_957  # PostgreSQL counts days from 2000-01-01
MOST_HOURS = 25

_TOTALS = [f"{kind.name.lower()}_us" for kind in Kind]
HOURS = ("up", "down", "unknown", "seen", "excluded", "down_seen")
"""What is told by hour; `seen` and `down_seen` are parts of the first two."""

_HOURS = [f"{name}_by_hour_us" for name in HOURS]
_TIMES = [*_TOTALS, "longest_outage_us", "down_min_us", "down_max_us"]
_FIGURES = [*_TIMES, "outages", "starts_down", "ends_down", "complete", *_HOURS]
_COLUMNS = ", ".join(["store_key", "day", *_FIGURES])

# --- reading --------------------------------------------------------------------------------------


def read(session: Session, store_keys: NDArray[np.int32], first_day: int, last_day: int) -> Days:
    """Stored days of stores, from one to another, both included; positions are those in `store_keys`."""
    columns = [f"array_agg({name})" for name in (*_TIMES, "outages")]
    query = f"""
        SELECT array_agg(store_key), array_agg(day - {_EPOCH}), {", ".join(columns)},
               array_agg((starts_down::int + 2 * ends_down::int + 4 * complete::int)::smallint)
        FROM store_day WHERE {among(store_keys)}
            AND day BETWEEN {_EPOCH} + {int(first_day)} AND {_EPOCH} + {int(last_day)}
    """
    dtypes = (">i4", ">i4", *(">i8",) * len(_TIMES), ">i4", ">i2")
    key, day, *figures, longest, down_min, down_max, number, flags = read_arrays(session, query, {}, dtypes)
    store = positions(store_keys)[key].astype(np.int64)
    order = np.lexsort((day, store))
    order = order[store[order] >= 0]
    return Days(
        store[order],
        day[order].astype(np.int64),
        np.stack(figures, axis=1)[order],
        number[order].astype(np.int64),
        *(column[order] for column in (longest, down_min, down_max)),
        *((flags[order] & bit) > 0 for bit in (1, 2, 4)),
    )


def bounds(session: Session, store_keys: NDArray[np.int32], none: int) -> tuple[Int64, Int64]:
    """int64[stores] each: the first and the last stored day of each store; `none` and less without any."""
    rows = session.execute(
        text(f"""
            SELECT array_agg(coalesce(first - {_EPOCH}, :none) ORDER BY place),
                   array_agg(coalesce(last - {_EPOCH}, :none - 1) ORDER BY place)
            FROM unnest(CAST(:keys AS int[])) WITH ORDINALITY AS k(store_key, place),
            LATERAL (SELECT min(day) AS first, max(day) AS last
                     FROM store_day AS d WHERE d.store_key = k.store_key) AS f
        """),
        {"keys": store_keys.tolist(), "none": none},
    ).one()
    first, last = (np.array(column or [], np.int64) for column in rows)
    return first, last


@dataclass(frozen=True)
class Runs:
    """Local days of stores: `place` tells stores apart for whoever asks, days count from 1970."""

    store_key: NDArray[np.int32]
    place: Int64
    first: Int64
    last: Int64


def sums_by_hour(session: Session, runs: Runs) -> tuple[Int64, Int64, Int64]:
    """Stored days added up by place, day and elapsed hour: (place[rows], day[rows], [rows, 25, 6] as in
    `HOURS`, in microseconds; zero from the day's own number of hours on).
    """
    hours = [f"coalesce(sum({name}[{hour + 1}]), 0)::bigint" for hour in range(MOST_HOURS) for name in _HOURS]
    rows = session.execute(
        text(f"""
            SELECT place, day - {_EPOCH}, ARRAY[{", ".join(hours)}]
            FROM unnest(CAST(:keys AS int[]), CAST(:place AS int[]), CAST(:first AS int[]),
                        CAST(:last AS int[])) AS r(key, place, first, last)
            JOIN store_day ON store_key = key AND day BETWEEN {_EPOCH} + first AND {_EPOCH} + last
            GROUP BY place, day
        """),
        {
            "keys": runs.store_key.tolist(),
            "place": runs.place.tolist(),
            "first": runs.first.tolist(),
            "last": runs.last.tolist(),
        },
    ).all()
    told = np.array([row[2] for row in rows], np.int64).reshape(-1, MOST_HOURS, len(_HOURS))
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64), told


def down_by_hour(
    session: Session, store_keys: NDArray[np.int32], first_day: int, last_day: int
) -> list[NDArray[np.int64]]:
    """Of stored days, the elapsed hours with downtime: key, day, hour, down and seen down, int64[rows]."""
    query = f"""
        SELECT array_agg(store_key), array_agg(day - {_EPOCH}), array_agg(hour - 1), array_agg(down),
               array_agg(coalesce(seen, 0))
        FROM store_day, unnest(down_by_hour_us, down_seen_by_hour_us) WITH ORDINALITY AS u(down, seen, hour)
        WHERE store_key = ANY('{{{",".join(map(str, store_keys.tolist()))}}}'::int[]) AND down > 0
            AND day BETWEEN {_EPOCH} + {int(first_day)} AND {_EPOCH} + {int(last_day)}
    """
    found = read_arrays(session, query, {}, (">i4", ">i4", ">i8", ">i8", ">i8"))
    return [column.astype(np.int64) for column in found]


def hours_of(by_hour: Int64) -> Int64:
    """int64[..., 6] as in `HOURS`, of int64[..., 6] by `Kind`."""
    up, faint_up, down, faint_down, unknown, excluded = (by_hour[..., kind] for kind in Kind)
    return np.stack([up + faint_up, down + faint_down, unknown, up + down, excluded, down], axis=-1)


# --- writing --------------------------------------------------------------------------------------


def stage(session: Session, store_keys: NDArray[np.int32], days: Days, by_hour: Int64, hours: Int64) -> None:
    """Sends days that were computed now, to be kept or compared: `by_hour` int64[rows, most hours, 6] by
    `Kind`, `hours` int64[rows] how many of them each day has.
    """
    connection = raw(session)
    connection.execute("DROP TABLE IF EXISTS fresh_day")
    connection.execute("CREATE TEMP TABLE fresh_day (LIKE store_day) ON COMMIT DROP")
    _copy(connection, "fresh_day", store_keys, days, by_hour, hours)
    connection.execute("ANALYZE fresh_day (store_key, day)")  # of arrays it is slow


def add(session: Session, store_keys: NDArray[np.int32], days: Days, by_hour: Int64, hours: Int64) -> None:
    """Stores the days of stores that have none yet; the rest as for `stage`."""
    _copy(raw(session), "store_day", store_keys, days, by_hour, hours)


def _copy(
    connection: psycopg.Connection[Any],
    table: str,
    store_keys: NDArray[np.int32],
    days: Days,
    by_hour: Int64,
    hours: Int64,
) -> None:
    told = hours_of(by_hour)
    some = told.any(axis=1)
    alike, kind = np.unique(np.column_stack([hours, some]), axis=0, return_inverse=True)
    parts = [
        _columns(store_keys, days[rows], told[rows, : row[0]], row[1:])
        for number, row in enumerate(alike)
        if len(rows := np.flatnonzero(kind == number))
    ]
    if parts:
        copy_rows(connection, f"COPY {table} ({_COLUMNS}) FROM STDIN (FORMAT binary)", parts)


def _columns(store_keys: NDArray[np.int32], days: Days, by_hour: Int64, some: Int64) -> list[Column]:
    """Of days with as many hours; a list of nothing but zeros, of which there are not `some`, is null."""
    return [
        store_keys[days.store],
        (days.day - _PG_DAY).astype(np.int32),
        *(days.totals[:, kind] for kind in Kind),
        days.longest,
        days.down_min,
        days.down_max,
        days.outages.astype(np.int32),
        days.starts_down,
        days.ends_down,
        days.complete,
        *(by_hour[:, : None if some[number] else 0, number] for number in range(len(_HOURS))),
    ]


def keep(session: Session, *, lacking: bool) -> tuple[NDArray[np.int32], Int64]:
    """Makes the staged days the stored ones, of which some may be `lacking`. A day with the same figures
    stays as it is. Returns the keys and days of the others.

    Those that are there come first: what comes after a day decides how its week and month are added up.
    """
    steps = [_UPDATE, _INSERT] if lacking else [_UPDATE]
    # a few thousand of all days are found by their key
    session.execute(text("SET LOCAL enable_seqscan = off"))
    kept = [read_arrays(session, _KEPT.format(step), {}, (">i4", ">i4")) for step in steps]
    session.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))
    key, day = (np.concatenate(columns) for columns in zip(*kept, strict=True))
    return key.astype(np.int32), day.astype(np.int64)


def _of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in _FIGURES)


_KEPT = f"""
    WITH kept AS ({{}})
    SELECT array_agg(store_key), array_agg(day - {_EPOCH}) FROM kept
"""
_UPDATE = f"""
    UPDATE store_day AS d SET ({", ".join(_FIGURES)}) = ROW({_of("f")}) FROM fresh_day AS f
    WHERE (d.store_key, d.day) = (f.store_key, f.day) AND ({_of("d")}) IS DISTINCT FROM ({_of("f")})
    RETURNING d.store_key, d.day
"""
_INSERT = f"""
    INSERT INTO store_day ({_COLUMNS}) SELECT {_COLUMNS} FROM fresh_day
    ON CONFLICT (store_key, day) DO NOTHING RETURNING store_key, day
"""


def remove_outside(session: Session, store_keys: NDArray[np.int32], first: Int64, last: Int64) -> None:
    """Removes the days of stores before a first and after a last one, int64[stores] each."""
    low, high = -700_000, 2_000_000  # PostgreSQL's dates have bounds
    session.execute(
        text(f"""
            DELETE FROM store_day AS d
            USING unnest(CAST(:keys AS int[]), CAST(:first AS int[]), CAST(:last AS int[]))
                AS k(key, first, last)
            WHERE d.store_key = key AND (d.day < {_EPOCH} + first OR d.day > {_EPOCH} + last)
        """),
        {
            "keys": store_keys.tolist(),
            "first": np.clip(first, low, high).tolist(),
            "last": np.clip(last, low, high).tolist(),
        },
    )


def differing(session: Session) -> int:
    """How many staged days are not stored so."""
    query = f"""
        SELECT count(*) FROM fresh_day AS f LEFT JOIN store_day AS d USING (store_key, day)
        WHERE d.complete IS NULL OR ({_of("d")}) IS DISTINCT FROM ({_of("f")})
    """
    return int(session.execute(text(query)).scalar_one())
