"""Incidents as people read and answer them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select, true, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, GroupStore, Membership, StoreGroup
from storewatch.storage.alert_tables import Incident
from storewatch.storage.people_pages import seen_account
from storewatch.storage.sight import seen
from storewatch.storage.tables import Store, StoreTimezone
from storewatch.storage.truth_tables import ServiceLevel


@dataclass(frozen=True)
class Found:
    """An incident and what it is about; who acknowledged it."""

    incident: Incident
    store_id: str | None
    store_name: str | None
    zone: str | None
    group: StoreGroup | None
    level: str | None
    acknowledged_by: str | None
    level_id: UUID | None = None


@dataclass(frozen=True)
class Which:
    """Which incidents of a list; None asks for nothing. Of a group: its own, and those of its stores."""

    open: bool | None = None
    group_no: int | None = None
    store_id: str | None = None
    told: bool = False


def page(session: Session, seen_by: int | None, which: Which, after: int | None, count: int) -> list[Found]:
    """Incidents that may be seen, newest first, before the number `after`."""
    query = _query(seen_by).where(*_conditions(which)).order_by(Incident.incident_no.desc()).limit(count)
    if after is not None:
        query = query.where(Incident.incident_no < after)
    return [Found(*row) for row in session.execute(query)]


def find(session: Session, incident_id: UUID, seen_by: int | None, *, lock: bool = False) -> Found | None:
    """An incident that may be seen; with `lock` nobody changes it until the end of the transaction."""
    query = _query(seen_by).where(Incident.incident_id == incident_id)
    if lock:
        query = query.with_for_update(of=Incident).execution_options(populate_existing=True)
    row = session.execute(query).first()
    return None if row is None else Found(*row)


def may_see(session: Session, incident_no: int, seen_by: int | None) -> bool:
    """Whether an incident may be seen."""
    return session.execute(_query(seen_by).where(Incident.incident_no == incident_no)).first() is not None


def change(session: Session, incident_no: int, **values: Any) -> None:
    """Sets columns of an incident."""
    query = update(Incident).where(Incident.incident_no == incident_no).values(**values)
    session.execute(query.execution_options(synchronize_session=False))


def _query(seen_by: int | None) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Incident,
            Store.store_id,
            Store.name,
            StoreTimezone.timezone_str,
            StoreGroup,
            ServiceLevel.name,
            case((seen_account(seen_by), Account.email), else_=None),
            ServiceLevel.level_id,
        )
        .outerjoin(Store, Store.store_key == Incident.store_key)
        .outerjoin(StoreTimezone, StoreTimezone.store_key == Incident.store_key)
        .outerjoin(StoreGroup, StoreGroup.group_no == Incident.group_no)
        .outerjoin(ServiceLevel, ServiceLevel.level_no == Incident.level_no)
        .outerjoin(Account, Account.account_no == Incident.acknowledged_by)
        .where(_seen(seen_by))
    )


def _seen(seen_by: int | None) -> ColumnElement[bool]:
    """A member sees those of their groups, of their groups' stores, and of levels of either; what is about
    all stores is for who sees all.
    """
    if seen_by is None:
        return true()
    return or_(
        Incident.store_key.is_not(None) & seen(Incident.store_key, seen_by),
        _member(Incident.group_no, seen_by),
        ServiceLevel.store_key.is_not(None) & seen(ServiceLevel.store_key, seen_by),
        _member(ServiceLevel.group_no, seen_by),
    )


def _member(group_no: Any, seen_by: int) -> ColumnElement[bool]:
    mine = select(Membership.group_no).where(
        Membership.group_no == group_no, Membership.account_no == seen_by
    )
    return exists(mine)


def _conditions(which: Which) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if which.open is not None:
        found.append(Incident.ended_at.is_(None) if which.open else Incident.ended_at.is_not(None))
    if which.group_no is not None:
        found.append(_of_group(which.group_no))
    if which.store_id is not None:
        found.append(Store.store_id == which.store_id)
    if which.told:
        found.append(~Incident.intended & Incident.mass_no.is_(None))
    return found


def _of_group(group_no: int) -> ColumnElement[bool]:
    place = select(GroupStore.store_key).where(
        GroupStore.group_no == group_no,
        GroupStore.store_key == func.coalesce(Incident.store_key, ServiceLevel.store_key),
    )
    return or_(Incident.group_no == group_no, ServiceLevel.group_no == group_no, exists(place))


# --- what an alert tells --------------------------------------------------------------------------


def of_mass(session: Session, incident_no: int, count: int) -> list[tuple[Incident, Store, str | None]]:
    """The stores' own incidents of a mass outage, with their zones; the first to go down first."""
    query = (
        select(Incident, Store, StoreTimezone.timezone_str)
        .join(Store, Store.store_key == Incident.store_key)
        .outerjoin(StoreTimezone, StoreTimezone.store_key == Incident.store_key)
        .where(Incident.mass_no == incident_no)
        .order_by(Incident.began_at, Store.store_id)
        .limit(count)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def size_of_mass(session: Session, incident_no: int) -> tuple[int, int, datetime | None]:
    """(stores, how many of them are down now, when the first went down) of a mass outage."""
    query = select(
        func.count(), func.count().filter(Incident.ended_at.is_(None)), func.min(Incident.began_at)
    ).where(Incident.mass_no == incident_no)
    count, down, began = session.execute(query).one()
    return count, down, began


def level(session: Session, level_no: int | None) -> ServiceLevel | None:
    """The service level that an incident is of, if it is of one."""
    return None if level_no is None else session.get(ServiceLevel, level_no)
