"""The job that begins what is due by timetable: each time that is due once, however often it is killed.

A run, its deliveries and the next time are written in one transaction. Of several that were missed only the
last is made up. A database that came out of a backup begins anew: nothing that was due before is sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.domain.permissions import Via, anybody
from storewatch.domain.schedules import Timetable
from storewatch.errors import StorewatchError
from storewatch.services import logins, reporting, scheduled_mails
from storewatch.services.reporting import Request
from storewatch.storage import accounts, deliveries, delivery_log, groups, lived_in, queue, schedules
from storewatch.storage.access_tables import Account
from storewatch.storage.db import Database
from storewatch.storage.schedule_tables import Schedule

log = structlog.get_logger()

TASK = "begin_schedules"
_AT_ONCE = 50

USUAL = {
    "name": "Every week",
    "what": "digest",
    "every": "week",
    "on_day": 0,
    "minute": 8 * 60,
    "format": "xlsx",
}
"""What a member has without having asked: Monday at 8:00, on the clock of most of their stores."""


def begin(database: Database, request: Request, now_us: int) -> None:
    """Begins what is due. May be run by several at once, and again."""
    after_restore(database, request, now_us)
    with database.transaction() as session:
        _give_usual(session, request, now_us)
    while True:
        with database.transaction() as session:
            found = schedules.due(session, from_us(now_us), _AT_ONCE)
            for schedule in found:
                _begin(session, schedule, request, now_us)
        if len(found) < _AT_ONCE:
            return


def after_restore(database: Database, request: Request, now_us: int, *, sure: bool = False) -> None:
    """If this database came out of a backup: what waits in it is not sent, and schedules go on from now.

    `sure`: somebody says that it did.
    """
    with database.transaction() as session:
        if not lived_in.moved(session) and not sure:
            return
        dropped = delivery_log.drop_waiting(session, "It waited when this was restored from a backup")
        for schedule in schedules.running(session):
            _set_next(session, schedule, _timetable(session, schedule, request), now_us)
    if not sure:
        log.warning("the database came out of a backup", dropped=dropped)


def _give_usual(session: Session, request: Request, now_us: int) -> None:
    for account_no in schedules.without_usual(session, _AT_ONCE):
        zone = schedules.usual_zone(session, account_no, None) or request.default_zone
        table = Timetable("week", 0, 8 * 60, zone)
        values = USUAL | {"account_no": account_no, "next_run_at": from_us(table.next_run(now_us))}
        schedules.add_usual(session, values)


def _begin(session: Session, schedule: Schedule, request: Request, now_us: int) -> None:
    table = _timetable(session, schedule, request)
    due = table.last_run(now_us)
    assert schedule.next_run_at is not None  # noqa: S101 - it is due
    if due > to_us(schedule.next_run_at) - DAY:  # else its stores moved to another zone: that run was before
        run(session, schedule, from_us(due), request, now_us)
    _set_next(session, schedule, table, now_us)


def _set_next(session: Session, schedule: Schedule, table: Timetable, now_us: int) -> None:
    schedules.change(session, schedule.schedule_no, next_run_at=from_us(table.next_run(now_us)))


def _timetable(session: Session, schedule: Schedule, request: Request) -> Timetable:
    seen_by = None if schedule.account_no is None else accounts.sight(session, schedule.account_no)
    return scheduled_mails.timetable(session, schedule, seen_by, request.default_zone)


def run(
    session: Session,
    schedule: Schedule,
    due_at: datetime,
    request: Request,
    now_us: int,
    only: int | None = None,
) -> None:
    """A run, with its report and its deliveries; to one person only who asked for it. Once for each time."""
    report_no = _report(session, schedule, request, now_us, only) if schedule.what == "report" else None
    run_no = schedules.add_run(session, schedule.schedule_no, due_at, report_no, asked_for=only is not None)
    if run_no is None:
        return
    for number in schedules.to_send(session, run_no, only):
        queue.defer(session, deliveries.QUEUE, deliveries.TASK, delivery_no=number)
    log.info("schedule begun", schedule=str(schedule.schedule_id), due=due_at.isoformat())


def _report(
    session: Session, schedule: Schedule, request: Request, now_us: int, only: int | None
) -> int | None:
    """The report that a run sends; None if there can be none."""
    account_no = schedule.account_no if only is None else only
    account = None if account_no is None else session.get(Account, account_no)
    if account is not None and not account.active:
        return None
    caller = anybody(Via.COMMAND) if account is None else logins.caller_of(session, account, Via.COMMAND)
    found = groups.by_numbers(session, [schedule.group_no or 0])
    wanted = replace(request, group_ids=tuple(group.group_id for group in found.values()) or None)
    try:
        with session.begin_nested():
            return reporting.trigger_within(session, caller, wanted, now_us).report_no
    except StorewatchError as error:
        log.warning("scheduled report not made", schedule=str(schedule.schedule_id), error=str(error))
        return None
