"""storewatch watched from outside: the log, /metrics and the heartbeat of a real service."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving
from tests.factories import load_chicago
from tests.outbound.receiver import Receiver, receiving

TOKEN = "a token of Prometheus's own"  # noqa: S105 - of nobody


def until(found: Callable[[], bool], told: Callable[[], object]) -> None:
    """Waits for something to be so."""
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end, told()
        time.sleep(0.2)


def scraped(service: Service) -> dict[tuple[str, ...], float]:
    """The samples of /metrics, by name and labels in the order of their names."""
    url = f"http://127.0.0.1:{service.port}/metrics"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    return {(s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for s in samples}


def grepped(service: Service, word: str) -> list[dict[str, Any]]:
    """The lines of the log that hold a word; each that is no word to people is JSON."""
    lines = [line for line in service.log.read_text().splitlines() if not line.startswith("storewatch: ")]
    found = [json.loads(line) for line in lines]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in found)
    return [line for line, written in zip(found, lines, strict=True) if word in written]


@pytest.mark.slow
def test_a_service_is_watched_from_outside(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with receiving() as receiver:
        settings = {
            "STOREWATCH_HOME": str(tmp_path / "home"),
            "TMPDIR": str(temporary),
            "STOREWATCH_METRICS_TOKEN": TOKEN,
            "STOREWATCH_FEED_WITHIN": "off",
            "STOREWATCH_HEARTBEAT_URL": receiver.url,
            "STOREWATCH_HEARTBEAT_EVERY": "1s",
        }
        with serving(environment | settings, tmp_path) as service:
            a_report_is_followed_by_its_id(service)
            its_job_is_counted(service)
            a_worker_that_hangs_is_told(service, receiver)
        assert not list(temporary.iterdir())
    assert TOKEN not in service.log.read_text()
    assert receiver.url not in service.log.read_text()


def a_report_is_followed_by_its_id(service: Service) -> None:
    url = f"http://127.0.0.1:{service.port}/trigger_report"
    request = urllib.request.Request(url, method="POST", headers={"X-Request-ID": "from-the-proxy"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        assert answer.headers["X-Request-Id"] == "from-the-proxy"
        report_id = json.load(answer)["report_id"]
    assert service.complete(report_id)["status"] == "Complete"
    service.said("report complete")
    queued, complete = grepped(service, report_id)
    assert (queued["event"], queued["process"]) == ("report queued", "web")
    assert (complete["event"], complete["process"]) == ("report complete", "worker")
    assert queued["request_id"] == "from-the-proxy"
    assert (complete["task"], type(complete["job"])) == ("make_report", int)


def its_job_is_counted(service: Service) -> None:
    job = ("storewatch_jobs_total", "done", "worker", "make_report")
    until(lambda: scraped(service).get(job) == 1, lambda: scraped(service))
    found = scraped(service)
    assert found["storewatch_job_duration_seconds_count", "worker", "make_report"] == 1
    assert (
        found["storewatch_http_request_duration_seconds_count", "POST", "web", "/trigger_report", "202"] == 1
    )
    assert found["storewatch_worker_up",] == 1


def a_worker_that_hangs_is_told(service: Service, receiver: Receiver) -> None:
    def last() -> tuple[str, str]:
        path, _, body = receiver.came[-1] if receiver.came else ("", {}, b"")
        return path, body.decode()

    until(lambda: last() == ("/hook?key=1", ""), last)
    worker = service.child("worker")
    worker.send_signal(signal.SIGSTOP)
    until(lambda: last()[0] == "/hook/fail?key=1", last)
    assert re.match(r"queue: no worker is at work; \d+ jobs? waits?", last()[1])
    assert scraped(service)["storewatch_worker_up",] == 0
    worker.send_signal(signal.SIGCONT)
    until(lambda: last() == ("/hook?key=1", ""), last)
    until(
        lambda: '"ails": "nothing"' in service.log.read_text().rpartition("no worker")[2],
        service.log.read_text,
    )
    told = [line["ails"].partition(":")[0] for line in grepped(service, '"event": "heartbeat"')]
    assert told[-2:] == ["queue", "nothing"]
