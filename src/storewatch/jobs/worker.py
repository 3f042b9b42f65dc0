"""The worker: runs jobs, and takes up again those whose worker died."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from storewatch.services import announcing

log = structlog.get_logger()

_OUTBOUND = frozenset({announcing.QUEUE})
"""Queues of jobs that wait for others, who may be slow: they never hold up a report."""

_HEARTBEAT = 2.0
_STALLED_AFTER = 6.0
"""Seconds without a heartbeat after which a worker counts as dead."""


def run(app: App) -> None:
    """Works until SIGTERM or SIGINT; raises if the database goes away."""
    asyncio.run(_run(app))


async def _run(app: App) -> None:
    async with app.open_async():
        beside = [asyncio.create_task(work) for work in (_take_up_stalled(app), _send(app))]
        try:
            await _work(app, _queues(app) - _OUTBOUND, concurrency=1, install_signal_handlers=True)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _send(app: App) -> None:
    """Works on what goes out, several at a time, as long as the worker for the rest does."""
    while True:
        with contextlib.suppress(ConnectorException):
            await _work(app, _OUTBOUND, concurrency=4, install_signal_handlers=False)
        await asyncio.sleep(_HEARTBEAT)


def _queues(app: App) -> frozenset[str]:
    return frozenset(task.queue for task in app.tasks.values())


async def _work(app: App, queues: frozenset[str], *, concurrency: int, install_signal_handlers: bool) -> None:
    await app.run_worker_async(
        queues=sorted(queues),
        concurrency=concurrency,
        install_signal_handlers=install_signal_handlers,
        fetch_job_polling_interval=2.0,
        update_heartbeat_interval=_HEARTBEAT,
        stalled_worker_timeout=_STALLED_AFTER,
        shutdown_graceful_timeout=20,
        delete_jobs="successful",
    )


async def _take_up_stalled(app: App) -> None:
    """A loop beside the worker and not a job: a job that dies while it holds a lock would keep it."""
    while True:
        with contextlib.suppress(ConnectorException):
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER):
                with contextlib.suppress(ConnectorException):  # its twin may be queued already
                    await app.job_manager.retry_job(job)
                    log.warning("job of a dead worker taken up again", job=job.id, task=job.task_name)
        await asyncio.sleep(_HEARTBEAT)
