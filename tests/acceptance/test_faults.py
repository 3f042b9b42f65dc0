"""kill -9 at random instants: of an import, the worker, the web process and the database server.

After each: every committed row is there, none twice, and what was asked for is completed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from storewatch.domain.clock import DAY
from storewatch.services.simulating import SimulatedFiles, simulate
from tests.acceptance.conftest import Service, postmaster, serving, storewatch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROUNDS = 10
END = 19_700 * DAY  # 2023-12-09


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> SimulatedFiles:
    """1,500 stores, five days: an import and a report long enough to be hit in the middle."""
    folder = tmp_path_factory.mktemp("fleet")
    return simulate(folder, stores=1500, days=5, seed=3, end_us=END, progress=lambda *_: None)


@pytest.fixture(scope="module")
def distinct(files: SimulatedFiles) -> int:
    """How many different polls the file holds."""
    lines = files.store_status.read_text().splitlines()[1:]
    return len({tuple(line.split(",")[::2]) for line in lines})


def count(url: str, query: str) -> int:
    """A number from the database."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def sound(environment: dict[str, str]) -> None:
    """`storewatch db verify` finds nothing wrong."""
    result = storewatch("db", "verify", environment=environment)
    assert result.returncode == 0, result.stdout + result.stderr


def started_import(file: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "storewatch", "import", str(file)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def loaded(files: SimulatedFiles, environment: dict[str, str]) -> None:
    """The fleet, imported."""
    three = (files.store_timezone, files.menu_hours, files.store_status)
    result = storewatch("import", *map(str, three), environment=environment)
    assert result.returncode == 0, result.stderr


def test_a_killed_import_leaves_all_or_nothing(
    files: SimulatedFiles, distinct: int, environment: dict[str, str], database_url: str
) -> None:
    dice = random.Random(1)  # noqa: S311
    began = time.monotonic()
    assert storewatch("import", str(files.menu_hours), environment=environment).returncode == 0
    length = 3 * (time.monotonic() - began)
    hit = 0
    while hit < ROUNDS:
        child = started_import(files.store_status, environment)
        time.sleep(dice.uniform(0.2, 1) * length)
        running = child.poll() is None
        child.kill()
        child.wait()
        assert count(database_url, "SELECT count(*) FROM store_status") in (0, distinct)
        hit += running
        length *= 1 if running else 0.9  # it was through before the kill: sooner, then
    assert storewatch("import", str(files.store_status), environment=environment).returncode == 0
    assert count(database_url, "SELECT count(*) FROM store_status") == distinct
    sound(environment)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_killed_process_costs_no_report(
    name: str, service: Service, environment: dict[str, str], database_url: str
) -> None:
    dice = random.Random(2)  # noqa: S311
    expected = service.text(service.complete(service.trigger())["download_url"])
    for _ in range(ROUNDS):
        report_id = service.trigger()
        time.sleep(dice.uniform(0, 0.8))
        service.child(name).kill()
        killed = time.monotonic()
        assert service.complete(report_id)["status"] == "Complete"
        assert time.monotonic() - killed < 60
        assert service.text(f"/download/{report_id}") == expected
    stores = len(expected.splitlines()) - 1
    by_report = "SELECT count(*) AS rows FROM store_report GROUP BY report_no"
    assert count(database_url, f"SELECT count(*) FROM ({by_report}) AS r WHERE rows <> {stores}") == 0
    sound(environment)


@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_killed_process_costs_no_upload_and_doubles_none(
    name: str,
    files: SimulatedFiles,
    distinct: int,
    service: Service,
    environment: dict[str, str],
    database_url: str,
) -> None:
    dice = random.Random(5)  # noqa: S311
    for _ in range(ROUNDS):
        upload_id = service.upload(files.store_status)
        time.sleep(dice.uniform(0, 1.5))
        service.child(name).kill()
        upload = service.taken(upload_id)
        assert (upload["status"], upload["error"]) == ("complete", None)
        assert count(database_url, "SELECT count(*) FROM store_status") == distinct
    uploads = count(database_url, "SELECT count(DISTINCT import_no) FROM upload WHERE status = 'complete'")
    assert uploads == count(database_url, "SELECT count(*) FROM import")
    assert count(database_url, "SELECT sum(rows_new) FROM import") == distinct
    assert len(list(Path(environment["STOREWATCH_UPLOADS"]).iterdir())) == uploads
    sound(environment)


def test_a_killed_database_server_comes_back_with_everything(
    files: SimulatedFiles, distinct: int, own_home: dict[str, str], tmp_path: Path
) -> None:
    dice = random.Random(4)  # noqa: S311
    three = (files.store_timezone, files.menu_hours, files.store_status)
    assert storewatch("import", *map(str, three), environment=own_home).returncode == 0
    with serving(own_home, tmp_path) as service:
        expected = service.text(service.complete(service.trigger())["download_url"])
        for _ in range(ROUNDS):
            with started_import(files.store_status, own_home):
                time.sleep(dice.uniform(0.2, 1.5))
                report_id = service.trigger()
                time.sleep(dice.uniform(0, 0.8))
                os.kill(postmaster(own_home), signal.SIGKILL)
                assert service.complete(report_id)["status"] == "Complete"
                assert service.text(f"/download/{report_id}") == expected
        url = storewatch("db", "url", environment=own_home).stdout.strip()
        assert count(url, "SELECT count(*) FROM store_status") == distinct
        sound(own_home)
