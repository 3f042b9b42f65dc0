"""Who there is, and what they are: admins, operators, members; active or not."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from storewatch.domain.permissions import Caller, Role
from storewatch.errors import ConflictError, ForbiddenError, NotFoundError
from storewatch.storage import accounts, audit, people_pages
from storewatch.storage.access_tables import Account
from storewatch.storage.db import Database
from storewatch.storage.people_pages import Filter, Person


def page(database: Database, caller: Caller, which: Filter, after: str | None, count: int) -> list[Person]:
    """The people whom the caller may see, by address, those after one."""
    with database.session() as session:
        return people_pages.page(session, caller.seen_by, which, after, count)


def get(database: Database, caller: Caller, account_id: UUID) -> Person:
    """Somebody whom the caller may see. NotFoundError without one."""
    with database.session() as session:
        return found(session, caller, account_id)


def found(session: Session, caller: Caller, account_id: UUID) -> Person:
    """Somebody whom the caller may see. NotFoundError without one."""
    person = people_pages.find(session, account_id, caller.seen_by)
    if person is None:
        raise NotFoundError(f"There is no user '{account_id}'")
    return person


def change(
    database: Database,
    caller: Caller,
    account_id: UUID,
    role: Role | None = None,
    active: bool | None = None,
    check: Callable[[Person], None] = lambda _: None,
) -> Person:
    """Makes somebody an admin, an operator or a member; disables them, whose sessions and tokens stop at
    once, or enables them again. `check` looks at the locked row, and raises if it must not be changed.
    """
    with database.transaction() as session:
        admins = accounts.active_admins(session)  # first, so that two admins do not wait for each other
        account = accounts.locked(session, found(session, caller, account_id).account.account_no)
        check(found(session, caller, account_id))
        lost = role not in (None, Role.ADMIN) or active is False
        if lost and admins == [account.account_no]:
            raise ConflictError("This is the only administrator: make another one first")
        if role is not None and role != account.role:
            audit.record(
                session, caller, "set_role", "user", account_id, role=role.value, before=account.role
            )
            accounts.change(session, account.account_no, role=role.value)
        if active is not None and active != account.active:
            _set_active(session, caller, account, active=active)
        return found(session, caller, account_id)


def _set_active(session: Session, caller: Caller, account: Account, *, active: bool) -> None:
    if not active:
        accounts.end_logins(session, account.account_no)
    accounts.change(session, account.account_no, active=active)
    audit.record(session, caller, "enable" if active else "disable", "user", account.account_id)


def end_sessions(database: Database, caller: Caller) -> None:
    """Ends every session of the caller, this one too. Tokens stay."""
    if caller.account_no is None:
        raise ForbiddenError("Nobody is logged in here, so there are no sessions to end")
    with database.transaction() as session:
        accounts.end_logins(session, caller.account_no)
        audit.record(session, caller, "log_out_everywhere", "session", "")


def everybody(database: Database) -> list[Account]:
    """All people, by address."""
    with database.session() as session:
        return accounts.everybody(session)


def id_of(database: Database, email: str) -> UUID:
    """The id of an address's account. NotFoundError without one."""
    with database.session() as session:
        account = accounts.by_email(session, email)
    if account is None:
        raise NotFoundError(f"There is no user '{email}'")
    return account.account_id
