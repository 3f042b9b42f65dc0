"""The tasks that a worker runs: a name, and the service that does the work."""

from __future__ import annotations

from uuid import UUID

from procrastinate import App, PsycopgConnector, RetryStrategy
from sqlalchemy import make_url

from storewatch.services import announcing, reporting
from storewatch.services.announcing import Outside
from storewatch.storage.db import Database


def make_app(database: Database, keep_reports_us: int, outside: Outside) -> App:
    """procrastinate on our database, with every task. Jobs may run twice, so each is idempotent."""
    app = App(connector=PsycopgConnector(conninfo=_conninfo(database.url), min_size=1, max_size=8))

    # No end to the retries: the report itself counts its attempts and gives up.
    @app.task(name=reporting.TASK, queue=reporting.QUEUE, retry=RetryStrategy(wait=1))
    def make_report(report_id: str) -> None:
        reporting.make(database, UUID(report_id))

    pauses = RetryStrategy(max_attempts=announcing.RETRIES, exponential_wait=announcing.PAUSE_BASE)

    @app.task(name=announcing.TASK, queue=announcing.QUEUE, retry=pauses)
    def announce_report(report_id: str) -> None:
        announcing.announce(database, UUID(report_id), outside)

    @app.periodic(cron="17 * * * *")
    @app.task(name="remove_old_reports", queue=reporting.QUEUE, queueing_lock="remove_old_reports")
    def remove_old_reports(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands the time over
        reporting.remove_old(database, keep_reports_us)

    return app


def _conninfo(url: str) -> str:
    """The URL as libpq has it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
