"""Deliveries on their way: claimed, settled, read as a log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, insert, or_, select, update
from sqlalchemy import case as case_
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, StoreGroup
from storewatch.storage.alert_tables import AlertChannel, AlertMute, AlertRule, Delivery, Incident, Notice
from storewatch.storage.people_pages import seen_account
from storewatch.storage.tables import Store

OPEN = ("waiting", "held")


@dataclass(frozen=True)
class Case:
    """A delivery and what it is about; a test has no notice. Of person and channel one is None."""

    delivery: Delivery
    notice: Notice | None
    incident: Incident | None
    account: Account | None
    channel: AlertChannel | None
    group: StoreGroup | None
    rule: AlertRule | None
    muted: bool
    begun: str | None
    ended: str | None


def claim(session: Session, delivery_no: int, now: datetime, until: datetime) -> Delivery | None:
    """Takes a delivery that is due for itself, until an instant; None if somebody else has it, it waits for
    another time, or nothing is to be done any more.
    """
    query = (
        update(Delivery)
        .where(
            Delivery.delivery_no == delivery_no,
            Delivery.status.in_(OPEN),
            or_(Delivery.not_before.is_(None), Delivery.not_before <= now),
        )
        .values(attempts=Delivery.attempts + 1, not_before=until)
        .returning(Delivery)
    )
    return session.execute(query).scalar()


def waits_until(session: Session, delivery_no: int) -> datetime | None:
    """When a delivery is to be looked at again; None if nothing is to be done any more."""
    query = select(Delivery.not_before).where(Delivery.delivery_no == delivery_no, Delivery.status.in_(OPEN))
    return session.execute(query).scalar()


def settle(session: Session, delivery: Delivery, **values: Any) -> bool:
    """Writes what came of a claim; False if it was claimed anew meanwhile."""
    query = update(Delivery).where(
        Delivery.delivery_no == delivery.delivery_no,
        Delivery.attempts == delivery.attempts,
        Delivery.status.in_(OPEN),
    )
    done = query.values(**values).returning(Delivery.delivery_no)
    return session.execute(done).first() is not None


def drop_waiting(session: Session, said: str) -> int:
    """Whatever waits is not sent any more; how many that were."""
    query = (
        update(Delivery).where(Delivery.status.in_(OPEN)).values(status="dropped", said=said, not_before=None)
    )
    return len(session.execute(query.returning(Delivery.delivery_no)).all())


def drop_held(session: Session, case: Case, said: str) -> None:
    """What is held of the same incident for the same one is not said any more."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.status == "held",
            Delivery.notice_no == Notice.notice_no,
            Notice.incident_no == (case.notice.incident_no if case.notice else None),
            _same_one(case.delivery),
        )
        .values(status="dropped", said=said)
        .execution_options(synchronize_session=False)
    )


def case(session: Session, delivery: Delivery) -> Case:
    """All that a delivery is about."""
    query = (
        select(Notice, Incident, Account, AlertChannel, StoreGroup, AlertRule, AlertMute.account_no)
        .select_from(Delivery)
        .outerjoin(Notice, Notice.notice_no == Delivery.notice_no)
        .outerjoin(Incident, Incident.incident_no == Notice.incident_no)
        .outerjoin(Account, Account.account_no == Delivery.account_no)
        .outerjoin(AlertChannel, AlertChannel.channel_no == Delivery.channel_no)
        .outerjoin(StoreGroup, StoreGroup.group_no == Delivery.group_no)
        .outerjoin(AlertRule, AlertRule.group_no == Delivery.group_no)
        .outerjoin(
            AlertMute,
            (AlertMute.group_no == Delivery.group_no) & (AlertMute.account_no == Delivery.account_no),
        )
        .where(Delivery.delivery_no == delivery.delivery_no)
    )
    notice, incident, account, channel, group, rule, muted = session.execute(query).one()
    told = {} if notice is None else _told(session, delivery, notice.incident_no)
    begun, ended = told.get("begun"), told.get("ended")
    return Case(delivery, notice, incident, account, channel, group, rule, muted is not None, begun, ended)


def _told(session: Session, delivery: Delivery, incident_no: int) -> dict[str, str]:
    """What became of what the same one was to be told of an incident, by its kind."""
    query = (
        select(Notice.kind, Delivery.status)
        .join(Delivery, Delivery.notice_no == Notice.notice_no)
        .where(Notice.incident_no == incident_no, _same_one(delivery))
    )
    return {row.kind: row.status for row in session.execute(query)}


def _same_one(delivery: Delivery) -> ColumnElement[bool]:
    if delivery.account_no is not None:
        return Delivery.account_no == delivery.account_no
    return Delivery.channel_no == delivery.channel_no


def add_test(session: Session, channel: AlertChannel) -> Delivery:
    """Adds a delivery that tries a channel."""
    values = {"channel_no": channel.channel_no, "group_no": channel.group_no}
    return session.execute(insert(Delivery).values(**values).returning(Delivery)).scalar_one()


# --- the log --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Logged:
    """A line of the log: whom it was for, as far as they may be seen, and what it was about."""

    delivery: Delivery
    kind: str | None
    incident: Incident | None
    email: str | None
    channel: str | None
    store_id: str | None
    store_name: str | None


def page(session: Session, group_no: int, seen_by: int | None, after: int | None, count: int) -> list[Logged]:
    """The deliveries of a group, newest first, before the number `after`."""
    query = _log(group_no, seen_by).order_by(Delivery.delivery_no.desc()).limit(count)
    if after is not None:
        query = query.where(Delivery.delivery_no < after)
    return [Logged(*row) for row in session.execute(query)]


def find(session: Session, group_no: int, seen_by: int | None, key: UUID) -> Logged | None:
    """The delivery of a group with that key."""
    row = session.execute(_log(group_no, seen_by).where(Delivery.key == key)).first()
    return None if row is None else Logged(*row)


def _log(group_no: int, seen_by: int | None) -> Select[*tuple[Any, ...]]:
    email = case_((seen_account(seen_by), Account.email), else_=None)
    return (
        select(Delivery, Notice.kind, Incident, email, AlertChannel.name, Store.store_id, Store.name)
        .outerjoin(Notice, Notice.notice_no == Delivery.notice_no)
        .outerjoin(Incident, Incident.incident_no == Notice.incident_no)
        .outerjoin(Account, Account.account_no == Delivery.account_no)
        .outerjoin(AlertChannel, AlertChannel.channel_no == Delivery.channel_no)
        .outerjoin(Store, Store.store_key == Incident.store_key)
        .where(Delivery.group_no == group_no)
    )
