"""From a timetable to a mail with a file: a real service, its worker, the real clock and a mail server."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storewatch.domain.outage_words import length_in_words
from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, serving
from tests.acceptance.conftest import Service as Served
from tests.acceptance.test_alert_kill import worker
from tests.post_office import post_office
from tests.scheduling import Clockwork, attached, down_for, table, words
from tests.web.service import Service


def call(served: Served, secret: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the API answers to a token."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{served.port}/api/v1{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


@pytest.mark.slow
def test_a_digest_comes_by_itself_at_its_minute_with_the_numbers_of_the_api_and_of_own_stores(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    people = Service(database)
    for store_id, lost in (("17", 60), ("18", 30), ("21", 120)):
        down_for(database, store_id, lost)
    people.group("maple", "17", "18")
    people.group("oak", "21")
    mia = people.token("mia@maple.example", maple=GroupRole.MANAGER)
    with post_office() as office:
        more = {
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
            "STOREWATCH_DEFAULT_ZONE": "UTC",
        }
        with serving(environment | more, tmp_path, login=True) as served:
            soon = datetime.now(UTC) + timedelta(seconds=65)
            made = call(
                served,
                mia.secret,
                "/schedules",
                {"name": "Soon", "every": "day", "at": f"{soon:%H:%M}", "format": "csv"},
            )
            assert made["next_run_at"] == f"{soon:%Y-%m-%dT%H:%M}:00.000000Z"
            office.wait_for(1)
            day = (soon.date() - timedelta(days=1)).isoformat()
            ranked = call(served, mia.secret, f"/ranking?first_day={day}&last_day={day}")["items"]
            whole = call(served, mia.secret, f"/comparison?first_day={day}&last_day={day}")["range"]
            log = call(served, mia.secret, f"/schedules/{made['schedule_id']}/log")["items"]
    [letter] = office.letters
    assert letter["To"] == "mia@maple.example"
    assert f"Time lost: {length_in_words(round(whole['down_seconds'] * 1e6))} " in words(letter)
    name, content = attached(letter)
    assert name == f"stores-{day}.csv"
    rows = {row["store_id"]: float(row["down_seconds"]) for row in table(content)}
    assert rows == {item["store_id"]: item["down_seconds"] for item in ranked}
    assert set(rows) == {"17", "18"}
    assert sum(rows.values()) == whole["down_seconds"] > 5000
    assert [(one["email"], one["key"]) for one in log] == [("mia@maple.example", letter["X-Storewatch-Key"])]


@pytest.mark.slow
def test_a_worker_that_is_killed_when_the_mail_is_out_makes_no_second_run_and_the_same_mail_again(
    database: Database, database_url: str
) -> None:
    people, clock = Service(database), Clockwork(database)
    down_for(database, "17", 60)
    people.group("maple", "17")
    people.person("mia@maple.example", maple=GroupRole.MANAGER)
    clock.was_due(clock.make("mia@maple.example", format="csv"))
    with post_office() as office:
        first = worker(database_url, office)
        office.on_letter = first.kill
        office.wait_for(1)
        first.wait()
        office.on_letter = lambda: None
        assert [status for status, _ in clock.log()] == ["waiting"]
        clock.write("UPDATE delivery SET not_before = now() WHERE status = 'waiting'")
        second = worker(database_url, office)
        try:
            office.wait_for(2)
            until = time.monotonic() + PATIENCE
            while [status for status, _ in clock.log()] != ["sent"]:
                assert time.monotonic() < until, clock.log()
                time.sleep(0.05)
        finally:
            second.terminate()
            second.wait()
    assert len({(letter["X-Storewatch-Key"], letter["Message-ID"]) for letter in office.letters}) == 1
    assert {attached(letter) for letter in office.letters} == {attached(office.letters[0])}
    assert clock.rows("SELECT count(*) FROM schedule_run") == [(1,)]
