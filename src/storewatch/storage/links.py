"""Links that work once. Of the secret in a link only the digest is stored."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.access_tables import Account, OneTimeLink


def add_first_admin(session: Session, digest: bytes, expires_at: datetime) -> None:
    """Adds the link by which the first administrator is made; an older one ends."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.kind == "first_admin"))
    session.execute(insert(OneTimeLink).values(kind="first_admin", digest=digest, expires_at=expires_at))


def add_reset(session: Session, digest: bytes, account_no: int, expires_at: datetime) -> None:
    """Adds a link to reset a password; an older one of the person ends."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.account_no == account_no))
    session.execute(
        insert(OneTimeLink).values(kind="reset", digest=digest, account_no=account_no, expires_at=expires_at)
    )


def add_invitation(
    session: Session,
    digest: bytes | None,
    email: str,
    role: Role,
    groups: dict[int, GroupRole],
    invited_by: int | None,
    expires_at: datetime,
) -> OneTimeLink:
    """Adds an invitation and what it gives."""
    values = {
        "kind": "invitation",
        "digest": digest,
        "email": email,
        "role": role.value,
        "groups": _stored(groups),
        "invited_by": invited_by,
        "expires_at": expires_at,
    }
    return session.execute(insert(OneTimeLink).values(values).returning(OneTimeLink)).scalar_one()


def end_same(
    session: Session, email: str, role: Role, groups: dict[int, GroupRole], invited_by: int | None
) -> None:
    """Ends invitations of one person by another that give the same."""
    query = delete(OneTimeLink).where(
        OneTimeLink.kind == "invitation",
        func.lower(OneTimeLink.email) == email.lower(),
        OneTimeLink.role == role.value,
        OneTimeLink.groups == _stored(groups),
        OneTimeLink.invited_by.is_not_distinct_from(invited_by),
    )
    session.execute(query)


def _stored(groups: dict[int, GroupRole]) -> dict[str, str]:
    return {str(group_no): given.value for group_no, given in groups.items()}


def given_groups(link: OneTimeLink) -> dict[int, GroupRole]:
    """The places in groups that an invitation gives."""
    return {int(group_no): GroupRole(role) for group_no, role in (link.groups or {}).items()}


def open_invitations(
    session: Session, now: datetime, by: int | None, after: tuple[datetime, UUID] | None, count: int
) -> list[tuple[OneTimeLink, str | None]]:
    """Invitations that can be accepted, and the address of who made each; newest first, after (created_at,
    link_id). With `by` those of one person alone.
    """
    query = _invitations(now, by).order_by(OneTimeLink.created_at.desc(), OneTimeLink.link_id.desc())
    if after is not None:
        query = query.where(tuple_(OneTimeLink.created_at, OneTimeLink.link_id) < tuple_(*after))
    return [(link, email) for link, email in session.execute(query.limit(count))]


def open_invitation(
    session: Session, link_id: UUID, now: datetime, by: int | None
) -> tuple[OneTimeLink, str | None] | None:
    """One of them; kept from use by others until the end of the transaction."""
    query = _invitations(now, by).where(OneTimeLink.link_id == link_id)
    row = session.execute(query.with_for_update(of=OneTimeLink)).first()
    return None if row is None else (row[0], row[1])


def _invitations(now: datetime, by: int | None) -> Select[OneTimeLink, str | None]:
    query = (
        select(OneTimeLink, Account.email)
        .outerjoin(Account, Account.account_no == OneTimeLink.invited_by)
        .where(OneTimeLink.kind == "invitation", OneTimeLink.expires_at > now)
    )
    return query if by is None else query.where(OneTimeLink.invited_by == by)


def find(session: Session, digest: bytes, now: datetime) -> OneTimeLink | None:
    """The link, if it still works; kept from use by others until the end of the transaction."""
    query = select(OneTimeLink).where(OneTimeLink.digest == digest, OneTimeLink.expires_at > now)
    return session.execute(query.with_for_update()).scalar()


def by_number(session: Session, link_no: int, now: datetime) -> OneTimeLink | None:
    """The link of that number, if it still works."""
    query = select(OneTimeLink).where(OneTimeLink.link_no == link_no, OneTimeLink.expires_at > now)
    return session.execute(query.with_for_update()).scalar()


def set_digest(session: Session, link_no: int, digest: bytes) -> None:
    """Gives a link its secret; one that it had no longer works."""
    session.execute(update(OneTimeLink).where(OneTimeLink.link_no == link_no).values(digest=digest))


def use_up(session: Session, link: OneTimeLink) -> None:
    """Ends a link."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.link_no == link.link_no))


def end_resets(session: Session, account_no: int) -> None:
    """Ends the links by which a person's password could be reset."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.account_no == account_no))


def clear_up(session: Session, now: datetime) -> None:
    """Removes what has run out."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < now))
