"""History by local day: what of it is due, and for which present it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.domain.history import Stretches
from storewatch.domain.touched import MANY
from storewatch.storage import poll_packs, queue, watches
from storewatch.storage.arrays import key_bounds, read_arrays
from storewatch.storage.copying import PG_EPOCH
from storewatch.storage.history_tables import HistoryPresent

QUEUE = "history"
TASK = "update_history"
PRIORITY = -1
MAX_GAP = DAY
"""History is made with the usual `max_gap`: so far does a poll speak to either side."""

NEVER = 1 << 60
"""Later than any instant; with a minus, earlier."""

LAST_KEY = (1 << 31) - 1
_LOCK = 0x53574849

# --- what is due ----------------------------------------------------------------------------------


def mark(session: Session, store_keys: Iterable[int], first_us: int | None, last_us: int | None) -> None:
    """Says that polls of stores at instants in [first_us, last_us] changed; None on both sides: that their
    hours or zone did, or all their polls.

    To be called last in the transaction that makes the change: only then is it due, and not before. A poll
    at t decides the state of instants in [t - max_gap, t + max_gap] alone, for none further off may take
    it; and outages are counted within a day. So no other days can change.
    """
    keys = np.unique(np.fromiter(store_keys, np.int64))
    if not len(keys):
        return
    if len(keys) > MANY:
        low, high = keys[:1], keys[-1:]
    else:
        low = high = keys
    # whole days, so that a store's polls of every hour don't add a row each
    first = -NEVER if first_us is None else first_us // DAY * DAY
    last = NEVER if last_us is None else (last_us // DAY + 1) * DAY - 1
    mark_polls(session, Stretches(low, high, np.full(len(low), first), np.full(len(low), last)))


def mark_hours(session: Session, store_keys: Int64, first_us: Int64) -> None:
    """`mark` for stores whose hours are others from an instant on, each by itself; -NEVER: for all time.

    The days before that one are due as far as polls speak: one of the first new day may count no more.
    """
    if not len(store_keys):
        return
    if len(store_keys) > MANY:
        low, high, first = store_keys[:1], store_keys[-1:], first_us.min(keepdims=True)
    else:
        low, high, first = store_keys, store_keys, first_us
    mark_polls(session, Stretches(low, high, first, np.full(len(low), NEVER)))


def mark_polls(session: Session, changed: Stretches) -> None:
    """`mark` for many stretches, within which polls changed."""
    if len(changed):
        session.execute(
            text(_MARK),
            {
                "low": changed.first_key.tolist(),
                "high": changed.last_key.tolist(),
                "first": [_moment(at - MAX_GAP) for at in changed.first.tolist()],
                "last": [_moment(at + MAX_GAP) for at in changed.last.tolist()],
            },
        )
        poll_packs.wake(session)
        queue.defer_once(session, QUEUE, TASK, PRIORITY)
        watches.mark(session, changed)


def mark_standing(session: Session, first_keys: Int64 | None = None, last_keys: Int64 | None = None) -> None:
    """Says that how stores stand is to be computed anew, but none of their days: of stores from key to
    key, or of all.
    """
    ends = np.array([0], np.int64), np.array([LAST_KEY], np.int64)
    low, high = ends if first_keys is None or last_keys is None else (first_keys, last_keys)
    session.execute(text(_MARK_STANDING), {"low": low.tolist(), "high": high.tolist()})
    wake(session)


# the time is far off
_MARK_STANDING = """
    INSERT INTO history_due (first_key, last_key, first_at, last_at)
    SELECT low, high, '9999-01-01Z', '9999-01-01Z'
    FROM unnest(CAST(:low AS int[]), CAST(:high AS int[])) AS w(low, high)
"""


def wake(session: Session) -> None:
    """Has the job look for what triggers marked: what stores take, their groups, that they are archived."""
    queue.defer_once(session, QUEUE, TASK, PRIORITY)


# A row that covers the new one makes it needless, unless a job holds it, for the job has looked already:
# then it is locked, and skipped here. Being locked by us it is skipped by the job until we are done.
_MARK = """
    INSERT INTO history_due (first_key, last_key, first_at, last_at)
    SELECT w.low, w.high, w.first, w.last
    FROM unnest(CAST(:low AS int[]), CAST(:high AS int[]),
                CAST(:first AS timestamptz[]), CAST(:last AS timestamptz[])) AS w(low, high, first, last)
    WHERE NOT EXISTS (
        SELECT FROM history_due AS d
        WHERE d.first_key = w.low AND d.last_key = w.high AND d.first_at <= w.first AND d.last_at >= w.last
        FOR KEY SHARE SKIP LOCKED)
"""


def _moment(at_us: int) -> str:
    """An instant as PostgreSQL reads it."""
    if abs(at_us) >= NEVER - MAX_GAP:
        return "infinity" if at_us > 0 else "-infinity"
    return from_us(at_us).isoformat()


def lock(session: Session) -> None:
    """Waits until nobody else writes history, and keeps others waiting until the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def due(session: Session, store_keys: NDArray[np.int32]) -> Stretches:
    """What is due for stores."""
    bounds = key_bounds(store_keys)
    return _due(session, f"{_DUE} WHERE first_key <= :high AND last_key >= :low", **bounds)[1]


def is_due_before(session: Session, until_us: int) -> bool:
    """Whether something is due that begins before an instant, of any store."""
    query = text("SELECT EXISTS (SELECT FROM history_due WHERE first_at < CAST(:until AS timestamptz))")
    return bool(session.execute(query, {"until": _moment(until_us)}).scalar())


def claim(session: Session, only: Sequence[int] | None = None) -> tuple[Int64, Stretches]:
    """All that is due and not about to be changed, or of it `only` the rows of some numbers, with the numbers
    of its rows; nobody else counts on these rows until the end of the transaction.
    """
    if only is None:
        return _due(session, f"{_DUE} FOR UPDATE SKIP LOCKED")
    return _due(
        session, f"{_DUE} WHERE due_no = ANY(CAST(:only AS bigint[])) FOR UPDATE SKIP LOCKED", only=list(only)
    )


_DUE = """
    SELECT due_no, first_key, last_key,
           CASE WHEN isfinite(first_at) THEN (extract(epoch FROM first_at) * 1000000)::bigint END AS first_us,
           CASE WHEN isfinite(last_at) THEN (extract(epoch FROM last_at) * 1000000)::bigint END AS last_us
    FROM history_due
"""


def _due(session: Session, query: str, **values: Any) -> tuple[Int64, Stretches]:
    rows = session.execute(text(query), values).all()
    number, low, high = (np.array([row[part] for row in rows], np.int64) for part in range(3))
    first = np.array([-NEVER if row.first_us is None else row.first_us for row in rows], np.int64)
    last = np.array([NEVER if row.last_us is None else row.last_us for row in rows], np.int64)
    return number, Stretches(low, high, first, last)


def done(session: Session, numbers: Int64, ranges: list[tuple[int, int]]) -> bool:
    """Takes from claimed rows the stores from a key to another, that one excluded. Whether something is left
    of them.
    """
    query = """
        WITH held AS (
            DELETE FROM history_due WHERE due_no = ANY(CAST(:held AS bigint[]))
            RETURNING first_key, last_key, first_at, last_at
        ), rest AS (
            INSERT INTO history_due (first_key, last_key, first_at, last_at)
            SELECT lower(keys), upper(keys) - 1, first_at, last_at
            FROM held, unnest(int8multirange(int8range(first_key, last_key, '[]'))
                              - CAST(:done AS int8multirange)) AS keys
            RETURNING 1)
        SELECT EXISTS (SELECT FROM rest)
    """
    told = "{" + ",".join(f"[{first},{until})" for first, until in ranges) + "}"
    return bool(session.execute(text(query), {"held": numbers.tolist(), "done": told}).scalar())


# --- the present ----------------------------------------------------------------------------------


def present(session: Session) -> tuple[int | None, dict[str, Any] | None]:
    """(as_of in microseconds, rules) for which the days are computed or due."""
    as_of, rules = session.execute(select(HistoryPresent.as_of, HistoryPresent.rules)).one()
    return None if as_of is None else to_us(as_of), rules


def moved(session: Session, as_of: int | None, rules: dict[str, Any]) -> Stretches:
    """What another newest poll or other rules than those of `present` make due.

    T ends the present: when it moves, the time between where it was and where it is changes, and no other.
    """
    old, old_rules = present(session)
    if old_rules != rules or old is None or as_of is None:
        changed = [] if (old, old_rules) == (as_of, rules) else [(-NEVER, NEVER)]
    else:
        changed = [(min(old, as_of), max(old, as_of))] if old != as_of else []
    columns = [(0, LAST_KEY, first, last) for first, last in changed]
    return Stretches(*np.array(columns, np.int64).reshape(-1, 4).T)


def set_present(session: Session, as_of: int | None, rules: dict[str, Any]) -> list[int]:
    """Marks what `moved`; from now on the days are due for this present. Returns the numbers of the marks."""
    changed, numbers = moved(session, as_of, rules), []
    if present(session)[1] != rules:  # other clocks may hold: of the default zone, or by other zone data
        session.execute(text(_EVERY_FLEET_DAY))
    for first, last in zip(changed.first.tolist(), changed.last.tolist(), strict=True):
        number = session.execute(
            text("""
                INSERT INTO history_due (first_key, last_key, first_at, last_at)
                VALUES (:low, :high, CAST(:first AS timestamptz), CAST(:last AS timestamptz))
                RETURNING due_no
            """),
            {"low": 0, "high": LAST_KEY, "first": _moment(first), "last": _moment(last)},
        )
        numbers.append(int(number.scalar_one()))
        moment: datetime | None = None if as_of is None else from_us(as_of)
        session.execute(update(HistoryPresent).values(as_of=moment, rules=rules))
    return numbers


_EVERY_FLEET_DAY = """
    INSERT INTO fleet_due (day)
    SELECT generate_series(min(day), max(day), interval '1 day') FROM fleet_day
"""


# --- stores ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """What there is of stores, in the order of their keys: int64[stores] each; `NEVER` for nothing.

    `first_instant` is the one at which the first poll begins to speak, in microseconds; from the day
    `archived` on (counted from 1970) a store is archived.
    """

    first_instant: Int64
    archived: Int64


def record(session: Session, store_keys: NDArray[np.int32]) -> Record:
    """See `Record`; the keys are in order."""
    query = """
        SELECT array_agg(store_key),
               array_agg(coalesce(first_poll_at, 'infinity')),
               array_agg(coalesce(archived_from - date '1970-01-01', 2147483647))
        FROM store WHERE store_key BETWEEN :low AND :high
    """
    columns = read_arrays(session, query, key_bounds(store_keys), (">i4", ">i8", ">i4"))
    place = np.argsort(columns[0])
    place = place[np.searchsorted(columns[0][place], store_keys)]
    first, archived = columns[1][place], columns[2][place].astype(np.int64)
    return Record(
        np.where(first > NEVER, NEVER, np.minimum(first, NEVER) + PG_EPOCH - MAX_GAP),
        np.where(archived == LAST_KEY, NEVER, archived),
    )


def next_stores(session: Session, first_key: int, count: int) -> NDArray[np.int32]:
    """So many keys of stores from one on, in order."""
    query = """
        SELECT array_agg(store_key) FROM (
            SELECT store_key FROM store WHERE store_key >= :first ORDER BY store_key LIMIT :count) AS s
    """
    return read_arrays(session, query, {"first": first_key, "count": count}, (">i4",))[0].astype(np.int32)
