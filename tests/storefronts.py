"""Stores with storefronts, put into a database, and what was seen of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from storewatch.storage import storefronts, stores
from storewatch.storage.db import Database


def add(database: Database, store_id: str, url: str, **values: Any) -> int:
    """Makes a store with a storefront; returns its key."""
    with database.transaction() as session:
        [key] = stores.allot_keys(session, [store_id])["store_key"].to_list()
        storefronts.put(session, key, {"url": url, "every_s": 30, "timeout_s": 5} | values)
    return int(key)


def polls(database: Database) -> list[tuple[str, bool, str | None]]:
    """(store, active, reason) of all polls, in order of time."""
    query = """
        SELECT store_id, active, reason FROM store_status JOIN store USING (store_key) ORDER BY timestamp_utc
    """
    with database.session() as session:
        return [(row[0], row[1], row[2]) for row in session.execute(text(query))]
