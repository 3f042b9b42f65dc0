"""Packs of polls: made by a job of stretches that change no more for now, proved, and dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from storewatch.storage import poll_packs, polls, queue
from storewatch.storage.db import Database
from storewatch.storage.poll_packs import Stretch

_AT_ONCE = 32
"""So many stretches are packed in one transaction: of stores that are polled hourly 800,000 polls."""

_QUIET = timedelta(minutes=10)
"""A day that still grows is packed once it did not for so long: packing it after each file would not pay."""


def work(database: Database, now: datetime) -> None:
    """The job: packs some stretches, and has the next job begin if that may not be all."""
    if pack(database, now) == _AT_ONCE:
        with database.transaction() as session:
            queue.defer_once(session, poll_packs.QUEUE, poll_packs.TASK, poll_packs.PRIORITY)


def pack(database: Database, now: datetime) -> int:
    """Packs some stretches. Returns how many.

    One transaction in one snapshot: a version and the polls that are packed are of one moment, and killed at
    any instant nothing has happened. What is committed meanwhile has another version.
    """
    with database.steady() as session:
        poll_packs.lock(session)
        poll_packs.remove_old(session)
        found = poll_packs.to_pack(session, now, _QUIET, _AT_ONCE)
        for part in _together(found):
            _pack(session, part)
    return len(found)


def _pack(session: Session, part: list[Stretch]) -> None:
    made = polls.of_day(session, part[0].day, [stretch.shard for stretch in part])
    for stretch, (_, pack_) in zip(part, made, strict=True):
        poll_packs.keep(session, stretch, pack_)


def _together(found: list[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches of one day, in order, whose shards follow each other: they are read by one query."""
    numbered = enumerate(found)
    for _, part in groupby(numbered, lambda pair: (pair[1].day, pair[1].shard - pair[0])):
        yield [stretch for _, stretch in part]


def repack(database: Database, now: datetime, progress: Callable[[int], None] = lambda _: None) -> int:
    """Drops all packs, and makes those anew that can be made now. Returns how many; `progress` hears of
    them.
    """
    with database.transaction() as session:
        poll_packs.remove_all(session)
    made = 0
    while count := pack(database, now):
        made += count
        progress(made)
    return made


def verify(database: Database) -> tuple[int, int]:
    """(how many packs that count differ from the rows, how many were compared)."""
    wrong = compared = 0
    with database.snapshot() as session:
        for day in sorted(polls.days(session)):
            for pack_ in poll_packs.read(session, [day], None):
                ((_, made),) = polls.of_day(session, day, [pack_.shard])
                wrong += made != pack_.polls
                compared += 1
    return wrong, compared
