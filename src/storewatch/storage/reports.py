"""Reports: their durable status. Their rows are in `report_rows`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, text, true, update
from sqlalchemy.orm import Session

from storewatch.storage.tables import Report, StoreReport

FINISHED = ("complete", "failed", "cancelled")


def add(session: Session, values: dict[str, Any]) -> Report:
    """Adds a queued report."""
    return session.execute(insert(Report).values(status="queued", **values).returning(Report)).scalar_one()


def find(session: Session, report_id: UUID, made_by: int | None, *, lock: bool = False) -> Report | None:
    """The report of that id; one person's only, unless that is None. With `lock` nobody changes it until
    the end of the transaction.
    """
    query = select(Report).where(Report.report_id == report_id, _made_by(made_by))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.execute(query).scalar_one_or_none()


def _made_by(account_no: int | None) -> ColumnElement[bool]:
    return true() if account_no is None else Report.account_no == account_no


def latest(session: Session, count: int, made_by: int | None) -> list[Report]:
    """The newest reports, newest first; one person's only, unless that is None."""
    query = select(Report).where(_made_by(made_by))
    newest = query.order_by(Report.created_at.desc(), Report.report_no.desc()).limit(count)
    return list(session.execute(newest).scalars())


def unfinished(session: Session, made_by: int) -> int:
    """How many reports of a person wait or are being made."""
    mine = Report.account_no == made_by, Report.status.in_(("queued", "running"))
    return session.execute(select(func.count()).select_from(Report).where(*mine)).scalar_one()


@dataclass(frozen=True)
class Which:
    """Which reports of a list; None asks for nothing."""

    status: str | None = None
    pinned: bool | None = None


def page(
    session: Session, made_by: int | None, which: Which, after: tuple[datetime, UUID] | None, count: int
) -> list[Report]:
    """Reports, newest first, those after (created_at, report_id); one person's only, unless that is None."""
    query = select(Report).where(_made_by(made_by))
    if which.status is not None:
        query = query.where(Report.status == which.status)
    if which.pinned is not None:
        query = query.where(Report.pinned == which.pinned)
    if after is not None:
        moment, report_id = after
        same = and_(Report.created_at == moment, Report.report_id > report_id)
        query = query.where(or_(Report.created_at < moment, same))
    newest = query.order_by(Report.created_at.desc(), Report.report_id).limit(count)
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


def set_progress(session: Session, report: Report, percent: int) -> bool:
    """Notes how far this attempt is; False if it is no longer wanted: cancelled, deleted, taken over. A crash
    may lose the note, for which nobody waits until it is on the disk.
    """
    session.execute(text("SET LOCAL synchronous_commit = off"))
    query = update(Report).where(*_this_attempt(report)).values(progress=percent)
    return session.execute(query.returning(Report.report_no)).first() is not None


def is_wanted(session: Session, report: Report) -> bool:
    """Whether this attempt is still wanted: not cancelled, deleted or taken over."""
    return session.execute(select(Report.report_no).where(*_this_attempt(report))).first() is not None


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


def uncount(session: Session, report: Report) -> None:
    """Takes back that this attempt, which is over, was counted; unless another one has begun."""
    session.execute(update(Report).where(*_this_attempt(report)).values(attempt=Report.attempt - 1))


def cancel(session: Session, report: Report) -> bool:
    """Marks a report cancelled, whatever attempt is at it; False if it is finished."""
    query = update(Report).where(Report.report_no == report.report_no, Report.status.not_in(FINISHED))
    done = query.values(status="cancelled", finished_at=func.clock_timestamp())
    return session.execute(done.returning(Report.report_no)).first() is not None


def pin(session: Session, report: Report, pinned: bool) -> None:
    """Says whether a report is kept whatever its age."""
    session.execute(update(Report).where(Report.report_no == report.report_no).values(pinned=pinned))


def remove(session: Session, report: Report) -> None:
    """Removes a report and its rows. An attempt that is under way finds it gone, and its rows with it."""
    session.execute(delete(Report).where(Report.report_no == report.report_no))
    session.execute(delete(StoreReport).where(StoreReport.report_no == report.report_no))


def _this_attempt(report: Report) -> tuple[Any, ...]:
    return Report.report_no == report.report_no, Report.attempt == report.attempt, Report.status == "running"


def remove_older(session: Session, before: datetime) -> int:
    """Removes finished reports created before an instant, unless pinned. Returns how many."""
    old = session.execute(
        delete(Report)
        .where(Report.created_at < before, ~Report.pinned, Report.status.in_(FINISHED))
        .returning(Report.report_no)
    ).scalars()
    numbers = list(old)
    session.execute(delete(StoreReport).where(StoreReport.report_no.in_(numbers)))
    return len(numbers)
