"""Opening hours and zones: taking in what a file says, and reading it for the engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.hours import Schedule, Week
from storewatch.storage.arrays import key_bounds, positions, read_arrays
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import raw

# --- opening hours --------------------------------------------------------------------------------


def begin_hours(session: Session) -> None:
    """Makes room for the rows of an import, which may come in many batches."""
    raw(session).execute(
        "CREATE TEMP TABLE incoming_hours (store_key int, day smallint, start_s int, end_s int)"
        " ON COMMIT DROP"
    )


def add_hours(session: Session, columns: list[Column]) -> None:
    """Adds rows (store_key int32, day int16, start_s int32, end_s int32)."""
    copy_rows(raw(session), "COPY incoming_hours FROM STDIN (FORMAT binary)", [[*columns]])


def take_hours(session: Session, import_no: int) -> dict[str, int]:
    """Replaces the week of every store that came, and of no other. Counts rows: new, corrected, unchanged.

    Rows of a store without hours are new, those of a store whose week differs from before corrected,
    those of a week that stays as it was unchanged, and so is a row that came twice.
    """
    connection = raw(session)
    connection.execute(_COMPARE_WEEKS)
    counts = connection.execute(_COUNT_WEEKS).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    connection.execute(_DROP_OLD_ROWS)
    connection.execute(_ADD_WEEKS, [import_no])
    connection.execute(_MARK_WEEKS, [import_no])
    connection.execute(_ADD_ROWS)
    return dict(zip(("new", "corrected", "unchanged"), counts, strict=True))


# A row as one number, so that two weeks can be compared as sorted arrays.
_CODE = "(day * 86400::bigint + start_s) * 86401 + end_s"
_COMPARE_WEEKS = f"""
    CREATE TEMP TABLE week_change ON COMMIT DROP AS
    SELECT i.store_key, w.week_no, i.rows, i.doubles, i.codes IS DISTINCT FROM w.codes AS differs
    FROM (
        SELECT store_key, count(DISTINCT {_CODE}) AS rows, count(*) - count(DISTINCT {_CODE}) AS doubles,
               array_agg(DISTINCT {_CODE} ORDER BY {_CODE}) AS codes
        FROM incoming_hours GROUP BY store_key
    ) AS i
    LEFT JOIN (
        SELECT h.store_key, h.week_no, coalesce(array_agg({_CODE} ORDER BY {_CODE})
               FILTER (WHERE m.week_no IS NOT NULL), ARRAY[]::bigint[]) AS codes
        FROM hours_week AS h LEFT JOIN menu_hours AS m USING (week_no)
        WHERE h.valid_from = '-infinity' GROUP BY h.store_key, h.week_no
    ) AS w USING (store_key)
"""
_COUNT_WEEKS = """
    SELECT coalesce(sum(rows) FILTER (WHERE week_no IS NULL), 0)::bigint,
           coalesce(sum(rows) FILTER (WHERE week_no IS NOT NULL AND differs), 0)::bigint,
           coalesce(sum(rows) FILTER (WHERE NOT differs), 0)::bigint + coalesce(sum(doubles), 0)::bigint
    FROM week_change
"""
_DROP_OLD_ROWS = (
    "DELETE FROM menu_hours AS m USING week_change AS c WHERE m.week_no = c.week_no AND c.differs"
)
_ADD_WEEKS = """
    INSERT INTO hours_week (store_key, import_no) SELECT store_key, %s FROM week_change WHERE week_no IS NULL
"""
_MARK_WEEKS = """
    UPDATE hours_week AS w SET import_no = %s FROM week_change AS c WHERE w.week_no = c.week_no AND c.differs
"""
_ADD_ROWS = """
    INSERT INTO menu_hours (week_no, day, start_s, end_s)
    SELECT DISTINCT w.week_no, i.day, i.start_s, i.end_s
    FROM incoming_hours AS i
    JOIN week_change AS c USING (store_key)
    JOIN hours_week AS w ON w.store_key = i.store_key AND w.valid_from = '-infinity'
    WHERE c.differs
"""


def changed_hours(session: Session, import_no: int) -> list[int]:
    """Keys of the stores whose week an import set."""
    query = text("SELECT array_agg(store_key) FROM hours_week WHERE import_no = :import_no")
    return session.execute(query, {"import_no": import_no}).scalar() or []


def days_without_hours(session: Session, store_ids: list[str], days: list[int]) -> list[tuple[str, int]]:
    """Those of the given (store, weekday) pairs that count as closed: the store came in this import, and
    its week has nothing on that day.
    """
    rows = raw(session).execute(
        """
        SELECT store_id, r.day FROM unnest(%s ::text[], %s ::smallint[]) AS r(store_id, day)
        JOIN store AS s USING (store_id)
        JOIN week_change AS c USING (store_key)
        JOIN hours_week AS w ON w.store_key = s.store_key AND w.valid_from = '-infinity'
        WHERE NOT EXISTS (SELECT FROM menu_hours AS m WHERE m.week_no = w.week_no AND m.day = r.day)
        ORDER BY store_id, r.day
        """,
        [store_ids, days],
    )
    return [(row[0], row[1]) for row in rows]


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
    position, bounds = positions(store_keys), key_bounds(store_keys)
    key, day, start, end = read_arrays(session, _WEEKS, bounds, (">i4", ">i2", ">i4", ">i4"))
    asked = position[key] >= 0
    week = Week(position[key[asked]], day[asked], start[asked], end[asked])
    always = np.ones(len(store_keys), np.bool_)
    given = position[read_arrays(session, _GIVEN, bounds, (">i4",))[0]]
    always[given[given >= 0]] = False
    zone, names = _zones(session, bounds, position, len(store_keys), default_zone)
    return Schedule(week, zone, names, always)


_WEEKS = """
    SELECT array_agg(w.store_key), array_agg(m.day), array_agg(m.start_s), array_agg(m.end_s)
    FROM menu_hours AS m JOIN hours_week AS w USING (week_no) WHERE w.store_key BETWEEN :low AND :high
"""
_GIVEN = "SELECT array_agg(store_key) FROM hours_week WHERE store_key BETWEEN :low AND :high"


def _zones(
    session: Session, bounds: dict[str, int], position: NDArray[np.int32], stores: int, default: str
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    rows = session.execute(
        text("""
            SELECT timezone_str, array_agg(store_key) FROM store_timezone
            WHERE store_key BETWEEN :low AND :high GROUP BY timezone_str ORDER BY timezone_str
        """),
        bounds,
    ).all()
    zone = np.zeros(stores, np.int32)  # 0 is the default zone
    for number, (_, store_keys) in enumerate(rows, start=1):
        places = position[np.array(store_keys)]
        zone[places[places >= 0]] = number
    return zone, (default, *(row[0] for row in rows))
