"""The tasks that a worker runs: a name, and the service that does the work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryStrategy
from sqlalchemy import make_url

from storewatch.domain.clock import to_us
from storewatch.services import mailing, people, reporting, uploads
from storewatch.services.depot import Depot
from storewatch.services.mailing import Mail
from storewatch.storage.db import Database

# Pauses of 3 s, 9 s, 27 s …: an invitation is tried for 8 hours, a link that lasts two hours for one.
_INVITATION_TRIES = RetryStrategy(max_attempts=9, exponential_wait=3)
_RESET_TRIES = RetryStrategy(max_attempts=7, exponential_wait=3)


@dataclass(frozen=True)
class Keep:
    """How long things are kept, in microseconds."""

    reports_us: int
    uploads_us: int


def make_app(database: Database, depot: Depot, keep: Keep, mail: Mail | None = None) -> App:
    """procrastinate on our database, with every task. Jobs may run twice, so each is idempotent."""
    app = App(connector=PsycopgConnector(conninfo=_conninfo(database.url), min_size=1, max_size=8))

    # No end to the retries: the report itself counts its attempts and gives up.
    @app.task(name=reporting.TASK, queue=reporting.QUEUE, retry=RetryStrategy(wait=1))
    def make_report(report_id: str) -> None:
        reporting.make(database, UUID(report_id))

    @app.periodic(cron="17 * * * *")
    @app.task(name="remove_old_reports", queue=reporting.QUEUE, queueing_lock="remove_old_reports")
    def remove_old_reports(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        reporting.remove_old(database, keep.reports_us)

    _add_uploads(app, database, depot, keep)
    _add_mail(app, database, mail)
    return app


def _add_uploads(app: App, database: Database, depot: Depot, keep: Keep) -> None:
    # No end to the retries: the upload itself counts its attempts and gives up.
    @app.task(name=uploads.TASK, queue=uploads.QUEUE, retry=RetryStrategy(wait=1))
    def take_upload(upload_id: str) -> None:
        uploads.take(database, depot, UUID(upload_id), lambda: to_us(datetime.now(UTC)))

    @app.periodic(cron="47 * * * *")
    @app.task(name="remove_old_uploads", queue=uploads.QUEUE, queueing_lock="remove_old_uploads")
    def remove_old_uploads(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        uploads.remove_old(database, depot, keep.uploads_us)


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
