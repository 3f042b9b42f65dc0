"""The tables of what is mailed by timetable, as typed models."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from storewatch.storage.tables import Base

_ACCOUNT, _SCHEDULE = "account.account_no", "schedule.schedule_no"


class Schedule(Base):
    """What is mailed by itself: to a person or all of a group, about a group or all that they see."""

    __tablename__ = "schedule"
    schedule_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    schedule_id: Mapped[UUID] = mapped_column(unique=True, server_default=func.gen_random_uuid())
    account_no: Mapped[int | None] = mapped_column(ForeignKey(_ACCOUNT, ondelete="CASCADE"))
    group_no: Mapped[int | None] = mapped_column(ForeignKey("store_group.group_no", ondelete="CASCADE"))
    name: Mapped[str]
    what: Mapped[str]
    every: Mapped[str]
    on_day: Mapped[int | None]
    minute: Mapped[int]
    zone: Mapped[str | None]
    format: Mapped[str]
    only_if_missed: Mapped[bool] = mapped_column(server_default="false")
    usual: Mapped[bool] = mapped_column(server_default="false")
    next_run_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    created_by: Mapped[int | None] = mapped_column(ForeignKey(_ACCOUNT, ondelete="SET NULL"))
    __table_args__ = (
        Index("schedule_by_account", "account_no"),
        Index("schedule_by_group", "group_no"),
        Index("schedule_by_run", "next_run_at", postgresql_where=text("next_run_at IS NOT NULL")),
        Index("schedule_usual", "account_no", unique=True, postgresql_where=text("usual")),
    )


class ScheduleMute(Base):
    """Who of a group's people does not want one of its schedules."""

    __tablename__ = "schedule_mute"
    account_no: Mapped[int] = mapped_column(ForeignKey(_ACCOUNT, ondelete="CASCADE"), primary_key=True)
    schedule_no: Mapped[int] = mapped_column(ForeignKey(_SCHEDULE, ondelete="CASCADE"), primary_key=True)


class ScheduleRun(Base):
    """A run of a schedule, once for each time that it was due."""

    __tablename__ = "schedule_run"
    run_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    schedule_no: Mapped[int] = mapped_column(ForeignKey(_SCHEDULE, ondelete="CASCADE"))
    due_at: Mapped[datetime]
    asked_for: Mapped[bool] = mapped_column(server_default="false")
    report_no: Mapped[int | None] = mapped_column(ForeignKey("report.report_no", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default="now()")
    __table_args__ = (UniqueConstraint("schedule_no", "due_at"),)


class LivedIn(Base):
    """Which database this was when a worker last looked."""

    __tablename__ = "lived_in"
    one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    place: Mapped[str]
    timeline: Mapped[int]
    looked_at: Mapped[datetime] = mapped_column(server_default="now()")
