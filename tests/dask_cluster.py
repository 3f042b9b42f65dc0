"""A real Dask cluster for tests: a scheduler and workers, each a process of its own, on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.conftest import free_port

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Cluster:
    """Where its scheduler is reached, and its workers by name."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: dict[str, subprocess.Popen[bytes]]


@contextmanager
def cluster(
    folder: Path, database_url: str, workers: int = 2, tls: tuple[str, ...] = ()
) -> Iterator[Cluster]:
    """Running until the end of the block. The workers have the database's URL in their environment."""
    address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{free_port()}"
    host = ["--host", address, "--no-dashboard", *tls]
    with ExitStack() as stack:
        scheduler = stack.enter_context(_running(folder / "scheduler.log", "scheduler", *host))
        _said(folder / "scheduler.log", "Scheduler at")
        started = {}
        for number in range(workers):
            name = f"worker{number}"
            words = (address, "--no-nanny", "--nthreads", "1", "--name", name, "--no-dashboard", *tls)
            log = folder / f"{name}.log"
            started[name] = stack.enter_context(_running(log, "worker", *words, url=database_url))
            _said(log, "Registered to")
        yield Cluster(address, scheduler, started)


@contextmanager
def _running(log: Path, *words: str, url: str = "") -> Iterator[subprocess.Popen[bytes]]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STOREWATCH_")}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            env=environment | ({"STOREWATCH_DATABASE_URL": url} if url else {}),
            cwd=log.parent,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _said(log: Path, words: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not re.search(words, log.read_text()):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
