"""How the service is, every few seconds: memory of each process, times of its pages, its queue."""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg

from bench.load import part
from bench.soak.people import Clicks

EVERY_S = 5.0
PROCESSES = ("serve", "web", "worker", "probe")
_WITHIN_S = 30.0
_GROWTH, _ROOM_MB = 1.10, 10.0
_QUEUE = """
    SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND scheduled_at IS NULL
"""


@dataclass(frozen=True)
class Sample:
    """`memory_mb`: proportional set size by process, PostgreSQL's processes together. `p50_ms` and `p95_ms`
    are of the pages of the last half a minute; None if there were none.
    """

    at: float
    memory_mb: dict[str, float]
    p50_ms: float | None
    p95_ms: float | None
    queue: int


@dataclass
class Sampler:
    """Looks until it is over."""

    serve: int
    url: str
    clicks: Clicks
    samples: list[Sample] = field(default_factory=list)

    def look(self, over: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            server = psutil.Process(row[0] if row else 0).parent()
            assert server
            while not over.wait(EVERY_S):
                queue = connection.execute(_QUEUE).fetchone()
                self.samples.append(self._sample(server, queue[0] if queue else 0))

    def _sample(self, server: psutil.Process, queue: int) -> Sample:
        now, memory = time.time(), {"PostgreSQL": _memory_mb(server, *server.children())}
        parent = psutil.Process(self.serve)
        memory["serve"] = _memory_mb(parent)
        for child in parent.children():
            with contextlib.suppress(psutil.Error, IndexError):
                memory[child.cmdline()[3]] = _memory_mb(child, *child.children(recursive=True))
        took = [seconds * 1000 for at, seconds in list(self.clicks.took) if at > now - _WITHIN_S]
        half, most = (part(took, each) if took else None for each in (0.5, 0.95))
        return Sample(now, memory, half, most, queue)


def _memory_mb(*processes: psutil.Process) -> float:
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 1e6


@contextmanager
def sampling(serve: int, url: str, clicks: Clicks) -> Iterator[list[Sample]]:
    """Samples until the end of the block."""
    sampler, over = Sampler(serve, url, clicks), threading.Event()
    thread = threading.Thread(target=sampler.look, args=(over,))
    thread.start()
    try:
        yield sampler.samples
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class Growth:
    """The median memory of a process in the second and in the last quarter of the time."""

    process: str
    second_mb: float
    last_mb: float

    @property
    def flat(self) -> bool:
        """It may be a tenth more, and 10 MB."""
        return self.last_mb <= self.second_mb * _GROWTH + _ROOM_MB


def growth(samples: list[Sample], process: str) -> Growth:
    """How a process grew."""
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[3 * quarter :]
    return Growth(process, _median(second, process), _median(last, process))


def _median(samples: list[Sample], process: str) -> float:
    return statistics.median(each.memory_mb.get(process, 0.0) for each in samples)
