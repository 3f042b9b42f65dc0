"""The book in which procrastinate keeps jobs, for a worker that loses none when its connection is cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager


class Manager(JobManager):
    """procrastinate's, which leaves a job in "doing" if its end cannot be noted: nobody takes it up again as
    long as its worker lives. So a worker asks `check` now and then, and ends itself.
    """

    _lost: ConnectorException | None = None

    async def retry_job(self, job: Job, *given: Any, **more: Any) -> None:
        """See there. If its twin is queued already, the job is done: the twin does its work."""
        with self._noted():
            try:
                await super().retry_job(job, *given, **more)
            except UniqueViolation:
                await super().finish_job(job, Status.SUCCEEDED, delete_job=True)

    async def finish_job(self, *given: Any, **more: Any) -> None:
        """See there."""
        with self._noted():
            await super().finish_job(*given, **more)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException as error:
            if isinstance(error.__cause__, psycopg.OperationalError):  # others: somebody else has it by now
                self._lost = error
            raise

    def check(self) -> None:
        """ConnectorException if the end of a job could not be noted."""
        if self._lost is not None:
            raise self._lost
