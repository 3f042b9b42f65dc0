"""Reports: asked for, made, read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import polars as pl
import structlog
from sqlalchemy.orm import Session

from storewatch import __version__
from storewatch.domain import zones
from storewatch.domain.availability import Policy
from storewatch.domain.clock import DAY, EARLIEST, MINUTE, SECOND, from_us, parse_duration
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.errors import (
    NoPollsError,
    NotFoundError,
    ReportFailedError,
    SettingsError,
    SlowDownError,
    UsageError,
)
from storewatch.outbound.webhooks import check_url
from storewatch.services import making
from storewatch.services.making import Progress
from storewatch.services.shards import Spread
from storewatch.storage import (
    accounts,
    audit,
    groups,
    polls,
    queue,
    report_rows,
    reports,
    stores,
)
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

log = structlog.get_logger()

QUEUE = "reports"
TASK = "make_report"
MOST_WAITING = 20
"""So many reports one person may have waiting: others' wait behind them."""
_AGAIN_S = 5

MIN_GAP, MAX_GAP = MINUTE, 30 * DAY
MIN_WINDOW, MAX_WINDOW, MOST_WINDOWS = MINUTE, 366 * DAY, 12
WINDOW_NAME = r"^[a-z][a-z0-9_]{0,39}$"
MOST_STORES, MOST_GROUPS = 10_000, 100


@dataclass(frozen=True)
class Request:
    """What a report is asked for. `as_of` None: the newest poll. Times in microseconds.

    `store_ids` and `group_ids` choose stores, the ones and the others together; None in both: all stores
    that the caller may see. `webhook` is told when it is finished. `raw`: as if there were no exceptions;
    a report holds both.
    """

    as_of: int | None = None
    policy: Policy = Policy.NEAREST
    max_gap: int = DAY
    seen_within: int = 45 * MINUTE
    default_zone: str = zones.DEFAULT_ZONE
    windows: tuple[Elapsed, ...] = CLASSIC
    store_ids: tuple[str, ...] | None = None
    group_ids: tuple[UUID, ...] | None = None
    webhook: str | None = None
    raw: bool = False

    def checked(self, now_us: int) -> Request:
        """Itself, if it makes sense; UsageError names the field that does not."""
        if self.as_of is not None and self.as_of > now_us:
            raise UsageError("as_of lies in the future", field="as_of")
        if self.as_of is not None and self.as_of < EARLIEST:
            raise UsageError("as_of lies before the year 2000", field="as_of")
        if not MIN_GAP <= self.max_gap <= MAX_GAP:
            raise UsageError("max_gap must be between 1 minute and 30 days", field="max_gap")
        if len(self.store_ids or ()) > MOST_STORES:
            raise UsageError(f"There may be {MOST_STORES:,} stores; make a group of them", field="store_ids")
        if len(self.group_ids or ()) > MOST_GROUPS:
            raise UsageError(f"There may be {MOST_GROUPS} groups", field="group_ids")
        check_windows(self.windows)
        if self.webhook is not None:
            check_url(self.webhook)
        return self


def check_windows(windows: tuple[Elapsed, ...]) -> None:
    """UsageError says which window cannot be had."""
    if not 1 <= len(windows) <= MOST_WINDOWS:
        raise UsageError(f"There must be 1 to {MOST_WINDOWS} windows", field="windows")
    if len({window.name for window in windows}) < len(windows):
        raise UsageError("Each window needs a name of its own", field="windows")
    usual_length = {window.name: window.length_us for window in CLASSIC}
    for name, length in ((window.name, window.length_us) for window in windows):
        if not re.fullmatch(WINDOW_NAME, name):
            raise UsageError(f"'{name[:60]}' must be a name like last_month", field="windows")
        if not MIN_WINDOW <= length <= MAX_WINDOW:
            raise UsageError(f"{name} must be 1 minute to 366 days long", field="windows")
        if length != usual_length.get(name, length):
            raise UsageError(f"{name} has {usual_length[name] // SECOND} seconds", field="windows")


def usual(seen_within: str, default_zone: str) -> Request:
    """The report that is made if nothing is asked for in particular, from two settings as text."""
    length = parse_duration(seen_within)
    if not length:
        raise SettingsError(f"STOREWATCH_SEEN_WITHIN is '{seen_within}': write it like 45m")
    if default_zone not in zones.names():
        raise SettingsError(
            f"STOREWATCH_DEFAULT_ZONE is '{default_zone}': write an IANA time zone like America/Chicago"
        )
    return Request(seen_within=length, default_zone=default_zone)


# --- asking ---------------------------------------------------------------------------------------


def trigger(database: Database, caller: Caller, request: Request, now_us: int) -> UUID:
    """Queues a report for the worker; the row and the job are committed together.

    SlowDownError if so many of the caller's wait already that others would wait behind them.
    """
    with database.transaction() as session:
        _check_queue(session, caller)
        report_id = trigger_within(session, caller, request, now_us).report_id
    log.info("report queued", report_id=str(report_id))
    return report_id


def _check_queue(session: Session, caller: Caller) -> None:
    if caller.account_no is None:
        return
    accounts.locked(session, caller.account_no)  # so that two at once cannot make one too many
    if reports.unfinished(session, caller.account_no) >= MOST_WAITING:
        raise SlowDownError(
            f"{MOST_WAITING} of your reports wait or are being made: let one finish, or cancel one, "
            "then ask again",
            _AGAIN_S,
        )


def trigger_within(session: Session, caller: Caller, request: Request, now_us: int) -> Report:
    """The same as part of a transaction."""
    report = _add(session, caller, request.checked(now_us))
    queue.defer(session, QUEUE, TASK, report_id=str(report.report_id))
    return report


def make_now(
    database: Database,
    caller: Caller,
    request: Request,
    now_us: int,
    progress: Progress,
    by: Spread | None = None,
) -> Report:
    """Makes a report here and now, by the same steps as the worker. ReportFailedError if it fails."""
    with database.transaction() as session:
        report_id = _add(session, caller, request.checked(now_us)).report_id
    making.make(database, report_id, progress, by)
    report = get(database, caller, report_id)
    if report.status != "complete":
        raise ReportFailedError(report.error or "the report was not completed")
    return report


def _add(session: Session, caller: Caller, request: Request) -> Report:
    if polls.newest(session) is None:
        raise NoPollsError("There are no polls yet, so there is nothing to report: import store_status first")
    _check_chosen(session, caller, request)
    report = reports.add(
        session,
        {
            "report_id": uuid4(),
            "account_no": caller.account_no,
            "as_of_asked": None if request.as_of is None else from_us(request.as_of),
            "policy": request.policy.value,
            "max_gap_us": request.max_gap,
            "seen_within_us": request.seen_within,
            "default_zone": request.default_zone,
            "window_names": [window.name for window in request.windows],
            "window_us": [window.length_us for window in request.windows],
            "storewatch_version": __version__,
            "zone_data_version": zones.version(),
            "store_ids": None if request.store_ids is None else list(request.store_ids),
            "group_ids": None if request.group_ids is None else list(request.group_ids),
            "webhook": request.webhook,
        },
    )
    audit.record(session, caller, "create", "report", report.report_id)
    return report


def _check_chosen(session: Session, caller: Caller, request: Request) -> None:
    """Names what is not there or not the caller's to see: to them that is the same."""
    ids = list(request.store_ids or ())
    lacking = set(ids) - stores.seen_ids(session, ids, caller.seen_by)
    if lacking:
        raise NotFoundError(f"There is no store '{min(lacking)}'")
    for group_id in request.group_ids or ():
        if groups.find(session, group_id, caller.seen_by) is None:
            raise NotFoundError(f"There is no group '{group_id}'")


def has_polls(database: Database) -> bool:
    """Whether there is anything to report on."""
    with database.session() as session:
        return polls.newest(session) is not None


# --- reading --------------------------------------------------------------------------------------


def get(database: Database, caller: Caller, report_id: UUID) -> Report:
    """A report that the caller made, or any for who sees all. NotFoundError without one."""
    with database.session() as session:
        report = reports.find(session, report_id, caller.seen_by)
    if report is None:
        raise NotFoundError(f"There is no report {report_id}")
    return report


def latest(database: Database, caller: Caller, count: int = 10) -> list[Report]:
    """The caller's newest reports, or everybody's for who sees all; newest first."""
    with database.session() as session:
        return reports.latest(session, count, caller.seen_by)


def is_classic(report: Report) -> bool:
    """Whether a report has the windows of the seven columns."""
    return {window.name for window in CLASSIC} <= set(report.window_names)


def rows(
    database: Database, caller: Caller, report: Report, *, extended: bool = False, raw: bool = False
) -> Iterator[pl.DataFrame]:
    """The rows of a complete report, as far as the caller may see their stores now, in frames, by store id
    in code point order; one state throughout. `raw`: as if there were no exceptions.
    """
    with database.snapshot() as session:
        yield from report_rows.frames(session, report, caller.seen_by, extended=extended, raw_figures=raw)


def remove_old(database: Database, keep_us: int) -> int:
    """Removes finished reports older than that, unless pinned."""
    with database.transaction() as session:
        return reports.remove_older(session, datetime.now(UTC) - timedelta(microseconds=keep_us))
