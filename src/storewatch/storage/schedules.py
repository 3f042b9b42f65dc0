"""schedule, schedule_mute: what is mailed by timetable, to whom, and when next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, GroupStore, Membership, StoreGroup
from storewatch.storage.schedule_tables import Schedule, ScheduleMute, ScheduleRun
from storewatch.storage.tables import StoreTimezone


@dataclass(frozen=True)
class Found:
    """A schedule, the group that it is about, when it last ran, and whether the reader wants none of it."""

    schedule: Schedule
    group: StoreGroup | None
    last_run_at: datetime | None
    muted: bool


def page(
    session: Session, account_no: int | None, after: int, count: int, *, all_groups: bool
) -> list[Found]:
    """A person's own and those of their groups, or of all groups; in order of their making."""
    query = _query(account_no, all_groups=all_groups).where(Schedule.schedule_no > after)
    return [Found(*row) for row in session.execute(query.order_by(Schedule.schedule_no).limit(count))]


def find(
    session: Session, schedule_id: UUID, account_no: int | None, *, all_groups: bool, lock: bool = False
) -> Found | None:
    """One of them; with `lock` nobody changes it until the end of the transaction."""
    query = _query(account_no, all_groups=all_groups).where(Schedule.schedule_id == schedule_id)
    if lock:
        query = query.with_for_update(of=Schedule)
    row = session.execute(query.execution_options(populate_existing=True)).first()
    return None if row is None else Found(*row)


def by_id(session: Session, schedule_id: UUID) -> Schedule | None:
    """One, whosever it is."""
    return session.execute(select(Schedule).where(Schedule.schedule_id == schedule_id)).scalar()


def _query(
    account_no: int | None, *, all_groups: bool
) -> Select[Schedule, StoreGroup | None, datetime | None, bool]:
    last = (
        select(func.max(ScheduleRun.due_at))
        .where(ScheduleRun.schedule_no == Schedule.schedule_no)
        .scalar_subquery()
    )
    muted = exists().where(
        ScheduleMute.schedule_no == Schedule.schedule_no, ScheduleMute.account_no == account_no
    )
    return (
        select(Schedule, StoreGroup, last, muted)
        .outerjoin(
            StoreGroup,
            and_(StoreGroup.group_no == Schedule.group_no, true() if all_groups else _in_group(account_no)),
        )
        .where(_seen(account_no, all_groups=all_groups))
    )


def _seen(account_no: int | None, *, all_groups: bool) -> ColumnElement[bool]:
    of_group: ColumnElement[bool] = Schedule.account_no.is_(None)
    if not all_groups:
        of_group = and_(of_group, _in_group(account_no))
    return or_(Schedule.account_no == account_no, of_group)


def _in_group(account_no: int | None) -> ColumnElement[bool]:
    return exists().where(Membership.group_no == Schedule.group_no, Membership.account_no == account_no)


def count(session: Session, account_no: int | None, group_no: int | None) -> int:
    """How many a person has, or (without one) a group."""
    mine = (
        Schedule.account_no == account_no
        if account_no is not None
        else and_(Schedule.account_no.is_(None), Schedule.group_no == group_no)
    )
    return session.execute(select(func.count()).select_from(Schedule).where(mine)).scalar_one()


def add(session: Session, values: dict[str, Any]) -> UUID:
    """Adds one; returns its id."""
    return session.execute(insert(Schedule).values(**values).returning(Schedule.schedule_id)).scalar_one()


def change(session: Session, schedule_no: int, **values: Any) -> None:
    """Sets columns of one."""
    session.execute(update(Schedule).where(Schedule.schedule_no == schedule_no).values(**values))


def remove(session: Session, schedule_no: int) -> None:
    """Removes one, and its log."""
    session.execute(delete(Schedule).where(Schedule.schedule_no == schedule_no))


def mute(session: Session, account_no: int, schedule_no: int, *, off: bool) -> bool:
    """Ends somebody's mails of a group's schedule, or lets them come again. False if it was so already."""
    if off:
        query = upsert(ScheduleMute).values(account_no=account_no, schedule_no=schedule_no)
        done = query.on_conflict_do_nothing().returning(ScheduleMute.schedule_no)
        return session.execute(done).first() is not None
    gone = delete(ScheduleMute).where(
        ScheduleMute.account_no == account_no, ScheduleMute.schedule_no == schedule_no
    )
    return session.execute(gone.returning(ScheduleMute.schedule_no)).first() is not None


# --- running --------------------------------------------------------------------------------------


def due(session: Session, now: datetime, most: int) -> Sequence[Schedule]:
    """Those whose next run is due, which nobody else has in hand: locked until the end of the transaction."""
    query = select(Schedule).where(Schedule.next_run_at <= now).order_by(Schedule.next_run_at).limit(most)
    return session.execute(query.with_for_update(skip_locked=True)).scalars().all()


def running(session: Session) -> Sequence[Schedule]:
    """All that are switched on, locked."""
    return (
        session.execute(select(Schedule).where(Schedule.next_run_at.is_not(None)).with_for_update())
        .scalars()
        .all()
    )


def without_usual(session: Session, most: int) -> list[int]:
    """Members with a store who were not given the usual schedule yet."""
    query = (
        select(Account.account_no)
        .where(
            Account.role == "member",
            Account.active,
            exists(
                select(GroupStore.store_key)
                .join(Membership, Membership.group_no == GroupStore.group_no)
                .where(Membership.account_no == Account.account_no)
            ),
            ~exists().where(Schedule.account_no == Account.account_no, Schedule.usual),
        )
        .order_by(Account.account_no)
        .limit(most)
    )
    return list(session.execute(query).scalars())


def add_usual(session: Session, values: dict[str, Any]) -> None:
    """Gives a person the usual schedule, unless another worker was quicker."""
    session.execute(upsert(Schedule).values(**values, usual=True).on_conflict_do_nothing())


def usual_zone(session: Session, seen_by: int | None, group_no: int | None) -> str | None:
    """The zone of most of the stores of a group, or of all that somebody sees; None: none has one."""
    query = select(StoreTimezone.timezone_str).group_by(StoreTimezone.timezone_str)
    if group_no is not None or seen_by is not None:
        query = query.join(GroupStore, GroupStore.store_key == StoreTimezone.store_key)
    if group_no is not None:
        query = query.where(GroupStore.group_no == group_no)
    elif seen_by is not None:
        query = query.join(Membership, Membership.group_no == GroupStore.group_no).where(
            Membership.account_no == seen_by
        )
    order = (func.count().desc(), StoreTimezone.timezone_str.collate("C"))
    return session.execute(query.order_by(*order).limit(1)).scalar()


def add_run(
    session: Session, schedule_no: int, due_at: datetime, report_no: int | None, *, asked_for: bool
) -> int | None:
    """A run; None if there was one for that time."""
    values = {"schedule_no": schedule_no, "due_at": due_at, "report_no": report_no, "asked_for": asked_for}
    query = upsert(ScheduleRun).values(**values).on_conflict_do_nothing().returning(ScheduleRun.run_no)
    return session.execute(query).scalar()


def to_send(session: Session, run_no: int, only: int | None) -> list[int]:
    """Makes the deliveries of a run to whom it is for, or to one person who asked for it; their numbers."""
    return list(session.execute(text(_TO_SEND), {"run": run_no, "only": only}).scalars())


_TO_SEND = """
    INSERT INTO delivery (run_no, account_no)
    SELECT r.run_no, a.account_no
    FROM schedule_run AS r JOIN schedule AS s USING (schedule_no) JOIN account AS a ON a.active
    WHERE r.run_no = :run AND CASE
        WHEN CAST(:only AS integer) IS NOT NULL THEN a.account_no = :only
        WHEN s.account_no IS NOT NULL THEN a.account_no = s.account_no
        ELSE EXISTS (SELECT FROM membership AS m
                     WHERE m.account_no = a.account_no AND m.group_no = s.group_no)
             AND NOT EXISTS (SELECT FROM schedule_mute AS x
                             WHERE x.account_no = a.account_no AND x.schedule_no = s.schedule_no) END
    ON CONFLICT DO NOTHING
    RETURNING delivery_no
"""
