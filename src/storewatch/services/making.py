"""Reports, made: from one state of the database to rows, or to a reason why not."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from uuid import UUID

import numpy as np
import psycopg
import structlog
from numpy.typing import NDArray
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from storewatch.domain import packs
from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.errors import NoPollsError, StorewatchError
from storewatch.services import announcing, kept, report_parts
from storewatch.services.report_figures import Tally
from storewatch.services.report_parts import Part
from storewatch.services.shards import Shard, Spread, shares_of
from storewatch.storage import accounts, db, imports, polls, report_rows, reports, stores
from storewatch.storage.db import Database
from storewatch.storage.stores import Chosen
from storewatch.storage.tables import Report

log = structlog.get_logger()

MAX_ATTEMPTS = 20
"""A report that took its worker down so often is given up."""

_STORE_DAYS_AT_ONCE = 160_000  # bounds the memory of a report, whatever the fleet and the windows
_MOST_STORES_AT_ONCE = 5 * packs.SHARD  # small parts: one is read, one computed and one written at a time

Progress = Callable[[int], None]


def make(
    database: Database, report_id: UUID, progress: Progress = lambda _: None, by: Spread | None = None
) -> None:
    """Makes a queued report. May be run again at any time: a finished report is left as it is.

    `by`: who makes its shards, if there are several; by default they are made here, one after the other.
    A failure is written to the report in plain words; only what a new attempt may cure is raised.
    """
    with database.transaction() as session:
        report = reports.begin_attempt(session, report_id)
    if report is None:
        return
    if report.attempt > MAX_ATTEMPTS:
        return _fail(database, report, f"It was interrupted {MAX_ATTEMPTS} times and is given up.")
    try:
        _make(database, report, progress, by)
    except _TakenOverError:
        log.warning("report cancelled or taken over", report_id=str(report_id), attempt=report.attempt)
    except (OperationalError, psycopg.OperationalError) as error:
        if db.disk_is_full(error):
            _wait_for_room(database, report)
        raise
    except StorewatchError as error:
        _fail(database, report, str(error))
    except (MemoryError, ArithmeticError, ValueError, LookupError, TypeError) as error:
        log.exception("report failed", report_id=str(report_id))
        _fail(
            database,
            report,
            f"An internal error ({type(error).__name__}) stopped it; the log has the details.",
        )


def _wait_for_room(database: Database, report: Report) -> None:
    """The attempt does not count: the report is made once there is room, however long that takes."""
    log.error("a report waits: the disk of the database is full", report_id=str(report.report_id))
    with database.transaction() as session:
        reports.uncount(session, report)


def _fail(database: Database, report: Report, reason: str) -> None:
    with database.transaction() as session:
        if reports.fail(session, report, reason):
            announcing.defer(session, report)
    log.warning("report failed", report_id=str(report.report_id), reason=reason)


class _TakenOverError(Exception):
    """Another attempt at the same report began while this one was paused, or it is no longer wanted."""


def _make(database: Database, report: Report, progress: Progress, by: Spread | None = None) -> None:
    """Reads one state of the database, writes the rows and `complete` in one transaction."""
    began = time.perf_counter()
    with _writing(database) as target, database.twin_snapshots() as snapshots:
        source = snapshots[0]
        as_of = _as_of(source, report)
        keys = _stores(source, report, as_of)
        windows = report_parts.windows_of(report)
        kept.check_reach(source, as_of - max(report.window_us) - report.max_gap_us, "windows")
        tally, note, done = Tally(len(windows)), _Notes(database, report, progress), 0
        with closing(_spread(database, snapshots, report, keys, as_of, by)) as parts:
            for part in parts:
                report_rows.add(target, report, part.keys, part.figures, part.given, part.raw)
                tally.add(part.figures, part.given.hours, part.given.zone)
                tally.add_exceptions(part.exceptions, part.raw, part.figures.totals)
                done += len(part.keys)
                note(99 * done // len(keys))
        seconds = round(time.perf_counter() - began, 4)
        values = {
            "as_of": from_us(as_of),
            "last_import": imports.latest(source),
            "summary": tally.summary(windows),
            "timings": {"seconds": seconds},
        }
        if not reports.complete(target, report, values):
            raise _TakenOverError  # our rows are rolled back; those of the other attempt stand
        announcing.defer(target, report)
    log.info("report complete", report_id=str(report.report_id), stores=len(keys), seconds=seconds)
    progress(100)


@contextmanager
def _writing(database: Database) -> Iterator[Session]:
    """The transaction that writes a report. No store is deleted between what it reads and its end."""
    with database.transaction() as session:
        stores.stay(session)
        yield session


def _as_of(session: Session, report: Report) -> int:
    if report.as_of_asked is not None:
        return to_us(report.as_of_asked)
    newest = polls.newest(session)
    if newest is None:
        raise NoPollsError("There are no polls any more, so there is nothing to report.")
    return newest


def _stores(session: Session, report: Report, as_of: int) -> NDArray[np.int32]:
    """The keys of the stores that the report is about."""
    sight = accounts.sight(session, report.account_no)
    chosen = Chosen(report.store_ids, report.group_ids)
    return stores.polled_until(session, from_us(as_of), sight, report.default_zone, chosen)


def _stores_at_once(report: Report) -> int:
    days = (max(report.window_us) + report.max_gap_us) // DAY
    return min(_MOST_STORES_AT_ONCE, max(100, _STORE_DAYS_AT_ONCE // max(8, days)))


def _spread(
    database: Database,
    snapshots: Sequence[Session],
    report: Report,
    keys: NDArray[np.int32],
    as_of: int,
    by: Spread | None,
) -> Generator[Part, None, None]:
    """The parts of a report in order of their stores: made here, or by others if there are several shards."""
    at_once = _stores_at_once(report)
    shares = shares_of(keys, max(report.window_us) + report.max_gap_us)
    if by is None or len(shares) < 2:
        yield from report_parts.made(snapshots, report, as_of, packs.cut(keys, at_once))
        return
    state = db.exported(snapshots[0])
    shards = [Shard(report.report_id, state, share, as_of, at_once) for share in shares]
    with closing(by(shards, lambda: _check_wanted(database, report))) as made:
        yield from chain.from_iterable(made)


class _Notes:
    """Shows progress to others, and hears of a cancellation, now and then: in transactions of their own, for
    the report's is not over.
    """

    def __init__(self, database: Database, report: Report, progress: Progress) -> None:
        self._database, self._report, self._progress = database, report, progress
        self._next = time.monotonic() + _NOTE_EVERY_S

    def __call__(self, percent: int) -> None:
        """Raises if the report is no longer wanted."""
        self._progress(percent)
        if time.monotonic() < self._next:
            return
        with self._database.transaction() as session:
            if not reports.set_progress(session, self._report, percent):
                raise _TakenOverError
        self._next = time.monotonic() + _NOTE_EVERY_S


_NOTE_EVERY_S = 0.2


def _check_wanted(database: Database, report: Report) -> None:
    """Hears of a cancellation while shards are waited for."""
    with database.session() as session:
        if not reports.is_wanted(session, report):
            raise _TakenOverError
