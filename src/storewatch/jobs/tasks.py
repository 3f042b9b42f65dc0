"""The tasks that a worker runs: a name, and the service that does the work."""

from __future__ import annotations

from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryStrategy
from sqlalchemy import make_url

from storewatch.services import history, mailing, people, reporting
from storewatch.services.mailing import Mail
from storewatch.services.reporting import Request
from storewatch.storage import history as due
from storewatch.storage.db import Database

# Pauses of 3 s, 9 s, 27 s …: an invitation is tried for 8 hours, a link that lasts two hours for one.
_INVITATION_TRIES = RetryStrategy(max_attempts=9, exponential_wait=3)
_RESET_TRIES = RetryStrategy(max_attempts=7, exponential_wait=3)


def make_app(database: Database, keep_reports_us: int, usual: Request, mail: Mail | None = None) -> App:
    """procrastinate on our database, with every task. Jobs may run twice, so each is idempotent."""
    app = App(connector=PsycopgConnector(conninfo=_conninfo(database.url), min_size=1, max_size=6))

    # No end to the retries: the report itself counts its attempts and gives up.
    @app.task(name=reporting.TASK, queue=reporting.QUEUE, retry=RetryStrategy(wait=1))
    def make_report(report_id: str) -> None:
        reporting.make(database, UUID(report_id))

    @app.periodic(cron="17 * * * *")
    @app.task(name="remove_old_reports", queue=reporting.QUEUE, queueing_lock="remove_old_reports")
    def remove_old_reports(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        reporting.remove_old(database, keep_reports_us)

    # Reports go first. Now and then it looks by itself, for settings and zone data change without a mark.
    @app.periodic(cron="*/10 * * * *")
    @app.task(
        name=due.TASK,
        queue=due.QUEUE,
        queueing_lock=due.TASK,
        priority=due.PRIORITY,
        retry=RetryStrategy(max_attempts=10, exponential_wait=2),
    )
    def update_history(timestamp: int = 0) -> None:  # noqa: ARG001 - the time, if it came by itself
        history.update(database, usual)

    _add_mail(app, database, mail)
    return app


def _add_mail(app: App, database: Database, mail: Mail | None) -> None:
    """The tasks that send mails. One that is killed just after it sent one sends another."""

    @app.task(name=people.MAIL_INVITATION, queue=people.QUEUE, retry=_INVITATION_TRIES)
    def mail_invitation(link_no: int) -> None:
        mailing.send_invitation(database, mail, link_no)

    @app.task(name=mailing.MAIL_RESET, queue=people.QUEUE, retry=_RESET_TRIES)
    def mail_reset(email: str, address: str) -> None:
        mailing.send_reset(database, mail, email, address)


def _conninfo(url: str) -> str:
    """The URL as libpq has it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
