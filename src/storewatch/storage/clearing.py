"""Emptying the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.storage import polls


def empty(session: Session) -> None:
    """Removes every store, poll, import and report; the schema stays."""
    for day in polls.days(session):
        session.execute(text(f"DROP TABLE {polls.partition_name(day)}"))
    session.execute(
        text("TRUNCATE store, import, report, store_report, store_status_day, deleted_poll CASCADE")
    )
