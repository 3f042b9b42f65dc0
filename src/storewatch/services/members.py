"""Who belongs to a group of stores: its managers and viewers.

Operators put anybody anywhere. Managers put viewers of groups that they manage into others that they
manage, as viewers, and take them out; somebody new they invite.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, GroupRole
from storewatch.errors import ForbiddenError, NotFoundError
from storewatch.services import users
from storewatch.storage import accounts, audit, groups, people_pages
from storewatch.storage.access_tables import Account, StoreGroup
from storewatch.storage.db import Database

Member = tuple[Account, GroupRole]
"""Somebody, and what they are to the group."""


def page(database: Database, caller: Caller, group_id: UUID, after: str | None, count: int) -> list[Member]:
    """Who belongs to a group, as far as the caller may see them. NotFoundError without the group."""
    with database.session() as session:
        group = _group(session, caller, group_id)
        return people_pages.members(session, group.group_no, caller.seen_by, after, count)


def get(database: Database, caller: Caller, group_id: UUID, account_id: UUID) -> Member:
    """A member of a group. NotFoundError if they are none, or none that the caller may see."""
    with database.session() as session:
        member = _member(session, caller, _group(session, caller, group_id), account_id)
    if member is None:
        raise _nobody(account_id)
    return member


def put(
    database: Database,
    caller: Caller,
    group_id: UUID,
    account_id: UUID,
    role: GroupRole,
    check: Callable[[Member | None], None],
) -> Member:
    """Gives somebody a place in a group. `check` looks at the one they have, or None, with it locked."""
    with database.transaction() as session:
        group = _managed(session, caller, group_id)
        account = _to_place(session, caller, account_id)
        present = _member(session, caller, group, account_id)
        check(present)
        if not caller.sees_all and role is not GroupRole.VIEWER:
            raise ForbiddenError("Only operators make managers")
        if present is None and group.group_no in accounts.groups_of(session, account.account_no):
            raise ForbiddenError("Only operators change the place of a manager")
        accounts.put_in_groups(session, account.account_no, {group.group_no: role})
        if present is None or present[1] is not role:
            audit.record(
                session, caller, "put_member", "group", group_id, account_id=str(account_id), role=role.value
            )
        return account, role


def remove(
    database: Database,
    caller: Caller,
    group_id: UUID,
    account_id: UUID,
    check: Callable[[Member | None], None],
) -> None:
    """Ends somebody's place in a group. NotFoundError if they have none."""
    with database.transaction() as session:
        group = _managed(session, caller, group_id)
        account = _to_place(session, caller, account_id)
        present = _member(session, caller, group, account_id)
        if present is None:
            raise _nobody(account_id)
        check(present)
        accounts.take_from_group(session, account.account_no, group.group_no)
        audit.record(session, caller, "remove_member", "group", group_id, account_id=str(account_id))


def _group(session: Session, caller: Caller, group_id: UUID) -> StoreGroup:
    group = groups.find(session, group_id, caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{group_id}'")
    return group


def _managed(session: Session, caller: Caller, group_id: UUID) -> StoreGroup:
    group = _group(session, caller, group_id)
    if not caller.manages(group.group_no):
        raise ForbiddenError("You may see this group; its managers may change who belongs to it.")
    return group


def _to_place(session: Session, caller: Caller, account_id: UUID) -> Account:
    """Somebody whom the caller may see, locked, but for a manager themselves."""
    account = users.found(session, caller, account_id).account
    if not caller.sees_all and account.account_no == caller.account_no:
        raise ForbiddenError("Only operators change the place of a manager")
    return accounts.locked(session, account.account_no)


def _member(session: Session, caller: Caller, group: StoreGroup, account_id: UUID) -> Member | None:
    return people_pages.member(session, group.group_no, account_id, caller.seen_by)


def _nobody(account_id: UUID) -> NotFoundError:
    return NotFoundError(f"There is no member '{account_id}' of this group")
