"""Taking out everything, or a store with all that hangs on it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from storewatch.domain.clock import to_us
from storewatch.storage import polls
from storewatch.storage.report_rows import TOTALS
from storewatch.storage.tables import DeletedPoll, Report, Store, StoreReport


def empty(session: Session) -> None:
    """Removes every store, poll, import and report; the schema stays."""
    for day in polls.days(session):
        session.execute(text(f"DROP TABLE {polls.partition_name(day)}"))
    session.execute(
        text(
            "TRUNCATE store, import, report, store_report, store_status_day, deleted_poll, store_day,"
            " store_period, history_due, fleet_day, fleet_due, poll_stretch"
            " CASCADE"
        )
    )
    session.execute(text("UPDATE retention SET polls_from = '-infinity'"))


def remove_store(session: Session, store_key: int) -> int:
    """Removes a store and all that hangs on it. Returns how many polls it had.

    The caller holds the locks of every kind of import, and `stores.may_go`.
    """
    gone = remove_polls(session, store_key)
    session.execute(delete(DeletedPoll).where(DeletedPoll.store_key == store_key))
    _remove_report_rows(session, store_key)
    session.execute(delete(Store).where(Store.store_key == store_key))
    return gone[0] if gone else 0


def remove_polls(
    session: Session,
    store_key: int,
    first: datetime | None = None,
    end: datetime | None = None,
    *,
    for_good: bool = False,
) -> tuple[int, int, int] | None:
    """Removes a store's polls in [first, end), None being no bound, and keeps the tally of their days.

    `for_good` notes them, so that no import brings them back. Returns how many, the first of them and the
    last (microseconds); None if there were none.
    """
    days = session.execute(
        text(_REMOVE_POLLS), {"store_key": store_key, "first": first, "end": end, "for_good": for_good}
    ).all()
    for row in days:
        if row.newest_gone and row.left:
            _find_newest(session, row.day)
    if not days:
        return None
    first_gone, last_gone = min(row.first for row in days), max(row.last for row in days)
    return sum(row.gone for row in days), to_us(first_gone), to_us(last_gone)


_REMOVE_POLLS = """
    WITH gone AS (
        DELETE FROM store_status WHERE store_key = :store_key
        AND timestamp_utc >= coalesce(CAST(:first AS timestamptz), '-infinity')
        AND timestamp_utc < coalesce(CAST(:end AS timestamptz), 'infinity')
        RETURNING timestamp_utc
    ), noted AS (
        INSERT INTO deleted_poll (store_key, timestamp_utc)
        SELECT :store_key, timestamp_utc FROM gone WHERE CAST(:for_good AS boolean)
        ON CONFLICT DO NOTHING
    )
    UPDATE store_status_day AS d SET polls = d.polls - g.polls
    FROM (SELECT (timestamp_utc AT TIME ZONE 'UTC')::date AS day, count(*) AS polls,
                 min(timestamp_utc) AS first, max(timestamp_utc) AS last
          FROM gone GROUP BY 1) AS g
    WHERE d.day = g.day
    RETURNING d.day, g.polls AS gone, d.polls AS left, g.first, g.last, d.newest = g.last AS newest_gone
"""


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
    none = [0] * len(names)  # what rows of older versions lack
    said = summary["windows"]
    windows = {
        name: said[name] | {t: said[name].get(t, 0) - (getattr(row, t) or none)[at] for t in TOTALS}
        for at, name in enumerate(names)
    }
    return summary | {
        "stores": summary["stores"] - 1,
        "open_24x7": summary["open_24x7"] - (row.hours_given is False),
        "default_zone": summary["default_zone"] - (row.zone_given is False),
        "windows": windows,
    }
