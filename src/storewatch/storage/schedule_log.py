"""schedule_run and its deliveries: what a schedule sent, and what a delivery is of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, or_, select, true
from sqlalchemy.orm import Session

from storewatch.storage.access_tables import Account, StoreGroup
from storewatch.storage.alert_tables import Delivery
from storewatch.storage.people_pages import seen_account
from storewatch.storage.schedule_tables import Schedule, ScheduleMute, ScheduleRun
from storewatch.storage.tables import Report


@dataclass(frozen=True)
class Case:
    """A delivery of a run, and what it is about; `group` None: all that the account sees."""

    delivery: Delivery
    run: ScheduleRun
    schedule: Schedule
    group: StoreGroup | None
    account: Account
    report: Report | None
    muted: bool


@dataclass(frozen=True)
class Logged:
    """A line of the log; `email` None: somebody whom the reader does not see, or nobody was to get it."""

    run: ScheduleRun
    delivery: Delivery | None
    email: str | None


def case_of(session: Session, delivery: Delivery) -> Case:
    """All that a delivery of a run is about."""
    query = (
        select(ScheduleRun, Schedule, StoreGroup, Account, Report, ScheduleMute.account_no)
        .join(Schedule, Schedule.schedule_no == ScheduleRun.schedule_no)
        .join(Account, Account.account_no == delivery.account_no)
        .outerjoin(StoreGroup, StoreGroup.group_no == Schedule.group_no)
        .outerjoin(Report, Report.report_no == ScheduleRun.report_no)
        .outerjoin(
            ScheduleMute,
            and_(
                ScheduleMute.schedule_no == Schedule.schedule_no,
                ScheduleMute.account_no == Account.account_no,
            ),
        )
        .where(ScheduleRun.run_no == delivery.run_no)
    )
    run, schedule, group, account, report, muted = session.execute(query).one()
    return Case(delivery, run, schedule, group, account, report, muted is not None)


def page(
    session: Session, schedule_no: int, seen_by: int | None, after: tuple[int, int] | None, count: int
) -> list[Logged]:
    """The runs of a schedule with their deliveries, newest first, before the numbers of a run and of a
    delivery.
    """
    email = case((seen_account(seen_by), Account.email), else_=None)
    query = (
        select(ScheduleRun, Delivery, email)
        .outerjoin(Delivery, Delivery.run_no == ScheduleRun.run_no)
        .outerjoin(Account, Account.account_no == Delivery.account_no)
        .where(ScheduleRun.schedule_no == schedule_no, _before(after))
        .order_by(ScheduleRun.run_no.desc(), Delivery.delivery_no.desc())
        .limit(count)
    )
    return [Logged(*row) for row in session.execute(query)]


def _before(after: tuple[int, int] | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    run, delivery = after
    return or_(ScheduleRun.run_no < run, and_(ScheduleRun.run_no == run, Delivery.delivery_no < delivery))
