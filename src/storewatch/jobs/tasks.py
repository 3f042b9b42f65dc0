"""The tasks that a worker runs: a name, and the service that does the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryStrategy
from sqlalchemy import make_url

from storewatch.domain.clock import DAY, to_us
from storewatch.jobs.manager import Manager
from storewatch.services import (
    announcing,
    budgets,
    delivering,
    history,
    idempotency,
    mailing,
    making,
    packing,
    people,
    reporting,
    retention,
    schedule_runs,
    uploads,
    watching,
)
from storewatch.services.announcing import Outside
from storewatch.services.depot import Depot
from storewatch.services.hours_from import HoursFrom
from storewatch.services.mailing import Mail
from storewatch.services.reporting import Request
from storewatch.services.shards import Spread
from storewatch.services.telling import Ways
from storewatch.services.watching import Watching
from storewatch.storage import budgets as stored_budgets
from storewatch.storage import deliveries, poll_packs, watches
from storewatch.storage import history as due
from storewatch.storage.db import Database

# Pauses of 3 s, 9 s, 27 s …: an invitation is tried for 8 hours, a link that lasts two hours for one.
_INVITATION_TRIES = RetryStrategy(max_attempts=9, exponential_wait=3)
_RESET_TRIES = RetryStrategy(max_attempts=7, exponential_wait=3)
_ANNOUNCEMENT_TRIES = RetryStrategy(max_attempts=announcing.RETRIES, exponential_wait=announcing.PAUSE_BASE)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the tasks need beside the database."""

    depot: Depot
    keep_reports_us: int = 90 * DAY
    keep_uploads_us: int = 30 * DAY
    keep_polls_us: int | None = None
    keep_alerts_us: int = 365 * DAY
    usual: Request = field(default_factory=Request)
    outside: Outside = field(default_factory=Outside)
    mail: Mail | None = None
    ways: Ways = field(default_factory=Ways)
    watching: Watching = field(default_factory=Watching)
    spread: Spread | None = None


def make_app(database: Database, means: Means) -> App:
    """procrastinate on our database, with every task. Jobs may run twice, so each is idempotent."""
    app = App(connector=PsycopgConnector(conninfo=_conninfo(database.url), min_size=1, max_size=10))
    app.job_manager = Manager(app.connector)
    _add_reports(app, database, means)
    _add_history(app, database, means)
    _add_watch(app, database, means)
    _add_uploads(app, database, means)
    _add_mail(app, database, means.mail)
    _add_alerts(app, database, means)
    _add_schedules(app, database, means.usual)
    return app


def _add_reports(app: App, database: Database, means: Means) -> None:
    # No end to the retries: the report itself counts its attempts and gives up.
    @app.task(name=reporting.TASK, queue=reporting.QUEUE, retry=RetryStrategy(wait=1))
    def make_report(report_id: str) -> None:
        making.make(database, UUID(report_id), by=means.spread)

    @app.task(name=announcing.TASK, queue=announcing.QUEUE, retry=_ANNOUNCEMENT_TRIES)
    def announce_report(report_id: str) -> None:
        announcing.announce(database, UUID(report_id), means.outside)

    @app.periodic(cron="17 * * * *")
    @app.task(name="remove_old_reports", queue=reporting.QUEUE, queueing_lock="remove_old_reports")
    def remove_old_reports(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        reporting.remove_old(database, means.keep_reports_us)

    @app.periodic(cron="27 * * * *")
    @app.task(name="remove_old_keys", queue=reporting.QUEUE, queueing_lock="remove_old_keys")
    def remove_old_keys(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        idempotency.remove_old(database)


def _add_history(app: App, database: Database, means: Means) -> None:
    # Now and then it looks by itself, for settings and zone data change without a mark.
    @app.periodic(cron="*/10 * * * *")
    @app.task(
        name=due.TASK,
        queue=due.QUEUE,
        queueing_lock=due.TASK,
        priority=due.PRIORITY,
        retry=RetryStrategy(max_attempts=10, exponential_wait=2),
    )
    def update_history(timestamp: int = 0) -> None:  # noqa: ARG001 - the time, if it came by itself
        if not history.update(database, means.usual):
            budgets.look_later(database, to_us(datetime.now(UTC)))

    @app.task(
        name=stored_budgets.TASK,
        queue=due.QUEUE,
        queueing_lock=stored_budgets.TASK,
        priority=due.PRIORITY,
        retry=RetryStrategy(max_attempts=10, exponential_wait=2),
    )
    def look_at_budgets() -> None:
        budgets.look(database, means.usual, to_us(datetime.now(UTC)))

    # Changed polls wake it; now and then it looks by itself, for a day that still grows may be quiet.
    @app.periodic(cron="*/10 * * * *")
    @app.task(
        name=poll_packs.TASK,
        queue=poll_packs.QUEUE,
        queueing_lock=poll_packs.TASK,
        priority=poll_packs.PRIORITY,
        retry=RetryStrategy(max_attempts=10, exponential_wait=2),
    )
    def pack_polls(timestamp: int = 0) -> None:  # noqa: ARG001 - the time, if it came by itself
        packing.work(database, datetime.now(UTC))

    @app.periodic(cron="7 * * * *")
    @app.task(name=retention.TASK, queue=due.QUEUE, queueing_lock=retention.TASK, priority=due.PRIORITY)
    def remove_old_polls(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        if means.keep_polls_us is not None:
            now_us = to_us(datetime.now(UTC))
            retention.remove_old_polls(database, means.keep_polls_us, means.usual, now_us)


def _add_watch(app: App, database: Database, means: Means) -> None:
    # Polls wake it; every quarter of a minute it looks for what only the clock changes.
    @app.periodic(cron="* * * * * */15")
    @app.task(
        name=watches.TASK,
        queue=watches.QUEUE,
        queueing_lock=watches.TASK,
        retry=RetryStrategy(max_attempts=10, exponential_wait=2),
    )
    def look_at_stores(timestamp: int = 0) -> None:  # noqa: ARG001 - the time, if it came by itself
        watching.look(database, means.watching, to_us(datetime.now(UTC)))


def _add_uploads(app: App, database: Database, means: Means) -> None:
    # No end to the retries: the upload itself counts its attempts and gives up.
    @app.task(name=uploads.TASK, queue=uploads.QUEUE, retry=RetryStrategy(wait=1))
    def take_upload(upload_id: str) -> None:
        hold = HoursFrom(default_zone=means.usual.default_zone)
        uploads.take(database, means.depot, UUID(upload_id), lambda: to_us(datetime.now(UTC)), hold)

    @app.periodic(cron="47 * * * *")
    @app.task(name="remove_old_uploads", queue=uploads.QUEUE, queueing_lock="remove_old_uploads")
    def remove_old_uploads(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        uploads.remove_old(database, means.depot, means.keep_uploads_us)


def _add_mail(app: App, database: Database, mail: Mail | None) -> None:
    """The tasks that send mails. One that is killed just after it sent one sends another."""

    @app.task(name=people.MAIL_INVITATION, queue=people.QUEUE, retry=_INVITATION_TRIES)
    def mail_invitation(link_no: int) -> None:
        mailing.send_invitation(database, mail, link_no)

    @app.task(name=mailing.MAIL_RESET, queue=people.QUEUE, retry=_RESET_TRIES)
    def mail_reset(email: str, address: str) -> None:
        mailing.send_reset(database, mail, email, address)


def _add_alerts(app: App, database: Database, means: Means) -> None:
    # What cannot be sent is deferred anew by the service, which keeps count in the log of deliveries. The job
    # itself fails only if the database goes away, and must not be lost then.
    @app.task(name=deliveries.TASK, queue=deliveries.QUEUE, retry=RetryStrategy(linear_wait=2))
    def deliver(delivery_no: int) -> None:
        delivering.deliver(database, delivery_no, means.ways)

    @app.periodic(cron="37 * * * *")
    @app.task(
        name=retention.ALERTS_TASK,
        queue=due.QUEUE,
        queueing_lock=retention.ALERTS_TASK,
        priority=due.PRIORITY,
    )
    def remove_old_alerts(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        retention.remove_old_alerts(database, means.keep_alerts_us, to_us(datetime.now(UTC)))


def _add_schedules(app: App, database: Database, usual: Request) -> None:
    # Beside the deliveries, whose mails it begins: history and reports may take a while.
    @app.periodic(cron="* * * * * */15")
    @app.task(name=schedule_runs.TASK, queue=deliveries.QUEUE, queueing_lock=schedule_runs.TASK)
    def begin_schedules(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        schedule_runs.begin(database, usual, to_us(datetime.now(UTC)))


def _conninfo(url: str) -> str:
    """The URL as libpq has it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
