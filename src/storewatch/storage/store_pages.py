"""Stores as people read and change them: one, or a page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from storewatch.storage import groups
from storewatch.storage.access_tables import GroupStore, StoreGroup
from storewatch.storage.sight import managed, seen
from storewatch.storage.tables import HoursWeek, Store, StoreTimezone


@dataclass(frozen=True)
class Found:
    """A store, its zone (None: it has none), whether hours were given, and its groups that may be seen."""

    store: Store
    zone: str | None
    hours_given: bool
    groups: list[StoreGroup]


@dataclass(frozen=True)
class Filter:
    """Which stores of a list; None asks for nothing. `without` is hours, zone or polls."""

    group_id: UUID | None = None
    platform: str | None = None
    zone: str | None = None
    q: str | None = None
    archived: bool | None = None
    without: str | None = None
    by_name: bool = False
    default_zone: str = ""


_HOURS_GIVEN = exists().where(HoursWeek.store_key == Store.store_key)
_NAME = func.coalesce(Store.name, "").collate("C")


def page(
    session: Session, seen_by: int | None, which: Filter, after: Sequence[str] | None, count: int
) -> list[Found]:
    """Stores that may be seen, after (store_id) or, by name, after (name, store_id), in code point order."""
    order = (_NAME, Store.store_id) if which.by_name else (Store.store_id,)
    query = _query().where(seen(Store.store_key, seen_by), *_conditions(which))
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    return _found(session, query.order_by(*order).limit(count), seen_by)


def find(session: Session, store_id: str, seen_by: int | None, *, lock: bool = False) -> Found | None:
    """A store that may be seen; with `lock` nobody changes it until the end of the transaction."""
    query = _query().where(Store.store_id == store_id, seen(Store.store_key, seen_by))
    if lock:
        held = select(Store.store_key).where(Store.store_id == store_id).with_for_update()
        session.execute(held)
    return next(iter(_found(session, query, seen_by)), None)


def of_keys(session: Session, store_keys: Sequence[int], seen_by: int | None) -> dict[int, Found]:
    """Stores by their keys, as far as they may be seen."""
    query = _query().where(Store.store_key.in_(store_keys), seen(Store.store_key, seen_by))
    return {each.store.store_key: each for each in _found(session, query, seen_by)}


def may_change(session: Session, store_key: int, seen_by: int | None) -> bool:
    """Whether a store may be changed: by who sees all, or manages one of its groups."""
    query = select(Store.store_key).where(Store.store_key == store_key, managed(Store.store_key, seen_by))
    return session.execute(query).first() is not None


def add(session: Session, store_id: str, values: dict[str, Any]) -> int:
    """Adds a store; the caller has made sure that its id is new. Returns its key."""
    query = insert(Store).values(store_id=store_id, **values).returning(Store.store_key)
    return session.execute(query).scalar_one()


def change(session: Session, store_key: int, values: dict[str, Any]) -> None:
    """Sets columns of a store."""
    if values:
        session.execute(update(Store).where(Store.store_key == store_key).values(**values))


def _query() -> Select[Store, str, bool]:
    return select(Store, StoreTimezone.timezone_str, _HOURS_GIVEN).outerjoin(
        StoreTimezone, StoreTimezone.store_key == Store.store_key
    )


def _found(session: Session, query: Select[Store, str, bool], seen_by: int | None) -> list[Found]:
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    of_stores = groups.of_stores(session, [row[0].store_key for row in rows], seen_by)
    return [Found(row[0], row[1], row[2], of_stores[row[0].store_key]) for row in rows]


def _conditions(which: Filter) -> list[ColumnElement[bool]]:
    zone = func.coalesce(StoreTimezone.timezone_str, which.default_zone)
    texts = (Store.store_id, Store.name, Store.location)
    in_group = exists().where(
        GroupStore.store_key == Store.store_key,
        GroupStore.group_no == StoreGroup.group_no,
        StoreGroup.group_id == which.group_id,
    )
    without = {
        "hours": ~_HOURS_GIVEN,
        "zone": StoreTimezone.timezone_str.is_(None),
        "polls": Store.first_poll_at.is_(None),
    }
    wanted = (
        (which.group_id, in_group),
        (which.platform, Store.platform == which.platform),
        (which.zone, zone == which.zone),
        (which.q, or_(*(column.icontains(which.q or "", autoescape=True) for column in texts))),
        (which.archived, Store.archived_from.is_not(None) == which.archived),
        (which.without, without.get(which.without or "", Store.store_key.is_not(None))),
    )
    return [condition for asked, condition in wanted if asked is not None]


def names(session: Session, store_ids: list[str]) -> dict[str, str]:
    """What stores are called, by id; those without a name are left out."""
    query = select(Store.store_id, Store.name).where(Store.store_id.in_(store_ids))
    return {store_id: name for store_id, name in session.execute(query) if name}
