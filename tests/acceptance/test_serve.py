"""The service as a whole: real processes, real requests."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.storage import history
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving, storewatch
from tests.factories import load_chicago

pytestmark = pytest.mark.slow


def test_from_trigger_to_file(service: Service, database: Database) -> None:
    load_chicago(database)
    report_id = service.trigger()
    status = service.complete(report_id)
    assert status["status"] == "Complete"
    assert service.text(status["download_url"]).splitlines()[1].startswith("1,")


def test_a_restart_loses_no_report(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    load_chicago(database)
    with serving(environment, tmp_path) as first:
        done = first.trigger()
        first.complete(done)
        first.child("worker").suspend()  # a stopped worker: the next report stays in the queue
        waiting = first.trigger()
        first.child("worker").kill()
    with serving(environment, tmp_path) as second:
        assert second.complete(waiting)["status"] == "Complete"
        assert second.complete(done)["status"] == "Complete"


def test_a_taken_port_is_said_plainly(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = storewatch("serve", "--port", str(taken.getsockname()[1]), environment=environment)
    assert (result.returncode, "is taken" in result.stderr) == (2, True)


def test_children_end_when_serve_is_killed(service: Service) -> None:
    web, worker = service.child("web"), service.child("worker")
    service.process.kill()
    service.process.wait()
    for child in (web, worker):
        child.wait(30)


def test_a_killed_child_is_started_again(service: Service, database: Database) -> None:
    load_chicago(database)
    for name in ("web", "worker"):
        service.child(name).kill()
        assert service.complete(service.trigger())["status"] == "Complete"


def test_the_report_command_gives_the_same_file(
    service: Service, environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    report_id = service.trigger()
    served = service.text(service.complete(report_id)["download_url"])
    result = storewatch("report", "--output", str(tmp_path / "r.csv"), environment=environment)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "r.csv").read_text() == served
    assert "coverage" in result.stdout


def test_the_worker_keeps_up_the_history_and_the_proof_finds_nothing_wrong(
    service: Service, environment: dict[str, str], database: Database
) -> None:
    service.child("worker")
    load_chicago(database)
    until = time.monotonic() + PATIENCE
    while due(database) and time.monotonic() < until:
        time.sleep(0.05)
    assert due(database) == 0
    [day] = service.get("/api/v1/history?by=day&first_day=2023-01-23&last_day=2023-01-23")["items"]
    assert (day["up_seconds"], day["complete"]) == (6270, False)
    result = storewatch("db", "verify", environment=environment)
    assert (result.returncode, "ok    history equals the engine (2 days" in result.stdout) == (0, True)


def due(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM history_due")).scalar_one())


def test_the_worker_packs_what_was_imported(service: Service, database: Database) -> None:
    service.child("worker")
    load_chicago(database)
    until = time.monotonic() + PATIENCE
    while not packed(database) and time.monotonic() < until:
        time.sleep(0.05)
    assert packed(database) == [("2023-01-23", 16)]
    report_id = service.trigger()
    assert service.text(service.complete(report_id)["download_url"]).splitlines()[1].startswith("1,")


def packed(database: Database) -> list[tuple[str, int]]:
    with database.session() as session:
        query = "SELECT day::text, length(polls) FROM poll_pack JOIN poll_stretch USING (day, shard, version)"
        return [tuple(row) for row in session.execute(text(query))]


def test_a_report_does_not_wait_for_history(service: Service, database: Database) -> None:
    with database.transaction() as session:
        history.lock(session)
        load_chicago(database)
        assert service.complete(service.trigger())["status"] == "Complete"
        assert due(database) > 0
