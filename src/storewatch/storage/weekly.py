"""Zones: taking in what a file says; and opening hours and zones for the engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY
from storewatch.domain.hours import Schedule, Week
from storewatch.storage.arrays import among, positions, read_arrays
from storewatch.storage.copying import PG_EPOCH
from storewatch.storage.db import raw

# --- zones ----------------------------------------------------------------------------------------


def begin_zones(session: Session) -> None:
    """Makes room for the rows of an import."""
    raw(session).execute(
        "CREATE TEMP TABLE incoming_zone (store_key int PRIMARY KEY, timezone_str text, times int)"
        " ON COMMIT DROP"
    )


def add_zones(session: Session, store_keys: list[int], names: list[str]) -> None:
    """Adds zones in order of line: the last of a store stands."""
    raw(session).execute(
        """
        INSERT INTO incoming_zone AS old
        SELECT store_key, (array_agg(name ORDER BY line DESC))[1], count(*)
        FROM unnest(%s ::int[], %s ::text[]) WITH ORDINALITY AS z(store_key, name, line) GROUP BY store_key
        ON CONFLICT (store_key) DO UPDATE
        SET timezone_str = excluded.timezone_str, times = old.times + excluded.times
        """,
        [store_keys, names],
    )


def take_zones(session: Session, import_no: int) -> dict[str, int]:
    """Sets the zone of every store that came. Counts rows: new, corrected, unchanged."""
    row = (
        raw(session)
        .execute(
            """
        WITH before AS MATERIALIZED (
            SELECT i.store_key, i.timezone_str, i.times, z.timezone_str AS old
            FROM incoming_zone AS i LEFT JOIN store_timezone AS z USING (store_key)
        ), taken AS (
            INSERT INTO store_timezone (store_key, timezone_str, import_no)
            SELECT store_key, timezone_str, %s FROM before WHERE old IS DISTINCT FROM timezone_str
            ON CONFLICT (store_key) DO UPDATE
            SET timezone_str = excluded.timezone_str, import_no = excluded.import_no
        )
        SELECT count(*) FILTER (WHERE old IS NULL), count(*) FILTER (WHERE old <> timezone_str),
               coalesce(sum(times), 0)::bigint - count(*) FILTER (WHERE old IS DISTINCT FROM timezone_str)
        FROM before
        """,
            [import_no],
        )
        .fetchone()
    )
    assert row is not None  # noqa: S101 - an aggregate has a row
    return dict(zip(("new", "corrected", "unchanged"), row, strict=True))


def changed_zones(session: Session, import_no: int) -> list[int]:
    """Keys of the stores whose zone an import set."""
    query = text("SELECT array_agg(store_key) FROM store_timezone WHERE import_no = :import_no")
    return session.execute(query, {"import_no": import_no}).scalar() or []


# --- for the engine -------------------------------------------------------------------------------


def schedule(session: Session, store_keys: NDArray[np.int32], default_zone: str) -> Schedule:
    """Weeks and zones of stores; positions in the result are those in `store_keys`."""
    position, wanted = positions(store_keys), among(store_keys)
    given, several = read_arrays(session, _GIVEN.format(among=wanted), {}, (">i4", ">i4"))
    if several.any():
        key, day, start, end, first, until = read_arrays(
            session, _SEVERAL_WEEKS.format(among=wanted), {}, _WITHIN_TYPES
        )
        within = np.stack([_days(first), _days(until)], axis=1)
    else:
        key, hours = read_arrays(session, _WEEKS.format(among=wanted), {}, (">i4", ">i8"))
        day = (hours >> 34).astype(np.int16)
        start, end = ((part & _SECONDS).astype(np.int32) for part in (hours >> 17, hours))
        within = None
    asked = np.flatnonzero(position[key] >= 0)
    week = Week(position[key], day, start, end, within)[asked]
    always = np.ones(len(store_keys), np.bool_)
    places = position[given]
    always[places[places >= 0]] = False
    zone, names = _zones(session, wanted, position, len(store_keys), default_zone)
    return Schedule(week, zone, names, always)


# What costs is the number of arrays: three figures that are small go into one.
_WEEKS = """
    SELECT array_agg(w.store_key), array_agg((m.day::bigint << 34) | (m.start_s::bigint << 17) | m.end_s)
    FROM menu_hours AS m JOIN hours_week AS w USING (week_no) WHERE {among}
"""
_SECONDS = (1 << 17) - 1  # a day has fewer
_GIVEN = """
    SELECT array_agg(store_key), array_agg((valid_from <> '-infinity')::int)
    FROM hours_week WHERE {among}
"""
# as _WEEKS, which is quicker and enough as long as no store has had other hours before
_SEVERAL_WEEKS = """
    SELECT array_agg(w.store_key), array_agg(m.day), array_agg(m.start_s), array_agg(m.end_s),
           array_agg(w.valid_from), array_agg(w.until)
    FROM menu_hours AS m
    JOIN (
        SELECT week_no, store_key, valid_from, lead(valid_from, 1, 'infinity')
                   OVER (PARTITION BY store_key ORDER BY valid_from) AS until
        FROM hours_week WHERE {among}
    ) AS w USING (week_no)
"""
_WITHIN_TYPES = (">i4", ">i2", ">i4", ">i4", ">i4", ">i4")
_PG_DAY = PG_EPOCH // DAY


def _days(dates: NDArray[np.int32]) -> NDArray[np.int64]:
    """Dates as PostgreSQL sends them, counted from 1970; its infinities stay far off."""
    return dates.astype(np.int64) + _PG_DAY


def _zones(
    session: Session, wanted: str, position: NDArray[np.int32], stores: int, default: str
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    rows = session.execute(
        text(f"""
            SELECT timezone_str, array_agg(store_key) FROM store_timezone
            WHERE {wanted} GROUP BY timezone_str ORDER BY timezone_str
        """)
    ).all()
    zone = np.zeros(stores, np.int32)  # 0 is the default zone
    for number, (_, store_keys) in enumerate(rows, start=1):
        places = position[np.array(store_keys)]
        zone[places[places >= 0]] = number
    return zone, (default, *(row[0] for row in rows))
