"""The table of links by which people without an account see some days of one store, as a typed model."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Identity, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class Share(Base):
    """A link to the local days of a store from `first_day` to `last_day`: the SHA-256 of its secret."""

    __tablename__ = "share"
    share_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    share_id: Mapped[UUID] = mapped_column(unique=True, server_default="gen_random_uuid()")
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    store_key: Mapped[int] = mapped_column(ForeignKey("store.store_key", ondelete="CASCADE"))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    label: Mapped[str]
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    first_used_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    __table_args__ = (
        Index("share_by_store", "store_key", "share_no"),
        Index("share_by_account", "account_no"),
    )
