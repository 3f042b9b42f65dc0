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
    key, number, first = read_arrays(session, _WEEKS.format(among=wanted), {}, (">i4", ">i4", ">i4"))
    asked = np.flatnonzero(position[key] >= 0)
    asked = asked[np.argsort(number[asked])]
    store, number, first = position[key[asked]], number[asked], first[asked]
    always = np.ones(len(store_keys), np.bool_)
    always[store] = False
    zone, names = _zones(session, wanted, position, len(store_keys), default_zone)
    return Schedule(_hours(session, store, number, first), zone, names, always)


_WEEKS = """
    SELECT array_agg(store_key), array_agg(week_no), array_agg(valid_from) FROM hours_week WHERE {among}
"""

# What costs is the number of arrays: what is small goes into one. The weeks are not joined: PostgreSQL would
# read the hours of all stores for each part of them.
_HOURS = """
    SELECT array_agg(((week_no - {first})::bigint << 37) | (day::bigint << 34)
                     | (start_s::bigint << 17) | end_s)
    FROM menu_hours WHERE {among}
"""
_SECONDS = (1 << 17) - 1  # a day has fewer


def _hours(
    session: Session, store: NDArray[np.int32], number: NDArray[np.int32], first: NDArray[np.int32]
) -> Week:
    """The hours of weeks, in order of their number: of whose store they are, and from which date on."""
    base = int(number.min(initial=np.iinfo(np.int32).max))
    query = _HOURS.format(first=base, among=among(number, "week_no"))
    (found,) = read_arrays(session, query, {}, (">i8",))
    of_week = (found >> 37) + base
    place = np.searchsorted(number, of_week)
    asked = np.flatnonzero(number[place] == of_week)  # none lies above the last of them
    place, found = place[asked], found[asked]
    day = ((found >> 34) & 7).astype(np.int16)
    start, end = ((part & _SECONDS).astype(np.int32) for part in (found >> 17, found))
    within = None if (first == _ALWAYS).all() else _within(store, first)[place]
    return Week(store[place], day, start, end, within)


def _within(store: NDArray[np.int32], first: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64[weeks, 2]: the local days [first, until) of each; it ends where the store's next one begins."""
    order = np.lexsort((first, store))
    until = np.full(len(order), _FOR_EVER)
    goes_on = store[order[:-1]] == store[order[1:]]
    until[order[:-1][goes_on]] = first[order[1:][goes_on]]
    return np.stack([first, until], axis=1).astype(np.int64) + _PG_DAY


# Dates as PostgreSQL sends them are counted from 2000; its infinities stay far off.
_PG_DAY = PG_EPOCH // DAY
_ALWAYS, _FOR_EVER = np.iinfo(np.int32).min, np.iinfo(np.int32).max


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
