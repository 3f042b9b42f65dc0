"""Webhooks by a real service with its worker."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from storewatch.domain.permissions import COMMAND
from storewatch.services import reporting
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving
from tests.acceptance.test_faults import count
from tests.factories import load_chicago
from tests.outbound.receiver import receiving

pytestmark = pytest.mark.slow
ALLOWED = {"STOREWATCH_WEBHOOK_NETWORKS": "127.0.0.0/8"}


def until(condition: Any) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_announcement_that_is_not_taken_comes_again(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    load_chicago(database)
    with receiving() as receiver, serving(environment | ALLOWED, tmp_path):
        receiver.status = 503
        reporting.trigger(database, COMMAND, Request(webhook=receiver.url), 1 << 60)
        until(lambda: len(receiver.came) == 1)
        receiver.status = 204
        until(lambda: len(receiver.came) == 2)
        assert receiver.came[0][2] == receiver.came[1][2]
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_report'"
        until(lambda: count(database.url, jobs) == 0)


def test_receivers_that_dawdle_hold_up_no_report(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    load_chicago(database)
    doing = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_report' AND status = 'doing'"
    with (
        socket.create_server(("127.0.0.1", 0)) as dawdler,
        serving(environment | ALLOWED, tmp_path) as service,
    ):
        url = f"http://127.0.0.1:{dawdler.getsockname()[1]}/"
        for _ in range(6):
            reporting.trigger(database, COMMAND, Request(webhook=url), 1 << 60)
        until(lambda: count(database.url, doing) > 0)
        assert made(service) == "Complete"
        assert count(database.url, doing) > 0


def made(service: Service) -> Any:
    return service.complete(service.trigger())["status"]
