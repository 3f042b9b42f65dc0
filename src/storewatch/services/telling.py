"""What is said of an incident to one person or channel: facts from the engine, words from the domain.

Outages are told as everywhere: by the engine, not by when the alert was raised. Money is told to people who
see the store, and to no channel: nobody knows who reads there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from storewatch.domain import alert_words
from storewatch.domain.alert_words import Budget, Fact, Frame, Link, Mass, MassStore, Named, NoData, StoreDown
from storewatch.domain.clock import DAY, HOUR, iso, to_us
from storewatch.domain.cost import Lost, rounded
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Caller
from storewatch.domain.service_levels import Measure
from storewatch.errors import NotFoundError
from storewatch.outbound.addresses import Network
from storewatch.outbound.mail import Attachment
from storewatch.services import alert_links, level_status
from storewatch.services.alert_links import Signer, Ticket
from storewatch.services.incident_outages import engine_says
from storewatch.services.mailing import Mail
from storewatch.services.remembered import Remembered
from storewatch.services.reporting import Request
from storewatch.storage import (
    groups,
    incident_pages,
    polls,
    service_levels,
    store_pages,
)
from storewatch.storage.alert_tables import Incident
from storewatch.storage.delivery_log import Case
from storewatch.storage.store_pages import Found

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How alerts go out, and how they count: by which mails, to where, from which address links begin.
    `remembered` is what was said of many stores to others a moment ago.
    """

    mail: Mail | None = None
    url: str = ""
    networks: tuple[Network, ...] = ()
    usual: Request = field(default_factory=Request)
    currency: str = "USD"
    within: int = 2 * HOUR
    remembered: Remembered = field(default_factory=Remembered, compare=False)


@dataclass(frozen=True)
class Message:
    """What goes out: by mail and chat as text, to a webhook as data. `leave` is where to get no more."""

    subject: str
    text: str
    data: dict[str, Any]
    leave: str | None = None
    attachment: Attachment | None = None


def message(
    session: Session, case: Case, reader: Caller | None, ways: Ways, signer: Signer, *, late: bool
) -> Message:
    """What a case says to its reader, None for a channel. Within a snapshot."""
    assert case.notice is not None and case.incident is not None  # noqa: PT018, S101 - a test says its own
    store = _store(session, case.incident)
    fact = _fact(session, case.incident, store, ways, money=reader is not None)
    said = alert_words.said(case.notice.kind, fact)
    leave = _leave(case, ways, signer)
    frame = Frame(
        key=str(case.delivery.key),
        why=_why(case, reader),
        links=_links(session, case, store, reader, ways, signer),
        leave=None if leave is None else Link("To get no more of these", leave),
        late=to_us(case.notice.created_at) if late else None,
        zone=_zone(store, ways),
    )
    subject, text = alert_words.mail(said, frame)
    page = _page(session, case, store, ways)
    return Message(subject, text, _data(case, fact, store, page, subject, late=late), leave)


# --- facts ----------------------------------------------------------------------------------------


def _store(session: Session, incident: Incident) -> Found | None:
    if incident.store_key is None:
        return None
    return store_pages.of_keys(session, [incident.store_key], None)[incident.store_key]


def _zone(store: Found | None, ways: Ways) -> str:
    return (store and store.zone) or ways.usual.default_zone


def _fact(session: Session, incident: Incident, store: Found | None, ways: Ways, *, money: bool) -> Fact:
    if store is not None:
        return _store_down(session, incident, store, ways, money=money)
    if incident.kind == "mass":
        return _mass(session, incident, ways, money=money)
    if incident.kind == "budget":
        return _budget(session, incident, ways)
    found = incident_pages.find(session, incident.incident_id, None)
    group = None if found is None or found.group is None else found.group.name
    until = None if incident.ended_at is None else to_us(incident.ended_at)
    return NoData(group=group, since=to_us(incident.began_at), zone=ways.usual.default_zone, until=until)


def _store_down(session: Session, incident: Incident, store: Found, ways: Ways, *, money: bool) -> StoreDown:
    began = to_us(incident.began_at)
    [(outages, lost)] = engine_says(session, [incident], ways.usual, money=money).values()
    return StoreDown(
        store=Named(store.store.store_id, store.store.name, _zone(store, ways)),
        began=began,
        outages=outages,
        lost=None if lost is None else in_money(lost, ways),
        over=incident.ended_at is not None,
    )


def _mass(session: Session, incident: Incident, ways: Ways, *, money: bool) -> Mass:
    count, down, began = incident_pages.size_of_mass(session, incident.incident_no)
    rows = incident_pages.of_mass(session, incident.incident_no, alert_words.MOST_NAMED)
    found = incident_pages.find(session, incident.incident_id, None)
    own_ones = [own for own, _, _ in rows]
    state = [(own.incident_no, own.began_at, own.ended_at) for own in own_ones]
    said = ways.remembered.of(
        (money, polls.newest(session), *state),
        lambda: engine_says(session, own_ones, ways.usual, money=money),
    )
    costs = [lost for _, lost in said.values() if lost is not None]
    stores = []
    for own, store, zone in rows:
        outages, _ = said[own.incident_no]
        named = Named(store.store_id, store.name, zone or ways.usual.default_zone)
        stores.append(MassStore(named, _since(own, outages), own.ended_at is not None))
    zones = {each.store.zone for each in stores}
    return Mass(
        group=found.group.name if found is not None and found.group is not None else "the fleet",
        count=count,
        still_down=down,
        began=min([each.since for each in stores], default=to_us(began or incident.began_at)),
        zone=zones.pop() if len(zones) == 1 else ways.usual.default_zone,
        stores=stores,
        lost=in_money(sum(costs, Lost()), ways) if costs else None,
        over=incident.ended_at is not None,
    )


def _since(incident: Incident, outages: list[Outage]) -> int:
    counted = outages[0].counted_from if outages else None
    return to_us(incident.began_at) if counted is None else counted


def in_money(lost: Lost, ways: Ways) -> str:
    """`1,069.20 USD`."""
    return f"{rounded(lost.whole):,} {ways.currency}"


def _budget(session: Session, incident: Incident, ways: Ways) -> Budget:
    level = incident_pages.level(session, incident.level_no)
    found = None if level is None else service_levels.find(session, level.level_id, None)
    if found is None:
        raise NotFoundError("The service level is gone")
    looks, day = level_status.Looks(session, ways.usual), to_us(incident.began_at) // DAY
    [standing] = level_status.within(looks, found, 1, lambda every: every, day).items
    level, outages = found.level, found.level.measure == Measure.OUTAGES
    target = f"{level.target.normalize():f}"
    worst = standing.used.worst if found.store_id is None else []
    names = store_pages.names(session, [store_id for store_id, _ in worst])
    return Budget(
        level=level.name,
        of=f"Store {found.store_id}" if found.store_id else group_name(session, level.group_no),
        used=standing.verdict.used,
        budget=standing.verdict.budget,
        outages=outages,
        period=f"{_day(standing.first_day)} to {_day(standing.last_day)}",
        target=f"at most {target} outages" if outages else f"{target} % up",
        stores=[(Named(store_id, names.get(store_id), "").whole, used) for store_id, used in worst],
        days=[(_day(number), used) for number, used in standing.used.days],
        over=incident.ended_at is not None,
    )


def group_name(session: Session, group_no: int | None) -> str:
    """What a group is called; None: all stores."""
    found = {} if group_no is None else groups.by_numbers(session, [group_no])
    return found[group_no].name if group_no in found else "All stores"


def _day(number: int) -> str:
    found = _EPOCH + timedelta(days=number)
    return f"{found.day} {found:%b %Y}"


# --- links ----------------------------------------------------------------------------------------

_WORDS = {
    "snooze": "Say no more of it for 4 hours",
    "tomorrow": "Say no more of it until tomorrow at 8:00",
    "acknowledge": "I have seen it: say no more until it is over",
    "closed": "It was closed on purpose",
}


def _links(
    session: Session, case: Case, store: Found | None, reader: Caller | None, ways: Ways, signer: Signer
) -> list[Link]:
    links = []
    if store is not None and store.store.manage_url and case.incident and case.incident.ended_at is None:
        links.append(Link("Where the store is managed", store.store.manage_url))
    if not ways.url:
        return links
    links.append(_page(session, case, store, ways))
    if reader is None or not may_answer(session, reader, case.incident):
        return links
    incident = case.incident
    assert incident is not None  # noqa: S101 - somebody may answer it
    for action in alert_links.ACTIONS if store is not None else alert_links.ACTIONS[:3]:
        ticket = Ticket(action=action, account=_hex(reader.account_id), incident=incident.incident_id.hex)
        links.append(Link(_WORDS[action], f"{ways.url}/alerts/{signer.made(ticket)}"))
    return links


def may_answer(session: Session, caller: Caller, incident: Incident | None) -> bool:
    """Whether an incident is the caller's to snooze, acknowledge and explain, while it goes on."""
    if incident is None or incident.ended_at is not None:
        return False
    if caller.sees_all:
        return True
    level = incident_pages.level(session, incident.level_no)
    of = incident if level is None else level
    if of.store_key is not None:
        return store_pages.may_change(session, of.store_key, caller.seen_by)
    return of.group_no is not None and caller.manages(of.group_no)


def _page(session: Session, case: Case, store: Found | None, ways: Ways) -> Link:
    level = None if case.incident is None else incident_pages.level(session, case.incident.level_no)
    if level is not None:
        return Link("What used it up", f"{ways.url}/levels/{level.level_id}")
    if store is not None:
        return Link("Hour by hour", f"{ways.url}/stores/{quote(store.store.store_id, safe='')}")
    if case.group is not None:
        return Link("The group and its alerts", f"{ways.url}/groups/{case.group.group_id}/alerts")
    return Link("All stores", f"{ways.url}/")


def _leave(case: Case, ways: Ways, signer: Signer) -> str | None:
    """Where to get no more of the group's alerts."""
    if not ways.url or case.group is None:
        return None
    if case.account is not None:
        ticket = Ticket(
            action=alert_links.LEAVE, account=case.account.account_id.hex, group=case.group.group_id.hex
        )
    elif case.channel is not None and case.channel.kind == "mail":
        ticket = Ticket(action=alert_links.LEAVE, channel=case.channel.channel_id.hex)
    else:
        return None
    return f"{ways.url}/alerts/{signer.made(ticket)}"


def _hex(account_id: Any) -> str | None:
    return None if account_id is None else account_id.hex


def _why(case: Case, reader: Caller | None) -> str:
    group = None if case.group is None else case.group.name
    if reader is None:
        channel = case.channel.name if case.channel is not None else ""
        return f"This goes to the channel “{channel}” of {group}."
    if reader.sees_all or case.group is None:
        return f"{reader.email} gets this as {reader.role.value} of this storewatch."
    place = reader.groups.get(case.group.group_no)
    return f"{reader.email} gets this as {place.value if place else 'member'} of {group}."


# --- data for programs ----------------------------------------------------------------------------


def _data(
    case: Case, fact: Fact, store: Found | None, page: Link, subject: str, *, late: bool
) -> dict[str, Any]:
    """What a webhook is sent: no money, for nobody knows who reads it."""
    incident, notice = case.incident, case.notice
    assert incident is not None and notice is not None  # noqa: PT018, S101 - it is no test
    ended = incident.ended_at
    told: dict[str, Any] = {
        "key": str(case.delivery.key),
        "event": f"{incident.kind}.{notice.kind}",
        "incident_id": str(incident.incident_id),
        "said": subject,
        "late": late,
        "began_at": iso(to_us(incident.began_at)),
        "ended_at": None if ended is None else iso(to_us(ended.astimezone(UTC))),
        "group": None
        if case.group is None
        else {"group_id": str(case.group.group_id), "name": case.group.name},
        "url": page.url,
    }
    if isinstance(fact, StoreDown):
        return told | _data_of_store(fact, store)
    if isinstance(fact, Mass):
        stores = [{"store_id": each.store.store_id, "name": each.store.name} for each in fact.stores]
        return told | {"count": fact.count, "still_down": fact.still_down, "stores": stores}
    if isinstance(fact, Budget):
        told |= {"level": fact.level, "of": fact.of, "period": fact.period}
        return told | _amount("used", fact.used, fact) | _amount("budget", fact.budget, fact)
    return told


def _amount(name: str, value: int, fact: Budget) -> dict[str, int]:
    return {f"{name}_outages": value} if fact.outages else {f"{name}_seconds": value // 1_000_000}


def _data_of_store(fact: StoreDown, store: Found | None) -> dict[str, Any]:
    first, last = (fact.outages[0], fact.outages[-1]) if fact.outages else (None, None)
    return {
        "store": {
            "store_id": fact.store.store_id,
            "name": fact.store.name,
            "zone": fact.store.zone,
            "manage_url": None if store is None else store.store.manage_url,
        },
        "since": iso(fact.since),
        "last_seen_up": _iso(first.last_seen_up if first else None),
        "first_seen_down": _iso(first.first_seen_down if first else None),
        "first_seen_up": _iso(last.first_seen_up if last else None),
        "down_seconds": fact.down // 1_000_000,
        "down_seconds_min": sum(each.down_min for each in fact.outages) // 1_000_000,
        "down_seconds_max": sum(each.down_max for each in fact.outages) // 1_000_000,
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else iso(at)
