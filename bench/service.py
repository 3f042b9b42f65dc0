"""A running `storewatch serve`, used as a client uses it: over HTTP on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.measure import ROOT, STOREWATCH, environment, peak_mb

_UP_WITHIN = 60.0
_REPORT_WITHIN = 600.0


class ServiceFailedError(Exception):
    """The service did not do what it should."""


class Service:
    """Starts reports, waits for them, fetches their files."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, token: str | None) -> None:
        self._process = process
        self.port = port
        self._base = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def report(self) -> tuple[float, str]:
        """Seconds from the request for a report until it is said to be complete, and its id."""
        began = time.perf_counter()
        report_id = str(self._json("POST", "/trigger_report")["report_id"])
        while True:
            answer = self._json("GET", f"/get_report?report_id={report_id}&wait=30")
            if answer["status"] == "Complete":
                return time.perf_counter() - began, report_id
            if answer["status"] == "Failed" or time.perf_counter() - began > _REPORT_WITHIN:
                raise ServiceFailedError(f"report {report_id}: {answer}")

    def download(self, report_id: str) -> tuple[float, bytes]:
        """Seconds to fetch a report's file, and the file."""
        began = time.perf_counter()
        body = self._get("GET", f"/download/{report_id}")
        return time.perf_counter() - began, body

    def page(self, path: str) -> bytes:
        """A page as a browser asks for it, or a file of it."""
        return self._get("GET", path, {"Accept": "text/html, */*"})

    def peak_mb(self, command: str) -> float:
        """The peak memory of the child process that runs this command, `web` or `worker`."""
        return peak_mb(self._child(command))

    def cpu_seconds(self, command: str) -> float:
        """How long it and its children have worked, however long they waited for their turn."""
        process = psutil.Process(self._child(command))
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
        return float(sum(one.user + one.system for one in times))

    def _child(self, command: str) -> int:
        found = [pid for pid, words in _children(self._process.pid) if command in words]
        if not found:
            raise ServiceFailedError(f"there is no {command}")
        return found[0]

    def wait_until_up(self) -> None:
        until = time.monotonic() + _UP_WITHIN
        while time.monotonic() < until:
            try:
                self._get("GET", "/healthz")
            except (urllib.error.URLError, ConnectionError):
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return
        raise ServiceFailedError("storewatch serve did not come up")

    def _json(self, method: str, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._get(method, path))
        return answer

    def _get(self, method: str, path: str, more: dict[str, str] | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - ours
            self._base + path, method=method, headers=self._headers | (more or {})
        )
        with urllib.request.urlopen(request, timeout=_REPORT_WITHIN) as response:  # noqa: S310
            body: bytes = response.read()
            return body


@contextmanager
def serving(url: str, log: Path, token: str | None = None) -> Iterator[Service]:
    """`storewatch serve` on a database, up until the end of the block; with logins if a token is given."""
    port = _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [STOREWATCH, "serve", "--port", str(port), *([] if token else ["--no-login"])],
            cwd=ROOT,
            env=environment(STOREWATCH_DATABASE_URL=url),
            stdout=output,
            stderr=output,
        )
    try:
        service = Service(process, port, token)
        service.wait_until_up()
        yield service
    except Exception as error:
        raise ServiceFailedError(f"{error}; its log ends:\n{log.read_text()[-3000:]}") from error
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> Iterator[tuple[int, list[str]]]:
    """(process, words of its command line) of the children of a process."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if int(after_name[1]) == parent:
            yield int(entry.name), words
