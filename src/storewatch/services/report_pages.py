"""What the pages of reports show beside a report: its rows, its way, another one, what came later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.availability import Policy
from storewatch.domain.clock import from_us, to_us
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import Elapsed
from storewatch.errors import NotFoundError
from storewatch.services import report_figures, reporting
from storewatch.services.report_figures import Summary
from storewatch.services.reporting import Request
from storewatch.storage import accounts, groups, polls, report_pages, stores
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database
from storewatch.storage.report_pages import Changed
from storewatch.storage.report_rows import Asked
from storewatch.storage.stores import Chosen
from storewatch.storage.tables import Report

_MOST_CHANGED = 10
_MOST_OTHERS = 25
_MOST_GROUPS = 100


@dataclass(frozen=True)
class Sheet:
    """Some rows of a report, and how many fit what was asked for."""

    rows: list[dict[str, Any]]
    total: int


def sheet(database: Database, caller: Caller, report: Report, asked: Asked, offset: int, count: int) -> Sheet:
    """Rows of a complete report, as far as the caller may see their stores now. NotFoundError for a group
    that they may not see.
    """
    with database.session() as session:
        if asked.group_id is not None and groups.find(session, asked.group_id, caller.seen_by) is None:
            raise NotFoundError(f"There is no group '{asked.group_id}'")
        return Sheet(*report_pages.sheet(session, report, caller.seen_by, asked, offset, count))


def groups_of(database: Database, caller: Caller) -> list[StoreGroup]:
    """The groups that rows can be chosen by, by name: the first hundred that the caller may see."""
    with database.session() as session:
        return groups.page(session, caller.seen_by, "", _MOST_GROUPS)


def started_by(database: Database, caller: Caller, report: Report) -> str | None:
    """The address of who asked for a report, for those who see the reports of others."""
    if caller.seen_by is not None:
        return None
    with database.session() as session:
        return accounts.email_of(session, report.account_no)


# --- on its way -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How many reports are made before this one, None where that is not the caller's to know; how many stores
    it is about.
    """

    ahead: int | None
    stores: int


def way(database: Database, caller: Caller, report: Report) -> Way:
    """How far a report is that waits or runs."""
    with database.session() as session:
        as_of = to_us(report.as_of_asked) if report.as_of_asked else polls.newest(session)
        count = 0 if as_of is None else len(_keys(session, report, as_of))
        ahead = report_pages.ahead(session, report) if caller.seen_by is None else None
        return Way(ahead, count)


def _keys(session: Session, report: Report, as_of: int) -> Any:
    """The keys of the stores that a report would be about, were it made now."""
    sight = accounts.sight(session, report.account_no)
    chosen = Chosen(report.store_ids, report.group_ids)
    return stores.polled_until(session, from_us(as_of), sight, report.default_zone, chosen)


# --- another one ----------------------------------------------------------------------------------


def others(database: Database, caller: Caller, report: Report) -> list[Report]:
    """The newest complete reports that this one can be compared with."""
    with database.session() as session:
        return report_pages.others(session, report, caller.seen_by, _MOST_OTHERS)


@dataclass(frozen=True)
class Comparison:
    """Another report, what it says of all its stores, how many are in both, and which changed most in the
    last of the windows.
    """

    other: Report
    before: Summary
    common: int
    changed: list[Changed]


def compared(database: Database, caller: Caller, report: Report, other_id: UUID) -> Comparison:
    """A complete report beside another one. NotFoundError without such a one that is complete and has the
    same windows.
    """
    other = reporting.get(database, caller, other_id)
    before = report_figures.seen(database, caller, other)
    same = (other.window_names, other.window_us) == (report.window_names, report.window_us)
    if before is None or not same:
        raise NotFoundError(f"There is no complete report {other_id} with the same windows")
    with database.session() as session:
        last = report.window_names[-1]
        common, changed = report_pages.beside(session, report, other, caller.seen_by, last, _MOST_CHANGED)
    return Comparison(other, before, common, changed)


# --- again ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Late:
    """How many polls of a report's time came after it; `exact` is false if there may be more."""

    count: int
    exact: bool


def may_be_late(database: Database, report: Report) -> bool:
    """Whether any import brought polls since: then `late` is worth its while."""
    with database.session() as session:
        return report_pages.later_import(session, report) is not None


def late(database: Database, report: Report) -> Late:
    """Polls that a complete report would count, were it made again as of the same instant, and that were
    imported or corrected by an import after it.
    """
    assert report.as_of is not None  # noqa: S101 - a complete report has one
    as_of = to_us(report.as_of)
    with database.session() as session:
        first, count = report_pages.later_import(session, report), 0
        if first is not None:
            keys = _keys(session, report, as_of)
            since = from_us(as_of - max(report.window_us) - report.max_gap_us)
            count = report_pages.late_polls(session, first, keys, since, report.as_of)
        return Late(count, not report_pages.maybe_more(session, report))


def again(database: Database, caller: Caller, report_id: UUID, now_us: int, *, same_time: bool) -> UUID:
    """Asks for a report once more by the same request; `same_time`: as of the same instant, though it was
    asked for as of the newest poll.
    """
    report = reporting.get(database, caller, report_id)
    request = _request(report)
    if same_time and report.as_of is not None:
        request = replace(request, as_of=to_us(report.as_of))
    return reporting.trigger(database, caller, request, now_us)


def _request(report: Report) -> Request:
    """What a report was asked for."""
    windows = zip(report.window_names, report.window_us, strict=True)
    return Request(
        as_of=to_us(report.as_of_asked) if report.as_of_asked else None,
        policy=Policy(report.policy),
        max_gap=report.max_gap_us,
        seen_within=report.seen_within_us,
        default_zone=report.default_zone,
        windows=tuple(Elapsed(name, length) for name, length in windows),
        store_ids=None if report.store_ids is None else tuple(report.store_ids),
        group_ids=None if report.group_ids is None else tuple(report.group_ids),
        webhook=report.webhook,
    )
