"""What the processes of a service count, for Prometheus.

Each process counts in its own memory, which costs nothing and cannot fail. The worker and the probe hand over
what they counted, as a file in a folder that `serve` made; the web process, which is asked, puts all together
and says of each figure whose it is. (The library's own way is a file that each process has in its memory:
when the disk is full, writing there kills the process.)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    write_to_textfile,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

HAND_OVER_EVERY_S = 2.0
_FORGOTTEN_AFTER_S = 60.0

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
"""All that this process counts."""

ProcessCollector(registry=REGISTRY)

JOBS = Counter(
    "storewatch_jobs",
    "Jobs that ended, by task and outcome: done or failed",
    ["task", "outcome"],
    registry=REGISTRY,
)
JOB_SECONDS = Histogram(
    "storewatch_job_duration_seconds",
    "How long jobs ran",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "storewatch_deliveries",
    "Alerts and scheduled mails, by what came of them: sent, failed, or later, when they are tried again",
    ["outcome"],
    registry=REGISTRY,
)
LOOKS = Counter(
    "storewatch_looks",
    "Looks at storefronts, by what was seen: active, inactive or nothing",
    ["seen"],
    registry=REGISTRY,
)


def job_ended(task: str, outcome: str, seconds: float) -> None:
    """Counts a job."""
    JOBS.labels(task, outcome).inc()
    JOB_SECONDS.labels(task).observe(seconds)


def hand_over(folder: Path, process: str) -> None:
    """Leaves what this process counted for the web process. If there is no room, the next time."""
    with suppress(OSError):
        write_to_textfile(str(folder / f"{process}.prom"), REGISTRY)


class OfAll(Collector):
    """What all processes counted; each figure has the label `process`."""

    def __init__(self, process: str, folder: Path | None) -> None:
        self._process, self._folder = process, folder

    def collect(self) -> Iterable[Metric]:
        """Ours and theirs, each family once."""
        families: dict[str, Metric] = {}
        for process, found in self._sources():
            for each in found:
                family = families.setdefault(each.name, Metric(each.name, each.documentation, each.type))
                for sample in each.samples:
                    family.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
        return families.values()

    def _sources(self) -> Iterator[tuple[str, Iterable[Metric]]]:
        yield self._process, REGISTRY.collect()
        for path in sorted(self._folder.glob("*.prom")) if self._folder else ():
            if found := _read(path):
                yield path.stem, found


def _read(path: Path) -> list[Metric]:
    """What a process handed over; nothing if it did so too long ago, or if it can't be read."""
    try:
        if time.time() - path.stat().st_mtime > _FORGOTTEN_AFTER_S:
            return []
        return list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []
