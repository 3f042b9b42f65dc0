"""Stores: ids and keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.zones import DEFAULT_ZONE
from storewatch.storage.sight import SEEN

KEYS = {"store_id": pl.String, "store_key": pl.Int32}

_NEW_STORES_LOCK = 0x53574E53
_DELETED_STORES_LOCK = 0x53574453

# A list as one string is sent twenty times faster than element by element; no id has a line break.
_LIST = "string_to_array(:ids, chr(10))"


def keys(session: Session, ids: list[str]) -> pl.DataFrame:
    """(store_id, store_key) of those ids that are known."""
    return _keys(session, f"SELECT store_id, store_key FROM store WHERE store_id = ANY({_LIST})", ids)


def ids(session: Session, store_keys: NDArray[np.int32]) -> list[str]:
    """The ids of stores, in the order of their keys as given."""
    query = text("""
        SELECT array_agg(store_id ORDER BY place) FROM store
        JOIN unnest(string_to_array(:keys, ',')::int[]) WITH ORDINALITY AS k(store_key, place)
            USING (store_key)
    """)
    found = session.execute(query, {"keys": ",".join(map(str, store_keys.tolist()))}).scalar()
    return list(found or [])


def seen_ids(session: Session, ids: list[str], seen_by: int | None) -> set[str]:
    """Those of the ids whose stores may be seen."""
    query = text(f"SELECT s.store_id FROM store AS s WHERE s.store_id = ANY({_LIST}) AND {SEEN}")
    return set(session.execute(query, {"ids": "\n".join(ids), "seen_by": seen_by}).scalars())


def _keys(session: Session, query: str, ids: list[str]) -> pl.DataFrame:
    """The rows of a query for ids, fetched as two arrays: so they are a tenth of the work."""
    arrays = f"WITH found AS ({query}) SELECT array_agg(store_id), array_agg(store_key) FROM found"
    found, store_keys = session.execute(text(arrays), {"ids": "\n".join(ids)}).one()
    return pl.DataFrame([found or [], store_keys or []], KEYS)


def allot_keys(session: Session, ids: list[str]) -> pl.DataFrame:
    """(store_id, store_key) of all ids; those that are new are made stores.

    One import at a time makes new stores, until it ends: two of different kinds that meet the same new
    stores in another order would wait for each other for ever.
    """
    known = keys(session, ids)
    if len(known) == len(ids):
        return known
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NEW_STORES_LOCK})
    new = sorted(set(ids) - set(known["store_id"]))
    insert = f"INSERT INTO store (store_id) SELECT unnest({_LIST}) ON CONFLICT (store_id) DO NOTHING"
    made = _keys(session, f"{insert} RETURNING store_id, store_key", new)
    # an import that held the lock, or a person at psql who takes none, may have been quicker
    return pl.concat([known, made if len(made) == len(new) else keys(session, new)])


def lower_first_polls(session: Session, store_keys: NDArray[np.int64], first_us: NDArray[np.int64]) -> None:
    """Notes the first polls of stores where they are earlier than what is noted."""
    session.execute(
        text("""
            UPDATE store SET first_poll_at = seen.first
            FROM (
                SELECT key, timestamptz 'epoch' + us * interval '1 microsecond' AS first
                FROM unnest(string_to_array(:keys, ',')::int[], string_to_array(:firsts, ',')::bigint[])
                     AS s(key, us)
            ) AS seen
            WHERE store.store_key = seen.key
              AND (store.first_poll_at IS NULL OR store.first_poll_at > seen.first)
        """),
        {
            "keys": ",".join(map(str, store_keys.tolist())),
            "firsts": ",".join(map(str, first_us.tolist())),
        },
    )


@dataclass(frozen=True)
class Chosen:
    """The stores of these ids and those of these groups; None in both: every store."""

    store_ids: list[str] | None = None
    group_ids: list[UUID] | None = None


def polled_until(
    session: Session,
    as_of: datetime,
    seen_by: int | None = None,
    default_zone: str = DEFAULT_ZONE,
    chosen: Chosen = Chosen(),
) -> NDArray[np.int32]:
    """Keys, in order, of the stores that may be seen, are chosen, have a poll at or before an instant, and
    are not archived from a local day up to then.
    """
    every = chosen == Chosen()
    query = f"""
        SELECT array_agg(store_key ORDER BY store_key) FROM store AS s
        WHERE first_poll_at <= :as_of AND {SEEN} AND {_NOT_ARCHIVED} {"" if every else _CHOSEN}
    """
    values: dict[str, Any] = {"as_of": as_of, "seen_by": seen_by, "default_zone": default_zone}
    if not every:
        values |= {"ids": "\n".join(chosen.store_ids or []), "groups": chosen.group_ids or []}
    return np.array(session.execute(text(query), values).scalar() or [], np.int32)


_CHOSEN = f"""
    AND (s.store_id = ANY({_LIST}) OR EXISTS (
        SELECT FROM group_store AS gs JOIN store_group AS g USING (group_no)
        WHERE gs.store_key = s.store_key AND g.group_id = ANY(CAST(:groups AS uuid[]))))
"""


def polled(session: Session, seen_by: int | None, group_no: int | None = None) -> NDArray[np.int32]:
    """Keys, in order, of the stores that may be seen and were ever polled, archived or not; of one group, if
    it is given.
    """
    query = f"""
        SELECT array_agg(store_key ORDER BY store_key) FROM store AS s
        WHERE first_poll_at IS NOT NULL AND {SEEN} AND (CAST(:group_no AS integer) IS NULL OR EXISTS (
            SELECT FROM group_store AS g WHERE g.store_key = s.store_key AND g.group_no = :group_no))
    """
    values = {"seen_by": seen_by, "group_no": group_no}
    return np.array(session.execute(text(query), values).scalar() or [], np.int32)


def stay(session: Session) -> None:
    """Keeps every store from being deleted until the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _DELETED_STORES_LOCK})


def may_go(session: Session) -> None:
    """Waits for those for whom stores must `stay`, and keeps them waiting until the end."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DELETED_STORES_LOCK})


def assumed(session: Session) -> dict[str, int]:
    """How many polled stores are taken as open 24 x 7, and how many to be in the default zone."""
    row = session.execute(
        text("""
            SELECT count(*) AS polled,
                   count(*) FILTER (WHERE NOT EXISTS (
                       SELECT FROM hours_week AS w WHERE w.store_key = s.store_key)) AS always_open,
                   count(*) FILTER (WHERE NOT EXISTS (
                       SELECT FROM store_timezone AS z WHERE z.store_key = s.store_key)) AS default_zone
            FROM store AS s WHERE s.first_poll_at IS NOT NULL
        """)
    ).one()
    return {"polled_stores": row.polled, "open_24x7": row.always_open, "default_zone": row.default_zone}


_NOT_ARCHIVED = """
    (s.archived_from IS NULL OR s.archived_from > (
        CAST(:as_of AS timestamptz) AT TIME ZONE clock_zone(coalesce(
            (SELECT timezone_str FROM store_timezone AS z WHERE z.store_key = s.store_key), :default_zone))
    )::date)
"""
