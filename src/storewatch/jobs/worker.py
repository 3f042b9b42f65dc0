"""The worker: runs jobs, and takes up again those whose worker died."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError

from storewatch.errors import StorewatchError
from storewatch.jobs import bookkeeping
from storewatch.jobs.manager import Manager
from storewatch.services import announcing, people, uploads
from storewatch.storage import deliveries, history, watches

log = structlog.get_logger()

_HEARTBEAT = 2.0
_LOOK_EVERY = 1.0
_LOOK_FOR_REPORTS_EVERY = 0.25
"""procrastinate does not hear of a job that is deferred just while it looks for one, as the next report may
be when one is finished: it begins when it looks again.
"""

_STALLED_AFTER = 6.0
"""Seconds without a heartbeat after which a worker counts as dead."""

_BESIDE = {
    history.QUEUE: 1,
    people.QUEUE: 1,
    announcing.QUEUE: 4,
    uploads.QUEUE: 1,
    watches.QUEUE: 1,
    deliveries.QUEUE: 8,
}
"""Queues whose jobs run beside the others, and how many at a time, so that none holds the others up: those
that wait for other machines, those that may take minutes, and what keeps up history and packs.
"""


Look = Callable[[], None]


_M_ARENA_MAX = -8  # glibc's malloc.h


def share_heaps() -> None:
    """Has all threads share two heaps. glibc gives each its own, up to eight a core, and each keeps what was
    once in use; ours come and go, and took half as much again so. Other systems have no such setting.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def run(app: App, look: Look | None = None, counted: Path | None = None) -> None:
    """Works until SIGTERM or SIGINT; raises if the database goes away. `look`: at the watched folder.
    `counted`: the folder in which what is counted is handed over.
    """
    asyncio.run(_run(app, look, counted))


async def _run(app: App, look: Look | None, counted: Path | None) -> None:
    others = {task.queue for task in app.tasks.values()} - _BESIDE.keys()
    async with app.open_async():
        work = [_work(app, [queue], at_once) for queue, at_once in _BESIDE.items()]
        work.append(_work(app, others, 1, _LOOK_FOR_REPORTS_EVERY))
        work += [] if look is None else [_look_again_and_again(look)]
        work += [] if counted is None else [bookkeeping.hand_over(counted)]
        tasks = [asyncio.create_task(part) for part in (*work, _take_up_stalled(app), _told_to_stop())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()  # a worker finishes its job first, for a while
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _told_to_stop() -> None:
    """Waits for SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()


async def _work(app: App, queues: Iterable[str], at_once: int, look_every: float = 2.0) -> None:
    """Runs the jobs of some queues."""
    await app.run_worker_async(
        queues=list(queues),
        concurrency=at_once,
        fetch_job_polling_interval=look_every,
        update_heartbeat_interval=_HEARTBEAT,
        stalled_worker_timeout=_STALLED_AFTER,
        shutdown_graceful_timeout=20,
        delete_jobs="successful",
        install_signal_handlers=False,
        worker_middleware=[bookkeeping.booked],
    )


async def _look_again_and_again(look: Look) -> None:
    """Looks in a thread beside the jobs; what goes wrong is told, and may be right the next time."""
    while True:
        try:
            await asyncio.to_thread(look)
        except (StorewatchError, OSError, DBAPIError) as error:
            log.warning("the watched folder could not be looked at", reason=str(error))
        await asyncio.sleep(_LOOK_EVERY)


async def _take_up_stalled(app: App) -> None:
    """A loop beside the worker and not a job: a job that dies while it holds a lock would keep it.

    It asks whether it was told to end: Python 3.11 loses that if it comes together with a connection. Raises
    if the end of a job could not be noted: once this worker is no more, others take that job up.
    """
    task = asyncio.current_task()
    while task is not None and not task.cancelling():
        if isinstance(app.job_manager, Manager):
            app.job_manager.check()
        with contextlib.suppress(ConnectorException):
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER):
                with contextlib.suppress(ConnectorException):  # its twin may be queued already
                    await app.job_manager.retry_job(job)
                    log.warning("job of a dead worker taken up again", job=job.id, task=job.task_name)
        await asyncio.sleep(_HEARTBEAT)
