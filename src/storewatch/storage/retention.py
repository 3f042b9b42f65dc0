"""retention: from when on there are polls; those before are gone, and what they decided is frozen."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY
from storewatch.storage import poll_packs, polls
from storewatch.storage.history import MAX_GAP, NEVER

_EPOCH = date(1970, 1, 1)

PATIENCE_S = 5.0


def polls_from(session: Session) -> int:
    """The instant before which polls are gone, in microseconds; far in the past if none are."""
    query = f"SELECT CASE WHEN isfinite(polls_from) THEN polls_from - date '{_EPOCH}' END FROM retention"
    day = session.execute(text(query)).scalar_one()
    return -NEVER if day is None else int(day) * DAY


def frozen_until(session: Session) -> int:
    """A local day that begins before this instant is frozen: some poll that it takes its state from, or
    might, is gone.
    """
    return polls_from(session) + MAX_GAP


def drop_before(session: Session, day: int) -> list[int]:
    """Drops the polls of the UTC days before one (counted from 1970). Returns these days.

    The caller holds the lock of this kind of import. BusyError if somebody reads them for long.
    """
    old = sorted(each for each in polls.days(session) if each < day)
    # Who reads polls for long, like a backup, holds this up, and it would hold up all who come to read.
    session.execute(text(f"SET LOCAL lock_timeout = {int(PATIENCE_S * 1000)}"))
    for each in old:
        session.execute(text(f"DROP TABLE {polls.partition_name(each)}"))
    values = {"day": _EPOCH + timedelta(days=day)}
    session.execute(text("DELETE FROM store_status_day WHERE day < :day"), values)
    poll_packs.forget_before(session, day)
    gone = "DELETE FROM deleted_poll WHERE timestamp_utc < CAST(:day AS timestamp) AT TIME ZONE 'UTC'"
    session.execute(text(gone), values)
    if old:
        session.execute(text("UPDATE retention SET polls_from = :day"), values)
    return old
