"""Schedules that are due, and the worker's own jobs that send them."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from storewatch.domain.clock import to_us
from storewatch.domain.permissions import Via
from storewatch.jobs.tasks import Means, make_app
from storewatch.services import logins, schedule_runs, schedules
from storewatch.services.depot import Depot
from storewatch.services.reporting import Request
from storewatch.services.schedules import Wanted
from storewatch.services.telling import Ways
from storewatch.storage import accounts
from storewatch.storage.db import Database
from tests.alerting import polled


def today() -> datetime:
    """Midnight of today in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def down_for(database: Database, store_id: str, minutes: int, day: int = 1) -> None:
    """Polls of a store that is open day and night, every ten minutes of a day, so many days ago in UTC: it
    was down for about so many minutes from noon on.
    """
    start = today() - timedelta(days=day)
    polls = []
    for minute in range(0, 24 * 60, 10):
        state = "inactive" if 720 <= minute < 720 + minutes else "active"
        polls.append((store_id, start + timedelta(minutes=minute), state))
    polled(database, *polls)


def in_zone(database: Database, zone: str, *store_ids: str) -> None:
    """Puts stores into a zone."""
    rows = "".join(f"{store_id},{zone}\n" for store_id in store_ids)
    from tests.factories import load

    load(database, f"store_id,timezone_str\n{rows}")


@dataclass(frozen=True)
class Clockwork:
    """What the clock and the worker do."""

    database: Database

    def make(self, email: str, group_id: UUID | None = None, *, for_all: bool = False, **wanted: Any) -> UUID:
        """A schedule that somebody makes now; by itself every day at midnight in UTC, without a file."""
        usual = {
            "name": "Daily",
            "every": "day",
            "on_day": None,
            "minute": 0,
            "zone": "UTC",
            "format": "none",
        }
        with self.database.session() as session:
            account = accounts.by_email(session, email)
            assert account is not None
            caller = logins.caller_of(session, account, Via.SESSION)
        made = schedules.create(
            self.database, caller, group_id, Wanted(**usual | wanted), Request(), self.now(), for_all=for_all
        )
        return made.schedule.schedule_id

    def now(self) -> int:
        return to_us(datetime.now(UTC))

    def was_due(self, schedule_id: UUID, before: timedelta = timedelta(seconds=1)) -> None:
        """As if nobody had looked since the last run was due, or since even earlier ones."""
        self.write(
            "UPDATE schedule SET next_run_at = date_trunc('day', now(), 'UTC') - :before "
            "WHERE schedule_id = :id",
            id=schedule_id,
            before=before - timedelta(seconds=1),
        )

    def write(self, statement: str, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(text(statement), values)

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.database.transaction() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def begin(self) -> None:
        """What the clock starts."""
        schedule_runs.begin(self.database, Request(), self.now())

    def work(self, by: Ways) -> None:
        """Begins what is due, and runs the jobs that this defers, as the worker does."""
        self.begin()
        self.jobs(by)

    def jobs(self, by: Ways) -> None:
        """Runs the jobs that are due."""
        app = make_app(self.database, Means(depot=Depot(Path("none"), 1), ways=by))
        with app.open():
            app.run_worker(
                queues=["alerts", "history", "reports"],
                wait=False,
                delete_jobs="successful",
                listen_notify=False,
            )

    def log(self) -> list[tuple[str, str | None]]:
        """(status, what is said of it) of the deliveries, in order."""
        return self.rows("SELECT status, said FROM delivery ORDER BY delivery_no")


def words(letter: EmailMessage) -> str:
    """The text of a mail that may have a file."""
    body = letter.get_body()
    assert body is not None
    return str(body.get_content())


def attached(letter: EmailMessage) -> tuple[str, bytes]:
    """(name, content) of the only file."""
    [part] = letter.iter_attachments()
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert (part.get_content_charset() == "utf-8") == (part.get_content_maintype() == "text")
    return str(part.get_filename()), content


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def cells(content: bytes) -> str:
    """The text of the first sheet of an XLSX, as XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [
            name for name in book.namelist() if name in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
        ]
        return "".join(book.read(name).decode() for name in names)
