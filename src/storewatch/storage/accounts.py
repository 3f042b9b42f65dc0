"""People, their places in groups, their sessions, their failed logins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.access_tables import Account, Audit, Login, LoginFailure, Membership


def any_account(session: Session) -> bool:
    """Whether anybody has an account yet."""
    return session.execute(select(Account.account_no).limit(1)).first() is not None


def by_email(session: Session, email: str) -> Account | None:
    """The account of an address, in whatever case it is written."""
    if "\0" in email:  # PostgreSQL can't even be asked
        return None
    return session.execute(select(Account).where(func.lower(Account.email) == email.lower())).scalar()


def by_id(session: Session, account_id: UUID) -> Account | None:
    """The account of that id."""
    return session.execute(select(Account).where(Account.account_id == account_id)).scalar()


def everybody(session: Session) -> list[Account]:
    """All people, by address."""
    return list(session.execute(select(Account).order_by(func.lower(Account.email))).scalars())


def sight(session: Session, account_no: int | None) -> int | None:
    """What `seen_by` is for somebody: their own number for a member, None for who sees every store."""
    query = select(Account.account_no).where(Account.account_no == account_no, Account.role == "member")
    return session.execute(query).scalar()


def email_of(session: Session, account_no: int | None) -> str | None:
    """The address of a person; None without one."""
    return session.execute(select(Account.email).where(Account.account_no == account_no)).scalar()


def locked(session: Session, account_no: int) -> Account:
    """The account, kept from changes by others until the end of the transaction."""
    query = select(Account).where(Account.account_no == account_no).with_for_update()
    return session.execute(query.execution_options(populate_existing=True)).scalar_one()


def add(session: Session, email: str, role: Role, password_hash: str | None = None) -> Account:
    """Adds a person; the caller has made sure that the address is new."""
    values = {"account_id": uuid4(), "email": email, "role": role.value, "password_hash": password_hash}
    return session.execute(insert(Account).values(values).returning(Account)).scalar_one()


def change(session: Session, account_no: int, **values: object) -> None:
    """Sets columns of an account."""
    session.execute(update(Account).where(Account.account_no == account_no).values(**values))


def active_admins(session: Session) -> list[int]:
    """The administrators who are active; locked, so that two cannot remove each other at once."""
    query = select(Account.account_no).where(Account.role == "admin", Account.active)
    return list(session.execute(query.order_by(Account.account_no).with_for_update()).scalars())


# --- places in groups -----------------------------------------------------------------------------


def groups_of(session: Session, account_no: int) -> dict[int, GroupRole]:
    """The groups of a person, and what they are there."""
    query = select(Membership.group_no, Membership.role).where(Membership.account_no == account_no)
    return {group_no: GroupRole(role) for group_no, role in session.execute(query)}


def put_in_groups(session: Session, account_no: int, groups: dict[int, GroupRole]) -> None:
    """Gives a person places in groups, beside those that they have."""
    rows = [{"account_no": account_no, "group_no": no, "role": role.value} for no, role in groups.items()]
    if rows:
        query = upsert(Membership).values(rows)
        session.execute(
            query.on_conflict_do_update(
                index_elements=["account_no", "group_no"], set_={"role": query.excluded.role}
            )
        )


def take_from_group(session: Session, account_no: int, group_no: int) -> bool:
    """Ends a person's place in a group. Whether they had one."""
    query = delete(Membership).where(Membership.account_no == account_no, Membership.group_no == group_no)
    return session.execute(query.returning(Membership.group_no)).first() is not None


# --- sessions -------------------------------------------------------------------------------------


def begin_login(session: Session, digest: bytes, account_no: int, address: str | None, now: datetime) -> None:
    """Begins a session."""
    session.execute(
        insert(Login).values(
            digest=digest, account_no=account_no, address=address, created_at=now, last_seen_at=now
        )
    )
    change(session, account_no, last_login_at=now)


def by_login(session: Session, digest: bytes, seen_after: datetime, begun_after: datetime) -> Account | None:
    """Whose session it is, if it is neither idle nor old, and the person is active."""
    query = (
        select(Account)
        .join(Login, Login.account_no == Account.account_no)
        .where(
            Login.digest == digest,
            Login.last_seen_at > seen_after,
            Login.created_at > begun_after,
            Account.active,
        )
    )
    return session.execute(query).scalar()


def touch_login(session: Session, digest: bytes, now: datetime, unless_after: datetime) -> None:
    """Notes that a session is in use, unless that was noted of late."""
    query = update(Login).where(Login.digest == digest, Login.last_seen_at < unless_after)
    session.execute(query.values(last_seen_at=now))


def end_login(session: Session, digest: bytes) -> None:
    """Ends a session."""
    session.execute(delete(Login).where(Login.digest == digest))


def end_logins(session: Session, account_no: int) -> None:
    """Ends the sessions of a person."""
    session.execute(delete(Login).where(Login.account_no == account_no))


# --- tries that are counted -----------------------------------------------------------------------


def note_try(session: Session, kind: str, email: bytes, address: str, now: datetime) -> None:
    """Notes a login that failed (`log_in`), or that a link for a new password was asked for (`forgot`)."""
    session.execute(insert(LoginFailure).values(kind=kind, email=email, address=address, failed_at=now))


def tries(
    session: Session, kind: str, email: bytes, address: str, since: datetime
) -> tuple[list[datetime], list[datetime]]:
    """When there were tries of late: for an account, from an address; newest first."""
    by_account = _tries(kind, since).where(LoginFailure.email == email)
    by_address = _tries(kind, since).where(LoginFailure.address == address)
    return (list(session.execute(by_account).scalars()), list(session.execute(by_address).scalars()))


def tries_here(session: Session, kind: str, email: bytes, address: str, since: datetime) -> list[datetime]:
    """When there were tries of late for an account from one address; newest first."""
    query = _tries(kind, since).where(LoginFailure.email == email, LoginFailure.address == address)
    return list(session.execute(query).scalars())


def was_here(session: Session, email: str, address: str, since: datetime) -> bool:
    """Whether the person of an address logged in from a machine."""
    if "\0" in email:
        return False
    query = (
        select(Audit.audit_no)
        .join(Account, Account.account_id == Audit.account_id)
        .where(func.lower(Account.email) == email.lower(), Audit.action == "log_in")
        .where(Audit.address == address, Audit.at > since)
    )
    return session.execute(query.limit(1)).first() is not None


def _tries(kind: str, since: datetime) -> Select[datetime]:
    query = select(LoginFailure.failed_at).where(LoginFailure.kind == kind, LoginFailure.failed_at > since)
    return query.order_by(LoginFailure.failed_at.desc()).limit(_COUNTED)


def hold_name(session: Session, email: bytes) -> None:
    """Lets others who try for this account wait until the end of the transaction, so that they count."""
    key = int.from_bytes(email[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


_COUNTED = 100


def forgive(session: Session, email: bytes) -> None:
    """Forgets the failed logins of an account, after one that worked."""
    session.execute(delete(LoginFailure).where(LoginFailure.email == email, LoginFailure.kind == "log_in"))


def clear_up(session: Session, seen_before: datetime, begun_before: datetime) -> None:
    """Removes sessions that have run out, and tries that no longer matter."""
    session.execute(
        delete(Login).where((Login.last_seen_at < seen_before) | (Login.created_at < begun_before))
    )
    session.execute(delete(LoginFailure).where(LoginFailure.failed_at < seen_before))
