"""The worker: runs jobs, and takes up again those whose worker died."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

log = structlog.get_logger()

_HEARTBEAT = 2.0
_STALLED_AFTER = 6.0
"""Seconds without a heartbeat after which a worker counts as dead."""


def run(app: App) -> None:
    """Works until SIGTERM or SIGINT; raises if the database goes away."""
    asyncio.run(_run(app))


async def _run(app: App) -> None:
    async with app.open_async():
        rescuer = asyncio.create_task(_take_up_stalled(app))
        try:
            await app.run_worker_async(
                concurrency=1,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=_HEARTBEAT,
                stalled_worker_timeout=_STALLED_AFTER,
                shutdown_graceful_timeout=20,
                delete_jobs="successful",
            )
        finally:
            rescuer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rescuer


async def _take_up_stalled(app: App) -> None:
    """A loop beside the worker and not a job: a job that dies while it holds a lock would keep it."""
    while True:
        with contextlib.suppress(ConnectorException):
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER):
                with contextlib.suppress(ConnectorException):  # its twin may be queued already
                    await app.job_manager.retry_job(job)
                    log.warning("job of a dead worker taken up again", job=job.id, task=job.task_name)
        await asyncio.sleep(_HEARTBEAT)
