"""Storefronts: written and read one by one, and all that are to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us
from storewatch.domain.storefronts import Rule
from storewatch.storage.db import Database
from storewatch.storage.probe_tables import Storefront

_ONE_PROBE = 0x53575052  # advisory: only one process looks


@dataclass(frozen=True)
class Plan:
    """A storefront that is to be looked at."""

    store_key: int
    store_id: str
    url: str
    every_s: int
    timeout_s: int
    rule: Rule


@dataclass(frozen=True)
class Look:
    """What a look saw of a store at an instant, in microseconds; `active` None: nothing of the store."""

    store_key: int
    store_id: str
    at: int
    active: bool | None
    said: str
    took_ms: int


# --- one ------------------------------------------------------------------------------------------


def find(session: Session, store_key: int) -> Storefront | None:
    """The storefront of a store."""
    query = select(Storefront).where(Storefront.store_key == store_key)
    return session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def put(session: Session, store_key: int, values: dict[str, Any]) -> None:
    """Sets the storefront of a store; what was seen of another one is forgotten."""
    fresh: dict[str, Any] = dict.fromkeys(("looked_at", "active", "said", "took_ms"))
    query = insert(Storefront).values(store_key=store_key, **values)
    session.execute(query.on_conflict_do_update(index_elements=["store_key"], set_=values | fresh))


def remove(session: Session, store_key: int) -> None:
    """Takes a store's storefront away."""
    session.execute(delete(Storefront).where(Storefront.store_key == store_key))


# --- all ------------------------------------------------------------------------------------------


def any_enabled(session: Session) -> bool:
    """Whether there is one to be looked at."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM storefront WHERE enabled)")).scalar())


def plans(session: Session, now: datetime, default_zone: str) -> list[Plan]:
    """Those to be looked at, in order of key: enabled ones of stores that are not archived."""
    rows = session.execute(text(_PLANS), {"now": now, "default_zone": default_zone})
    return [
        Plan(key, store_id, url, every_s, timeout_s, Rule(*rule))
        for key, store_id, url, every_s, timeout_s, *rule in rows
    ]


_PLANS = """
    SELECT store_key, s.store_id, f.url, f.every_s, f.timeout_s,
           f.statuses, f.says, f.says_not, f.json_path, f.json_value
    FROM storefront AS f JOIN store AS s USING (store_key) LEFT JOIN store_timezone AS z USING (store_key)
    WHERE f.enabled AND (s.archived_from IS NULL OR s.archived_from > (
        CAST(:now AS timestamptz) AT TIME ZONE clock_zone(coalesce(z.timezone_str, :default_zone)))::date)
    ORDER BY store_key
"""


def still_there(session: Session, looks: Sequence[Look]) -> list[Look]:
    """Those at storefronts that are still to be looked at. The caller keeps stores from being deleted."""
    query = text("SELECT store_key FROM storefront WHERE enabled AND store_key = ANY(CAST(:keys AS int[]))")
    keys = {"keys": [look.store_key for look in looks]}
    there = set(session.execute(query, keys).scalars())
    return [look for look in looks if look.store_key in there]


def keep(session: Session, looks: Sequence[Look]) -> None:
    """Keeps what the last look at each saw."""
    last = {look.store_key: look for look in sorted(looks, key=lambda look: look.at)}
    found = [last[key] for key in sorted(last)]
    values: dict[str, list[Any]] = {
        "keys": [look.store_key for look in found],
        "at": [from_us(look.at) for look in found],
        "active": [look.active for look in found],
        "said": [look.said for look in found],
        "took": [look.took_ms for look in found],
    }
    session.execute(text(_KEEP), values)


_KEEP = """
    UPDATE storefront AS f SET looked_at = l.at, active = l.active, said = l.said, took_ms = l.took_ms
    FROM unnest(CAST(:keys AS int[]), CAST(:at AS timestamptz[]), CAST(:active AS boolean[]),
                CAST(:said AS text[]), CAST(:took AS int[])) AS l(store_key, at, active, said, took_ms)
    WHERE f.store_key = l.store_key AND (f.looked_at IS NULL OR f.looked_at <= l.at)
"""


class Place:
    """The place of the one process that looks; held as long as its connection lives."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Whether it is ours, after an attempt to take it. Raises if the database cannot be reached."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            self._connection = self._engine.connect()
            query = text("SELECT pg_try_advisory_lock(:key)")
            taken = bool(self._connection.execute(query, {"key": _ONE_PROBE}).scalar())
        except BaseException:
            self.leave()
            raise
        if not taken:
            self.leave()
        return taken

    def leave(self) -> None:
        """Lets another one have it: the connection ends, and is not used again."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
