"""Reports as a list of things that people keep: listed, pinned, cancelled, removed, read row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.clock import SECOND, iso, to_us
from storewatch.domain.permissions import Caller
from storewatch.errors import ConflictError, NotFoundError
from storewatch.formats.report_files import FORMATS, Content
from storewatch.services import announcing, report_figures, reporting
from storewatch.services.report_figures import Summary
from storewatch.storage import audit, exceptions_in_force, groups, report_rows, reports, stores
from storewatch.storage.db import Database
from storewatch.storage.report_rows import Asked
from storewatch.storage.reports import Which
from storewatch.storage.tables import Report
from storewatch.storage.truth_tables import ExceptionRow


@dataclass(frozen=True)
class Found:
    """A report as its reader may see it now: without stores and groups that are no longer theirs."""

    report: Report
    summary: Summary | None
    store_ids: list[str] | None
    group_ids: list[UUID] | None
    exceptions: list[ExceptionRow]


def page(
    database: Database, caller: Caller, which: Which, after: tuple[datetime, UUID] | None, count: int
) -> list[Report]:
    """The caller's reports, or everybody's for who sees all; newest first."""
    with database.session() as session:
        return reports.page(session, caller.seen_by, which, after, count)


def get(database: Database, caller: Caller, report_id: UUID) -> Found:
    """A report that the caller made, or any for who sees all. NotFoundError without one."""
    return _found(database, caller, reporting.get(database, caller, report_id))


def pin(
    database: Database, caller: Caller, report_id: UUID, pinned: bool, check: Callable[[Found], None]
) -> Found:
    """Pins a report, so that it is kept whatever its age, or unpins it. `check` looks at it while it is
    locked, and raises if it must not be changed.
    """
    with database.transaction() as session:
        report = _locked(session, caller, report_id)
        check(_found(database, caller, report))
        if pinned != report.pinned:
            reports.pin(session, report, pinned)
            audit.record(session, caller, "pin" if pinned else "unpin", "report", report_id)
    return get(database, caller, report_id)


def cancel(database: Database, caller: Caller, report_id: UUID) -> Found:
    """Cancels a report that waits or runs: its rows will never be seen. ConflictError if it is finished."""
    with database.transaction() as session:
        report = _locked(session, caller, report_id)
        if not reports.cancel(session, report):
            raise ConflictError(f"The report is finished: it is {report.status}")
        announcing.defer(session, report)
        audit.record(session, caller, "cancel", "report", report_id)
    return get(database, caller, report_id)


def delete(database: Database, caller: Caller, report_id: UUID) -> None:
    """Removes a report and its rows, pinned or not; one that runs stops soon."""
    with database.transaction() as session:
        reports.remove(session, _locked(session, caller, report_id))
        audit.record(session, caller, "delete", "report", report_id)


def rows(
    database: Database, caller: Caller, report: Report, asked: Asked, after: Sequence[Any] | None, count: int
) -> list[dict[str, Any]]:
    """Rows of a complete report, as far as the caller may see their stores now. NotFoundError for a group
    that they may not see.
    """
    with database.session() as session:
        if asked.group_id is not None and groups.find(session, asked.group_id, caller.seen_by) is None:
            raise NotFoundError(f"There is no group '{asked.group_id}'")
        return report_rows.page(session, report, caller.seen_by, asked, after, count)


def file(
    database: Database,
    caller: Caller,
    report: Report,
    format_: str,
    *,
    extended: bool = False,
    raw: bool = False,
) -> Iterator[bytes]:
    """A complete report as a file of one of `report_files.FORMATS`, in chunks, with the rows that the caller
    may see now; `raw` as if there were no exceptions. ConflictError if it can't be had in this form.
    """
    if not extended and not reporting.is_classic(report):
        raise ConflictError("The report has other windows than the seven columns: take the extended form")
    kind = FORMATS[format_]
    if (
        kind.most is not None
        and report_figures.stores(database, caller, [report])[report.report_no] > kind.most
    ):
        raise ConflictError(f"The report has more than the {kind.most:,} rows of such a file: take CSV")
    frames = reporting.rows(database, caller, report, extended=extended, raw=raw)
    about = _about(report) | {"figures": "raw" if raw else "adjusted"}
    by = _found(database, caller, report).exceptions
    return kind.chunks(Content(frames, report.window_names, about, [_told(row) for row in by], extended))


def _told(row: ExceptionRow) -> dict[str, Any]:
    """An exception as files list it."""
    start, end = (row.start_at, row.end_at) if row.start_at else (row.start_local, row.end_local)
    return {
        "exception_id": str(row.exception_id),
        "effect": row.effect,
        "start": start.isoformat() if start else None,
        "end": end.isoformat() if end else None,
        "rrule": row.rrule,
        "note": row.note,
    }


def _about(report: Report) -> dict[str, Any]:
    """Which report it is, and by which rules: a file that was sent on still says it."""
    windows = zip(report.window_names, report.window_us, strict=True)
    return {
        "report_id": str(report.report_id),
        "as_of": iso(to_us(report.as_of)) if report.as_of else None,
        "policy": report.policy,
        "max_gap_seconds": report.max_gap_us / SECOND,
        "seen_within_seconds": report.seen_within_us / SECOND,
        "default_zone": report.default_zone,
        "window_seconds": {name: length / SECOND for name, length in windows},
    }


def _locked(session: Session, caller: Caller, report_id: UUID) -> Report:
    report = reports.find(session, report_id, caller.seen_by, lock=True)
    if report is None:
        raise NotFoundError(f"There is no report {report_id}")
    return report


def _found(database: Database, caller: Caller, report: Report) -> Found:
    summary = report_figures.seen(database, caller, report)
    with database.session() as session:
        numbers = summary.exceptions if summary else []
        by = exceptions_in_force.seen(session, numbers, caller.seen_by) if numbers else []
        if caller.seen_by is None:
            return Found(report, summary, report.store_ids, report.group_ids, by)
        store_ids, group_ids = report.store_ids, report.group_ids
        if store_ids is not None:
            theirs = stores.seen_ids(session, store_ids, caller.seen_by)
            store_ids = [store_id for store_id in store_ids if store_id in theirs]
        if group_ids is not None:
            group_ids = [one for one in group_ids if groups.find(session, one, caller.seen_by)]
        return Found(report, summary, store_ids, group_ids, by)
