"""Reports: their durable status, their rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, delete, func, insert, select, text, true, update
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.storage.arrays import read_arrays
from storewatch.storage.copying import copy_rows
from storewatch.storage.db import raw
from storewatch.storage.sight import SEEN
from storewatch.storage.tables import Report, StoreReport

_TOTALS = [f"{kind.name.lower()}_us" for kind in Kind]


def add(session: Session, values: dict[str, Any]) -> Report:
    """Adds a queued report."""
    return session.execute(insert(Report).values(status="queued", **values).returning(Report)).scalar_one()


def find(session: Session, report_id: UUID, made_by: int | None) -> Report | None:
    """The report of that id; one person's only, unless that is None."""
    query = select(Report).where(Report.report_id == report_id, _made_by(made_by))
    return session.execute(query).scalar_one_or_none()


def _made_by(account_no: int | None) -> ColumnElement[bool]:
    return true() if account_no is None else Report.account_no == account_no


def latest(session: Session, count: int, made_by: int | None) -> list[Report]:
    """The newest reports, newest first; one person's only, unless that is None."""
    query = select(Report).where(_made_by(made_by))
    newest = query.order_by(Report.created_at.desc(), Report.report_no.desc()).limit(count)
    return list(session.execute(newest).scalars())


def begin_attempt(session: Session, report_id: UUID) -> Report | None:
    """Marks a report as running and counts the attempt; None if it is finished or gone."""
    query = (
        update(Report)
        .where(Report.report_id == report_id, Report.status.in_(("queued", "running")))
        .values(
            status="running",
            attempt=Report.attempt + 1,
            progress=0,
            started_at=func.coalesce(Report.started_at, func.clock_timestamp()),
        )
        .returning(Report)
    )
    return session.execute(query).scalar_one_or_none()


def set_progress(session: Session, report: Report, percent: int) -> None:
    """Notes how far this attempt is."""
    session.execute(update(Report).where(*_this_attempt(report)).values(progress=percent))


def complete(session: Session, report: Report, values: dict[str, Any]) -> bool:
    """Marks a report complete, unless another attempt has taken it over meanwhile: then False.

    In the same transaction as the rows, so that they are there together or not at all.
    """
    query = update(Report).where(*_this_attempt(report))
    done = query.values(status="complete", progress=100, finished_at=func.clock_timestamp(), **values)
    return session.execute(done.returning(Report.report_no)).first() is not None


def fail(session: Session, report: Report, error: str) -> bool:
    """Marks a report failed, with the reason in plain words; False if another attempt has it."""
    query = update(Report).where(*_this_attempt(report))
    done = query.values(status="failed", error=error, finished_at=func.clock_timestamp())
    return session.execute(done.returning(Report.report_no)).first() is not None


def _this_attempt(report: Report) -> tuple[Any, ...]:
    return Report.report_no == report.report_no, Report.attempt == report.attempt, Report.status == "running"


def add_rows(session: Session, report: Report, store_keys: NDArray[np.int32], totals: Int64) -> None:
    """Adds rows of this attempt: `totals` int64[stores, windows, 5] in the order of `store_keys`."""
    if not len(store_keys):
        return
    number, attempt = (np.full(len(store_keys), n, np.int32) for n in (report.report_no, report.attempt))
    arrays = [np.ascontiguousarray(totals[:, :, kind]) for kind in Kind]
    statement = (
        f"COPY store_report (report_no, attempt, store_key, {', '.join(_TOTALS)}) FROM STDIN (FORMAT binary)"
    )
    copy_rows(raw(session), statement, [[number, attempt, store_keys, *arrays]])


def rows(
    session: Session, report: Report, seen_by: int | None = None, at_once: int = 20_000
) -> Iterator[pl.DataFrame]:
    """A report's rows of the stores that may be seen, by store id in code point order, in frames of at most
    `at_once` rows.

    Columns: store_id, and for each total a column `{total}_us` of arrays, an element a window.
    """
    windows = len(report.window_names)
    query = _page_query(windows)
    after = ""
    while True:
        ids = _page_of_ids(session, report.report_no, after, at_once, seen_by)
        if not ids:
            return
        bounds = {"report_no": report.report_no, "after": after, "last": ids[-1], "seen_by": seen_by}
        columns = read_arrays(session, query, bounds, (">i8",) * (len(_TOTALS) * windows))
        totals = {
            name: np.stack(columns[number * windows : (number + 1) * windows], axis=1)
            for number, name in enumerate(_TOTALS)
        }
        yield pl.DataFrame({"store_id": ids} | totals, {"store_id": pl.String} | dict.fromkeys(totals))
        after = ids[-1]


def _page_of_ids(
    session: Session, report_no: int, after: str, at_once: int, seen_by: int | None
) -> list[str]:
    query = text(f"""
        SELECT s.store_id FROM store_report AS t JOIN store AS s USING (store_key)
        WHERE t.report_no = :report_no AND s.store_id > :after AND {SEEN}
        ORDER BY s.store_id LIMIT :at_once
    """)
    bounds = {"report_no": report_no, "after": after, "at_once": at_once, "seen_by": seen_by}
    return list(session.execute(query, bounds).scalars())


def _page_query(windows: int) -> str:
    """One array a total and window, over the rows of a page."""
    arrays = [f"array_agg({name}[{number}])" for name in _TOTALS for number in range(1, windows + 1)]
    return f"""
        SELECT {", ".join(arrays)} FROM (
            SELECT t.* FROM store_report AS t JOIN store AS s USING (store_key)
            WHERE t.report_no = :report_no AND s.store_id > :after AND s.store_id <= :last
                AND {SEEN}
            ORDER BY s.store_id
        ) AS page
    """


def remove_older(session: Session, before: datetime) -> int:
    """Removes finished reports created before an instant, unless pinned. Returns how many."""
    old = session.execute(
        delete(Report)
        .where(Report.created_at < before, ~Report.pinned, Report.status.in_(("complete", "failed")))
        .returning(Report.report_no)
    ).scalars()
    numbers = list(old)
    session.execute(delete(StoreReport).where(StoreReport.report_no.in_(numbers)))
    return len(numbers)
