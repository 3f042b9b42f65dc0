"""Service levels: who may see them, added, changed, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, exists, insert, or_, select, true, tuple_, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Membership, StoreGroup
from storewatch.storage.sight import seen
from storewatch.storage.tables import Store
from storewatch.storage.truth_tables import ServiceLevel


@dataclass(frozen=True)
class Found:
    """A service level, and the store or group that it is of; neither: of all stores."""

    level: ServiceLevel
    store_id: str | None
    group_id: UUID | None


_NAME = ServiceLevel.name.collate("C")


def find(session: Session, level_id: UUID, seen_by: int | None, *, lock: bool = False) -> Found | None:
    """The service level of that id, if it may be seen; with `lock` nobody changes it until the end."""
    query = _query(seen_by).where(ServiceLevel.level_id == level_id)
    if lock:
        query = query.with_for_update(of=ServiceLevel)
    row = session.execute(query.execution_options(populate_existing=True)).first()
    return None if row is None else Found(*row)


def those(session: Session, numbers: Sequence[int]) -> list[Found]:
    """Some, by their numbers, whoever may see them."""
    query = _query(None).where(ServiceLevel.level_no.in_(numbers)).order_by(ServiceLevel.level_no)
    return [Found(*row) for row in session.execute(query)]


def page(session: Session, seen_by: int | None, after: tuple[str, UUID] | None, count: int) -> list[Found]:
    """Those that may be seen, by name and id, after a name and id."""
    order = (_NAME, ServiceLevel.level_id)
    query = _query(seen_by).order_by(*order).limit(count)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    return [Found(*row) for row in session.execute(query)]


def of_months(
    session: Session, seen_by: int | None, store_id: str | None, group_id: UUID | None, count: int
) -> list[Found]:
    """So many of those by the month that may be seen: of exactly a store or a group, or (neither) of all."""
    query = _query(seen_by).where(ServiceLevel.period == "month")
    if store_id is not None:
        query = query.where(Store.store_id == store_id)
    elif group_id is not None:
        query = query.where(StoreGroup.group_id == group_id)
    query = query.order_by(_NAME, ServiceLevel.level_id).limit(count)
    return [Found(*row) for row in session.execute(query)]


def _query(seen_by: int | None) -> Select[ServiceLevel, str | None, UUID | None]:
    return (
        select(ServiceLevel, Store.store_id, StoreGroup.group_id)
        .outerjoin(Store, Store.store_key == ServiceLevel.store_key)
        .outerjoin(StoreGroup, StoreGroup.group_no == ServiceLevel.group_no)
        .where(_seen(seen_by))
    )


def _seen(seen_by: int | None) -> ColumnElement[bool]:
    """A member sees those of their groups and of their groups' stores; not those of all stores."""
    if seen_by is None:
        return true()
    own_group = exists(
        select(Membership.group_no).where(
            Membership.group_no == ServiceLevel.group_no, Membership.account_no == seen_by
        )
    )
    return or_(own_group, and_(Store.store_key.is_not(None), seen(Store.store_key, seen_by)))


def add(session: Session, values: dict[str, Any]) -> UUID:
    """Adds one; returns its id."""
    return session.execute(
        insert(ServiceLevel).values(**values).returning(ServiceLevel.level_id)
    ).scalar_one()


def change(session: Session, level_no: int, values: dict[str, Any]) -> None:
    """Sets columns of one."""
    session.execute(update(ServiceLevel).where(ServiceLevel.level_no == level_no).values(**values))


def remove(session: Session, level_no: int) -> None:
    """Removes one."""
    session.execute(delete(ServiceLevel).where(ServiceLevel.level_no == level_no))
