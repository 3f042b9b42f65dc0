"""The tables of exceptions, notes on outages, service levels and revenue as typed models."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKey, Identity, Index, Integer, Numeric, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class ExceptionRow(Base):
    """A holiday, maintenance, a correction: of a store, a group, or of all stores."""

    __tablename__ = "exception"
    exception_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    exception_id: Mapped[UUID] = mapped_column(unique=True, server_default="gen_random_uuid()")
    effect: Mapped[str]
    store_key: Mapped[int | None] = mapped_column(ForeignKey("store.store_key", ondelete="CASCADE"))
    group_no: Mapped[int | None] = mapped_column(ForeignKey("store_group.group_no", ondelete="CASCADE"))
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    start_local: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    end_local: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    rrule: Mapped[str | None]
    openings: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    note: Mapped[str]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))
    __table_args__ = (
        Index("exception_by_store", store_key, postgresql_where=text("undone_at IS NULL")),
        Index("exception_by_group", group_no, postgresql_where=text("undone_at IS NULL")),
    )


class OutageNote(Base):
    """What people know of the outage that an instant of a store lies in."""

    __tablename__ = "outage_note"
    __table_args__ = (Index("outage_note_by_store", "store_key", "at"),)
    note_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    note_id: Mapped[UUID] = mapped_column(unique=True, server_default="gen_random_uuid()")
    store_key: Mapped[int] = mapped_column(ForeignKey("store.store_key", ondelete="CASCADE"))
    at: Mapped[datetime]
    note: Mapped[str]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")


class ServiceLevel(Base):
    """A target over local weeks, months or quarters: per cent of the open time, or a number of outages."""

    __tablename__ = "service_level"
    level_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    level_id: Mapped[UUID] = mapped_column(unique=True, server_default="gen_random_uuid()")
    name: Mapped[str]
    store_key: Mapped[int | None] = mapped_column(ForeignKey("store.store_key", ondelete="CASCADE"))
    group_no: Mapped[int | None] = mapped_column(ForeignKey("store_group.group_no", ondelete="CASCADE"))
    period: Mapped[str]
    measure: Mapped[str]
    target: Mapped[Decimal] = mapped_column(Numeric(9, 4))
    unknown_as: Mapped[str] = mapped_column(server_default="ignored")
    min_outage_s: Mapped[int] = mapped_column(server_default="0")
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    __table_args__ = (
        Index("service_level_by_store", store_key),
        Index("service_level_by_group", group_no),
    )


class RevenueHour(Base):
    """What a store takes in an hour of the week, on its own clock."""

    __tablename__ = "revenue_hour"
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
