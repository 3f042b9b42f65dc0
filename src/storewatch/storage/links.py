"""Links that work once. Of the secret in a link only the digest is stored."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage.access_tables import OneTimeLink


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
) -> int:
    """Adds an invitation and what it gives. Returns its number."""
    values = {
        "kind": "invitation",
        "digest": digest,
        "email": email,
        "role": role.value,
        "groups": {str(group_no): given.value for group_no, given in groups.items()},
        "invited_by": invited_by,
        "expires_at": expires_at,
    }
    return session.execute(insert(OneTimeLink).values(values).returning(OneTimeLink.link_no)).scalar_one()


def given_groups(link: OneTimeLink) -> dict[int, GroupRole]:
    """The places in groups that an invitation gives."""
    return {int(group_no): GroupRole(role) for group_no, role in (link.groups or {}).items()}


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
