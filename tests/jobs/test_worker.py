"""The worker when its database goes away and comes back."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from sqlalchemy import text

from storewatch.jobs import worker
from storewatch.jobs.tasks import Means, make_app
from storewatch.services.depot import Depot
from storewatch.storage import queue
from storewatch.storage.db import Database
from tests.faults import cut


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


def test_a_job_whose_end_could_not_be_noted_is_done_by_the_next_worker(database: Database) -> None:
    """Its connection is cut just then: the worker, whose heart would beat on, ends."""
    with cut.proxy(database.url) as between:
        through = Database(cut.through_it(database.url, between))
        tries = list[int]()

        def app_of(database: Database) -> App:
            app = make_app(database, Means(depot=Depot(Path("none"), 1)))

            @app.task(name="cut", queue="reports")
            def cut_off() -> None:
                tries.append(1)
                if len(tries) == 1:
                    between.judge = lambda to_server, data: 0 if to_server and b"finish_job" in data else None

            return app

        with database.transaction() as session:
            queue.defer(session, "reports", "cut")
        with pytest.raises(ConnectorException):
            worker.run(app_of(through))
        assert (between.done.is_set(), tries) == (True, [1])
        through.close()
    asyncio.run(_worked_off(app_of(database), database))
    assert tries == [1, 1]


async def _worked_off(app: App, database: Database) -> None:
    """Works until no job is left."""
    task = asyncio.create_task(worker._run(app, None, None))
    until = time.monotonic() + 60
    while not await asyncio.to_thread(_none_left, database):
        assert time.monotonic() < until
        await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _none_left(database: Database) -> bool:
    query = "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = 'cut')"
    with database.session() as session:
        return bool(session.execute(text(query)).scalar_one())
