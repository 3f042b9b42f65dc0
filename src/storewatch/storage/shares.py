"""Links by which people without an account see some days of one store. Of a secret the digest is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, or_, select, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account
from storewatch.storage.people_pages import seen_account
from storewatch.storage.share_tables import Share
from storewatch.storage.sight import managed, managed_by
from storewatch.storage.tables import Store

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Found:
    """A link that neither expired nor was revoked, its store, and who made it, if they may be seen (None: a
    command, too). `works`: who made it may still share the store.
    """

    share: Share
    store_id: str
    made_by: str | None
    works: bool


_MAKER_MAY = or_(
    Share.account_no.is_(None),
    and_(
        Account.active,
        or_(Account.role != "member", managed_by(Share.store_key, Account.account_no)),
    ),
)


def add(
    session: Session,
    digest: bytes,
    store_key: int,
    account_no: int | None,
    label: str,
    days: tuple[date, date],
    expires_at: datetime,
) -> UUID:
    """Adds a link to the days of a store, both included; returns its id."""
    values = {"digest": digest, "store_key": store_key, "account_no": account_no, "label": label}
    values |= {"first_day": days[0], "last_day": days[1], "expires_at": expires_at}
    return session.execute(insert(Share).values(**values).returning(Share.share_id)).scalar_one()


def by_digest(session: Session, digest: bytes, now: datetime) -> Found | None:
    """The link of a secret, if it works."""
    row = session.execute(_live(None, now).where(Share.digest == digest, _MAKER_MAY)).first()
    return None if row is None else Found(*row)


def find(session: Session, share_id: UUID, seen_by: int | None, now: datetime) -> Found | None:
    """A link to a store that the caller decides on."""
    query = _live(seen_by, now).where(Share.share_id == share_id, managed(Share.store_key, seen_by))
    row = session.execute(query).first()
    return None if row is None else Found(*row)


def page(
    session: Session,
    seen_by: int | None,
    store_key: int | None,
    now: datetime,
    after: int | None,
    count: int,
) -> list[Found]:
    """Links to stores that the caller decides on, or to one of them, the newest first; after that number."""
    query = _live(seen_by, now).where(managed(Share.store_key, seen_by))
    if store_key is not None:
        query = query.where(Share.store_key == store_key)
    if after is not None:
        query = query.where(Share.share_no < after)
    return [Found(*row) for row in session.execute(query.order_by(Share.share_no.desc()).limit(count))]


def count(session: Session, store_key: int, now: datetime) -> int:
    """How many links a store has."""
    query = select(func.count()).select_from(Share).where(Share.store_key == store_key, *_neither(now))
    return session.execute(query).scalar_one()


def _live(seen_by: int | None, now: datetime) -> Select[Share, str, str, bool]:
    maker = case((seen_account(seen_by), Account.email))
    return (
        select(Share, Store.store_id, maker, _MAKER_MAY)
        .join(Store, Store.store_key == Share.store_key)
        .outerjoin(Account, Account.account_no == Share.account_no)
        .where(*_neither(now))
    )


def _neither(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Neither revoked nor expired."""
    return Share.revoked_at.is_(None), Share.expires_at > now


def revoke(session: Session, share_no: int, now: datetime) -> bool:
    """Ends a link. Whether nobody else had done so."""
    query = update(Share).where(Share.share_no == share_no, Share.revoked_at.is_(None))
    return session.execute(query.values(revoked_at=now).returning(Share.share_no)).first() is not None


def begin_use(session: Session, share_no: int, now: datetime) -> bool:
    """Notes the first use of a link. Whether this is it: of two at once, one is."""
    query = update(Share).where(Share.share_no == share_no, Share.first_used_at.is_(None))
    noted = query.values(first_used_at=now, last_used_at=now).returning(Share.share_no)
    return session.execute(noted).first() is not None


def note_use(session: Session, share: Share, now: datetime) -> None:
    """Notes when a link was last used, to the minute."""
    if share.last_used_at is None or now - share.last_used_at > _NOTED_EVERY:
        session.execute(update(Share).where(Share.share_no == share.share_no).values(last_used_at=now))
