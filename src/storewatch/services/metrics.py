"""What /metrics answers: what was counted, and how the service stands by its database."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from storewatch import __version__
from storewatch.services.backups import last_backup
from storewatch.services.counts import OfAll
from storewatch.storage import condition
from storewatch.storage.condition import Condition
from storewatch.storage.db import Database

log = structlog.get_logger()

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_PATIENCE_S = 5.0
_ASKING = threading.Lock()


@dataclass(frozen=True)
class Sources:
    """Where figures come from beside the database. `counted`: the folder of what other processes counted."""

    home: Path
    counted: Path | None = None


def text(database: Database, sources: Sources) -> bytes:
    """Everything, in Prometheus's text format. A database that is away takes its own figures with it, and
    no others.
    """
    return generate_latest(OfAll("web", sources.counted)) + generate_latest(_Now(database, sources.home))


class _Now(Collector):
    """How it stands now."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database, self._home = database, home

    def collect(self) -> Iterable[Metric]:
        """Gauges; those of the database if it answers."""
        yield InfoMetricFamily("storewatch", "The version that runs", value={"version": __version__})
        found = _asked(self._database)
        yield GaugeMetricFamily(
            "storewatch_database_up", "Whether the database answers", int(found is not None)
        )
        if found is not None:
            yield from _of_database(found)
        last = last_backup(self._home)
        if last is not None:
            made = last.at.timestamp()
            yield GaugeMetricFamily("storewatch_last_backup_timestamp_seconds", "When it was made", made)
            yield GaugeMetricFamily("storewatch_last_backup_size_bytes", "How large it is", last.bytes)


def _asked(database: Database) -> Condition | None:
    """How the database says that it stands; None if it does not answer. One asks at a time: while it hangs,
    whoever comes each few seconds must not take all threads.
    """
    if not _ASKING.acquire(timeout=_PATIENCE_S):
        return None
    try:
        with database.session() as session:
            return condition.now(session)
    except DBAPIError as error:
        log.warning("metrics without the database", error=str(error.orig))
        return None
    finally:
        _ASKING.release()


def _of_database(now: Condition) -> Iterator[Metric]:
    yield _by("storewatch_queue_jobs", "Jobs that wait", "queue", now.waiting)
    yield _by("storewatch_queue_running_jobs", "Jobs at work", "queue", now.running)
    yield _by("storewatch_deliveries_due", "Alerts and mails to be sent", "status", now.deliveries)
    for name, told, value in (
        ("storewatch_queue_oldest_seconds", "Since when the oldest job waits", now.oldest_s),
        ("storewatch_queue_stalled_jobs", "Jobs whose worker is gone", now.stalled),
        ("storewatch_worker_up", "Whether a worker is at work", int(now.working)),
        ("storewatch_newest_poll_age_seconds", "Age of the newest poll", now.newest_poll_s),
        ("storewatch_last_import_age_seconds", "Since polls were last taken in", now.last_import_s),
        ("storewatch_import_lag_seconds", "Since when the oldest upload waits to be in", now.import_lag_s),
        ("storewatch_database_size_bytes", "Size of the database", now.size),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, told, value)


def _by(name: str, told: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=[label])
    for value, count in sorted(values.items()):
        family.add_metric([value], count)
    return family
