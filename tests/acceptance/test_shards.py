"""Large reports in shards, from outside: the command with Dask by TLS, and the service with processes."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme

from storewatch.domain.clock import DAY
from storewatch.services.simulating import simulate
from tests.acceptance.conftest import PATIENCE, Service, serving, storewatch
from tests.conftest import clone_of
from tests.dask_cluster import cluster

pytestmark = [pytest.mark.slow]

STORES = 5_000
END = 19_700 * DAY  # 2023-12-09
WIDE = ("--max-gap", "720h")  # shards are smaller the further a report reaches: this one has two
SEASON = {"name": "last_season", "length_seconds": 120 * 86_400}  # and this one four


@pytest.fixture(scope="module")
def fleet_url(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with 5,000 stores and a day of polls."""
    folder = tmp_path_factory.mktemp("fleet")
    files = simulate(folder, stores=STORES, days=1, seed=5, end_us=END, progress=lambda *_: None)
    three = map(str, (files.store_timezone, files.menu_hours, files.store_status))
    with clone_of(server_url, template) as url:
        result = storewatch("import", *three, environment={"STOREWATCH_DATABASE_URL": url})
        assert result.returncode == 0, result.stderr
        yield url


def environment(url: str, **more: str) -> dict[str, str]:
    return {"STOREWATCH_DATABASE_URL": url, **more}


def written(file: Path, settings: dict[str, str], *words: str) -> bytes:
    """The CSV that the command writes."""
    result = storewatch("report", "--output", str(file), *WIDE, *words, environment=settings)
    assert result.returncode == 0, result.stderr
    return file.read_bytes()


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, str]:
    """An authority, and a certificate of it for whoever takes part in a cluster, as files."""
    authority, folder = trustme.CA(), tmp_path / "tls"
    folder.mkdir()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    return {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}


def test_a_dask_cluster_by_tls_makes_the_bytes_of_one_process(
    fleet_url: str, tmp_path: Path, certificates: dict[str, str]
) -> None:
    settings = environment(fleet_url)
    alone = written(tmp_path / "alone.csv", settings)
    assert alone.count(b"\n") == STORES + 1
    ours = {
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": certificates["ca"],
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": certificates["cert"],
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": certificates["key"],
    }
    theirs = ("--tls-ca-file", certificates["ca"], "--tls-cert", certificates["cert"])
    with cluster(tmp_path, fleet_url, tls=(*theirs, "--tls-key", certificates["key"])) as running:
        by_option = written(tmp_path / "dask.csv", settings | ours, "--dask", running.address)
        by_setting = written(tmp_path / "set.csv", settings | ours | {"STOREWATCH_DASK": running.address})
        stranger = trustme.CA()
        stranger.cert_pem.write_to_path(certificates["ca"])
        refused = storewatch(
            "report", "--output", str(tmp_path / "no.csv"), *WIDE, "--dask", running.address,
            environment=settings | ours,
        )  # fmt: skip
    assert by_option == by_setting == alone
    assert (refused.returncode, "cannot be reached" in refused.stderr) == (2, True)
    assert not (tmp_path / "no.csv").exists()


def test_processes_make_the_bytes_of_one(fleet_url: str, tmp_path: Path) -> None:
    alone = written(tmp_path / "alone.csv", environment(fleet_url))
    assert written(tmp_path / "two.csv", environment(fleet_url), "--processes", "2") == alone


def test_the_worker_of_a_service_may_be_killed_with_all_of_its_processes_at_work(
    fleet_url: str, tmp_path: Path
) -> None:
    """The processes of a dead worker end by themselves, and the next worker makes the report."""
    settings = environment(fleet_url, STOREWATCH_PROCESSES="2", STOREWATCH_UPLOADS=str(tmp_path / "up"))
    with serving(settings, tmp_path) as service:
        report_id = asked(service, SEASON)
        worker = service.child("worker")
        makers = children(worker)
        os.kill(worker.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(makers, timeout=PATIENCE)
        assert not alive
        done = service.complete(report_id)
    assert done["status"] == "Complete"


def asked(service: Service, window: dict[str, Any]) -> str:
    """Asks for a report of a window, and gives its id."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/api/v1/reports",
        json.dumps({"windows": [window]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        return str(json.load(answer)["report_id"])


def children(worker: psutil.Process) -> list[psutil.Process]:
    """The processes that a worker has started, once there are both and that which looks after them."""
    until = time.monotonic() + PATIENCE
    found: list[psutil.Process] = []
    while len(found := worker.children()) < 3:
        assert time.monotonic() < until, found
        time.sleep(0.01)
    return found


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("--dask", "tcp://10.0.0.7:8786"), {}, "in the clear"),
        ((), {"STOREWATCH_DASK": "tcp://10.0.0.7:8786"}, "in the clear"),
        (("--dask", "tls://127.0.0.1:8786", "--processes", "2"), {}, "which of the two?"),
        ((), {"STOREWATCH_PROCESSES": "two"}, "write a number from 1 to 64"),
        ((), {"STOREWATCH_PROCESSES": "65"}, "write a number from 1 to 64"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_done(
    words: tuple[str, ...], variables: dict[str, str], said: str, fleet_url: str, tmp_path: Path
) -> None:
    commands = [("report", "--output", str(tmp_path / "week.csv"), *words), ("worker", *words)]
    commands += [] if words else [("serve", "--no-login")]
    for command in commands:
        result = storewatch(*command, environment=environment(fleet_url, **variables))
        assert (result.returncode, said in result.stderr) == (2, True), (command, result.stderr)
    assert not (tmp_path / "week.csv").exists()
