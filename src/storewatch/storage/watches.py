"""store_watch and watch_due: how stores stand now, for alerting, and which are to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us, to_us
from storewatch.domain.history import Stretches
from storewatch.domain.watch import NEVER, State, Watch
from storewatch.storage import queue
from storewatch.storage.arrays import read_arrays
from storewatch.storage.copying import Column, copy_rows, moments
from storewatch.storage.db import raw

QUEUE = "watch"
TASK = "look_at_stores"
_LOCK = 0x53575443
_COLUMNS = "store_key, state, down_from, seen_at, looked_at, look_again_at, live_at"

# --- what is to be looked at ----------------------------------------------------------------------


def mark(session: Session, changed: Stretches) -> None:
    """Has those stores looked at of which something changed that reaches into the last two days."""
    values = {
        "low": changed.first_key.tolist(),
        "high": changed.last_key.tolist(),
        "last": np.minimum(changed.last, _FAR).tolist(),
    }
    if session.execute(text(_MARK), values).first() is not None:
        wake(session)


_FAR = 1 << 60
_MARK = """
    INSERT INTO watch_due (first_key, last_key)
    SELECT w.low, w.high
    FROM unnest(CAST(:low AS int[]), CAST(:high AS int[]), CAST(:last AS bigint[])) AS w(low, high, last)
    WHERE w.last >= extract(epoch FROM clock_timestamp() - interval '2 days') * 1000000
    RETURNING due_no
"""


def wake(session: Session) -> None:
    """Has the job look at what is due."""
    queue.defer_once(session, QUEUE, TASK)


def lock(session: Session) -> None:
    """Waits until nobody else looks, and keeps others waiting until the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def claim(session: Session, now_us: int) -> NDArray[np.int32]:
    """int32[stores], in order: the keys of those to be looked at now. Their marks are taken away."""
    session.execute(text(_TAKE))
    query = f"SELECT array_agg(store_key ORDER BY store_key) FROM ({_TO_LOOK_AT}) AS s"
    return read_arrays(session, query, {"now": from_us(now_us).isoformat()}, (">i4",))[0].astype(np.int32)


_TAKE = """
    CREATE TEMP TABLE taken ON COMMIT DROP AS
    WITH gone AS (DELETE FROM watch_due RETURNING first_key, last_key)
    SELECT DISTINCT first_key, last_key FROM gone
"""
_TO_LOOK_AT = """
    SELECT s.store_key FROM store AS s
    WHERE s.first_poll_at IS NOT NULL AND (s.archived_from IS NULL OR s.archived_from > current_date) AND (
        EXISTS (SELECT FROM taken AS t WHERE s.store_key BETWEEN t.first_key AND t.last_key)
        OR s.store_key IN (
            SELECT w.store_key FROM store_watch AS w WHERE w.look_again_at <= CAST(:now AS timestamptz)))
"""


def next_look(session: Session) -> int | None:
    """The instant at which some store is to be looked at although no poll comes; None: at none."""
    moment = session.execute(text("SELECT min(look_again_at) FROM store_watch")).scalar()
    return None if moment is None else to_us(moment)


# --- what was seen --------------------------------------------------------------------------------


def keep(session: Session, store_keys: NDArray[np.int32], seen: Watch, now_us: int, within: int) -> None:
    """Stores how stores stand; those whose newest poll is not older than `within` are live."""
    connection = raw(session)
    connection.execute("DROP TABLE IF EXISTS fresh_watch")
    connection.execute(f"CREATE TEMP TABLE fresh_watch ({_FRESH}) ON COMMIT DROP")
    live = np.where((seen.seen != NEVER) & (seen.seen >= now_us - within), now_us, NEVER)
    instants = (seen.down_from, seen.seen, np.full_like(live, now_us), seen.next, live)
    columns: list[Column] = [store_keys, seen.state.astype(np.int32) + 1]
    columns += [moments(at, at != NEVER) for at in instants]
    copy_rows(connection, "COPY fresh_watch FROM STDIN (FORMAT binary)", [columns])
    connection.execute(_KEEP)


_INSTANTS = ("down_from", "seen_at", "looked_at", "look_again_at", "live_at")
_FRESH = ", ".join(("store_key integer", "state integer", *(f"{name} timestamptz" for name in _INSTANTS)))
_KEEP = f"""
    INSERT INTO store_watch AS w ({_COLUMNS})
    SELECT store_key, ('{{{",".join(state.name.lower() for state in State)}}}'::text[])[state],
           {", ".join(f"nullif({name}, '-infinity')" for name in _INSTANTS)}
    FROM fresh_watch ORDER BY store_key
    ON CONFLICT (store_key) DO UPDATE
    SET (state, down_from, seen_at, looked_at, look_again_at, live_at) = ROW(
        excluded.state, excluded.down_from, excluded.seen_at, excluded.looked_at, excluded.look_again_at,
        coalesce(excluded.live_at, w.live_at))
"""


def forget_archived(session: Session) -> None:
    """Takes away how stores stand that are archived now: nobody waits for them."""
    session.execute(
        text("""
            DELETE FROM store_watch AS w USING store AS s
            WHERE s.store_key = w.store_key AND s.archived_from <= current_date
        """)
    )
