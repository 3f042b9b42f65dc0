"""History by local day: what is due, the days themselves, and sums of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.domain.history import Days
from storewatch.storage import queue
from storewatch.storage.copying import Column, copy_rows, timestamps
from storewatch.storage.db import raw
from storewatch.storage.history_tables import HistoryDue, HistoryPresent, HistoryRules

QUEUE = "reports"
TASK = "update_history"
MAX_GAP = DAY
"""History is made with the usual `max_gap`: so far does a poll speak to either side."""

_LOCK = 0x53574849
_PG_DAY = 10_957  # PostgreSQL counts days from 2000-01-01
_NEVER = 1 << 62

# --- what is due ----------------------------------------------------------------------------------


def mark(session: Session, store_keys: Iterable[int], first_us: int | None, last_us: int | None) -> None:
    """Says that polls of stores at instants in [first_us, last_us] changed; None on both sides: that their
    hours or zone did, or all their polls.

    To be called last in the transaction that makes the change: only then is it due, and not before. A poll
    at t decides the state of instants in [t - max_gap, t + max_gap] alone, for none further off may take
    it; and outages are counted within a day. So no other days can change.
    """
    _mark(
        session,
        "SELECT unnest(CAST(:keys AS int[])), CAST(:first AS timestamptz), CAST(:last AS timestamptz)",
        keys=sorted(set(store_keys)),
        first="-infinity" if first_us is None else from_us(first_us),
        last="infinity" if last_us is None else from_us(last_us),
    )


def mark_import(session: Session, import_no: int, days: Iterable[int]) -> None:
    """Marks what an import changed: `days` are the UTC days (since 1970) of its polls."""
    touched = sorted(days)
    if touched:
        _mark(
            session,
            """
            SELECT store_key, min(timestamp_utc), max(timestamp_utc) FROM store_status
            WHERE import_no = :import_no AND timestamp_utc >= :first AND timestamp_utc < :last
            GROUP BY store_key
            """,
            import_no=import_no,
            first=from_us(touched[0] * DAY),
            last=from_us((touched[-1] + 1) * DAY),
        )
    for table in ("hours_week", "store_timezone"):
        _mark(session, f"{_ALL_TIME} FROM {table} WHERE import_no = :import_no", import_no=import_no)


_ALL_TIME = "SELECT store_key, timestamptz '-infinity', timestamptz 'infinity'"


def _mark(session: Session, marks: str, **values: Any) -> None:
    """Adds what is not due already, and a job for it."""
    gap = timedelta(microseconds=MAX_GAP)
    added = session.execute(text(_MARK.format(marks=marks)), values | {"gap": gap}).first()
    if added is not None:
        queue.defer_once(session, QUEUE, TASK, priority=-1)


# Whole UTC days, so that a store's polls of every hour don't add a row each. A row that covers the new one
# makes it needless, unless a job holds it, for the job has looked already: then it is locked, and skipped
# here. Being locked by us it is skipped by the job until we are done.
_MARK = """
    INSERT INTO history_due (store_key, first_at, last_at)
    SELECT w.store_key, w.first_at, w.last_at FROM (
        SELECT m.store_key, date_trunc('day', m.first_at - CAST(:gap AS interval), 'UTC') AS first_at,
               date_trunc('day', m.last_at + CAST(:gap AS interval), 'UTC') + interval '1 day' AS last_at
        FROM ({marks}) AS m(store_key, first_at, last_at)
    ) AS w
    WHERE NOT EXISTS (
        SELECT FROM history_due AS d
        WHERE d.store_key = w.store_key AND d.first_at <= w.first_at AND d.last_at >= w.last_at
        FOR KEY SHARE SKIP LOCKED)
    ORDER BY w.store_key
    RETURNING 1
"""


@dataclass(frozen=True)
class Due:
    """Stretches of time of stores, in microseconds; `number` is that of the row, where there is one."""

    number: Int64
    store_key: NDArray[np.int32]
    first: Int64
    last: Int64


def lock(session: Session) -> None:
    """Waits until nobody else writes history, and keeps others waiting until the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def claim(session: Session, stores: int) -> Due:
    """Takes what is due for so many stores; others pass over it until the end of the transaction."""
    query = f"""
        {_DUE} WHERE store_key IN (
            SELECT store_key FROM history_due GROUP BY store_key ORDER BY store_key LIMIT :stores)
        FOR UPDATE SKIP LOCKED
    """
    return _due(session, query, stores=stores)


def due(session: Session, store_keys: NDArray[np.int32]) -> Due:
    """What is due for stores."""
    return _due(session, f"{_DUE} WHERE store_key = ANY(:keys)", keys=store_keys.tolist())


_DUE = """
    SELECT due_no, store_key,
           CASE WHEN isfinite(first_at) THEN (extract(epoch FROM first_at) * 1000000)::bigint END AS first_us,
           CASE WHEN isfinite(last_at) THEN (extract(epoch FROM last_at) * 1000000)::bigint END AS last_us
    FROM history_due
"""


def _due(session: Session, query: str, **values: Any) -> Due:
    rows = session.execute(text(query), values).all()
    return Due(
        np.array([row.due_no for row in rows], np.int64),
        np.array([row.store_key for row in rows], np.int32),
        np.array([-_NEVER if row.first_us is None else row.first_us for row in rows], np.int64),
        np.array([_NEVER if row.last_us is None else row.last_us for row in rows], np.int64),
    )


def done(session: Session, number: Int64) -> None:
    """Takes away what was claimed, in the transaction that writes the days."""
    session.execute(
        delete(HistoryDue).where(HistoryDue.due_no == text("ANY(:n)").bindparams(n=number.tolist()))
    )


def any_due(session: Session) -> bool:
    """Whether anything is due."""
    return session.execute(select(HistoryDue.due_no).limit(1)).first() is not None


# --- the present ----------------------------------------------------------------------------------


def present(session: Session) -> tuple[int | None, int | None]:
    """(as_of in microseconds, rules_no) for which the days are computed or due."""
    as_of, rules_no = session.execute(select(HistoryPresent.as_of, HistoryPresent.rules_no)).one()
    return None if as_of is None else to_us(as_of), rules_no


def set_present(session: Session, as_of: int | None, rules_no: int) -> None:
    """Marks, for every polled store, what another newest poll or other rules make due.

    T ends the present: when it moves, the time between where it was and where it is changes, and no other.
    """
    old, old_rules = present(session)
    if old_rules != rules_no or old is None or as_of is None:
        first, last = "-infinity", "infinity"
    else:
        first, last = (from_us(at).isoformat() for at in sorted((old, as_of)))
    session.execute(
        text("""
            INSERT INTO history_due (store_key, first_at, last_at)
            SELECT store_key, CAST(:first AS timestamptz), CAST(:last AS timestamptz) FROM store AS s
            WHERE first_poll_at IS NOT NULL
               OR EXISTS (SELECT FROM store_day AS d WHERE d.store_key = s.store_key)
            ORDER BY store_key
        """),
        {"first": first, "last": last},
    )
    session.execute(
        text("UPDATE history_present SET as_of = CAST(:as_of AS timestamptz), rules_no = :rules_no"),
        {"as_of": None if as_of is None else from_us(as_of), "rules_no": rules_no},
    )


def rules_no(session: Session, rules: Rules, default_zone: str, zone_data: str) -> int | None:
    """The number of rules; None if no day was ever made by them."""
    query = select(HistoryRules.rules_no).filter_by(**_rules(rules, default_zone, zone_data))
    return session.execute(query).scalar()


def add_rules(session: Session, rules: Rules, default_zone: str, zone_data: str) -> int:
    """Gives rules a number. The caller holds the lock."""
    made = HistoryRules(**_rules(rules, default_zone, zone_data))
    session.add(made)
    session.flush()
    return made.rules_no


def _rules(rules: Rules, default_zone: str, zone_data: str) -> dict[str, Any]:
    return {
        "policy": rules.policy.value,
        "max_gap_us": rules.max_gap,
        "seen_within_us": rules.seen_within,
        "default_zone": default_zone,
        "zone_data_version": zone_data,
    }


# --- stores ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """What there is of stores, in the order of their keys: int64[stores] each.

    `first_poll` in microseconds, `first_day` the first day that is stored, `archived` the day from which a
    store is archived; days count from 1970. A huge number where there is none.
    """

    first_poll: Int64
    first_day: Int64
    archived: Int64


def record(session: Session, store_keys: NDArray[np.int32]) -> Record:
    """See `Record`."""
    rows = session.execute(
        text("""
            SELECT (extract(epoch FROM s.first_poll_at) * 1000000)::bigint AS first_poll,
                   (SELECT min(day) FROM store_day AS d WHERE d.store_key = s.store_key)
                       - date '1970-01-01' AS day,
                   s.archived_from - date '1970-01-01' AS archived
            FROM unnest(CAST(:keys AS int[])) WITH ORDINALITY AS k(store_key, place)
            JOIN store AS s USING (store_key) ORDER BY place
        """),
        {"keys": store_keys.tolist()},
    ).all()
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    return Record(*(np.array([_NEVER if v is None else v for v in column], np.int64) for column in columns))


# --- days -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranges:
    """Local days of stores, both ends included: `store` int[ranges] positions, days counted from 1970."""

    store: NDArray[np.int64]
    first: Int64
    last: Int64


@dataclass(frozen=True)
class Stamp:
    """What days were computed for and by: as_of in microseconds, the number of the rules."""

    as_of: int
    rules_no: int


def begin_fresh(session: Session) -> None:
    """Makes room for days that were computed now, and for the ranges that they replace."""
    raw(session).execute(
        "CREATE TEMP TABLE fresh_day (LIKE store_day) ON COMMIT DROP;"
        "CREATE TEMP TABLE fresh_range (store_key int, first_day date, last_day date) ON COMMIT DROP"
    )


def add_fresh_ranges(session: Session, store_keys: NDArray[np.int32], ranges: Ranges) -> None:
    """Adds ranges whose stored days no longer count."""
    low, high = -700_000, 1_000_000  # PostgreSQL's dates have bounds
    first, last = (
        (np.clip(day, low, high) - _PG_DAY).astype(np.int32) for day in (ranges.first, ranges.last)
    )
    copy_rows(
        raw(session),
        "COPY fresh_range FROM STDIN (FORMAT binary)",
        [[store_keys[ranges.store], first, last]] if len(first) else [],
    )


def add_fresh_days(session: Session, store_keys: NDArray[np.int32], days: Days, stamp: Stamp) -> None:
    """Adds days that were computed now."""
    batches = [_columns(store_keys, part, stamp) for part in days.by_length()]
    if batches:
        copy_rows(raw(session), f"COPY fresh_day ({_COLUMNS}) FROM STDIN (FORMAT binary)", batches)


_NAMES = (
    "store_key",
    "day",
    *(f"{kind.name.lower()}_us" for kind in Kind),
    "longest_outage_us",
    "as_of",
    "outages",
    "rules_no",
    "starts_down",
    "ends_down",
    "complete",
    "up_by_hour_us",
    "down_by_hour_us",
    "unknown_by_hour_us",
    "seen_by_hour_us",
)
_COLUMNS = ", ".join(_NAMES)
_FIGURES = ", ".join(name for name in _NAMES if name not in ("store_key", "day", "as_of"))


def _columns(store_keys: NDArray[np.int32], days: Days, stamp: Stamp) -> list[Column]:
    kinds = [np.ascontiguousarray(days.by_hour[:, :, kind]) for kind in Kind]
    up, down = (
        kinds[Kind.UP_SEEN] + kinds[Kind.UP_INFERRED],
        kinds[Kind.DOWN_SEEN] + kinds[Kind.DOWN_INFERRED],
    )
    totals = days.totals
    return [
        store_keys[days.store],
        (days.day - _PG_DAY).astype(np.int32),
        *(totals[:, kind] for kind in Kind),
        days.longest,
        timestamps(np.full(len(days), stamp.as_of, np.int64)),
        days.outages.astype(np.int32),
        np.full(len(days), stamp.rules_no, np.int32),
        days.starts_down,
        days.ends_down,
        days.complete,
        up,
        down,
        kinds[Kind.UNKNOWN],
        kinds[Kind.UP_SEEN] + kinds[Kind.DOWN_SEEN],
    ]


def keep_fresh(session: Session) -> None:
    """Makes the fresh days the stored ones of their ranges. A day with the same figures stays as it is."""
    connection = raw(session)
    connection.execute("ANALYZE fresh_day; ANALYZE fresh_range")
    connection.execute("""
        DELETE FROM store_day AS d USING fresh_range AS r
        WHERE d.store_key = r.store_key AND d.day BETWEEN r.first_day AND r.last_day
          AND NOT EXISTS (SELECT FROM fresh_day AS f WHERE f.store_key = d.store_key AND f.day = d.day)
    """)
    connection.execute(f"""
        INSERT INTO store_day AS d ({_COLUMNS}) SELECT {_COLUMNS} FROM fresh_day
        ON CONFLICT (store_key, day) DO UPDATE SET ({_FIGURES}, as_of) =
            ROW({", ".join(f"excluded.{name}" for name in _FIGURES.split(", "))}, excluded.as_of)
        WHERE ({", ".join(f"d.{name}" for name in _FIGURES.split(", "))})
            IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _FIGURES.split(", "))})
    """)


def differing(session: Session) -> int:
    """How many stored days of the fresh ranges are not what was computed now, or lack, or are too many."""
    query = f"""
        SELECT count(*) FROM (
            SELECT {_COLUMNS} FROM store_day AS d WHERE EXISTS (
                SELECT FROM fresh_range AS r
                WHERE r.store_key = d.store_key AND d.day BETWEEN r.first_day AND r.last_day)
        ) AS d FULL JOIN fresh_day AS f USING (store_key, day)
        WHERE d.rules_no IS NULL OR f.rules_no IS NULL
           OR ({", ".join(f"d.{name}" for name in _FIGURES.split(", "))})
              IS DISTINCT FROM ({", ".join(f"f.{name}" for name in _FIGURES.split(", "))})
    """
    return int(session.execute(text(query)).scalar_one())


# --- sums -----------------------------------------------------------------------------------------

_PERIODS = {
    "day": "day",
    "week": "date_trunc('week', day)::date",
    "month": "date_trunc('month', day)::date",
}
PERIODS = (*_PERIODS, "weekday_hour")

# The stored days that still count, and those that were computed now.
_DAYS = f"""
    SELECT {{columns}} FROM (
        SELECT {_COLUMNS} FROM store_day AS d
        WHERE store_key = ANY(:keys) AND day BETWEEN :first AND :last AND NOT EXISTS (
            SELECT FROM fresh_range AS r
            WHERE r.store_key = d.store_key AND d.day BETWEEN r.first_day AND r.last_day)
        UNION ALL SELECT {_COLUMNS} FROM fresh_day
    ) AS d JOIN store AS s USING (store_key)
    WHERE s.archived_from IS NULL OR day < s.archived_from
"""


def sums(
    session: Session, period: str, store_keys: NDArray[np.int32], first: date, last: date
) -> Sequence[Any]:
    """Rows (period: its first date, the five totals, outages, complete) of stores together, in order.

    An outage that runs over midnight is one in a period that holds both days: it is taken off again where
    a day starts down and the open day before it, in the period, ended so.
    """
    day = _DAYS.format(columns=f"d.*, {_PERIODS[period]} AS period, {_OPEN} > 0 AS open")
    totals = ", ".join(f"sum({kind.name.lower()}_us)::bigint AS {kind.name.lower()}" for kind in Kind)
    query = f"""
        SELECT period, {totals}, bool_and(complete) AS complete,
               (sum(outages) - count(*) FILTER (WHERE starts_down AND went_down))::bigint AS outages
        FROM (SELECT *, lag(ends_down) OVER (PARTITION BY store_key, period, open ORDER BY day) AS went_down
              FROM ({day}) AS d) AS d
        GROUP BY period ORDER BY period
    """
    return session.execute(text(query), {"keys": store_keys.tolist(), "first": first, "last": last}).all()


_OPEN = " + ".join(f"{kind.name.lower()}_us" for kind in Kind)


def sums_by_hour(
    session: Session, store_keys: NDArray[np.int32], first: date, last: date, default_zone: str
) -> Sequence[Any]:
    """Rows (zone, day, hour: elapsed since midnight, up, down, unknown, seen) of stores together."""
    query = f"""
        SELECT zone, day, (hour - 1)::int AS hour, sum(up)::bigint AS up, sum(down)::bigint AS down,
               sum(unknown)::bigint AS unknown, sum(seen)::bigint AS seen
        FROM ({_DAYS.format(columns="d.*")}) AS d
        LEFT JOIN store_timezone AS z USING (store_key)
        CROSS JOIN LATERAL coalesce(z.timezone_str, :default_zone) AS zone
        CROSS JOIN LATERAL unnest(up_by_hour_us, down_by_hour_us, unknown_by_hour_us, seen_by_hour_us)
            WITH ORDINALITY AS h(up, down, unknown, seen, hour)
        GROUP BY zone, day, hour
    """
    values = {"keys": store_keys.tolist(), "first": first, "last": last, "default_zone": default_zone}
    return session.execute(text(query), values).all()
