"""The service is stopped and started again under load, and nobody's request fails.

The listening socket is handed over as systemd does it (`man sd_listen_fds`): the kernel keeps connections
while nobody is there to take them.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving
from tests.factories import load_chicago

pytestmark = pytest.mark.slow


def started(listener: int) -> list[str]:
    """`serve` with a socket as systemd hands it over; LISTEN_PID is the process that `exec` becomes."""
    serve = [sys.executable, "-m", "storewatch", "serve", "--no-login"]
    take = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid())"
    return [sys.executable, "-c", f"{take}; os.execv(sys.argv[2], sys.argv[2:])", str(listener), *serve]


@dataclass
class Unit:
    """What systemd keeps while the service comes and goes: its socket, and where it says how it is."""

    environment: dict[str, str]
    folder: Path
    listener: socket.socket
    says: socket.socket

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The service, once it said that it is ready; ended in order."""
        told = {"LISTEN_FDS": "1", "NOTIFY_SOCKET": self.says.getsockname()} | self.environment
        with (self.folder / "serve.log").open("a") as log:
            process = subprocess.Popen(
                started(self.listener.fileno()),
                env=os.environ | told,
                pass_fds=[self.listener.fileno()],
                stdout=log,
                stderr=log,
            )
        try:
            assert self.says.recv(100) == b"READY=1", (self.folder / "serve.log").read_text()
            yield process
            process.terminate()
            assert self.says.recv(100) == b"STOPPING=1"
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def unit(environment: dict[str, str], tmp_path: Path) -> Iterator[Unit]:
    with socket.socket() as listener, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as says:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        says.bind(str(tmp_path / "notify"))
        says.settimeout(PATIENCE)
        yield Unit(environment, tmp_path, listener, says)


@dataclass
class Clients:
    """People and programs that ask without a pause; what fails is kept."""

    port: int
    answered: int = 0
    reports: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def asking(self) -> Iterator[Clients]:
        lives = [self._each_anew, self._each_anew, self._kept_alive, self._reporting]
        threads = [threading.Thread(target=self._live, args=(life,)) for life in lives]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _live(self, life: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                life()
            except Exception as error:  # whatever a client meets is a failure
                self.failures.append(f"{life}: {error!r}")

    def _ask(self, connection: HTTPConnection, method: str, path: str) -> bytes:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 202), (path, answer.status, body)
        self.answered += 1
        return body

    def _each_anew(self) -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            self._ask(connection, "GET", "/healthz")

    def _kept_alive(self) -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            self._ask(connection, "GET", "/reports")
            with contextlib.suppress(RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                for _ in range(50):  # closed between two requests: as browsers do, we ask anew
                    self._ask(connection, "GET", "/reports")

    def _reporting(self) -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            made = json.loads(self._ask(connection, "POST", "/trigger_report"))
            self.reports.append(made["report_id"])
            self._ask(connection, "GET", f"/get_report?report_id={made['report_id']}&wait=30")


def statuses(unit: Unit, reports: list[str]) -> set[str]:
    """How the reports stand, once none is running."""
    found = set()
    for report in reports:
        until = time.monotonic() + PATIENCE
        while True:
            connection = HTTPConnection("127.0.0.1", unit.port, timeout=PATIENCE)
            connection.request("GET", f"/get_report?report_id={report}&wait=5")
            status = json.load(connection.getresponse())["status"]
            connection.close()
            if status != "Running" or time.monotonic() > until:
                break
        found.add(status)
    return found


def test_restarts_under_load_fail_no_request_and_lose_no_report(unit: Unit, database: Database) -> None:
    load_chicago(database)
    restarts = int(os.environ.get("STOREWATCH_TEST_RESTARTS", "2"))
    with contextlib.ExitStack() as lives:
        clients = lives.enter_context(Clients(unit.port).asking())
        for _ in range(restarts):
            with unit.running():
                before = clients.answered
                until = time.monotonic() + PATIENCE
                while clients.answered < before + 40:
                    assert time.monotonic() < until, clients.failures
                    time.sleep(0.01)
        with unit.running():
            lives.close()  # the last ones are answered before it stops for good
            assert statuses(unit, clients.reports) == {"Complete"}
    print(f"{restarts} restarts, {clients.answered} requests, {len(clients.failures)} failed")
    assert clients.failures == []
    assert clients.answered >= restarts * 40


def test_who_waits_for_a_report_is_answered_when_the_service_stops(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    with serving(environment, tmp_path) as service:
        service.child("worker").suspend()
        report, answers = service.trigger(), list[str]()
        path = f"/get_report?report_id={report}&wait=60"
        waiting = threading.Thread(target=lambda: answers.append(service.get(path)["status"]))
        began = time.monotonic()
        waiting.start()
        service.child("worker").kill()
        service.process.send_signal(signal.SIGTERM)
        waiting.join(PATIENCE)
        assert answers == ["Running"]
        assert service.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 20


def test_a_web_process_that_dies_leaves_nobody_before_a_closed_door(service: Service) -> None:
    for _ in range(2):
        service.child("web").kill()
        with contextlib.closing(HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200


def test_another_kind_of_socket_is_refused_plainly(environment: dict[str, str]) -> None:
    own = environment | {"LISTEN_FDS": "2"}
    done = subprocess.run(started(0), env=os.environ | own, capture_output=True, text=True, check=False)
    assert (done.returncode, "2 sockets" in done.stderr) == (2, True), done.stderr


def test_a_socket_that_others_reach_is_held_to_the_rules_of_host(unit: Unit) -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - that is what must be noticed
        listener.listen()
        done = subprocess.run(
            started(listener.fileno()),
            env=os.environ | {"LISTEN_FDS": "1"} | unit.environment,
            pass_fds=[listener.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, "this machine only" in done.stderr) == (2, True), done.stderr


def test_the_pages_alone_leave_reports_to_a_worker_elsewhere(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    with serving(environment, tmp_path, "--web-only") as service:
        report = service.trigger()
        worker = subprocess.Popen(
            [sys.executable, "-m", "storewatch", "worker"], env=os.environ | environment
        )
        try:
            assert service.complete(report)["status"] == "Complete"
        finally:
            worker.terminate()
            assert worker.wait(PATIENCE) == 0
