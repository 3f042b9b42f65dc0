"""Tokens: named keys for programs. Only the digest of a secret is stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, Token


def add(
    session: Session, account_no: int, name: str, scope: str, digest: bytes, expires_at: datetime | None
) -> Token:
    """Adds a token."""
    values = {"token_id": uuid4(), "account_no": account_no, "name": name, "scope": scope, "digest": digest}
    return session.execute(
        insert(Token).values(**values, expires_at=expires_at).returning(Token)
    ).scalar_one()


def by_digest(session: Session, digest: bytes, now: datetime) -> tuple[Token, Account] | None:
    """The token and its person, if it works: not revoked, not expired, the person active."""
    query = (
        select(Token, Account)
        .join(Account, Account.account_no == Token.account_no)
        .where(
            Token.digest == digest,
            Token.revoked_at.is_(None),
            or_(Token.expires_at.is_(None), Token.expires_at > now),
            Account.active,
        )
    )
    row = session.execute(query).first()
    return None if row is None else (row[0], row[1])


def note_use(session: Session, token: Token, now: datetime) -> None:
    """Notes when a token was last used, to the minute."""
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        session.execute(update(Token).where(Token.token_no == token.token_no).values(last_used_at=now))


def find(session: Session, token_id: UUID, account_no: int | None) -> Token | None:
    """The token of that id; of one person, unless that is None."""
    query = select(Token).where(Token.token_id == token_id)
    if account_no is not None:
        query = query.where(Token.account_no == account_no)
    return session.execute(query).scalar()


def of(session: Session, account_no: int) -> list[Token]:
    """The tokens of a person that were not revoked, newest first."""
    query = select(Token).where(Token.account_no == account_no, Token.revoked_at.is_(None))
    return list(session.execute(query.order_by(Token.created_at.desc(), Token.token_no.desc())).scalars())


def revoke(session: Session, token_no: int, now: datetime) -> None:
    """Ends a token."""
    session.execute(
        update(Token).where(Token.token_no == token_no, Token.revoked_at.is_(None)).values(revoked_at=now)
    )


def revoke_all(session: Session, account_no: int, now: datetime) -> None:
    """Ends every token of a person."""
    session.execute(
        update(Token).where(Token.account_no == account_no, Token.revoked_at.is_(None)).values(revoked_at=now)
    )
