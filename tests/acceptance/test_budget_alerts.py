"""A budget that is nearly used: a real service, its worker, and a real mail server."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, serving
from tests.alerting import minutes_ago, polled
from tests.post_office import PostOffice, post_office
from tests.web.service import Service

pytestmark = pytest.mark.slow
WAITING = """
    SELECT (SELECT count(*) FROM history_due)
         + (SELECT count(*) FROM procrastinate_jobs
            WHERE task_name IN ('update_history', 'look_at_budgets') AND status IN ('todo', 'doing'))
"""


def noon() -> str:
    """A zone in which it is noon: no week ends while the test runs."""
    east = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "UTC"


def outage(database: Database, store: str, minutes: int) -> None:
    """One that began so long ago, and was over ten minutes later."""
    polled(
        database,
        (store, minutes_ago(minutes + 10), "active"),
        (store, minutes_ago(minutes), "inactive"),
        (store, minutes_ago(minutes - 10), "active"),
        (store, minutes_ago(0), "active"),
    )


def level(database: Database, name: str, group_no: int) -> None:
    """At most two outages a week."""
    with database.transaction() as session:
        session.execute(
            text("""
                INSERT INTO service_level (name, group_no, period, measure, target)
                VALUES (:name, :group_no, 'week', 'outages', 2)
            """),
            {"name": name, "group_no": group_no},
        )


def looked(database: Database) -> None:
    """Waits until history is made and budgets were looked at, without the pause between looks."""
    until = time.monotonic() + PATIENCE
    while True:
        with database.transaction() as session:
            session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))
            if not session.execute(text(WAITING)).scalar():
                return
        assert time.monotonic() < until
        time.sleep(0.1)


def subjects(office: PostOffice) -> list[str]:
    return [str(letter["Subject"]) for letter in office.letters]


def test_a_budget_that_is_half_used_is_told_once_whatever_comes_later(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    people = Service(database)
    maple = people.group("maple", "17", "18")
    people.person("mia@maple.example", maple=GroupRole.MANAGER)
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO alert_rule (group_no, down, budget_percent) VALUES (:no, false, 50)"),
            {"no": maple},
        )
        session.execute(
            text("INSERT INTO store_timezone (store_key, timezone_str) SELECT store_key, :zone FROM store"),
            {"zone": noon()},
        )
    level(database, "few", maple)
    with post_office() as office:
        more = {
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
        }
        with serving(environment | more, tmp_path):
            polled(database, ("18", minutes_ago(300), "active"), ("18", minutes_ago(0), "active"))
            looked(database)
            assert not office.letters
            outage(database, "17", 100)
            looked(database)
            office.wait_for(1)
        with serving(environment | more, tmp_path):
            outage(database, "18", 200)  # polls that come late use more of it
            looked(database)
            level(database, "few more", maple)
            outage(database, "17", 20)
            looked(database)
            office.wait_for(2)
    assert subjects(office) == [
        "Budget nearly used: few, maple, 50 %",
        "Target missed: few more, maple",
    ]
    told = office.texts()[0]
    for part in ("- Store 17: 1 outage", "Used: 1 outage. Allowed: 2 outages.", "http://127.0.0.1:9/levels/"):
        assert part in told
    assert told.count("http://127.0.0.1:9/alerts/") == 4  # three answers, and to get no more
