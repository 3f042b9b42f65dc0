"""poll_stretch and poll_pack: copies of polls that are quick to read, each of one version of its stretch.

    writer    polls of a stretch change, its version is raised      one transaction
    packer    version and polls are read, the pack is written       one snapshot, one transaction
    reader    a pack counts if its version is the stretch's         one statement

So a pack that counts holds the polls of the state that its reader sees: whatever changed them raised the
version in the same transaction, and no version is ever used again. A stretch without a pack that counts is
read as rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.storage import queue
from storewatch.storage.db import raw

QUEUE = "history"
TASK = "pack_polls"
PRIORITY = -1

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Stretch:
    """A shard of stores on a UTC day, counted from 1970, and the version of its polls."""

    day: int
    shard: int
    version: int


@dataclass(frozen=True)
class Pack:
    """The polls of a stretch, as `domain.packs` has them."""

    day: int
    shard: int
    polls: bytes


# --- changing polls -------------------------------------------------------------------------------


def raise_versions(session: Session, day: int, shards: Sequence[Int64]) -> None:
    """Says that polls of shards changed on a day, in the transaction that changes them in the day's own
    partition. What is written to store_status itself says so by a trigger.
    """
    each = np.unique(np.concatenate(shards)) if len(shards) else np.empty(0, np.int64)
    session.execute(text(_RAISE), {"day": _date(day), "shards": each.tolist()})


_RAISE = """
    INSERT INTO poll_stretch (day, shard) SELECT :day, shard FROM unnest(CAST(:shards AS int[])) AS s(shard)
    ON CONFLICT (day, shard) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at
"""


def forget_before(session: Session, day: int) -> None:
    """Removes the stretches of the days before one, and their packs, as the polls of these are dropped."""
    session.execute(text("DELETE FROM poll_stretch WHERE day < :day"), {"day": _date(day)})


def wake(session: Session) -> None:
    """Has the job look for what is to be packed, once the transaction is committed."""
    queue.defer_once(session, QUEUE, TASK, PRIORITY)


# --- packing --------------------------------------------------------------------------------------


def lock(session: Session) -> None:
    """Waits until nobody else packs. To be called first: a snapshot is taken by the statement after it, so
    it sees what the other packed.
    """
    raw(session).execute("LOCK TABLE poll_pack IN SHARE UPDATE EXCLUSIVE MODE")


def remove_old(session: Session) -> None:
    """Removes packs of versions that are gone: no reader takes them, and what they hold may be deleted."""
    session.execute(
        text("""
            DELETE FROM poll_pack AS p USING poll_stretch AS s
            WHERE (p.day, p.shard) = (s.day, s.shard) AND p.version <> s.version
        """)
    )


def remove_all(session: Session) -> None:
    """Removes all packs; their polls are read as rows until they are packed again."""
    session.execute(text("DELETE FROM poll_pack"))


def to_pack(session: Session, now: datetime, quiet: timedelta, most: int) -> list[Stretch]:
    """Some stretches without a pack, whose day is over or that have been quiet; by day and shard."""
    query = text("""
        SELECT s.day - date '1970-01-01', s.shard, s.version
        FROM poll_stretch AS s JOIN store_status_day AS d USING (day)
        LEFT JOIN poll_pack AS p USING (day, shard)
        WHERE p.version IS DISTINCT FROM s.version
          AND (s.day < (CAST(:now AS timestamptz) AT TIME ZONE 'UTC')::date OR s.changed_at < :quiet_since)
        ORDER BY s.day, s.shard LIMIT :most
    """)
    values = {"now": now, "quiet_since": now - quiet, "most": most}
    return [Stretch(*row) for row in session.execute(query, values)]


def keep(session: Session, stretch: Stretch, polls: bytes) -> None:
    """Stores the pack of a stretch that has none."""
    raw(session).execute(
        "INSERT INTO poll_pack (day, shard, version, polls) VALUES (%s, %s, %s, %b)",
        [_date(stretch.day), stretch.shard, stretch.version, polls],
    )


# --- reading --------------------------------------------------------------------------------------


def read(session: Session, days: Sequence[int], of: Sequence[int] | None) -> Iterator[Pack]:
    """The packs that count now, of some days and shards, None being all: one statement, and so one state of
    the database.
    """
    query = """
        SELECT p.day - date '1970-01-01', p.shard, p.polls
        FROM poll_pack AS p JOIN poll_stretch AS s USING (day, shard, version)
        WHERE p.day = ANY(%s) AND (%s::int[] IS NULL OR p.shard = ANY(%s))
    """
    shards = None if of is None else list(of)
    with raw(session).cursor(binary=True) as cursor:
        cursor.execute(query, [[_date(day) for day in days], shards, shards])
        for row in cursor:
            yield Pack(*row)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)
