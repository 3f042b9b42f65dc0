"""Doing one thing while the next is prepared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """`map(work, items)`, one item ahead: a thread works while the caller uses the result before and
    makes the item after. Items are made in the caller's thread, which Ctrl-C reaches.
    """
    with ThreadPoolExecutor(1) as pool:
        coming = None
        for item in items:
            ready, coming = coming, _submitted(pool, work, item)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()


def _submitted(pool: ThreadPoolExecutor, work: Callable[[Item], Result], item: Item) -> Future[Result]:
    """Works at once in a process that is about to end: what it began it ends, but no thread is to be had."""
    try:
        return pool.submit(work, item)
    except RuntimeError:
        done: Future[Result] = Future()
        done.set_result(work(item))
        return done
