"""Alerts that are over for long are removed; what is open, or waits to be sent, stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, to_us
from storewatch.jobs.tasks import Means, make_app
from storewatch.services import retention
from storewatch.services.depot import Depot
from storewatch.storage.db import Database
from tests.alerting import Town, minutes_ago, polled
from tests.web.service import Service

NOW = datetime.now(UTC)
LONG_AGO, LATELY = NOW - timedelta(days=40), NOW - timedelta(days=20)


@pytest.fixture
def town(database: Database) -> Town:
    polled(database, ("17", minutes_ago(1), "active"))
    Service(database).group("maple", "17")
    Service(database).person("mia@maple.example")
    return Town(database)


def left(town: Town) -> dict[str, int]:
    with town.database.transaction() as session:
        tables = ("incident", "notice", "delivery")
        return {t: session.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables}


def clear(town: Town) -> int:
    return retention.remove_old_alerts(town.database, 30 * DAY, to_us(NOW))


def told(town: Town, incident: int, status: str) -> None:
    number = town.tell(incident, "begun", None, email="mia@maple.example")
    with town.database.transaction() as session:
        query = "UPDATE delivery SET status = :status WHERE delivery_no = :no"
        session.execute(text(query), {"status": status, "no": number})


@pytest.mark.parametrize(
    ("ended", "status", "gone"),
    [
        (LONG_AGO, "sent", True),
        (LONG_AGO, "failed", True),
        (LONG_AGO, "held", False),
        (LONG_AGO, "waiting", False),
        (LATELY, "sent", False),
        (None, "sent", False),
    ],
)
def test_what_is_over_and_delivered_goes_with_all_that_was_said(
    town: Town, ended: datetime | None, status: str, gone: bool
) -> None:
    told(town, town.down("17", LONG_AGO, ended_at=ended), status)
    assert clear(town) == int(gone)
    assert set(left(town).values()) == {0 if gone else 1}


@pytest.mark.parametrize(("own_ended", "gone"), [(LONG_AGO, 2), (LATELY, 0)])
def test_many_at_once_stay_as_long_as_one_of_them(town: Town, own_ended: datetime, gone: int) -> None:
    mass = town.incident("mass", LONG_AGO, group_no=1, ended_at=LONG_AGO)
    town.down("17", LONG_AGO, ended_at=own_ended, mass_no=mass)
    assert clear(town) == gone
    assert left(town)["incident"] == 2 - gone


def test_tests_of_channels_go_too(town: Town) -> None:
    channel = town.channel(1, "mail", "ops@example.com")
    with town.database.transaction() as session:
        for at in (LONG_AGO, LATELY):
            session.execute(
                text("INSERT INTO delivery (channel_no, created_at, status) VALUES (:no, :at, 'sent')"),
                {"no": channel, "at": at},
            )
    clear(town)
    assert left(town)["delivery"] == 1


def test_the_worker_does_it_every_hour_as_the_setting_says(town: Town, tmp_path: Path) -> None:
    town.down("17", LONG_AGO, ended_at=LONG_AGO)
    app = make_app(town.database, Means(depot=Depot(tmp_path, 1), keep_alerts_us=30 * DAY))
    periodic = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert periodic["remove_old_alerts"] == "37 * * * *"
    app.tasks["remove_old_alerts"](timestamp=0)
    assert left(town)["incident"] == 0
