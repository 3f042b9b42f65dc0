"""The tables of alerts as typed models: how stores stand now, incidents, and who is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base

_STORE, _GROUP, _ACCOUNT = "store.store_key", "store_group.group_no", "account.account_no"


class StoreWatch(Base):
    """How a store stands at `looked_at`; it may be otherwise from `look_again_at` on without a poll."""

    __tablename__ = "store_watch"
    store_key: Mapped[int] = mapped_column(ForeignKey(_STORE, ondelete="CASCADE"), primary_key=True)
    state: Mapped[str]
    down_from: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    looked_at: Mapped[datetime]
    look_again_at: Mapped[datetime | None]
    live_at: Mapped[datetime | None]
    __table_args__ = (Index("store_watch_by_look", "look_again_at"),)


class WatchDue(Base):
    """Stores to be looked at: their polls, hours or zone changed."""

    __tablename__ = "watch_due"
    due_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    first_key: Mapped[int]
    last_key: Mapped[int]


class Incident(Base):
    """Something that people are told of from its beginning to its end."""

    __tablename__ = "incident"
    incident_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    kind: Mapped[str]
    store_key: Mapped[int | None] = mapped_column(ForeignKey(_STORE, ondelete="CASCADE"))
    group_no: Mapped[int | None] = mapped_column(ForeignKey(_GROUP, ondelete="CASCADE"))
    level_no: Mapped[int | None] = mapped_column(ForeignKey("service_level.level_no", ondelete="CASCADE"))
    mass_no: Mapped[int | None] = mapped_column(ForeignKey("incident.incident_no", ondelete="SET NULL"))
    began_at: Mapped[datetime]
    noticed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    intended: Mapped[bool] = mapped_column(server_default="false")
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey(_ACCOUNT, ondelete="SET NULL"))
    snoozed_until: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    __table_args__ = (
        Index(
            "incident_of_store",
            "store_key",
            unique=True,
            postgresql_where=text("ended_at IS NULL AND kind = 'down'"),
        ),
        Index(
            "incident_of_group",
            "kind",
            text("coalesce(group_no, 0)"),
            unique=True,
            postgresql_where=text("ended_at IS NULL AND kind IN ('mass', 'no_data')"),
        ),
        Index(
            "incident_of_level", "level_no", "began_at", unique=True, postgresql_where=text("kind = 'budget'")
        ),
        Index("incident_by_store", "store_key", "incident_no"),
        Index("incident_by_mass", "mass_no", postgresql_where=text("mass_no IS NOT NULL")),
    )


class AlertRule(Base):
    """What a group's people are told, in minutes, and when they are left in peace."""

    __tablename__ = "alert_rule"
    group_no: Mapped[int] = mapped_column(ForeignKey(_GROUP, ondelete="CASCADE"), primary_key=True)
    down: Mapped[bool] = mapped_column(server_default="true")
    recovered: Mapped[bool] = mapped_column(server_default="true")
    still_down_after: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    mass_percent: Mapped[int | None]
    mass_within: Mapped[int | None]
    no_data_after: Mapped[int | None]
    budget_percent: Mapped[int | None]
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    quiet_zone: Mapped[str | None]


class AlertMute(Base):
    """Who of a group's people does not want its mails."""

    __tablename__ = "alert_mute"
    account_no: Mapped[int] = mapped_column(ForeignKey(_ACCOUNT, ondelete="CASCADE"), primary_key=True)
    group_no: Mapped[int] = mapped_column(ForeignKey(_GROUP, ondelete="CASCADE"), primary_key=True)
    muted_at: Mapped[datetime] = mapped_column(server_default="now()")


class AlertChannel(Base):
    """Where else a group's alerts go."""

    __tablename__ = "alert_channel"
    channel_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    group_no: Mapped[int] = mapped_column(ForeignKey(_GROUP, ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str]
    url: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    created_by: Mapped[int | None] = mapped_column(ForeignKey(_ACCOUNT, ondelete="SET NULL"))
    __table_args__ = (UniqueConstraint("group_no", "name"),)


class Notice(Base):
    """Something said of an incident, once."""

    __tablename__ = "notice"
    notice_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    incident_no: Mapped[int] = mapped_column(ForeignKey("incident.incident_no", ondelete="CASCADE"))
    kind: Mapped[str]
    step: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    __table_args__ = (UniqueConstraint("incident_no", "kind", "step"),)


class Delivery(Base):
    """A notice, or a run, on its way to a person or a channel; `key` is what a duplicate is known by."""

    __tablename__ = "delivery"
    delivery_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    notice_no: Mapped[int | None] = mapped_column(ForeignKey("notice.notice_no", ondelete="CASCADE"))
    account_no: Mapped[int | None] = mapped_column(ForeignKey(_ACCOUNT, ondelete="CASCADE"))
    channel_no: Mapped[int | None] = mapped_column(ForeignKey("alert_channel.channel_no", ondelete="CASCADE"))
    group_no: Mapped[int | None] = mapped_column(ForeignKey(_GROUP, ondelete="CASCADE"))
    run_no: Mapped[int | None] = mapped_column(ForeignKey("schedule_run.run_no", ondelete="CASCADE"))
    key: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    status: Mapped[str] = mapped_column(server_default="waiting")
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    said: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    sent_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("notice_no", "account_no"),
        UniqueConstraint("notice_no", "channel_no"),
        UniqueConstraint("run_no", "account_no"),
        Index("delivery_waiting", "not_before", postgresql_where=text("status IN ('waiting', 'held')")),
        Index("delivery_by_group", "group_no", "delivery_no"),
    )
