"""Reading the audit log. Nothing writes to it but what is done itself (`storage.audit.record`)."""

from __future__ import annotations

from storewatch.storage import audit
from storewatch.storage.access_tables import Audit
from storewatch.storage.audit import Filter
from storewatch.storage.db import Database


def page(database: Database, which: Filter, after: int | None, count: int) -> list[Audit]:
    """Entries, newest first, before the number `after`. Whoever calls has seen that the caller may."""
    with database.session() as session:
        return audit.page(session, which, after, count)
