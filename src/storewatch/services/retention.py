"""What is kept for a time only: polls, dropped by whole days once history holds what they say; alerts."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, from_us
from storewatch.errors import BusyError
from storewatch.services.reporting import Request
from storewatch.services.sight import rules_of
from storewatch.storage import history as due
from storewatch.storage import imports, incidents, polls, retention
from storewatch.storage.db import Database

log = structlog.get_logger()

TASK = "remove_old_polls"
ALERTS_TASK = "remove_old_alerts"


def remove_old_polls(database: Database, keep_us: int, request: Request, now_us: int) -> int:
    """Drops the polls of UTC days that ended so long before the newest poll, and freezes the local days that
    took their state from them. Returns how many days of polls are gone.

    One transaction, and none of it as long as history is due for one of these days, or somebody reads polls
    for long.
    """
    try:
        return _remove_old_polls(database, keep_us, request, now_us)
    except BusyError:
        log.info("old polls stay until a backup or a report has read them")
        return 0


def _remove_old_polls(database: Database, keep_us: int, request: Request, now_us: int) -> int:
    with database.transaction() as session:
        imports.lock(session, "store_status")
        due.lock(session)
        newest = polls.newest(session)
        if newest is None:
            return 0
        day = (min(newest, now_us) - keep_us) // DAY
        if not _settled(session, request, newest, day * DAY + due.MAX_GAP):
            log.info("old polls stay until history is made", before=from_us(day * DAY).date().isoformat())
            return 0
        gone = retention.drop_before(session, day)
        if gone:
            due.mark_standing(session)
    if gone:
        log.info("old polls removed", days=len(gone), before=from_us(day * DAY).date().isoformat())
    return len(gone)


def remove_old_alerts(database: Database, keep_us: int, now_us: int) -> int:
    """Removes incidents that ended so long ago, with what was sent of them. Returns how many."""
    with database.transaction() as session:
        gone = incidents.remove_ended_before(session, from_us(now_us - keep_us))
    if gone:
        log.info("old alerts removed", incidents=gone)
    return gone


def _settled(session: Session, request: Request, as_of: int, until: int) -> bool:
    """Whether no day that begins before an instant is due."""
    moved = due.moved(session, as_of, rules_of(request))
    return not (moved.first < until).any() and not due.is_due_before(session, until)
