"""/metrics, read as Prometheus does."""

from __future__ import annotations

import math
import os
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.domain.permissions import Role
from storewatch.services import counts
from storewatch.storage import queue
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.factories import load_chicago
from tests.web.service import Service

TOKEN = "a token of sixteen or more"  # noqa: S105 - of nobody
Found = dict[str, Metric]


def read(answer: TestResponse) -> Found:
    """What a parser makes of it. Each family stands once, and each series once."""
    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    text = answer.get_data(as_text=True)
    types = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    series = re.findall(r"^([^#\s].*) \S+$", text, re.MULTILINE)
    assert (len(set(types)), len(set(series))) == (len(types), len(series))
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(found: Found, sample: str, **labels: str) -> float:
    """The sum of a sample over all labels that are not given."""
    each = [one for family in found.values() for one in family.samples if one.name == sample]
    fits = [one.value for one in each if labels.items() <= one.labels.items()]
    return math.fsum(fits) if fits else math.nan


class Prometheus:
    """Asks with the token of the setting."""

    def __init__(self, database: Database, home: Path, counted: Path | None = None) -> None:
        settings = Settings(metrics_token=TOKEN, home=str(home))
        self.app = create_app(settings, database, Edge(limits=False, counted=counted))

    def get(self, path: str = "/metrics", secret: str = TOKEN) -> TestResponse:
        return self.app.test_client().get(path, headers={"Authorization": f"Bearer {secret}"})


def test_the_token_of_the_setting_opens_metrics_and_nothing_else(database: Database, tmp_path: Path) -> None:
    prometheus = Prometheus(database, tmp_path)
    assert prometheus.get().status_code == 200
    assert {prometheus.get(path).status_code for path in ("/api/v1/stores", "/api/v1/users", "/")} == {401}
    assert {prometheus.get(secret=wrong).status_code for wrong in (TOKEN[:-1], TOKEN + "x", "é")} == {401}
    assert prometheus.app.test_client().get("/metrics").status_code == 401


def test_without_the_setting_an_operators_token_is_needed(service: Service) -> None:
    operator = service.token("oscar@example.com", Role.OPERATOR)
    assert operator.get("/metrics").status_code == 200
    assert operator.send("GET", "/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_requests_are_counted_by_route_and_never_by_id(database: Database, tmp_path: Path) -> None:
    load_chicago(database)
    prometheus = Prometheus(database, tmp_path)
    secret = str(uuid4())
    before = read(prometheus.get())
    asked = (f"/stores/{secret}", f"/reports/{secret}", f"/{secret}", f"/shared/{secret}")
    for path in asked:
        prometheus.get(path)
    prometheus.app.test_client().open("/", method=f"X{secret[:6].upper()}")
    answer = prometheus.get()
    found, text = read(answer), answer.get_data(as_text=True)
    count = "storewatch_http_request_duration_seconds_count"

    def more(**labels: str) -> float:
        was = value(before, count, **labels)
        return value(found, count, **labels) - (0 if math.isnan(was) else was)

    assert more(route="/stores/<id:store_id>", method="GET", status="401") == 1
    assert more(route="/reports/<uuid:report_id>", status="401") == 1
    assert more(route="/shared/<secret>") == 1
    assert (more(route="none", status="404"), more(method="other", route="none")) == (1, 1)
    assert more() == len(asked) + 2  # and the scrape before
    assert (secret in text, secret[:6].upper() in text) == (False, False)
    assert value(found, "storewatch_http_requests_in_progress") == 1  # this one


def test_the_queue_and_the_feed(database: Database, tmp_path: Path) -> None:
    found = read(Prometheus(database, tmp_path).get())
    assert value(found, "storewatch_database_up") == 1
    assert "storewatch_newest_poll_age_seconds" not in found
    load_chicago(database)
    with database.transaction() as session:
        for number in range(3):
            queue.defer(session, "reports", "make_report", report_id=str(number))
    found = read(Prometheus(database, tmp_path).get())
    assert value(found, "storewatch_queue_jobs", queue="reports") == 3
    assert 0 <= value(found, "storewatch_queue_oldest_seconds") < 300
    assert value(found, "storewatch_worker_up") == 0
    assert value(found, "storewatch_newest_poll_age_seconds") > 86400
    assert 0 <= value(found, "storewatch_last_import_age_seconds") < 300
    assert value(found, "storewatch_database_size_bytes") > 1 << 20
    assert value(found, "storewatch_deliveries_due", status="waiting") == 0


def test_a_database_that_is_away_takes_only_its_own_figures_with_it(tmp_path: Path) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    app = create_app(Settings(metrics_token=TOKEN), away, Edge(login=False, limits=False))
    found = read(app.test_client().get("/metrics"))
    assert value(found, "storewatch_database_up") == 0
    assert "storewatch_queue_jobs" not in found
    assert value(found, "process_resident_memory_bytes", process="web") > 1 << 20


def test_what_other_processes_counted_is_told_as_theirs(database: Database, tmp_path: Path) -> None:
    counts.job_ended("make_report", "done", 0.2)
    counts.hand_over(tmp_path, "worker")
    counts.hand_over(tmp_path, "probe")
    counts.hand_over(tmp_path / "not there", "worker")  # which is no reason to fall over
    prometheus = Prometheus(database, tmp_path, tmp_path)
    found = read(prometheus.get())
    job = {"task": "make_report", "outcome": "done"}
    assert value(found, "storewatch_jobs_total", process="worker", **job) >= 1
    assert value(found, "storewatch_job_duration_seconds_bucket", process="probe", le="0.5") >= 1
    assert value(found, "process_resident_memory_bytes", process="worker") > 1 << 20
    old = time.time() - 3600
    os.utime(tmp_path / "worker.prom", (old, old))
    (tmp_path / "probe.prom").write_text("not \x00 metrics {")
    found = read(prometheus.get())
    assert math.isnan(value(found, "storewatch_jobs_total", process="worker"))


@pytest.mark.parametrize("length", [0, 16])
def test_a_token_that_is_long_enough_is_taken(length: int) -> None:
    from storewatch.cli import edge

    edge.check_metrics(Settings(metrics_token="x" * length))


def test_a_token_that_could_be_guessed_is_refused() -> None:
    from storewatch.cli import edge
    from storewatch.errors import SettingsError

    with pytest.raises(SettingsError, match="less than 16 characters"):
        edge.check_metrics(Settings(metrics_token="x" * 15))
