"""Imports, and what they left in the database, as the tests of them look at it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult, text

from storewatch.domain.clock import to_us
from storewatch.services.importing import Imported, import_file
from storewatch.storage import verify
from storewatch.storage.db import Database

NOW = to_us(datetime(2023, 2, 1, tzinfo=UTC))
POLLS, HOURS, ZONES = (
    "store_id,status,timestamp_utc,reason",
    "store_id,dayOfWeek,start_time_local,end_time_local",
    "store_id,timezone_str",
)
NOON = "2023-01-22 12:00:00"
COUNTS = ("new", "corrected", "unchanged", "kept", "rejected")


def sound(database: Database) -> None:
    with database.session() as session:
        assert [name for name, wrong in verify.verify(session) if wrong] == []
    sums = "rows_new + rows_corrected + rows_unchanged + rows_kept + rows_rejected"
    assert sql(database, f"SELECT count(*) FROM import WHERE rows_read <> {sums}") == [(0,)]


def sql(database: Database, statement: str) -> list[Any]:
    with database.transaction() as session:
        result = session.execute(text(statement))
        return (
            [tuple(row) for row in result] if isinstance(result, CursorResult) and result.returns_rows else []
        )


def load(database: Database, *lines: str, **options: Any) -> Imported:
    data = "\n".join(lines).encode()
    return import_file(database, io.BytesIO(data), "a.csv", **{"now_us": NOW, **options})


def counts(result: Imported) -> tuple[int, ...]:
    """(new, corrected, unchanged, kept, rejected), after a check that they add up."""
    found = tuple(getattr(result, f"rows_{name}") for name in COUNTS)
    assert sum(found) == result.rows_read
    return found


def polls(database: Database) -> dict[tuple[str, str], tuple[bool, str | None, int | None]]:
    rows = sql(
        database,
        """SELECT store_id, to_char(timestamp_utc AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                  active, reason, import_no
           FROM store_status JOIN store USING (store_key)""",
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def weeks(database: Database) -> dict[str, list[tuple[int, int, int]]]:
    rows = sql(
        database,
        """SELECT store_id, array_agg(ARRAY[m.day, start_s, end_s] ORDER BY m.day, start_s, end_s)
                            FILTER (WHERE m.day IS NOT NULL)
           FROM hours_week JOIN store USING (store_key) LEFT JOIN menu_hours AS m USING (week_no)
           GROUP BY store_id""",
    )
    return {store: [tuple(row) for row in rows_of or []] for store, rows_of in rows}


def zones(database: Database) -> dict[str, tuple[str, int]]:
    rows = sql(
        database, "SELECT store_id, timezone_str, import_no FROM store_timezone JOIN store USING (store_key)"
    )
    return {row[0]: row[1:] for row in rows}


def everything(database: Database) -> list[Any]:
    weeks_of = sql(database, "SELECT store_key, import_no, week_no FROM hours_week ORDER BY 1")
    stores = sql(database, "SELECT store_id, first_poll_at FROM store ORDER BY 1")
    return [polls(database), weeks(database), zones(database), weeks_of, stores]


def set_by_hand(database: Database, store: str) -> None:
    sql(database, f"UPDATE store_status SET active = NOT active, import_no = NULL WHERE {of(store)}")


def delete_by_hand(database: Database, which: str) -> None:
    sql(
        database,
        f"""WITH gone AS (DELETE FROM store_status WHERE {which} RETURNING store_key, timestamp_utc)
            INSERT INTO deleted_poll SELECT * FROM gone""",
    )
    tally(database)


def tally(database: Database) -> None:
    """What a deletion must set right beside the polls: `newest` of a day without any must not be left late,
    for an import takes the later of it and its own.
    """
    polls_of_day = "FROM store_status WHERE (timestamp_utc AT TIME ZONE 'UTC')::date = d.day"
    sql(
        database,
        f"""UPDATE store_status_day AS d SET polls = (SELECT count(*) {polls_of_day}),
            newest = coalesce((SELECT max(timestamp_utc) {polls_of_day}), d.day AT TIME ZONE 'UTC')""",
    )
    sql(
        database,
        "UPDATE store AS s SET first_poll_at ="
        " (SELECT min(timestamp_utc) FROM store_status AS p WHERE p.store_key = s.store_key)",
    )


def of(store: str) -> str:
    return f"store_key = (SELECT store_key FROM store WHERE store_id = '{store}')"
