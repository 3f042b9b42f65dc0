"""What an export reads: polls of a UTC day, opening hours and zones, some stores at a time, as frames."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.storage.arrays import read_arrays
from storewatch.storage.copying import PG_EPOCH
from storewatch.storage.db import raw
from storewatch.storage.polls import partition_name

_EPOCH = "date '1970-01-01'"


@dataclass(frozen=True)
class Keys:
    """A range of store keys, both included."""

    low: int
    high: int

    @property
    def among(self) -> str:
        """The condition on `store_key`."""
        return f"store_key BETWEEN {self.low} AND {self.high}"


def last_key(session: Session) -> int:
    """The highest key of a store; 0 without stores."""
    return int(session.execute(text("SELECT coalesce(max(store_key), 0) FROM store")).scalar_one())


def days(session: Session, first: int, last: int) -> list[int]:
    """The UTC days from one to another, both included and counted from 1970, that have polls."""
    query = text(f"""
        SELECT day - {_EPOCH} FROM store_status_day
        WHERE polls > 0 AND day - {_EPOCH} BETWEEN :first AND :last ORDER BY day
    """)
    return list(session.execute(query, {"first": first, "last": last}).scalars())


def polls(session: Session, day: int, keys: Keys) -> pl.DataFrame:
    """(store_id, at: int64 µs, active, reason) of a day that has a partition, by store id and time."""
    query = f"""
        SELECT array_agg(store_key), array_agg(timestamp_utc), array_agg(active::int::smallint)
        FROM {partition_name(day)} WHERE {keys.among}
    """
    key, at, active = read_arrays(session, query, {}, (">i4", ">i8", ">i2"))
    found = pl.DataFrame({"store_key": key, "at": at + PG_EPOCH, "active": active == 1})
    return (
        found.join(_ids(session, keys), on="store_key")
        .join(_reasons(session, day, keys), on=["store_key", "at"], how="left")
        .select("store_id", "at", "active", "reason")
        .sort("store_id", "at")
    )


def _ids(session: Session, keys: Keys) -> pl.DataFrame:
    query = f"SELECT array_agg(store_key), array_agg(store_id) FROM store WHERE {keys.among}"
    return _frame(session, query, {"store_key": pl.Int32, "store_id": pl.String})


def _reasons(session: Session, day: int, keys: Keys) -> pl.DataFrame:
    query = f"""
        SELECT array_agg(store_key), array_agg((extract(epoch FROM timestamp_utc) * 1000000)::bigint),
               array_agg(reason)
        FROM {partition_name(day)} WHERE reason IS NOT NULL AND {keys.among}
    """
    return _frame(session, query, {"store_key": pl.Int32, "at": pl.Int64, "reason": pl.String})


def hours(session: Session, keys: Keys) -> pl.DataFrame:
    """(store_id, day, start_s, end_s, since) by store id; `since` is the local day from which on, as text, or
    `always`.
    """
    query = f"""
        SELECT array_agg(store_id), array_agg(m.day), array_agg(m.start_s), array_agg(m.end_s),
               array_agg(CASE WHEN isfinite(valid_from) THEN valid_from::text ELSE 'always' END)
        FROM menu_hours AS m JOIN hours_week AS w USING (week_no) JOIN store USING (store_key)
        WHERE {keys.among}
    """
    types = {
        "store_id": pl.String,
        "day": pl.Int16,
        "start_s": pl.Int32,
        "end_s": pl.Int32,
        "since": pl.String,
    }
    return _frame(session, query, types).sort("store_id", "since", "day", "start_s", "end_s")


def empty_weeks(session: Session) -> int:
    """How many weeks were given without any hours: no row of a file says that."""
    query = """
        SELECT count(*) FROM hours_week AS w
        WHERE NOT EXISTS (SELECT FROM menu_hours AS m WHERE m.week_no = w.week_no)
    """
    return int(session.execute(text(query)).scalar_one())


def zones(session: Session, keys: Keys) -> pl.DataFrame:
    """(store_id, timezone_str) by store id."""
    query = f"""
        SELECT array_agg(store_id), array_agg(timezone_str)
        FROM store_timezone JOIN store USING (store_key) WHERE {keys.among}
    """
    return _frame(session, query, {"store_id": pl.String, "timezone_str": pl.String}).sort("store_id")


def history_days(session: Session, first: int, last: int) -> list[int]:
    """The local days from one to another, both included and counted from 1970, that history has."""
    query = text(f"""
        SELECT DISTINCT day - {_EPOCH} AS day FROM store_day WHERE day - {_EPOCH} BETWEEN :first AND :last
        ORDER BY day
    """)
    return list(session.execute(query, {"first": first, "last": last}).scalars())


def history_is_due(session: Session) -> bool:
    """Whether there are days that the worker has still to compute anew."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM history_due)")).scalar())


def history(session: Session, day: int, keys: Keys) -> pl.DataFrame:
    """store_id and `HISTORY` of a local day, by store id."""
    columns = ", ".join(f"array_agg({name})" for name in ("store_id", *HISTORY))
    query = f"""
        SELECT {columns} FROM store_day JOIN store USING (store_key)
        WHERE day = {_EPOCH} + {int(day)} AND {keys.among}
    """
    return _frame(session, query, {"store_id": pl.String, **HISTORY}).sort("store_id")


HISTORY = {
    **{f"{kind.name.lower()}_us": pl.Int64 for kind in Kind},
    "outages": pl.Int32,
    **dict.fromkeys(("longest_outage_us", "down_min_us", "down_max_us"), pl.Int64),
    "complete": pl.Boolean,
}
"""The figures of a day of history, times in microseconds."""


def _frame(session: Session, query: str, types: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The arrays of a query as columns."""
    row = raw(session).execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return pl.DataFrame([column or [] for column in row], types)
