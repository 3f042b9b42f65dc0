"""Shards in processes of this machine. A process that dies is replaced and its shards are made again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process

import structlog

from storewatch.errors import ReportFailedError
from storewatch.services import shards
from storewatch.services.shards import Parts, Shard, in_turn
from storewatch.storage.db import Database

log = structlog.get_logger()

MOST = 64
_DEATHS_AT_MOST = 5
_EACH = 2  # shards in flight for each process: one that it makes, one that waits for it or is fetched


@dataclass(frozen=True)
class Processes:
    """So many processes for the length of a report. They get the database's URL as they start, over a pipe
    of their own; no shard holds it.
    """

    count: int
    url: str

    def __call__(self, shards: Sequence[Shard], check: Callable[[], None]) -> Generator[Parts, None, None]:
        """See Spread. ReportFailedError if processes die again and again."""
        done, deaths = 0, 0
        while done < len(shards):
            try:
                with closing(self._attempt(shards[done:], check)) as parts:
                    for part in parts:
                        done += 1
                        yield part
            except BrokenProcessPool as error:
                deaths += 1
                log.warning("a process that made shards died; they are made again", deaths=deaths)
                if deaths > _DEATHS_AT_MOST:
                    raise ReportFailedError(_DIED.format(deaths, self.count)) from error

    def _attempt(self, shards: Sequence[Shard], check: Callable[[], None]) -> Generator[Parts, None, None]:
        """All of them, or as many as there were before a process died."""
        with self._started(len(shards)) as pool:
            yield from in_turn(lambda shard: pool.submit(_work, shard), shards, _EACH * self.count, check)

    @contextmanager
    def _started(self, shards: int) -> Iterator[ProcessPoolExecutor]:
        """Fresh processes, not forked, for we have threads; at the end they finish what they are at."""
        pool = ProcessPoolExecutor(min(self.count, shards), get_context("spawn"), _begin, (self.url,))
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_DIED = (
    "The processes that made its parts died {} times: was it too little memory? "
    "There were {} of them; try fewer (STOREWATCH_PROCESSES)."
)

_database: Database | None = None


def _begin(url: str) -> None:
    """Once in each process."""
    global _database
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of a terminal: the parent ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _database = Database(url)


def _end_with_parent() -> None:
    """One that was killed cannot tell us, and our end of the pipe would never close."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(shard: Shard) -> Parts:
    assert _database is not None  # noqa: S101 - `_begin` ran
    return shards.make(_database, shard)
