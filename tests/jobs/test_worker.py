"""The worker when its database goes away and comes back."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from procrastinate import PsycopgConnector, RetryStrategy
from sqlalchemy import text

from storewatch.jobs import worker
from storewatch.jobs.tasks import Means, make_app
from storewatch.services.depot import Depot
from storewatch.storage import queue
from storewatch.storage.db import Database


async def ends(database: Database, ticks: int) -> bool:
    """Whether it ends, told to so many turns of the loop after it got a connection that it waited for."""
    app = make_app(database, Means(depot=Depot(Path("none"), 1)))
    connector = app.connector
    assert isinstance(connector, PsycopgConnector)
    async with app.open_async(), AsyncExitStack() as taken:
        pool = connector.pool
        last = await pool.getconn()
        for _ in range(pool.max_size - 1):
            await taken.enter_async_context(pool.connection())
        task = asyncio.create_task(worker._take_up_stalled(app))
        while not pool.get_stats().get("requests_waiting"):
            await asyncio.sleep(0)
        await pool.putconn(last)
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        task.cancel()
    return bool(done)


@pytest.mark.parametrize("ticks", range(12))
def test_what_takes_up_jobs_ends_when_told_to_though_a_connection_comes_free_just_then(
    database: Database, ticks: int
) -> None:
    assert asyncio.run(ends(database, ticks))


def test_a_job_that_fails_while_its_twin_is_queued_leaves_the_work_to_the_twin(database: Database) -> None:
    app, tries = make_app(database, Means(depot=Depot(Path("none"), 1))), list[int]()

    @app.task(name="twin", queue="twins", queueing_lock="twin", retry=RetryStrategy(max_attempts=3))
    def twin() -> None:
        tries.append(1)
        if len(tries) == 1:
            with database.transaction() as session:
                queue.defer_once(session, "twins", "twin")
            raise ConnectionError

    with database.transaction() as session:
        queue.defer_once(session, "twins", "twin")
    with app.open():
        app.run_worker(queues=["twins"], wait=False, delete_jobs="successful", listen_notify=False)
    with database.session() as session:
        left = "SELECT status FROM procrastinate_jobs WHERE task_name = 'twin'"
        assert session.execute(text(left)).scalars().all() == []
    assert len(tries) == 2
