"""The tables as typed models. The SQL of `migrations/` makes them; a test holds the two together."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Texts are `text`, datetimes carry their zone, dicts are `jsonb`, lists arrays."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to say it
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(BigInteger),
        list[UUID]: ARRAY(Uuid),
    }


class Import(Base):
    """One file or request that was taken in, and what became of its rows."""

    __tablename__ = "import"
    import_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    source: Mapped[str]
    file_name: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    rows_read: Mapped[int] = mapped_column(BigInteger)
    rows_new: Mapped[int] = mapped_column(BigInteger)
    rows_corrected: Mapped[int] = mapped_column(BigInteger)
    rows_unchanged: Mapped[int] = mapped_column(BigInteger)
    rows_kept: Mapped[int] = mapped_column(BigInteger)
    rows_rejected: Mapped[int] = mapped_column(BigInteger)
    assumptions: Mapped[dict[str, Any]]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="SET NULL"))


class ImportReject(Base):
    """A row that could not be read: as it was, and why. The first 10,000 of an import are kept."""

    __tablename__ = "import_reject"
    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.import_no", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    reason: Mapped[str]
    row: Mapped[str]


class Store(Base):
    """A storefront: a short key inside, its id as text outside."""

    __tablename__ = "store"
    store_key: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store_id: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    name: Mapped[str | None]
    first_poll_at: Mapped[datetime | None]
    location: Mapped[str | None]
    platform: Mapped[str | None]
    storefront_url: Mapped[str | None]
    manage_url: Mapped[str | None]
    notes: Mapped[str | None]
    revenue_per_week: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    archived_from: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(server_default="now()")


class StoreTimezone(Base):
    """A store's IANA zone; a store without one is in the default zone."""

    __tablename__ = "store_timezone"
    store_key: Mapped[int] = mapped_column(
        ForeignKey("store.store_key", ondelete="CASCADE"), primary_key=True
    )
    timezone_str: Mapped[str]
    import_no: Mapped[int | None] = mapped_column(ForeignKey("import.import_no", ondelete="SET NULL"))


class HoursWeek(Base):
    """A week of opening hours; without rows in `menu_hours` the store is closed throughout."""

    __tablename__ = "hours_week"
    __table_args__ = (UniqueConstraint("store_key", "valid_from"),)
    week_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store_key: Mapped[int] = mapped_column(ForeignKey("store.store_key", ondelete="CASCADE"))
    valid_from: Mapped[date] = mapped_column(Date)
    import_no: Mapped[int | None] = mapped_column(ForeignKey("import.import_no", ondelete="SET NULL"))


class MenuHours(Base):
    """One interval of one weekday, in seconds of the local day; an end before its start is on the next."""

    __tablename__ = "menu_hours"
    week_no: Mapped[int] = mapped_column(
        ForeignKey("hours_week.week_no", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    start_s: Mapped[int] = mapped_column(primary_key=True)
    end_s: Mapped[int] = mapped_column(primary_key=True)


class StoreStatus(Base):
    """A poll. Partitioned by UTC day; `import_no` is null where a person set it by hand."""

    __tablename__ = "store_status"
    store_key: Mapped[int] = mapped_column(primary_key=True)
    import_no: Mapped[int | None]
    timestamp_utc: Mapped[datetime] = mapped_column(primary_key=True)
    active: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(200))


class DeletedPoll(Base):
    """A poll that a person deleted by hand; no import brings it back."""

    __tablename__ = "deleted_poll"
    store_key: Mapped[int] = mapped_column(primary_key=True)
    timestamp_utc: Mapped[datetime] = mapped_column(primary_key=True)


class StoreStatusDay(Base):
    """What is in the partition of a UTC day."""

    __tablename__ = "store_status_day"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    polls: Mapped[int] = mapped_column(BigInteger)
    newest: Mapped[datetime]


class PollStretch(Base):
    """The version of the polls of a shard of stores on a UTC day."""

    __tablename__ = "poll_stretch"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("nextval('poll_version')"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PollPack(Base):
    """A copy of the polls of a stretch; see `domain.packs`."""

    __tablename__ = "poll_pack"
    __table_args__ = (
        ForeignKeyConstraint(
            ["day", "shard"], ["poll_stretch.day", "poll_stretch.shard"], ondelete="CASCADE"
        ),
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    polls: Mapped[bytes]


class Report(Base):
    """A report that was asked for: its parameters, how far it is, what came out."""

    __tablename__ = "report"
    report_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    report_id: Mapped[UUID] = mapped_column(unique=True)
    status: Mapped[str]
    progress: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(server_default="0")
    pinned: Mapped[bool] = mapped_column(server_default="false")
    as_of_asked: Mapped[datetime | None]
    policy: Mapped[str]
    max_gap_us: Mapped[int] = mapped_column(BigInteger)
    seen_within_us: Mapped[int] = mapped_column(BigInteger)
    default_zone: Mapped[str]
    window_names: Mapped[list[str]]
    window_us: Mapped[list[int]]
    as_of: Mapped[datetime | None]
    last_import: Mapped[int | None]
    storewatch_version: Mapped[str]
    zone_data_version: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    timings: Mapped[dict[str, Any] | None]
    summary: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.account_no", ondelete="CASCADE"))
    store_ids: Mapped[list[str] | None]
    group_ids: Mapped[list[UUID] | None]
    webhook: Mapped[str | None]
    __table_args__ = (
        Index("report_created_at", created_at.desc()),
        Index("report_by_account", account_no, report_no),
    )


class StoreReport(Base):
    """A store's totals in a report: element i of each list belongs to the report's window i."""

    __tablename__ = "store_report"
    report_no: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    store_key: Mapped[int] = mapped_column(primary_key=True)
    up_seen_us: Mapped[list[int]]
    up_inferred_us: Mapped[list[int]]
    down_seen_us: Mapped[list[int]]
    down_inferred_us: Mapped[list[int]]
    unknown_us: Mapped[list[int]]
    outages: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    longest_outage_us: Mapped[list[int] | None]
    excluded_us: Mapped[list[int] | None]
    down_min_us: Mapped[list[int] | None]
    down_max_us: Mapped[list[int] | None]
    raw_us: Mapped[list[int] | None]
    hours_given: Mapped[bool | None]
    zone_given: Mapped[bool | None]
