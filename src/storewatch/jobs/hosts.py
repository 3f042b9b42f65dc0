"""Politeness to hosts: so many looks at a time at each, and none while one asks to be left in peace."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_CUT_OFF_AT = 5


def host_of(url: str) -> str:
    """The host of an address, the same however it is written."""
    return (urlsplit(url).hostname or "").rstrip(".")


class Hosts:
    """`at_once` looks in all, `per_host` at each host."""

    def __init__(self, at_once: int, per_host: int) -> None:
        self._all = asyncio.Semaphore(at_once)
        self._each: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_host))
        self._until: dict[str, float] = {}
        self._silent: set[str] = set()

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Waits until it is our turn at a host. Who waits for a slow host takes no place from others."""
        async with self._each[host], self._all:
            yield

    def leave_alone(self, host: str, seconds: int) -> None:
        """The host asked for a pause."""
        self._until[host] = time.monotonic() + seconds

    def rests(self, host: str) -> bool:
        """Whether it is to be left in peace."""
        return time.monotonic() < self._until.get(host, 0.0)

    def answered(self) -> None:
        """Some host did: we reach the outside."""
        self._silent.clear()

    def cut_off(self, host: str) -> bool:
        """Notes that a host does not answer. True if several do not and none does: then it is more likely
        that this machine is cut off than that all of them are.
        """
        self._silent.add(host)
        return len(self._silent) >= _CUT_OFF_AT
