"""From a poll to an incident, by a real service with its worker and the real clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests.acceptance.conftest import serving
from tests.acceptance.test_faults import count
from tests.acceptance.test_webhooks import until
from tests.factories import load

pytestmark = pytest.mark.slow
INCIDENTS = "SELECT count(*) FROM incident"


def poll(database: Database, store: str, status: str) -> None:
    load(
        database,
        f"store_id,status,timestamp_utc\n{store},{status},{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}\n",
    )


def test_two_polls_wake_the_worker_and_one_is_believed_by_the_clock(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    with serving(environment | {"STOREWATCH_ALERT_AFTER": "3s"}, tmp_path):
        poll(database, "a", "inactive")
        poll(database, "a", "inactive")
        until(lambda: count(database.url, INCIDENTS) == 1)
        poll(database, "b", "inactive")
        until(lambda: count(database.url, INCIDENTS) == 2)
        for store in ("a", "b"):
            poll(database, store, "active")
        until(lambda: count(database.url, f"{INCIDENTS} WHERE ended_at IS NULL") == 0)
