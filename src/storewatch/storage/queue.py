"""Puts a job into procrastinate's queue, in the caller's own transaction: no commit, no job."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session


def defer(session: Session, queue: str, task: str, **arguments: Any) -> int:
    """Defers a task by name; a worker hears of it when the transaction is committed. Returns the job's id."""
    return defer_at(session, queue, task, None, **arguments)


def defer_at(session: Session, queue: str, task: str, at: datetime | None, **arguments: Any) -> int:
    """The same for a time that is to come."""
    row = session.execute(
        text("""
            SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
                ROW(:queue, :task, 0, NULL, NULL, cast(:arguments AS jsonb), cast(:at AS timestamptz))
                ::procrastinate_job_to_defer_v1
            ]))
        """),
        {"queue": queue, "task": task, "arguments": json.dumps(arguments), "at": at},
    ).scalar_one()
    return int(row)


def defer_once(
    session: Session, queue: str, task: str, priority: int = 0, at: datetime | None = None
) -> None:
    """Defers a task without arguments, for a time that is to come if one is given, unless it is in the queue
    already and not begun.

    A job that waits is locked until the caller's transaction ends: so no worker begins it before what it
    is to find is there.
    """
    values = {"queue": queue, "task": task, "priority": priority, "at": at}
    waiting = text("""
        SELECT id FROM procrastinate_jobs WHERE queueing_lock = :task AND status = 'todo' FOR SHARE
    """)
    while session.execute(waiting, values).first() is None:
        try:
            with session.begin_nested():
                session.execute(text(_DEFER_ONCE), values)
        except IntegrityError:  # another transaction was quicker; it has ended by now
            continue
        return


_DEFER_ONCE = """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, CAST(:task AS text), :priority, NULL, CAST(:task AS text), '{}'::jsonb,
            CAST(:at AS timestamptz))
        ::procrastinate_job_to_defer_v1
    ])
"""
