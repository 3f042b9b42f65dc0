"""What goes round each job: its name in every line of the log, and a count of how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from procrastinate import JobContext

from storewatch.services import counts

_NAMES = ("report_id", "upload_id", "delivery_no", "link_no")
"""Arguments of tasks that say what a job is about, and are no secrets."""


async def booked(go_on: Callable[[], Awaitable[Any]], context: JobContext, _worker: object) -> Any:
    """Runs a job with its names bound to the log; the thread that it runs in inherits them."""
    job, began = context.job, time.monotonic()
    named = {name: value for name, value in job.task_kwargs.items() if name in _NAMES}
    outcome = "failed"
    with structlog.contextvars.bound_contextvars(job=job.id, task=job.task_name, **named):
        try:
            result = await go_on()
            outcome = "done"
        finally:
            counts.job_ended(job.task_name, outcome, time.monotonic() - began)
    return result


async def hand_over(folder: Path) -> None:
    """Hands over what was counted again and again; once more when it is told to end."""
    try:
        while True:
            await asyncio.to_thread(counts.hand_over, folder, "worker")
            await asyncio.sleep(counts.HAND_OVER_EVERY_S)
    finally:
        counts.hand_over(folder, "worker")
