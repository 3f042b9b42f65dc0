"""Reports: asked for, made, read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch import __version__
from storewatch.domain import hours, zones
from storewatch.domain.availability import Kind, Policy, Rules, totals_by_store
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, EARLIEST, MINUTE, from_us, parse_duration, to_us
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import CLASSIC, Elapsed, before
from storewatch.errors import (
    NoPollsError,
    NotFoundError,
    ReportFailedError,
    SettingsError,
    StorewatchError,
    UsageError,
)
from storewatch.storage import accounts, imports, polls, queue, reports, stores, weekly
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

log = structlog.get_logger()

QUEUE = "reports"
TASK = "make_report"
MAX_ATTEMPTS = 20
"""A report that took its worker down so often is given up."""

MIN_GAP, MAX_GAP = MINUTE, 30 * DAY
_STORES_AT_ONCE = 20_000  # bounds the memory of a report, whatever the fleet

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Request:
    """What a report is asked for. `as_of` None: the newest poll. Times in microseconds."""

    as_of: int | None = None
    policy: Policy = Policy.NEAREST
    max_gap: int = DAY
    seen_within: int = 45 * MINUTE
    default_zone: str = zones.DEFAULT_ZONE

    def checked(self, now_us: int) -> Request:
        """Itself, if it makes sense; UsageError names the field that does not."""
        if self.as_of is not None and self.as_of > now_us:
            raise UsageError("as_of lies in the future", field="as_of")
        if self.as_of is not None and self.as_of < EARLIEST:
            raise UsageError("as_of lies before the year 2000", field="as_of")
        if not MIN_GAP <= self.max_gap <= MAX_GAP:
            raise UsageError("max_gap must be between 1 minute and 30 days", field="max_gap")
        return self


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
    """Queues a report for the worker; the row and the job are committed together."""
    with database.transaction() as session:
        report = _add(session, caller, request.checked(now_us))
        queue.defer(session, QUEUE, TASK, report_id=str(report.report_id))
        return report.report_id


def make_now(database: Database, caller: Caller, request: Request, now_us: int, progress: Progress) -> Report:
    """Makes a report here and now, by the same steps as the worker. ReportFailedError if it fails."""
    with database.transaction() as session:
        report_id = _add(session, caller, request.checked(now_us)).report_id
    make(database, report_id, progress)
    report = get(database, caller, report_id)
    if report.status != "complete":
        raise ReportFailedError(report.error or "the report was not completed")
    return report


def _add(session: Session, caller: Caller, request: Request) -> Report:
    if polls.newest(session) is None:
        raise NoPollsError("There are no polls yet, so there is nothing to report: import store_status first")
    return reports.add(
        session,
        {
            "report_id": uuid4(),
            "account_no": caller.account_no,
            "as_of_asked": None if request.as_of is None else from_us(request.as_of),
            "policy": request.policy.value,
            "max_gap_us": request.max_gap,
            "seen_within_us": request.seen_within,
            "default_zone": request.default_zone,
            "window_names": [window.name for window in CLASSIC],
            "window_us": [window.length_us for window in CLASSIC],
            "storewatch_version": __version__,
            "zone_data_version": zones.version(),
        },
    )


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


def rows(database: Database, caller: Caller, report: Report) -> Iterator[pl.DataFrame]:
    """The rows of a complete report, as far as the caller may see their stores now, in frames, by store id
    in code point order; one state throughout.
    """
    with database.snapshot() as session:
        yield from reports.rows(session, report, caller.seen_by)


def remove_old(database: Database, keep_us: int) -> int:
    """Removes finished reports older than that, unless pinned."""
    with database.transaction() as session:
        return reports.remove_older(session, datetime.now(UTC) - timedelta(microseconds=keep_us))


# --- making ---------------------------------------------------------------------------------------


def make(database: Database, report_id: UUID, progress: Progress = lambda _: None) -> None:
    """Makes a queued report. May be run again at any time: a finished report is left as it is.

    A failure is written to the report in plain words; only what a new attempt may cure is raised.
    """
    with database.transaction() as session:
        report = reports.begin_attempt(session, report_id)
    if report is None:
        return
    if report.attempt > MAX_ATTEMPTS:
        return _fail(database, report, f"It was interrupted {MAX_ATTEMPTS} times and is given up.")
    try:
        _make(database, report, progress)
    except _TakenOverError:
        log.warning("report taken over by another attempt", report_id=str(report_id), attempt=report.attempt)
    except StorewatchError as error:
        _fail(database, report, str(error))
    except (MemoryError, ArithmeticError, ValueError, LookupError, TypeError) as error:
        log.exception("report failed", report_id=str(report_id))
        _fail(
            database,
            report,
            f"An internal error ({type(error).__name__}) stopped it; the log has the details.",
        )


def _fail(database: Database, report: Report, reason: str) -> None:
    with database.transaction() as session:
        reports.fail(session, report, reason)
    log.warning("report failed", report_id=str(report.report_id), reason=reason)


class _TakenOverError(Exception):
    """Another attempt at the same report began while this one was paused."""


def _make(database: Database, report: Report, progress: Progress) -> None:
    """Reads one state of the database, writes the rows and `complete` in one transaction."""
    began = time.perf_counter()
    with database.twin_snapshots() as sources, database.transaction() as target:
        source = sources[0]
        as_of = _as_of(source, report)
        keys = stores.polled_until(source, from_us(as_of), accounts.sight(source, report.account_no))
        tally = _Tally(len(CLASSIC))
        for first in range(0, len(keys), _STORES_AT_ONCE):
            part = keys[first : first + _STORES_AT_ONCE]
            tally.add(*_part(sources, target, report, part, as_of))
            _note(database, report, progress, 99 * (first + len(part)) // len(keys))
        seconds = round(time.perf_counter() - began, 4)
        values = {
            "as_of": from_us(as_of),
            "last_import": imports.latest(source),
            "summary": tally.summary(CLASSIC),
            "timings": {"seconds": seconds},
        }
        if not reports.complete(target, report, values):
            raise _TakenOverError  # our rows are rolled back; those of the other attempt stand
    log.info("report complete", report_id=str(report.report_id), stores=len(keys), seconds=seconds)
    progress(100)


def _as_of(session: Session, report: Report) -> int:
    if report.as_of_asked is not None:
        return to_us(report.as_of_asked)
    newest = polls.newest(session)
    if newest is None:
        raise NoPollsError("There are no polls any more, so there is nothing to report.")
    return newest


def _part(
    sources: tuple[Session, Session], target: Session, report: Report, keys: NDArray[np.int32], as_of: int
) -> tuple[Int64, NDArray[np.bool_], NDArray[np.bool_]]:
    rules = Rules(Policy(report.policy), report.max_gap_us, report.seen_within_us)
    windows = before(as_of, _windows(report), len(keys))
    reach = int(windows.min()) - rules.max_gap
    schedule = weekly.schedule(sources[0], keys, report.default_zone)
    opens = hours.open_intervals(schedule, reach, as_of + 1)
    totals = totals_by_store(polls.read(sources, keys, reach, as_of), opens, rules, windows, as_of)
    reports.add_rows(target, report, keys, totals)
    return totals, schedule.always, schedule.zone == 0


def _windows(report: Report) -> tuple[Elapsed, ...]:
    return tuple(Elapsed(*pair) for pair in zip(report.window_names, report.window_us, strict=True))


def _note(database: Database, report: Report, progress: Progress, percent: int) -> None:
    """Shows progress to others; in a transaction of its own, for the report's is not over."""
    progress(percent)
    if percent < 99:
        with database.transaction() as session:
            reports.set_progress(session, report, percent)


class _Tally:
    """The fleet's figures and what was assumed, summed up part by part."""

    def __init__(self, windows: int) -> None:
        self._sums = np.zeros((windows, len(Kind)), np.int64)
        self._stores = self._always = self._default_zone = 0

    def add(self, totals: Int64, always: NDArray[np.bool_], default_zone: NDArray[np.bool_]) -> None:
        self._sums += totals.sum(axis=0)
        self._stores += len(totals)
        self._always += int(always.sum())
        self._default_zone += int(default_zone.sum())

    def summary(self, windows: tuple[Elapsed, ...]) -> dict[str, Any]:
        """As it is stored: microseconds by window and kind, and the counts of assumptions."""
        names = [f"{kind.name.lower()}_us" for kind in Kind]
        sums = {
            window.name: dict(zip(names, row, strict=True))
            for window, row in zip(windows, self._sums.tolist(), strict=True)
        }
        return {
            "stores": self._stores,
            "open_24x7": self._always,
            "default_zone": self._default_zone,
            "windows": sums,
        }


@dataclass(frozen=True)
class WindowFigures:
    """The fleet in one window. Times in microseconds; shares are None where nothing is known."""

    name: str
    up: int
    down: int
    unknown: int
    seen: int

    @property
    def open(self) -> int:
        """Open time."""
        return self.up + self.down + self.unknown

    @property
    def availability(self) -> float | None:
        """Up of what is known."""
        return self.up / (self.up + self.down) if self.up + self.down else None

    @property
    def coverage(self) -> float | None:
        """Seen of what was open."""
        return self.seen / self.open if self.open else None


def figures(report: Report) -> list[WindowFigures]:
    """The fleet's figures in a complete report."""
    windows: dict[str, dict[str, int]] = (report.summary or {})["windows"]
    return [
        WindowFigures(
            name,
            up=w["up_seen_us"] + w["up_inferred_us"],
            down=w["down_seen_us"] + w["down_inferred_us"],
            unknown=w["unknown_us"],
            seen=w["up_seen_us"] + w["down_seen_us"],
        )
        for name, w in ((name, windows[name]) for name in report.window_names)
    ]
