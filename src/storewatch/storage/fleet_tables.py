"""The tables of the fleet at a glance as typed models."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, Date, ForeignKey, Identity, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base


class StoreNow(Base):
    """How a store stands at T: today so far (1d), and 7 and 30 local days; so the lists, too."""

    __tablename__ = "store_now"
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )
    as_of: Mapped[datetime]
    state: Mapped[str]
    since: Mapped[datetime | None]
    last_state: Mapped[str | None]
    last_since: Mapped[datetime | None]
    up_seen_1d_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_1d_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_1d_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_1d_us: Mapped[int] = mapped_column(BigInteger)
    unknown_1d_us: Mapped[int] = mapped_column(BigInteger)
    excluded_1d_us: Mapped[int] = mapped_column(BigInteger)
    down_min_1d_us: Mapped[int] = mapped_column(BigInteger)
    down_max_1d_us: Mapped[int] = mapped_column(BigInteger)
    outages_1d: Mapped[int] = mapped_column(BigInteger)
    up_seen_7d_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_7d_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_7d_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_7d_us: Mapped[int] = mapped_column(BigInteger)
    unknown_7d_us: Mapped[int] = mapped_column(BigInteger)
    excluded_7d_us: Mapped[int] = mapped_column(BigInteger)
    down_min_7d_us: Mapped[int] = mapped_column(BigInteger)
    down_max_7d_us: Mapped[int] = mapped_column(BigInteger)
    outages_7d: Mapped[int] = mapped_column(BigInteger)
    up_seen_30d_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_30d_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_30d_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_30d_us: Mapped[int] = mapped_column(BigInteger)
    unknown_30d_us: Mapped[int] = mapped_column(BigInteger)
    excluded_30d_us: Mapped[int] = mapped_column(BigInteger)
    down_min_30d_us: Mapped[int] = mapped_column(BigInteger)
    down_max_30d_us: Mapped[int] = mapped_column(BigInteger)
    outages_30d: Mapped[int] = mapped_column(BigInteger)
    lost_num: Mapped[list[Decimal] | None] = mapped_column(ARRAY(Numeric()))
    lost_seen_num: Mapped[list[Decimal] | None] = mapped_column(ARRAY(Numeric()))
    lost_den: Mapped[Decimal | None] = mapped_column(Numeric())


class StoreAhead(Base):
    """Open time of a store after T: in the periods that it is in, and in the next ones if they are near."""

    __tablename__ = "store_ahead"
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )
    zone: Mapped[str]
    week_us: Mapped[int] = mapped_column(BigInteger)
    month_us: Mapped[int] = mapped_column(BigInteger)
    quarter_us: Mapped[int] = mapped_column(BigInteger)
    next_week_us: Mapped[int] = mapped_column(BigInteger)
    next_month_us: Mapped[int] = mapped_column(BigInteger)
    next_quarter_us: Mapped[int] = mapped_column(BigInteger)


class FleetDay(Base):
    """A local day of a group, or of all stores (group 0), added up. The lists have 24 hours of the clock."""

    __tablename__ = "fleet_day"
    group_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    stores: Mapped[int]
    up_seen_us: Mapped[int] = mapped_column(BigInteger)
    up_inferred_us: Mapped[int] = mapped_column(BigInteger)
    down_seen_us: Mapped[int] = mapped_column(BigInteger)
    down_inferred_us: Mapped[int] = mapped_column(BigInteger)
    unknown_us: Mapped[int] = mapped_column(BigInteger)
    excluded_us: Mapped[int] = mapped_column(BigInteger)
    down_min_us: Mapped[int] = mapped_column(BigInteger)
    down_max_us: Mapped[int] = mapped_column(BigInteger)
    outages: Mapped[int] = mapped_column(BigInteger)
    down_by_hour_us: Mapped[list[int]]
    known_by_hour_us: Mapped[list[int]]


class FleetDue(Base):
    """A local day of a group, or (None) of every group and of all, that is to be added up anew."""

    __tablename__ = "fleet_due"
    due_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group_no: Mapped[int | None]
    day: Mapped[date] = mapped_column(Date)
