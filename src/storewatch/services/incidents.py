"""Incidents as people answer them: acknowledged, snoozed, explained. Who may change a store may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.clock import from_us, to_us
from storewatch.domain.exception_rows import read
from storewatch.domain.permissions import Caller
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError, UsageError
from storewatch.services import alert_rules, exceptions, telling
from storewatch.services.exceptions import Clock
from storewatch.services.incident_outages import engine_says
from storewatch.services.telling import Ways
from storewatch.storage import audit, incident_pages
from storewatch.storage.db import Database
from storewatch.storage.incident_pages import Found, Which

LONGEST_SNOOZE = timedelta(days=7)
CLOSED_EFFECTS = ("closed", "excluded")
OVER = "It is over already: there is nothing to answer"


def page(
    database: Database,
    caller: Caller,
    which: Which,
    after: int | None,
    count: int,
    group_id: UUID | None = None,
) -> list[Found]:
    """Incidents that the caller may see, newest first, before a number; NotFoundError for a group that they
    may not see.
    """
    with database.session() as session:
        if group_id is not None:
            which = replace(which, group_no=alert_rules.seen(session, caller, group_id).group_no)
        return incident_pages.page(session, caller.seen_by, which, after, count)


def get(database: Database, caller: Caller, incident_id: UUID) -> Found:
    """An incident that the caller may see. NotFoundError without one."""
    with database.session() as session:
        return found(session, caller, incident_id)


def found(session: Session, caller: Caller, incident_id: UUID, *, lock: bool = False) -> Found:
    """The same within a session that is there already."""
    incident = incident_pages.find(session, incident_id, caller.seen_by, lock=lock)
    if incident is None:
        raise NotFoundError(f"There is no incident '{incident_id}'")
    return incident


def acknowledge(database: Database, caller: Caller, incident_id: UUID) -> Found:
    """Says that somebody has seen it: nothing is said of it until it is over."""
    with database.transaction() as session:
        acknowledge_within(session, caller, incident_id)
        return found(session, caller, incident_id, lock=True)


def snooze(database: Database, caller: Caller, incident_id: UUID, until: datetime) -> Found:
    """Says nothing of it until an instant, but for its end."""
    with database.transaction() as session:
        snooze_within(session, caller, incident_id, until)
        return found(session, caller, incident_id, lock=True)


def acknowledge_within(session: Session, caller: Caller, incident_id: UUID) -> None:
    """The same in a transaction that is there already; a second time changes nothing."""
    incident = to_answer(session, caller, incident_id).incident
    if incident.acknowledged_at is None:
        incident_pages.change(
            session,
            incident.incident_no,
            acknowledged_at=datetime.now(UTC),
            acknowledged_by=caller.account_no,
        )
        audit.record(session, caller, "acknowledge", "incident", incident_id)


def snooze_within(session: Session, caller: Caller, incident_id: UUID, until: datetime) -> None:
    """The same in a transaction that is there already."""
    if not timedelta() < until - datetime.now(UTC) <= LONGEST_SNOOZE:
        raise UsageError("It can be snoozed for a week at most, and not into the past", field="until")
    incident = to_answer(session, caller, incident_id).incident
    incident_pages.change(session, incident.incident_no, snoozed_until=until)
    audit.record(session, caller, "snooze", "incident", incident_id, until=until.isoformat())


def to_answer(session: Session, caller: Caller, incident_id: UUID) -> Found:
    """An incident that is the caller's to answer, locked. ForbiddenError if it is not, ConflictError if it is
    over.
    """
    incident = found(session, caller, incident_id, lock=True)
    if incident.incident.ended_at is not None:
        raise ConflictError(OVER)
    if not telling.may_answer(session, caller, incident.incident):
        raise ForbiddenError("You may see this; the managers of its group may answer it.")
    return incident


def closed_within(
    session: Session,
    caller: Caller,
    incident_id: UUID,
    effect: str,
    until: datetime,
    note: str,
    clock: Clock,
    ways: Ways,
) -> None:
    """Says that a store was closed on purpose: an exception from when it went down until an instant. The last
    step of its transaction.
    """
    incident = to_answer(session, caller, incident_id)
    if incident.store_id is None:
        raise ConflictError("Only of one store can it be said that it was closed: open the stores one by one")
    if effect not in CLOSED_EFFECTS:
        raise UsageError("Choose one of the list", field="effect")
    [(outages, _)] = engine_says(session, [incident.incident], ways.usual, money=False).values()
    counted = outages[0].counted_from if outages else None
    start = from_us(counted if counted is not None else to_us(incident.incident.began_at))
    said = {"effect": effect, "store_id": incident.store_id, "note": note}
    times = {"start": start.isoformat(), "end": until.astimezone(UTC).isoformat()}
    wanted = read(said | times)
    audit.record(session, caller, "close", "incident", incident_id, until=times["end"], effect=effect)
    exceptions.add_rows(session, caller, [exceptions.row_of(session, caller, wanted)], clock)
