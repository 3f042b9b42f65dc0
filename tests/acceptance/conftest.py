"""The real commands: processes of their own, on a database of the test's own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest

PATIENCE = 120.0
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = range(10_000 + WORKER % 20 * 200, 10_200 + WORKER % 20 * 200)
"""Of this worker alone, and below those that the system and our own PostgreSQL choose from."""


@dataclass
class Service:
    """A running `storewatch serve`."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    known: set[int] = field(default_factory=set)

    def text(self, path: str, method: str = "GET") -> str:
        """The body of an answer; asks again while the service is coming up."""
        until = time.monotonic() + PATIENCE
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        while True:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                    return str(answer.read().decode())
            except (OSError, HTTPException) as error:
                final = False
                if isinstance(error, HTTPError):
                    error.close()
                    final = error.code != 503
                if final or time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    def get(self, path: str, method: str = "GET") -> Any:
        """The JSON of an answer."""
        return json.loads(self.text(path, method))

    def post(self, path: str, **form: str) -> int:
        """Sends a form; returns the status of the answer."""
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, PATIENCE) as answer:
            return int(answer.status)

    def trigger(self) -> str:
        """Starts a report and returns its id."""
        return str(self.get("/trigger_report", "POST")["report_id"])

    def complete(self, report_id: str) -> Any:
        """Waits for a report to be finished and returns what is said of it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status = self.get(f"/get_report?report_id={report_id}&wait=5")
            if status["status"] != "Running":
                return status
        raise AssertionError(f"report {report_id} is still running\n{self.log.read_text()}")

    def upload(self, file: Path) -> str:
        """Uploads a file and returns the id of the upload; tries again while the service is coming up."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.send_file(file)
            except (OSError, HTTPException) as error:
                reason = getattr(error, "reason", error)
                again = isinstance(reason, ConnectionError | HTTPException)
                if isinstance(error, HTTPError):
                    error.close()
                    again = error.code in (503, 507)
                if not again or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def send_file(self, file: Path) -> str:
        """The same, once."""
        url = f"http://127.0.0.1:{self.port}/api/v1/uploads?file_name={file.name}"
        size = str(file.stat().st_size)
        with file.open("rb") as body:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": size}
            request = urllib.request.Request(url, body, headers)
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return str(json.load(answer)["upload_id"])

    def taken(self, upload_id: str) -> Any:
        """Waits for an upload to be taken in, or to fail, and returns what is said of it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            upload = self.get(f"/api/v1/uploads/{upload_id}")
            if upload["status"] in ("complete", "failed"):
                return upload
            time.sleep(0.1)
        raise AssertionError(f"upload {upload_id} is still waiting\n{self.log.read_text()}")

    def child(self, name: str) -> psutil.Process:
        """The child process `web` or `worker`, once it is there."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.Error):
                    if child.cmdline()[1:4] == ["-m", "storewatch", name]:
                        return child
            time.sleep(0.05)
        raise AssertionError(f"there is no {name}")

    def said(self, words: str) -> str:
        """What it has said, once the words are among it."""
        until = time.monotonic() + PATIENCE
        while words not in self.log.read_text():
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)
        return self.log.read_text()

    def stop(self) -> None:
        """Ends it as a service manager would."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


_IN_TURN = itertools.cycle(random.sample(PORTS, len(PORTS)))


def free_port() -> int:
    """A port that nobody listens on, nor is given to somebody else before it is used."""
    while True:
        port = next(_IN_TURN)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def storewatch(*words: str, environment: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "storewatch", *words],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


@contextlib.contextmanager
def serving(
    environment: dict[str, str], folder: Path, *words: str, login: bool = False, port: int = 0
) -> Iterator[Service]:
    """A `storewatch serve` that answers; `words` are further options. `port`: where, if it must be known."""
    port, log = port or free_port(), folder / "serve.log"
    options = words if login else ("--no-login", *words)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "storewatch", "serve", "--port", str(port), *options],
            env=os.environ | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
    service = Service(process, port, log)
    try:
        service.get("/healthz")
        yield service
    finally:
        if process.poll() is None:
            service.stop()


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a command that works on this test's database, with a folder for uploads."""
    return {"STOREWATCH_DATABASE_URL": database_url, "STOREWATCH_UPLOADS": str(tmp_path / "uploads")}


@pytest.fixture
def service(environment: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    """A running service on this test's database."""
    with serving(environment, tmp_path) as running:
        yield running


@pytest.fixture
def own_home() -> Iterator[dict[str, str]]:
    """The environment of commands with a PostgreSQL of their own; not in pytest's folders.

    As root the server runs as another user, who must get in; the next pytest to start closes those folders.
    """
    folder = Path(tempfile.mkdtemp(prefix="storewatch-tests-"))
    folder.chmod(0o755)
    environment = {"STOREWATCH_HOME": str(folder / "home"), "STOREWATCH_DATABASE_URL": ""}
    yield environment
    storewatch("db", "stop", "--force", environment=environment)
    shutil.rmtree(folder)


def postmaster(environment: dict[str, str]) -> int:
    """The process id of the home's server."""
    path = Path(environment["STOREWATCH_HOME"]) / "postgres" / "data" / "postmaster.pid"
    return int(path.read_text().splitlines()[0])
