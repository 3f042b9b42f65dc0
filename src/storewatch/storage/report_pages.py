"""What the pages of reports ask of the database: sheets of rows, two reports side by side, the queue, polls
that came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storewatch.storage.arrays import read_arrays
from storewatch.storage.report_rows import TOTALS, Asked, conditions_of, figures_at, key_of
from storewatch.storage.sight import SEEN, seen
from storewatch.storage.tables import Report, Store, StoreReport


def sheet(
    session: Session, report: Report, seen_by: int | None, asked: Asked, offset: int, count: int
) -> tuple[list[dict[str, Any]], int]:
    """Rows of the stores that may be seen, from a place on in their order, and how many there are in all. A
    row has store_id, name, location and the lists of `TOTALS`.
    """
    figures = figures_at(asked.window + 1)
    key = key_of(asked, figures)
    chosen = (
        select(StoreReport.store_key)
        .join(Store, Store.store_key == StoreReport.store_key)
        .where(StoreReport.report_no == report.report_no, seen(Store.store_key, seen_by))
        .where(*conditions_of(asked, figures))
    )
    total = session.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
    order = key.desc() if asked.descending else key.asc()
    placed = chosen.add_columns(func.row_number().over(order_by=(order, Store.store_id)).label("place"))
    few = placed.order_by(order, Store.store_id).offset(offset).limit(count).subquery()
    said = (Store.store_id, Store.name, Store.location, *(getattr(StoreReport, name) for name in TOTALS))
    query = (
        select(*said)  # the lists are read for these few alone
        .join(Store, Store.store_key == StoreReport.store_key)
        .join(few, few.c.store_key == StoreReport.store_key)
        .where(StoreReport.report_no == report.report_no)
        .order_by(few.c.place)
    )
    return [dict(row) for row in session.execute(query).mappings()], total


@dataclass(frozen=True)
class Changed:
    """A store's time up and down in one report and in the other, in microseconds."""

    store_id: str
    name: str | None
    up: int
    down: int
    up_before: int
    down_before: int


def beside(
    session: Session, report: Report, other: Report, seen_by: int | None, window: str, count: int
) -> tuple[int, list[Changed]]:
    """How many stores that may be seen are in both reports; and those whose downtime in a window differs
    most, the most first.
    """
    query = text(f"""
        WITH pairs AS MATERIALIZED (
            SELECT store_key, {_sums("s", ":at")}, {_sums("o", ":other_at", "_before")}
            FROM store_report AS s JOIN store_report AS o USING (store_key)
            WHERE s.report_no = :report_no AND o.report_no = :other_no AND {SEEN}
        ), most AS (
            SELECT * FROM pairs WHERE down <> down_before
            ORDER BY abs(down - down_before) DESC, store_key LIMIT :count
        )
        SELECT (SELECT count(*) FROM pairs) AS common, store_id, name, up, down, up_before, down_before
        FROM (VALUES (1)) AS one LEFT JOIN most ON true LEFT JOIN store USING (store_key)
        ORDER BY abs(down - down_before) DESC, store_key
    """)
    values = {
        "report_no": report.report_no,
        "other_no": other.report_no,
        "seen_by": seen_by,
        "at": report.window_names.index(window) + 1,
        "other_at": other.window_names.index(window) + 1,
        "count": count,
    }
    rows = session.execute(query, values).all()
    return rows[0].common, [Changed(*row[1:]) for row in rows if row.store_id is not None]


def _sums(table: str, at: str, suffix: str = "") -> str:
    return ", ".join(
        f"{table}.{state}_seen_us[{at}] + {table}.{state}_inferred_us[{at}] AS {state}{suffix}"
        for state in ("up", "down")
    )


def ahead(session: Session, report: Report) -> int:
    """How many reports wait or run that were asked for before this one."""
    query = select(func.count()).where(
        Report.status.in_(("queued", "running")), Report.report_no < report.report_no
    )
    return session.execute(query).scalar_one()


def others(session: Session, report: Report, made_by: int | None, count: int) -> list[Report]:
    """Complete reports with the same windows as this one, newest first; one person's only, unless that is
    None.
    """
    query = select(Report).where(
        Report.status == "complete",
        Report.report_no != report.report_no,
        Report.window_names == report.window_names,
        Report.window_us == report.window_us,
    )
    if made_by is not None:
        query = query.where(Report.account_no == made_by)
    newest = query.order_by(Report.created_at.desc(), Report.report_no.desc()).limit(count)
    return list(session.execute(newest).scalars())


def later_import(session: Session, report: Report) -> int | None:
    """The first import that a report cannot have seen, of those that brought or changed polls."""
    query = text("""
        SELECT min(import_no) FROM import
        WHERE import_no > :last AND kind = 'store_status' AND rows_new + rows_corrected > 0
    """)
    return session.execute(query, {"last": report.last_import or 0}).scalar()


def late_polls(
    session: Session, first: int, store_keys: NDArray[np.int32], since: datetime, until: datetime
) -> int:
    """How many polls of stores in [since, until], both included, are of an import or of one after it."""
    which = f"import_no >= {first:d} AND timestamp_utc BETWEEN '{since}' AND '{until}'"
    if len(store_keys) <= _FEW:  # which their index finds; of more, it is soon seen who the late ones are of
        which += f" AND store_key = ANY('{{{','.join(map(str, store_keys.tolist()))}}}'::int[])"
    query = f"""
        SELECT array_agg(store_key), array_agg(polls) FROM (
            SELECT store_key, count(*) AS polls FROM store_status WHERE {which} GROUP BY store_key) AS late
    """
    key, polls = read_arrays(session, query, {}, (">i4", ">i8"))
    return int(polls[np.isin(key, store_keys)].sum())


_FEW = 500


def maybe_more(session: Session, report: Report) -> bool:
    """Whether polls may have changed since in a way that no import's number tells: by hand, or by an import
    that was at its end when the report began.
    """
    query = text("""
        SELECT EXISTS (SELECT FROM audit WHERE kind = 'poll' AND at >= :began)
            OR EXISTS (SELECT FROM import
                       WHERE kind = 'store_status' AND import_no <= :last AND finished_at >= :began)
    """)
    return bool(
        session.execute(query, {"began": report.started_at, "last": report.last_import or 0}).scalar_one()
    )
