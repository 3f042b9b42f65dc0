"""What the links in alerts do, for somebody who does not log in: shown first, done when they say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain import alert_delivery
from storewatch.domain.alert_words import Named
from storewatch.domain.clock import HOUR, from_us, to_us
from storewatch.domain.permissions import Caller, Role, Via
from storewatch.errors import ConflictError, NotFoundError, UsageError
from storewatch.services import alert_links, incidents, logins
from storewatch.services.alert_links import LEAVE, OVER, Signer, Ticket
from storewatch.services.exceptions import Clock
from storewatch.services.telling import Ways
from storewatch.storage import accounts, alert_channels, alert_rules, audit, groups, schedules
from storewatch.storage.access_tables import Account
from storewatch.storage.db import Database
from storewatch.storage.schedule_tables import Schedule

SNOOZED_FOR = 4 * HOUR


@dataclass(frozen=True)
class Offer:
    """What a link would do: `action` about `what`, in the name of `who`. `since`, in microseconds, and `zone`
    are of the incident; `until` is how long a snooze would last.
    """

    action: str
    who: str
    what: str
    store_id: str | None = None
    since: int | None = None
    zone: str = "UTC"
    until: int | None = None


@dataclass(frozen=True)
class Closed:
    """What is said of a store that was closed on purpose; `until` is an instant in microseconds."""

    effect: str
    until: int
    note: str


def offer(database: Database, token: str, now_us: int, ways: Ways, address: str) -> Offer:
    """What a link would do. NotFoundError for a link that does not work, ConflictError where there is nothing
    to do any more.
    """
    with database.transaction() as session:
        ticket = Signer(session).read(token)
        return _offer(session, ticket, now_us, ways, address)


def take(
    database: Database,
    token: str,
    closed: Closed | None,
    clock: Clock,
    ways: Ways,
    address: str,
) -> Offer:
    """Does what a link is for. Twice is as good as once."""
    with database.transaction() as session:
        ticket = Signer(session).read(token)
        found = _offer(session, ticket, clock.now_us, ways, address)
        if ticket.action == LEAVE:
            _leave(session, ticket, address)
            return found
        caller, incident_id = _caller(session, ticket, address), alert_links.uuid(ticket.incident)
        if ticket.action == "acknowledge":
            incidents.acknowledge_within(session, caller, incident_id)
        elif ticket.action in ("snooze", "tomorrow"):
            incidents.snooze_within(session, caller, incident_id, from_us(found.until or 0))
        elif closed is None:
            raise UsageError("Say until when it is closed, and why", field="until")
        else:
            until = from_us(closed.until)
            incidents.closed_within(
                session, caller, incident_id, closed.effect, until, closed.note, clock, ways
            )
            found = replace(found, until=closed.until)
        return found


def _offer(session: Session, ticket: Ticket, now_us: int, ways: Ways, address: str) -> Offer:
    if ticket.action == LEAVE:
        return Offer(LEAVE, *_leaver(session, ticket))
    caller = _caller(session, ticket, address)
    found = incidents.to_answer(session, caller, alert_links.uuid(ticket.incident))
    zone = found.zone or ways.usual.default_zone
    until = {"snooze": now_us + SNOOZED_FOR, "tomorrow": alert_delivery.tomorrow(now_us, zone)}
    return Offer(
        ticket.action,
        caller.email or "",
        what_of(found.store_id, found.store_name, found.group.name if found.group else found.level, zone),
        found.store_id,
        to_us(found.incident.began_at if found.level is None else found.incident.noticed_at),
        zone,
        until.get(ticket.action),
    )


def what_of(store_id: str | None, name: str | None, group: str | None, zone: str) -> str:
    """What an incident is about, in words."""
    return Named(store_id, name, zone).whole if store_id is not None else group or "All stores"


def _caller(session: Session, ticket: Ticket, address: str) -> Caller:
    """In whose name it is done: they must still be somebody."""
    account = accounts.by_id(session, alert_links.uuid(ticket.account))
    if account is None or not account.active:
        raise NotFoundError(OVER)
    return replace(logins.caller_of(session, account, Via.LINK), address=address)


# --- no more mails --------------------------------------------------------------------------------


def _leaver(session: Session, ticket: Ticket) -> tuple[str, str]:
    """(whose mails, which ones)."""
    if ticket.schedule is not None:
        person, schedule = _scheduled(session, ticket)
        return person.email, f"mails of “{schedule.name}”"
    if ticket.channel is not None:
        channel = alert_channels.by_id(session, alert_links.uuid(ticket.channel))
        if channel is None:
            raise ConflictError("There is no such channel any more: no more mails come by it")
        [group] = groups.by_numbers(session, [channel.group_no]).values()
        return channel.url, f"alerts of {group.name}"
    account = accounts.by_id(session, alert_links.uuid(ticket.account))
    found = groups.find(session, alert_links.uuid(ticket.group), None)
    if account is None or found is None:
        raise ConflictError("There is no such group or person any more: no more mails come")
    return account.email, f"alerts of {found.name}"


def _scheduled(session: Session, ticket: Ticket) -> tuple[Account, Schedule]:
    account = accounts.by_id(session, alert_links.uuid(ticket.account))
    found = schedules.by_id(session, alert_links.uuid(ticket.schedule))
    if account is None or found is None:
        raise ConflictError("There is no such schedule or person any more: no more mails come")
    return account, found


def _leave(session: Session, ticket: Ticket, address: str) -> None:
    if ticket.schedule is not None:
        _leave_schedule(session, ticket, address)
        return
    if ticket.channel is not None:
        channel = alert_channels.by_id(session, UUID(ticket.channel))
        if channel is not None and channel.enabled:
            alert_channels.change(session, channel.channel_no, enabled=False)
            nobody = Caller(Role.MEMBER, Via.LINK, address=address)
            audit.record(session, nobody, "disable", "alert_channel", channel.channel_id, name=channel.name)
        return
    account = accounts.by_id(session, alert_links.uuid(ticket.account))
    group = groups.find(session, alert_links.uuid(ticket.group), None)
    if account is None or group is None:
        raise NotFoundError(OVER)
    caller = replace(logins.caller_of(session, account, Via.LINK), address=address)
    if alert_rules.mute(session, account.account_no, group.group_no, off=True):
        audit.record(session, caller, "mute", "group", group.group_id, name=group.name)


def _leave_schedule(session: Session, ticket: Ticket, address: str) -> None:
    """One's own is switched off, of a group's one is left out."""
    account, schedule = _scheduled(session, ticket)
    caller = replace(logins.caller_of(session, account, Via.LINK), address=address)
    if schedule.account_no is None:
        if schedules.mute(session, account.account_no, schedule.schedule_no, off=True):
            audit.record(session, caller, "mute", "schedule", schedule.schedule_id, name=schedule.name)
    elif schedule.account_no == account.account_no and schedule.next_run_at is not None:
        schedules.change(session, schedule.schedule_no, next_run_at=None)
        told = {"name": schedule.name, "enabled": False}
        audit.record(session, caller, "update", "schedule", schedule.schedule_id, **told)
