"""Reports made in shards: by processes of this machine and by a Dask cluster, which die and are cancelled."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from distributed import Client
from sqlalchemy import text

from storewatch.cli.shards import work
from storewatch.domain.clock import DAY, to_us
from storewatch.domain.exception_rows import Wanted
from storewatch.domain.permissions import COMMAND
from storewatch.domain.zones import DEFAULT_ZONE
from storewatch.errors import ConflictError, NotFoundError, ReportFailedError, SettingsError
from storewatch.services import (
    exceptions,
    making,
    reporting,
    reports,
    shards,
)
from storewatch.services.dask_shards import Dask
from storewatch.services.importing import import_file
from storewatch.services.making import Progress
from storewatch.services.process_pool import Processes
from storewatch.services.reporting import Request
from storewatch.services.shards import Shard, Spread
from storewatch.services.simulating import simulate
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.acceptance.conftest import free_port
from tests.conftest import clone_of
from tests.dask_cluster import Cluster, cluster
from tests.factories import load

pytestmark = [pytest.mark.slow]

STORES = 3_000
END = 19_700 * DAY  # 2023-12-09
NOW = to_us(datetime.now(UTC))
STORM = datetime(2023, 12, 8, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def fleet(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """3,000 stores and two days, with two hours that were called off."""
    folder = tmp_path_factory.mktemp("fleet")
    files = simulate(folder, stores=STORES, days=2, seed=3, end_us=END, progress=lambda *_: None)
    with clone_of(server_url, template) as url:
        opened = Database(url)
        for path in (files.store_timezone, files.menu_hours, files.store_status):
            with path.open("rb") as file:
                import_file(opened, file, path.name, now_us=NOW)
        storm = Wanted("closed", None, None, STORM, STORM + timedelta(hours=2), None, None, "storm")
        exceptions.add(opened, COMMAND, [storm], exceptions.Clock(NOW, DEFAULT_ZONE))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def dask(fleet: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("dask"), fleet.url) as running:
        yield running


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_STORE_DAYS", 0)  # then there are 100 stores in one


def made(database: Database, by: Spread | None, progress: Progress = lambda _: None) -> bytes:
    """The CSV of a report."""
    report = reporting.make_now(database, COMMAND, Request(), NOW, progress, by)
    assert report.progress == 100
    assert report.summary is not None
    return b"".join(reports.file(database, COMMAND, report, "csv", extended=True))


def spread(name: str, database: Database, dask: Cluster) -> Spread:
    return Processes(2, database.url) if name == "processes" else Dask(dask.address, work)


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_a_report_made_in_shards_has_the_bytes_of_one_process(
    name: str, fleet: Database, dask: Cluster
) -> None:
    alone = made(fleet, None)
    assert alone.count(b"\n") == STORES + 1
    assert made(fleet, spread(name, fleet, dask)) == alone


def test_a_process_that_is_killed_half_way_changes_no_byte(fleet: Database) -> None:
    killed: list[int] = []

    def progress(percent: int) -> None:
        if percent > 40 and not killed:
            victim = multiprocessing.active_children()[0]
            victim.kill()
            killed.append(victim.ident or 0)

    assert made(fleet, Processes(2, fleet.url), progress) == made(fleet, None)
    assert killed


def test_processes_that_die_every_time_fail_the_report_in_plain_words(fleet: Database) -> None:
    def progress(percent: int) -> None:
        for child in multiprocessing.active_children() if percent else []:
            child.kill()

    with pytest.raises(ReportFailedError, match="too little memory"):
        made(fleet, Processes(2, fleet.url), progress)


def test_a_dask_worker_that_is_killed_half_way_changes_no_byte(fleet: Database, tmp_path: Path) -> None:
    held: list[object] = []

    def progress(percent: int) -> None:
        if percent > 40 and not held:
            with Client(running.address, set_as_default=False) as client:
                work_of = client.processing(), client.has_what()
            held.extend(keys for of in work_of for address, keys in of.items() if keys)
            running.workers["worker1"].kill()

    with cluster(tmp_path, fleet.url) as running:
        assert made(fleet, Dask(running.address, work), progress) == made(fleet, None)
        assert running.workers["worker1"].wait(10) == -9
    assert len(held) >= 2  # both had something when one was killed


def test_a_scheduler_that_is_killed_half_way_fails_the_report_in_plain_words(
    fleet: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storewatch.services.dask_shards._PATIENCE_S", 2.0)

    def progress(percent: int) -> None:
        if percent > 40:
            running.scheduler.kill()

    with cluster(tmp_path, fleet.url) as running, pytest.raises(ReportFailedError, match="went away"):
        made(fleet, Dask(running.address, work), progress)


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_a_cancelled_report_stops_those_that_make_its_shards(
    name: str, fleet: Database, dask: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_NOTE_EVERY_S", 0.0)
    report_id, seen = reporting.trigger(fleet, COMMAND, Request(), NOW), []

    def progress(percent: int) -> None:
        seen.append(percent)
        if len(seen) == 2:
            reports.cancel(fleet, COMMAND, report_id)

    making.make(fleet, report_id, progress, spread(name, fleet, dask))
    assert len(seen) == 2
    assert reporting.get(fleet, COMMAND, report_id).status == "cancelled"
    assert not multiprocessing.active_children()


def test_all_shards_see_the_state_from_which_the_report_began(fleet: Database, dask: Cluster) -> None:
    """Polls that come in the middle are in none of its rows."""
    alone = made(fleet, None)
    seen: list[int] = []
    with fleet.session() as session:
        ids = session.execute(text("SELECT store_id FROM store WHERE first_poll_at IS NOT NULL")).scalars()
        late = "".join(f"{store_id},inactive,2023-12-08 21:14:15.5\n" for store_id in ids)

    def progress(percent: int) -> None:
        if not seen:
            load(fleet, "store_id,status,timestamp_utc\n" + late, now_us=NOW)
            seen.append(percent)

    assert made(fleet, Dask(dask.address, work), progress) == alone
    assert made(fleet, None) != alone


# --- what goes wrong ------------------------------------------------------------------------------


def shard(report_id: UUID, snapshot: str) -> Shard:
    return Shard(report_id, snapshot, np.array([1], np.int32), END, 100)


def test_a_shard_holds_no_secret() -> None:
    assert b"postgres" not in pickle.dumps(shard(uuid4(), "00000003-0000001B-1"))


def test_a_worker_of_another_version_refuses(fleet: Database) -> None:
    other = replace(shard(uuid4(), "1"), versions=("9.9.9", "2099z"))
    with pytest.raises(ConflictError, match=r"9\.9\.9 with zone data 2099z.*install the same"):
        shards.make(fleet, other)


def test_a_worker_with_another_database_refuses(fleet: Database, database: Database) -> None:
    with fleet.snapshot() as session:
        name = db.exported(session)
        with pytest.raises(ConflictError, match="STOREWATCH_DATABASE_URL names another database"):
            shards.make(database, shard(uuid4(), name))
        with pytest.raises(NotFoundError, match="in the database of this worker"):
            shards.make(fleet, shard(uuid4(), name))
    for gone in (name, "'; DROP TABLE store; --"):
        with pytest.raises(ConflictError, match="report was stopped"):
            shards.make(fleet, shard(uuid4(), gone))


def test_a_worker_without_the_databases_url_says_so(fleet: Database, tmp_path: Path) -> None:
    with (
        cluster(tmp_path, "", workers=1) as running,
        pytest.raises(ReportFailedError, match="does not know the database: set STOREWATCH_DATABASE_URL"),
    ):
        made(fleet, Dask(running.address, work))


def test_a_scheduler_that_is_away_or_has_no_workers_is_told(
    fleet: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storewatch.services.dask_shards._CONNECT_S", 1)
    monkeypatch.setattr("storewatch.services.dask_shards._PATIENCE_S", 1.0)
    with pytest.raises(ReportFailedError, match="cannot be reached"):
        made(fleet, Dask(f"tcp://127.0.0.1:{free_port()}", work))
    with cluster(tmp_path, "", workers=0) as running, pytest.raises(ReportFailedError, match="no workers"):
        made(fleet, Dask(running.address, work))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://10.1.2.3:8786", "in the clear"),
        ("tcp://scheduler.example.com:8786", "in the clear"),
        ("tcp://0.0.0.0:8786", "in the clear"),
        ("ws://127.0.0.1:8786", "written like tls://host:8786"),
        ("127.0.0.1:8786", "written like tls://host:8786"),
        ("tcp://user:secret@127.0.0.1:8786", "written like tls://host:8786"),
        ("tls://127.0.0.1:8786", "DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
    ],
)
def test_only_tls_and_loopback_are_spoken_to(address: str, said: str, fleet: Database) -> None:
    with pytest.raises((SettingsError, ReportFailedError), match=said):
        made(fleet, Dask(address, work))
