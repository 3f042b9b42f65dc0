"""The tables of history as typed models."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class StoreDay(Base):
    """A store's local day. Element i of each list is the i-th started hour since local midnight;
    a list is null where all of it is zero.
    """

    __tablename__ = "store_day"
    __table_args__ = (Index("store_day_by_day", "day", "store_key"),)
    store_key: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    up_seen_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_us: Mapped[int] = mapped_column(BigInteger)
    unknown_us: Mapped[int] = mapped_column(BigInteger)
    longest_outage_us: Mapped[int] = mapped_column(BigInteger)
    outages: Mapped[int]
    starts_down: Mapped[bool]
    ends_down: Mapped[bool]
    complete: Mapped[bool]
    up_by_hour_us: Mapped[list[int] | None]
    down_by_hour_us: Mapped[list[int] | None]
    unknown_by_hour_us: Mapped[list[int] | None]
    seen_by_hour_us: Mapped[list[int] | None]
    excluded_us: Mapped[int] = mapped_column(BigInteger, server_default="0")
    down_min_us: Mapped[int] = mapped_column(BigInteger, server_default="0")
    down_max_us: Mapped[int] = mapped_column(BigInteger, server_default="0")
    excluded_by_hour_us: Mapped[list[int] | None]
    down_seen_by_hour_us: Mapped[list[int] | None]


class StorePeriod(Base):
    """A week or a month of a store: its stored days added up, by triggers."""

    __tablename__ = "store_period"
    __table_args__ = (Index("store_period_by_store", "store_key", "period", "first_day"),)
    period: Mapped[str] = mapped_column(primary_key=True)
    first_day: Mapped[date] = mapped_column(Date, primary_key=True)
    store_key: Mapped[int] = mapped_column(primary_key=True)
    days: Mapped[int]
    outages: Mapped[int]
    up_seen_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_us: Mapped[int] = mapped_column(BigInteger)
    unknown_us: Mapped[int] = mapped_column(BigInteger)
    excluded_us: Mapped[int] = mapped_column(BigInteger)
    down_min_us: Mapped[int] = mapped_column(BigInteger)
    down_max_us: Mapped[int] = mapped_column(BigInteger)
    starts_down: Mapped[bool | None]
    ends_down: Mapped[bool | None]


class HistoryDue(Base):
    """A stretch of time of stores, from one key to another, whose local days are to be computed anew."""

    __tablename__ = "history_due"
    __table_args__ = (Index("history_due_by_key", "first_key", "last_key"),)
    due_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    first_key: Mapped[int]
    last_key: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class HistoryPresent(Base):
    """One row: for which newest poll, and by which rules, the days are computed or due."""

    __tablename__ = "history_present"
    one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    as_of: Mapped[datetime | None]
    rules: Mapped[dict[str, Any] | None]


class Retention(Base):
    """One row: polls before a UTC day are gone, and the days that they decided are frozen."""

    __tablename__ = "retention"
    one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    polls_from: Mapped[date] = mapped_column(Date, server_default="-infinity")
