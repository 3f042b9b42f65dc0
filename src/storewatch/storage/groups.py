"""Groups of stores."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, exists, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import GroupStore, Membership, StoreGroup


def _seen(seen_by: int | None) -> ColumnElement[bool]:
    """Whether a group may be seen: a member sees the groups that they belong to."""
    if seen_by is None:
        return true()
    return exists(
        select(Membership.group_no).where(
            Membership.group_no == StoreGroup.group_no, Membership.account_no == seen_by
        )
    )


def find(session: Session, group_id: UUID, seen_by: int | None, *, lock: bool = False) -> StoreGroup | None:
    """The group of that id, if it may be seen. With `lock` nobody changes it until the end of the
    transaction.
    """
    query = select(StoreGroup).where(StoreGroup.group_id == group_id, _seen(seen_by))
    return session.execute(query.with_for_update() if lock else query).scalar()


def by_name(session: Session, name: str, seen_by: int | None = None) -> StoreGroup | None:
    """The group of that name, if it may be seen."""
    return session.execute(select(StoreGroup).where(StoreGroup.name == name, _seen(seen_by))).scalar()


def page(session: Session, seen_by: int | None, after: str, count: int) -> list[StoreGroup]:
    """Groups by name in code point order, those after a name."""
    query = select(StoreGroup).where(_seen(seen_by), StoreGroup.name > after)
    return list(session.execute(query.order_by(StoreGroup.name).limit(count)).scalars())


def by_numbers(session: Session, numbers: Sequence[int], seen_by: int | None = None) -> dict[int, StoreGroup]:
    """Groups by their inner number, as far as they may be seen."""
    query = select(StoreGroup).where(StoreGroup.group_no.in_(numbers), _seen(seen_by))
    return {group.group_no: group for group in session.execute(query).scalars()}


def add(session: Session, name: str) -> StoreGroup:
    """Adds a group; the caller has made sure that the name is new."""
    return session.execute(
        insert(StoreGroup).values(group_id=uuid4(), name=name).returning(StoreGroup)
    ).scalar_one()


def named(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Numbers of groups by name; those that are lacking are made."""
    if names:
        rows = [{"group_id": uuid4(), "name": name} for name in sorted(set(names))]
        session.execute(upsert(StoreGroup).values(rows).on_conflict_do_nothing())
    query = select(StoreGroup.name, StoreGroup.group_no).where(StoreGroup.name.in_(names))
    return {row.name: row.group_no for row in session.execute(query)}


def rename(session: Session, group_no: int, name: str) -> None:
    """Gives a group another name."""
    session.execute(update(StoreGroup).where(StoreGroup.group_no == group_no).values(name=name))


def remove(session: Session, group_no: int) -> None:
    """Removes a group; its stores and people stay."""
    session.execute(delete(StoreGroup).where(StoreGroup.group_no == group_no))


def of_stores(
    session: Session, store_keys: Sequence[int], seen_by: int | None
) -> dict[int, list[StoreGroup]]:
    """The groups of stores, by store key and in order of name, as far as they may be seen."""
    query = (
        select(GroupStore.store_key, StoreGroup)
        .join(StoreGroup, StoreGroup.group_no == GroupStore.group_no)
        .where(GroupStore.store_key.in_(store_keys), _seen(seen_by))
        .order_by(StoreGroup.name)
    )
    found: dict[int, list[StoreGroup]] = {store_key: [] for store_key in store_keys}
    for store_key, group in session.execute(query):
        found[store_key].append(group)
    return found


def add_stores(session: Session, group_no: int, store_keys: Sequence[int]) -> list[int]:
    """Puts stores into a group. Returns those that were new there."""
    if not store_keys:
        return []
    rows = [{"group_no": group_no, "store_key": store_key} for store_key in store_keys]
    query = upsert(GroupStore).values(rows).on_conflict_do_nothing().returning(GroupStore.store_key)
    return list(session.execute(query).scalars())


def remove_stores(session: Session, group_no: int, store_keys: Sequence[int]) -> list[int]:
    """Takes stores out of a group. Returns those that were there."""
    query = delete(GroupStore).where(GroupStore.group_no == group_no, GroupStore.store_key.in_(store_keys))
    return list(session.execute(query.returning(GroupStore.store_key)).scalars())


def members(session: Session, group_no: int) -> list[Membership]:
    """Who belongs to a group."""
    query = select(Membership).where(Membership.group_no == group_no).order_by(Membership.account_no)
    return list(session.execute(query).scalars())
