"""Incidents and notices as the watch writes them, and the worker's own jobs that deliver them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from storewatch.domain.clock import to_us
from storewatch.jobs.tasks import Means, make_app
from storewatch.outbound.mail import Security, Server
from storewatch.outbound.webhooks import networks
from storewatch.services import delivering
from storewatch.services.depot import Depot
from storewatch.services.mailing import Mail
from storewatch.services.telling import Ways
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE
from tests.factories import load
from tests.post_office import PostOffice

URL = "https://stores.example"
LOOPBACK = networks("127.0.0.0/8")


def ways(office: PostOffice | None = None, port: int = 0, **more: Any) -> Ways:
    """How alerts go out, to a post office on loopback."""
    server = Server("127.0.0.1", office.port if office else port, Security.NONE)
    mail = Mail(server, "storewatch@stores.example", URL) if office or port else None
    return Ways(mail=mail, url=URL, networks=LOOPBACK, **more)


def minutes_ago(count: float) -> datetime:
    """An instant of late, on the whole minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=count)


def polled(database: Database, *polls: tuple[str, datetime, str]) -> None:
    """Imports polls: (store, when, active or inactive)."""
    rows = [f"{store},{status},{at:%Y-%m-%d %H:%M:%S} UTC" for store, at, status in polls]
    load(database, "\n".join(["store_id,status,timestamp_utc", *rows, ""]))


@dataclass(frozen=True)
class Town:
    """Writes what the watch writes."""

    database: Database

    def _write(self, statement: str, **values: Any) -> Any:
        with self.database.transaction() as session:
            return session.execute(text(statement), values).scalar()

    def down(self, store_id: str, began: datetime, **more: Any) -> int:
        """An incident of a store that went down; its number."""
        key = self._write("SELECT store_key FROM store WHERE store_id = :id", id=store_id)
        return self.incident("down", began, store_key=key, **more)

    def incident(self, kind: str, began: datetime, **more: Any) -> int:
        """An incident; its number."""
        values = {"kind": kind, "began_at": began, "noticed_at": began} | more
        columns, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        query = f"INSERT INTO incident ({columns}) VALUES ({marks}) RETURNING incident_no"
        return int(self._write(query, **values))

    def end(self, incident_no: int) -> None:
        self._write(
            "UPDATE incident SET ended_at = now() WHERE incident_no = :no RETURNING 1", no=incident_no
        )

    def tell(
        self, incident_no: int, kind: str, group_no: int | None, said: datetime | None = None, **to: Any
    ) -> int:
        """A notice, on its way to `email` or `channel_no`; the number of its delivery."""
        notice = self._write(
            """
            INSERT INTO notice (incident_no, kind, step, created_at)
            VALUES (:no, :kind, :step, coalesce(:said, now()))
            ON CONFLICT (incident_no, kind, step) DO UPDATE SET kind = :kind RETURNING notice_no
            """,
            no=incident_no,
            kind=kind,
            step=to.pop("step", 0),
            said=said,
        )
        return int(
            self._write(
                """
                WITH made AS (
                    INSERT INTO delivery (notice_no, account_no, channel_no, group_no)
                    VALUES (:notice, (SELECT account_no FROM account WHERE email = :email), :channel, :group)
                    RETURNING delivery_no)
                SELECT d.delivery_no FROM made AS d, procrastinate_defer_jobs_v1(ARRAY[ROW(
                    'alerts', 'deliver', 0, NULL, NULL,
                    jsonb_build_object('delivery_no', d.delivery_no), NULL)::procrastinate_job_to_defer_v1])
                """,
                notice=notice,
                email=to.get("email"),
                channel=to.get("channel_no"),
                group=group_no,
            )
        )

    def channel(self, group_no: int, kind: str, url: str, name: str = "ops") -> int:
        """A channel of a group; its number."""
        query = """
            INSERT INTO alert_channel (group_no, name, kind, url) VALUES (:group, :name, :kind, :url)
            RETURNING channel_no
        """
        return int(self._write(query, group=group_no, name=name, kind=kind, url=url))

    def quiet(self, group_no: int, start: datetime, until: datetime) -> None:
        """Quiet hours of a group, by the clock of UTC."""
        values = {"start": start.hour * 60 + start.minute, "until": until.hour * 60 + until.minute}
        self._write(
            """
            INSERT INTO alert_rule (group_no, quiet_from, quiet_until, quiet_zone)
            VALUES (:group, :start, :until, 'UTC') RETURNING group_no
            """,
            group=group_no,
            **values,
        )

    def work(self, by: Ways) -> None:
        """Runs the jobs that are due, as the worker does."""
        app = make_app(self.database, Means(depot=Depot(Path("none"), 1), ways=by))
        with app.open():
            app.run_worker(queues=["alerts"], wait=False, delete_jobs="successful", listen_notify=False)

    def deliver(self, delivery_no: int, by: Ways, at: datetime | None = None) -> None:
        """One delivery, at an instant of a clock of our own."""
        clock: Callable[[], int] = (lambda: to_us(at)) if at else delivering.now
        delivering.deliver(self.database, delivery_no, by, clock)

    def became(self, delivery_no: int) -> tuple[str, int, str | None]:
        """(status, tries, what is said of it)."""
        with self.database.transaction() as session:
            query = "SELECT status, attempts, said FROM delivery WHERE delivery_no = :no"
            return tuple(session.execute(text(query), {"no": delivery_no}).one())

    def wait_until_sent(self, delivery_no: int) -> None:
        """Waits until it is marked as sent."""
        until = time.monotonic() + PATIENCE
        while self.became(delivery_no)[0] != "sent":
            assert time.monotonic() < until, self.became(delivery_no)
            time.sleep(0.05)

    def waits(self, delivery_no: int) -> timedelta | None:
        """In how long it is looked at again."""
        with self.database.transaction() as session:
            query = "SELECT not_before - now() FROM delivery WHERE delivery_no = :no"
            found = session.execute(text(query), {"no": delivery_no}).scalar()
            assert found is None or isinstance(found, timedelta)
            return found

    def again_at_once(self) -> None:
        """Makes what is to be tried later due now."""
        with self.database.transaction() as session:
            session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))
            session.execute(text("UPDATE delivery SET not_before = now() WHERE not_before IS NOT NULL"))
