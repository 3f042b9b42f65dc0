"""Puts a job into procrastinate's queue, in the caller's own transaction: no commit, no job."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


def defer(session: Session, queue: str, task: str, **arguments: Any) -> int:
    """Defers a task by name; a worker hears of it when the transaction is committed. Returns the job's id."""
    row = session.execute(
        text("""
            SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
                ROW(:queue, :task, 0, NULL, NULL, cast(:arguments AS jsonb), NULL)
                ::procrastinate_job_to_defer_v1
            ]))
        """),
        {"queue": queue, "task": task, "arguments": json.dumps(arguments)},
    ).scalar_one()
    return int(row)
