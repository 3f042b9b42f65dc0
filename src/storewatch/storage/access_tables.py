"""The tables of people, groups, tokens, uploads and the audit log as typed models."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class Account(Base):
    """A person. Admins and operators see every store, a member those of their groups."""

    __tablename__ = "account"
    account_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column()
    role: Mapped[str]
    password_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    last_login_at: Mapped[datetime | None]
    __table_args__ = (Index("account_email", func.lower(email), unique=True),)


class StoreGroup(Base):
    """A brand, a region, a franchisee."""

    __tablename__ = "store_group"
    group_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default="now()")


class GroupStore(Base):
    """That a store is in a group."""

    __tablename__ = "group_store"
    __table_args__ = (Index("group_store_by_store", "store_key", "group_no"),)
    group_no: Mapped[int] = mapped_column(
        ForeignKey("store_group.group_no", ondelete="CASCADE"), primary_key=True
    )
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )


class Membership(Base):
    """What a person is to a group: its manager, or a viewer."""

    __tablename__ = "membership"
    account_no: Mapped[int] = mapped_column(
        ForeignKey("account.account_no", ondelete="CASCADE"), primary_key=True
    )
    group_no: Mapped[int] = mapped_column(
        ForeignKey("store_group.group_no", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str]
    __table_args__ = (Index("membership_by_group", "group_no"),)


class Login(Base):
    """A session of a person: the SHA-256 of the secret in their cookie."""

    __tablename__ = "login"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_no: Mapped[int] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    last_seen_at: Mapped[datetime] = mapped_column(server_default="now()")
    address: Mapped[str | None]
    __table_args__ = (Index("login_by_account", "account_no"),)


class Token(Base):
    """A named key for programs; it sees what its person sees."""

    __tablename__ = "token"
    token_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    token_id: Mapped[UUID] = mapped_column(unique=True)
    account_no: Mapped[int] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    name: Mapped[str]
    scope: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (Index("token_by_account", "account_no"),)


class OneTimeLink(Base):
    """A link that works once: to become the first admin, to accept an invitation, to reset a password."""

    __tablename__ = "one_time_link"
    link_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    kind: Mapped[str]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    email: Mapped[str | None]
    role: Mapped[str | None]
    groups: Mapped[dict[str, Any] | None]
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    expires_at: Mapped[datetime]
    link_id: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    __table_args__ = (Index("one_time_link_by_account", "account_no"),)


class LoginFailure(Base):
    """A failed login, whether the account exists or not; `email` is a digest.

    `kind` is log_in, or forgot: then it is a link for a new password that was asked for.
    """

    __tablename__ = "login_failure"
    failure_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    failed_at: Mapped[datetime] = mapped_column(server_default="now()")
    email: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="log_in")
    __table_args__ = (
        Index("login_failure_by_email", "email", "failed_at"),
        Index("login_failure_by_address", "address", "failed_at"),
    )


class AppSecret(Base):
    """What all processes of a service share, such as the key that signs cookies."""

    __tablename__ = "app_secret"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)


class Audit(Base):
    """Who did what to what, when, from where. The database refuses to change it."""

    __tablename__ = "audit"
    audit_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default="clock_timestamp()")
    account_id: Mapped[UUID | None]
    email: Mapped[str | None]
    via: Mapped[str]
    token_id: Mapped[UUID | None]
    address: Mapped[str | None]
    action: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("audit_by_subject", "kind", "subject", "audit_no"),
        Index("audit_by_account", "account_id", "audit_no"),
        Index("audit_by_time", "at"),
    )


class Upload(Base):
    """A file that came over HTTP, taken in by a job."""

    __tablename__ = "upload"
    upload_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str | None]
    file_name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    status: Mapped[str]
    progress: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(server_default="0")
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))
    import_no: Mapped[int | None] = mapped_column(ForeignKey("import.import_no", ondelete="SET NULL"))
    error: Mapped[str | None]
    valid_from: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    finished_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """A request that was made, by the key that its client gave it, and what was answered."""

    __tablename__ = "idempotency_key"
    account_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
