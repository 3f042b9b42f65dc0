"""Doing one thing while the next is prepared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
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
            ready, coming = coming, pool.submit(work, item)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()
