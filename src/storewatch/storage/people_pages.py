"""People as others see them: one, or a page of a list; who belongs to a group.

Admins and operators see everybody. A member sees themselves, and as the manager of groups the viewers of
these; of a viewer's places those in groups that they manage. Nothing tells of anybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from storewatch.domain.permissions import GroupRole
from storewatch.storage.access_tables import Account, Membership, StoreGroup

Place = tuple[StoreGroup, GroupRole]
"""A group, and what somebody is there."""


@dataclass(frozen=True)
class Person:
    """Somebody, and their places in groups, by name of the group, as far as these may be seen."""

    account: Account
    places: list[Place]


@dataclass(frozen=True)
class Filter:
    """Which people of a list; None asks for nothing."""

    q: str | None = None
    role: str | None = None
    active: bool | None = None


_EMAIL = func.lower(Account.email).collate("C")


def page(session: Session, seen_by: int | None, which: Filter, after: str | None, count: int) -> list[Person]:
    """People who may be seen, by address in small letters, those after one."""
    query = select(Account).where(seen_account(seen_by), *_conditions(which))
    if after is not None:
        query = query.where(after < _EMAIL)
    return _persons(session, session.execute(query.order_by(_EMAIL).limit(count)).scalars().all(), seen_by)


def find(session: Session, account_id: UUID, seen_by: int | None) -> Person | None:
    """Somebody who may be seen."""
    query = select(Account).where(Account.account_id == account_id, seen_account(seen_by))
    found = session.execute(query.execution_options(populate_existing=True)).scalars().all()
    return next(iter(_persons(session, found, seen_by)), None)


def members(
    session: Session, group_no: int, seen_by: int | None, after: str | None, count: int
) -> list[tuple[Account, GroupRole]]:
    """Who belongs to a group and may be seen there, by address, those after one."""
    query = _members(group_no, seen_by)
    if after is not None:
        query = query.where(after < _EMAIL)
    rows = session.execute(query.order_by(_EMAIL).limit(count))
    return [(account, GroupRole(role)) for account, role in rows]


def member(
    session: Session, group_no: int, account_id: UUID, seen_by: int | None
) -> tuple[Account, GroupRole] | None:
    """Somebody who belongs to a group and may be seen there."""
    row = session.execute(_members(group_no, seen_by).where(Account.account_id == account_id)).first()
    return None if row is None else (row[0], GroupRole(row[1]))


def _members(group_no: int, seen_by: int | None) -> Select[Account, str]:
    return (
        select(Account, Membership.role)
        .join(Membership, Membership.account_no == Account.account_no)
        .where(Membership.group_no == group_no, _seen_in(group_no, seen_by))
    )


def _conditions(which: Filter) -> list[ColumnElement[bool]]:
    wanted = (
        (which.q, Account.email.icontains(which.q or "", autoescape=True)),
        (which.role, Account.role == which.role),
        (which.active, Account.active == which.active),
    )
    return [condition for asked, condition in wanted if asked is not None]


def seen_account(seen_by: int | None) -> ColumnElement[bool]:
    """Whether somebody may be seen."""
    if seen_by is None:
        return true()
    theirs, mine = aliased(Membership), aliased(Membership)
    viewer_of_mine = exists(
        select(theirs.account_no)
        .join(mine, and_(mine.group_no == theirs.group_no, mine.account_no == seen_by))
        .where(theirs.account_no == Account.account_no, theirs.role == "viewer", mine.role == "manager")
    )
    return or_(Account.account_no == seen_by, and_(Account.role == "member", viewer_of_mine))


def _seen_in(group_no: int, seen_by: int | None) -> ColumnElement[bool]:
    """The same for one group: its viewers are seen by its managers."""
    if seen_by is None:
        return true()
    mine = aliased(Membership)
    managed = exists(
        select(mine.account_no).where(
            mine.group_no == group_no, mine.account_no == seen_by, mine.role == "manager"
        )
    )
    viewer = and_(Account.role == "member", Membership.role == "viewer")
    return or_(Account.account_no == seen_by, and_(viewer, managed))


def _persons(session: Session, accounts: Sequence[Account], seen_by: int | None) -> list[Person]:
    places = _places(session, [account.account_no for account in accounts], seen_by)
    return [Person(account, places[account.account_no]) for account in accounts]


def _places(session: Session, numbers: list[int], seen_by: int | None) -> dict[int, list[Place]]:
    query = (
        select(Membership.account_no, StoreGroup, Membership.role)
        .join(StoreGroup, StoreGroup.group_no == Membership.group_no)
        .where(Membership.account_no.in_(numbers), _place_seen(seen_by))
        .order_by(StoreGroup.name)
    )
    found: dict[int, list[Place]] = {number: [] for number in numbers}
    for number, group, role in session.execute(query):
        found[number].append((group, GroupRole(role)))
    return found


def _place_seen(seen_by: int | None) -> ColumnElement[bool]:
    if seen_by is None:
        return true()
    mine = aliased(Membership)
    managed = exists(
        select(mine.account_no).where(
            mine.group_no == Membership.group_no, mine.account_no == seen_by, mine.role == "manager"
        )
    )
    return or_(Membership.account_no == seen_by, and_(Membership.role == "viewer", managed))
