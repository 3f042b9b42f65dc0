"""Packs as their tests look at them; as a program it packs without a pause, slowly, until it is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Polls
from storewatch.domain.clock import DAY
from storewatch.services import packing
from storewatch.storage import poll_packs, polls
from storewatch.storage.db import Database

LATER = datetime(2023, 3, 1, tzinfo=UTC)
"""When all days of the tests are over."""


@contextmanager
def small() -> Iterator[None]:
    """A handful of stores are read by packs, and few stretches are packed in one transaction."""
    with (
        patch.object(polls, "_FEW", 0),
        patch.object(polls, "_WORTH_A_PACK", 1),
        patch.object(packing, "_AT_ONCE", 2),
    ):
        yield


def over_two_shards(database: Database) -> None:
    """The next stores belong to two shards."""
    with database.transaction() as session:
        session.execute(text("ALTER TABLE store ALTER store_key RESTART WITH 1022"))


def pack_all(database: Database) -> int:
    made = 0
    while count := packing.pack(database, LATER):
        made += count
    return made


def both_ways(session: Session, margin: int = 0) -> tuple[Any, Any]:
    """The polls of all stores read through packs and from rows, in one state of the database."""
    keys = np.array(session.execute(text("SELECT store_key FROM store ORDER BY 1")).scalars().all(), np.int32)
    days = polls.days(session) or {19_000}
    start, until = min(days) * DAY + margin, (max(days) + 1) * DAY - 1 - margin
    found = (polls.read((session,), keys, start, until, rows_only=only) for only in (False, True))
    through, rows = ([each.store.tolist(), each.at.tolist(), each.active.tolist()] for each in found)
    return through, rows


def packs_that_count(session: Session) -> int:
    query = "SELECT count(*) FROM poll_pack JOIN poll_stretch USING (day, shard, version)"
    return int(session.execute(text(query)).scalar_one())


def agree(database: Database) -> int:
    """Both ways give the same; how many packs counted."""
    with database.snapshot() as session:
        for margin in (0, DAY // 3):
            through, rows = both_ways(session, margin)
            assert through == rows
        return packs_that_count(session)


@contextmanager
def reading_twice() -> Iterator[list[int]]:
    """Whatever is read from packs by a report is read from rows too, in its own state, and is the same. Gives
    how many polls were read so.
    """
    real, seen = polls.read, [0]

    def both(sessions: Sequence[Session], *asked: Any, **more: Any) -> Polls:
        found = real(sessions, *asked, **more)
        if len(sessions) > 1:  # a report's, which has two
            rows = real(sessions, *asked, rows_only=True)
            assert [each.tolist() for each in vars(found).values()] == [
                each.tolist() for each in vars(rows).values()
            ]
            seen[0] += len(found)
        return found

    with patch.object(polls, "read", both):
        yield seen


def main() -> None:
    """Has a child pack until a line comes, kills it at once, and has another one pack; ends with its input.

    The child is a copy of this process, so that it packs again within a moment.
    """
    child = _begin()
    print("packing", flush=True)
    for _ in sys.stdin:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.WTERMSIG(status), flush=True)
        child = _begin()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _begin() -> int:
    child = os.fork()
    if not child:
        _pack_for_ever()
    return child


def _pack_for_ever() -> None:
    """Pauses between what a transaction does, so that it is killed within one."""
    keep = poll_packs.keep

    def slowly(*given: Any) -> None:
        time.sleep(0.002)
        keep(*given)
        time.sleep(0.002)

    database, parent = Database(os.environ["PACKED_URL"]), os.getppid()
    with small(), patch.object(poll_packs, "keep", slowly):
        while os.getppid() == parent:
            packing.pack(database, LATER)


if __name__ == "__main__":
    main()
