"""The same report by two processes and by two Dask workers, one of them killed half way: the same bytes?"""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.measure import STOREWATCH, Child, child, environment, peak_mb, say

_WITHIN_S = 60.0
_HALF_WAY = 40


@dataclass(frozen=True)
class Made:
    """A report that was made in some way: the command, the peak of each process beside, and its bytes."""

    way: str
    seconds: float
    command_mb: float
    others_mb: tuple[float, ...]
    digest: str


def alone(url: str, file: Path, *words: str, way: str = "one process") -> tuple[Made, Child]:
    """The command by itself, or with options."""
    done = child([STOREWATCH, "report", "--output", str(file), *words], STOREWATCH_DATABASE_URL=url)
    return Made(way, done.seconds, done.peak_mb, (), digest(file)), done


def digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def measure(url: str, folder: Path) -> list[Made]:
    say("two processes")
    made = [alone(url, folder / "processes.csv", "--processes", "2", way="two processes")[0]]
    for kill in (False, True):
        say("two Dask workers" + (", one of them killed" if kill else ""))
        made.append(_by_dask(url, folder, kill=kill))
    return made


def _by_dask(url: str, folder: Path, *, kill: bool) -> Made:
    file = folder / "dask.csv"
    with _cluster(url, folder) as (address, workers):
        began = time.perf_counter()
        with subprocess.Popen(
            [STOREWATCH, "report", "--output", str(file), "--dask", address],
            env=environment(STOREWATCH_DATABASE_URL=url),
            stdout=subprocess.DEVNULL,
        ) as command:
            if kill:
                _wait_for_half(url, command)
                workers[0].kill()
            peak = 0.0
            while command.poll() is None:
                peak = max(peak, peak_mb(command.pid))
                time.sleep(0.02)
        seconds = time.perf_counter() - began
        others = tuple(peak_mb(worker.pid) for worker in workers if worker.poll() is None)
    assert command.returncode == 0
    way = "two Dask workers, one killed half way" if kill else "two Dask workers"
    return Made(way, seconds, peak, others, digest(file))


def _wait_for_half(url: str, command: subprocess.Popen[bytes]) -> None:
    """Until the report says that it is half way: so far, but not done."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    query = "SELECT progress FROM report WHERE status = 'running' ORDER BY report_no DESC LIMIT 1"
    with psycopg.connect(plain, autocommit=True) as connection:
        while command.poll() is None:
            row = connection.execute(query).fetchone()
            if row and row[0] >= _HALF_WAY:
                return
            time.sleep(0.005)
    raise AssertionError("the report was over before it was half way: take more stores")


@contextmanager
def _cluster(url: str, folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers on loopback."""
    address = f"tcp://127.0.0.1:{_free_port()}"
    with ExitStack() as stack:
        scheduler = ["scheduler", "--host", address, "--no-dashboard"]
        stack.enter_context(_running(folder / "scheduler.log", scheduler, "Scheduler at"))
        words = ["worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        logs = (folder / "worker0.log", folder / "worker1.log")
        workers = [stack.enter_context(_running(log, words, "Registered to", url)) for log in logs]
        yield address, workers


@contextmanager
def _running(log: Path, words: list[str], said: str, url: str = "") -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=environment(STOREWATCH_DATABASE_URL=url),
            cwd=log.parent,
            stdout=out,
            stderr=out,
        )
    try:
        until = time.monotonic() + _WITHIN_S
        while said not in log.read_text():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
