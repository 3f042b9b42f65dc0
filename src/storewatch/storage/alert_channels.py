"""alert_channel: where else a group's alerts go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from storewatch.storage.alert_tables import AlertChannel


def of_group(session: Session, group_no: int, after: str = "", count: int = 1000) -> list[AlertChannel]:
    """The channels of a group by name, those after a name."""
    name = AlertChannel.name.collate("C")
    query = select(AlertChannel).where(AlertChannel.group_no == group_no, name > after)
    return list(session.execute(query.order_by(name).limit(count)).scalars())


def by_id(session: Session, channel_id: UUID, group_no: int | None = None) -> AlertChannel | None:
    """The channel of that id, of a group."""
    query = select(AlertChannel).where(AlertChannel.channel_id == channel_id)
    if group_no is not None:
        query = query.where(AlertChannel.group_no == group_no)
    return session.execute(query.with_for_update().execution_options(populate_existing=True)).scalar()


def count(session: Session, group_no: int) -> int:
    """How many a group has."""
    query = select(func.count()).select_from(AlertChannel).where(AlertChannel.group_no == group_no)
    return session.execute(query).scalar_one()


def named(session: Session, group_no: int, name: str) -> bool:
    """Whether a group has a channel of that name."""
    query = select(AlertChannel.channel_no).where(
        AlertChannel.group_no == group_no, AlertChannel.name == name
    )
    return session.execute(query).first() is not None


def add(session: Session, values: dict[str, Any]) -> AlertChannel:
    """Adds one; the caller has made sure that its name is new."""
    return session.execute(insert(AlertChannel).values(**values).returning(AlertChannel)).scalar_one()


def change(session: Session, channel_no: int, **values: Any) -> None:
    """Sets columns of one."""
    session.execute(update(AlertChannel).where(AlertChannel.channel_no == channel_no).values(**values))


def remove(session: Session, channel_no: int) -> None:
    """Removes one, and its part of the log."""
    session.execute(delete(AlertChannel).where(AlertChannel.channel_no == channel_no))
