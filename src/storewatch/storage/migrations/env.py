"""Alembic's entry: the caller hands its connection over in the configuration's attributes."""

from __future__ import annotations

from alembic import context

from storewatch.storage import (  # noqa: F401 - add their tables to the base
    access_tables,
    alert_tables,
    fleet_tables,
    history_tables,
    probe_tables,
    schedule_tables,
    share_tables,
    truth_tables,
)
from storewatch.storage.tables import Base


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leaves procrastinate's tables and the daily partitions to themselves."""
    text = name or ""
    return not (
        kind == "table"
        and (text.startswith(("procrastinate_", "store_status_2")) or text == "alembic_version")
    )


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=is_ours,
)
with context.begin_transaction():
    context.run_migrations()
