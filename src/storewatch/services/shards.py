"""A report as independent shards: what one is, what comes of it, and how they are waited for.

    here            reporting makes them one after the other
    process_pool    processes of this machine make them
    dask_shards     the workers of a Dask cluster make them

Whoever makes a shard reads its stores from PostgreSQL, in the state that the report's own transaction
exported, and sends back arrays. The report's transaction writes them, so that rows and `complete` are there
together.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from storewatch import __version__
from storewatch.domain import packs, zones
from storewatch.domain.clock import DAY
from storewatch.errors import ConflictError, NotFoundError
from storewatch.services import report_parts
from storewatch.services.report_parts import Part
from storewatch.storage import reports
from storewatch.storage.db import Database

_STORE_DAYS = 160_000
"""A shard is so large, whatever the windows: enough work to be worth sending, and some 300 MB of memory."""

_LOOK_EVERY_S = 1.0
_PAUSE_S = 0.002


def shares_of(store_keys: NDArray[np.int32], reach_us: int) -> list[NDArray[np.int32]]:
    """The stores of each shard of a report that reaches back so far."""
    size = max(100, _STORE_DAYS // max(8, reach_us // DAY))
    return packs.cut(store_keys, size)


def _versions() -> tuple[str, str]:
    """What figures depend on beside the data."""
    return __version__, zones.version()


@dataclass(frozen=True)
class Shard:
    """Some stores of a report, for whoever makes their rows; no secret is in it. `store_keys` int32[stores],
    `snapshot` is the state of the database to read, `as_of` in microseconds, `at_once` how many stores a part
    has, `versions` those of the sender.
    """

    report_id: UUID
    snapshot: str
    store_keys: NDArray[np.int32]
    as_of: int
    at_once: int
    versions: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        if self.versions == ("", ""):
            object.__setattr__(self, "versions", _versions())

    def check_versions(self) -> None:
        """ConflictError if this program would, or might, come to other figures than the sender."""
        if self.versions != _versions():
            theirs, ours = (
                "storewatch {} with zone data {}".format(*v) for v in (self.versions, _versions())
            )
            raise ConflictError(
                f"The report is made by {theirs}, but this worker has {ours}: install the same on both"
            )


Parts = list[Part]
"""What comes of a shard."""


class Spread(Protocol):
    """Makes shards, several at a time, and gives the parts of each in their order. While it waits it calls
    `check`, which raises when the report is no longer wanted. Closed, it begins no more of them.
    """

    def __call__(self, shards: Sequence[Shard], check: Callable[[], None]) -> Generator[Parts, None, None]:
        """Begins when the first part is asked for."""


def make(database: Database, shard: Shard) -> Parts:
    """What a process beside, or a worker elsewhere, does of a report: reads the state that the report is made
    from, and writes nothing.
    """
    shard.check_versions()
    with database.snapshot_of(shard.snapshot) as session:
        report = reports.find(session, shard.report_id, None)
        if report is None:
            raise NotFoundError(f"There is no report {shard.report_id} in the database of this worker")
        parts = packs.cut(shard.store_keys, shard.at_once)
        return list(report_parts.made((session,), report, shard.as_of, parts))


class Coming(Protocol):
    """A shard that is being made."""

    def done(self) -> bool:
        """Whether it is there, or failed."""

    def result(self) -> Any:
        """Its parts, or what went wrong is raised."""


def in_turn(
    submit: Callable[[Shard], Coming], shards: Sequence[Shard], at_once: int, check: Callable[[], None]
) -> Generator[Parts, None, None]:
    """The parts of each shard in their order. At most `at_once` are under way or wait to be taken."""
    left = iter(shards)
    coming = deque(submit(shard) for shard in islice(left, at_once))
    while coming:
        parts = _awaited(coming.popleft(), check)
        coming.extend(submit(shard) for shard in islice(left, 1))
        yield parts


def _awaited(coming: Coming, check: Callable[[], None]) -> Parts:
    """Asks again and again, for a future of Dask is fetched only when it is asked for its result."""
    looked = time.monotonic()
    while not coming.done():
        if time.monotonic() > looked + _LOOK_EVERY_S:
            check()
            looked = time.monotonic()
        time.sleep(_PAUSE_S)
    parts: Parts = coming.result()
    return parts
