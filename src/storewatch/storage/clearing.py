"""Taking out everything, or a store with all that hangs on it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from storewatch.storage import polls
from storewatch.storage.tables import DeletedPoll, Report, Store, StoreReport


def empty(session: Session) -> None:
    """Removes every store, poll, import and report; the schema stays."""
    for day in polls.days(session):
        session.execute(text(f"DROP TABLE {polls.partition_name(day)}"))
    session.execute(
        text(
            "TRUNCATE store, import, report, store_report, store_status_day, deleted_poll, history_due"
            " CASCADE"
        )
    )


def remove_store(session: Session, store_key: int) -> int:
    """Removes a store and all that hangs on it. Returns how many polls it had.

    The caller holds the locks of every kind of import, and `stores.may_go`.
    """
    removed = _remove_polls(session, store_key)
    session.execute(delete(DeletedPoll).where(DeletedPoll.store_key == store_key))
    _remove_report_rows(session, store_key)
    session.execute(delete(Store).where(Store.store_key == store_key))
    return removed


def _remove_polls(session: Session, store_key: int) -> int:
    """Removes a store's polls, and keeps the tally of each of their days."""
    days = session.execute(
        text("""
            WITH gone AS (DELETE FROM store_status WHERE store_key = :store_key RETURNING timestamp_utc)
            UPDATE store_status_day AS d SET polls = d.polls - g.polls
            FROM (SELECT (timestamp_utc AT TIME ZONE 'UTC')::date AS day, count(*) AS polls,
                         max(timestamp_utc) AS newest FROM gone GROUP BY 1) AS g
            WHERE d.day = g.day RETURNING d.day, g.polls AS gone, d.polls AS left, d.newest = g.newest AS last
        """),
        {"store_key": store_key},
    ).all()
    for row in days:
        if row.last and row.left:
            _find_newest(session, row.day)
    return sum(row.gone for row in days)


def _find_newest(session: Session, day: date) -> None:
    session.execute(
        text("""
            UPDATE store_status_day SET newest = (
                SELECT max(timestamp_utc) FROM store_status
                WHERE timestamp_utc >= CAST(:day AS timestamp) AT TIME ZONE 'UTC'
                  AND timestamp_utc < (CAST(:day AS timestamp) + interval '1 day') AT TIME ZONE 'UTC')
            WHERE day = :day
        """),
        {"day": day},
    )


_TOTALS = ("up_seen_us", "up_inferred_us", "down_seen_us", "down_inferred_us", "unknown_us")


def _remove_report_rows(session: Session, store_key: int) -> None:
    """Removes a store's row from every report, and what it added to the report's summary."""
    query = select(Report.report_no, Report.window_names, Report.summary, StoreReport).join(
        StoreReport,
        (StoreReport.report_no == Report.report_no)
        & (StoreReport.attempt == Report.attempt)
        & (StoreReport.store_key == store_key),
    )
    for number, names, summary, row in session.execute(query).all():
        less = _without(summary or {}, names, row)
        session.execute(update(Report).where(Report.report_no == number).values(summary=less))
        session.execute(
            delete(StoreReport).where(
                StoreReport.report_no == number,
                StoreReport.attempt == row.attempt,
                StoreReport.store_key == store_key,
            )
        )


def _without(summary: dict[str, Any], names: list[str], row: StoreReport) -> dict[str, Any]:
    """A report's summary less one of its rows."""
    windows = {
        name: summary["windows"][name]
        | {total: summary["windows"][name][total] - getattr(row, total)[at] for total in _TOTALS}
        for at, name in enumerate(names)
    }
    return summary | {
        "stores": summary["stores"] - 1,
        "open_24x7": summary["open_24x7"] - (row.hours_given is False),
        "default_zone": summary["default_zone"] - (row.zone_given is False),
        "windows": windows,
    }
