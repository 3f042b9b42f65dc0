"""store_status: writing polls by day, reading them as sorted arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain import packs
from storewatch.domain.availability import Polls
from storewatch.domain.axis import Axis
from storewatch.domain.batches import DayBatch, places
from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.storage import poll_copies, poll_packs, stores
from storewatch.storage.arrays import among, positions, read_arrays
from storewatch.storage.copying import PG_EPOCH
from storewatch.storage.db import raw

_EPOCH = date(1970, 1, 1)
_WORTH_COMPARING = 50_000
"""From so many polls of a day on, those that are there already are sorted out before they are sent."""


def partition_name(day: int) -> str:
    """The partition of a UTC day (days since 1970), such as store_status_20230118."""
    return f"store_status_{_EPOCH + timedelta(days=day):%Y%m%d}"


# --- writing --------------------------------------------------------------------------------------


def days(session: Session) -> set[int]:
    """The UTC days that have a partition."""
    return {(row[0] - _EPOCH).days for row in session.execute(text("SELECT day FROM store_status_day"))}


def any_deleted(session: Session) -> bool:
    """Whether a person ever deleted a poll by hand."""
    return bool(session.execute(text("SELECT EXISTS (SELECT FROM deleted_poll)")).scalar())


def make_day(session: Session, day: int) -> None:
    """Attaches an empty partition for a UTC day."""
    name = partition_name(day)
    raw(session).execute(f"CREATE TABLE {name} (LIKE store_status INCLUDING DEFAULTS INCLUDING INDEXES)")
    _attach(session, day)


def _attach(session: Session, day: int) -> None:
    start, end = from_us(day * DAY), from_us((day + 1) * DAY)
    raw(session).execute(
        f"ALTER TABLE store_status ATTACH PARTITION {partition_name(day)}"
        f" FOR VALUES FROM ('{start}') TO ('{end}')"
    )


def add_day(
    session: Session, day: int, parts: Iterable[DayBatch], import_no: int, reasons: list[bytes]
) -> None:
    """Stores the first polls of a UTC day in a new partition; parts of it come in order of store key.

    The partition is filled before it has an index and attached last: a fresh table can be loaded at
    full speed, and attaching, unlike creating in place, lets reports go on reading. A check while rows
    come in spares attaching a look at each.
    """
    name = partition_name(day)
    start, end = from_us(day * DAY), from_us((day + 1) * DAY)
    check = f"CONSTRAINT of_day CHECK (timestamp_utc >= '{start}' AND timestamp_utc < '{end}')"
    connection = raw(session)
    connection.execute("SET LOCAL max_parallel_maintenance_workers = 0")  # helpers slow down what is sorted
    connection.execute(f"CREATE TABLE {name} (LIKE store_status, {check})")
    added, newest, filled = 0, 0, []
    for part in parts:
        poll_copies.fill(session, name, "FREEZE", part.polls, import_no, reasons)
        added, newest = added + len(part.polls), max(newest, int(part.polls.at.max()))
        filled.append(packs.shards(part.polls.key))
    connection.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (store_key, timestamp_utc)")
    _attach(session, day)
    connection.execute(f"ALTER TABLE {name} DROP CONSTRAINT of_day")
    note_day(session, day, added, from_us(newest))
    poll_packs.raise_versions(session, day, filled)


def note_day(session: Session, day: int, added: int, newest: datetime | None) -> None:
    """Keeps the tally of a day's partition. `newest` of those added; None if none was."""
    session.execute(
        text("""
            INSERT INTO store_status_day AS d (day, polls, newest)
            VALUES (:day, :polls, coalesce(CAST(:newest AS timestamptz), '-infinity'))
            ON CONFLICT (day) DO UPDATE
            SET polls = d.polls + excluded.polls, newest = CASE WHEN d.polls = 0
                THEN excluded.newest ELSE greatest(d.newest, excluded.newest) END
        """),
        {"day": _EPOCH + timedelta(days=day), "polls": added, "newest": newest},
    )


def merge_day(session: Session, day: DayBatch, import_no: int, reasons: list[bytes]) -> dict[str, int]:
    """Merges polls into a day that has a partition. Returns counts: new, corrected, kept, unchanged.

    A poll corrected or deleted by hand stays so. The caller holds the lock of this kind of import.
    """
    came, later = len(day.polls), _is_later(session, day)
    if came > _WORTH_COMPARING and not later:
        day = day.without(_known(session, day.day))
    if not len(day.polls):
        return {"unchanged": came}
    new, corrected, kept, newest = (_append if later else _merge)(session, day, import_no, reasons)
    note_day(session, day.day, new, newest)
    if new or corrected:
        poll_packs.raise_versions(session, day.day, [packs.shards(day.polls.key)])
    unchanged = came - new - corrected - kept
    return {"new": new, "corrected": corrected, "kept": kept, "unchanged": unchanged}


Outcome = tuple[int, int, int, datetime | None]
"""Polls that were new, corrected and kept, and the newest of the new ones."""


def _is_later(session: Session, day: DayBatch) -> bool:
    """Whether polls are later than all that their day has, as those of the hour are: so that all are new."""
    query = text("""
        SELECT newest < :first AND NOT EXISTS (SELECT FROM deleted_poll)
        FROM store_status_day WHERE day = :day
    """)
    if not len(day.polls):
        return False
    first = from_us(int(day.polls.at.min()))
    return bool(session.execute(query, {"day": _EPOCH + timedelta(days=day.day), "first": first}).scalar())


def _append(session: Session, day: DayBatch, import_no: int, reasons: list[bytes]) -> Outcome:
    """Adds polls that are known to be new."""
    polls = day.polls
    poll_copies.append(session, partition_name(day.day), polls, import_no, reasons)
    keys, first = np.unique(polls.key, return_index=True)
    stores.lower_first_polls(session, keys.astype(np.int64), polls.at[first])
    return len(polls), 0, 0, from_us(int(polls.at.max()))


def _merge(session: Session, day: DayBatch, import_no: int, reasons: list[bytes]) -> Outcome:
    """Compares polls with those that are there."""
    name = partition_name(day.day)
    connection = raw(session)
    connection.execute("DROP TABLE IF EXISTS incoming")
    connection.execute("CREATE TEMP TABLE incoming (LIKE store_status) ON COMMIT DROP")
    poll_copies.fill(session, "incoming", "FREEZE false", day.polls, import_no, reasons)
    connection.execute("ANALYZE incoming")
    connection.execute("SET LOCAL work_mem = '64MB'")
    counts = connection.execute(_MERGE.format(partition=name)).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    new, corrected, kept, newest = counts
    return new, corrected, kept, newest


def _known(session: Session, day: int) -> NDArray[np.int64]:
    """The plain polls of a day (no reason, not set by hand) as sorted `places`."""
    query = _ARRAYS.format(partition=partition_name(day), which="reason IS NULL AND import_no IS NOT NULL")
    key, at, idle_key, idle_at = read_arrays(session, query, {}, (">i4", ">i8", ">i4", ">i8"))
    known = [places(day, key, at + PG_EPOCH, True), places(day, idle_key, idle_at + PG_EPOCH, False)]
    return np.sort(np.concatenate(known))


_MERGE = """
    WITH differing AS MATERIALIZED (
        SELECT i.*, s.store_key IS NULL AS is_new, s.store_key IS NOT NULL AND s.import_no IS NULL AS by_hand,
               d.store_key IS NOT NULL AS deleted
        FROM incoming AS i
        LEFT JOIN {partition} AS s USING (store_key, timestamp_utc)
        LEFT JOIN deleted_poll AS d USING (store_key, timestamp_utc)
        WHERE s.store_key IS NULL OR s.import_no IS NULL
           OR s.active <> i.active OR s.reason IS DISTINCT FROM i.reason
    ), added AS (
        INSERT INTO {partition} (store_key, import_no, timestamp_utc, active, reason)
        SELECT store_key, import_no, timestamp_utc, active, reason FROM differing
        WHERE is_new AND NOT deleted
        RETURNING store_key, timestamp_utc
    ), lowered AS (
        UPDATE store AS s SET first_poll_at = a.at
        FROM (SELECT store_key, min(timestamp_utc) AS at FROM added GROUP BY store_key) AS a
        WHERE s.store_key = a.store_key AND (s.first_poll_at IS NULL OR s.first_poll_at > a.at)
    ), corrected AS (
        UPDATE {partition} AS s SET active = d.active, reason = d.reason, import_no = d.import_no
        FROM differing AS d
        WHERE NOT d.is_new AND NOT d.by_hand
          AND s.store_key = d.store_key AND s.timestamp_utc = d.timestamp_utc
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM corrected),
           (SELECT count(*) FROM differing WHERE by_hand OR deleted AND is_new),
           (SELECT max(timestamp_utc) FROM added)
"""


# --- reading --------------------------------------------------------------------------------------


def newest(session: Session) -> int | None:
    """The instant of the newest poll of any store; None if there is none."""
    moment = session.execute(text("SELECT max(newest) FROM store_status_day WHERE polls > 0")).scalar()
    return None if moment is None else to_us(moment)


def read(
    sessions: Sequence[Session],
    store_keys: NDArray[np.int32],
    start: int,
    until: int,
    *,
    rows_only: bool = False,
) -> Polls:
    """Polls of stores at instants in [start, until], both included, sorted by store and time.

    `sessions` see one state of the database; the days are read by all of them side by side, for most
    of the time goes by in the server. `store` in the result is the position in `store_keys`. What is packed
    is read from the packs, which makes no difference to the result; with `rows_only` it is not.
    """
    wanted = _Wanted(store_keys, Axis(start, until), packed=not rows_only)
    if len(store_keys) <= _FEW:
        return wanted.polls(wanted.read_at_once(sessions[0]))
    found = sorted(days(sessions[0]) & set(range(start // DAY, until // DAY + 1)))
    shares = [found[number :: len(sessions)] for number in range(len(sessions))]
    with ThreadPoolExecutor(len(sessions)) as pool:
        parts = list((pool.map if len(sessions) > 1 else map)(wanted.read_days, sessions, shares))
    return wanted.polls(chain.from_iterable(parts))


_FEW = 100
"""The polls of so few stores are quicker read by one query over all days than by one a day."""

_WORTH_A_PACK = 64
"""So many stores of a shard must be wanted for its pack to be quicker than their rows."""


def of_day(session: Session, day: int, shards: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """(shard, its pack as it would be made of the rows of now) for shards, in order, that lie together."""
    low, high = shards[0] << packs.SHARD_BITS, ((shards[-1] + 1) << packs.SHARD_BITS) - 1
    query = _ARRAYS.format(partition=partition_name(day), which=f"store_key BETWEEN {low} AND {high}")
    up_key, up_at, down_key, down_at = read_arrays(session, query, {}, (">i4", ">i8", ">i4", ">i8"))
    key, at = np.concatenate([up_key, down_key]), np.concatenate([up_at, down_at]) + PG_EPOCH
    active = np.arange(len(key)) < len(up_key)
    order = np.argsort(key >> packs.SHARD_BITS, kind="stable")
    key, at, active = key[order], at[order], active[order]
    ends = np.searchsorted(key >> packs.SHARD_BITS, np.array(shards), side="right").tolist()
    for shard, first, last in zip(shards, [0, *ends], ends, strict=False):
        yield shard, packs.packed(day, key[first:last], at[first:last], active[first:last])


def reasons(session: Session, store_key: int, at: Sequence[int]) -> dict[int, str]:
    """The reasons of those polls of a store, at some instants, that have one."""
    query = text("""
        SELECT timestamp_utc, reason FROM store_status
        WHERE store_key = :store_key AND timestamp_utc = ANY(:at) AND reason IS NOT NULL
          AND timestamp_utc BETWEEN :first AND :last
    """)
    if not at:
        return {}
    moments = [from_us(each) for each in at]
    values = {"store_key": store_key, "at": moments, "first": min(moments), "last": max(moments)}
    return {to_us(row.timestamp_utc): row.reason for row in session.execute(query, values)}


@dataclass(frozen=True)
class Reasons:
    """Why stores were down: polls by `store`, a position, and `at`; poll i gave the `text[code[i]]`."""

    store: NDArray[np.int64]
    at: NDArray[np.int64]
    code: NDArray[np.int64]
    text: list[str]


def reasons_between(session: Session, store_keys: NDArray[np.int32], start: int, until: int) -> Reasons:
    """The reasons of those inactive polls of stores in [start, until], both included, that have one."""
    which = f"""
        NOT active AND reason IS NOT NULL AND {among(store_keys)}
        AND timestamp_utc BETWEEN '{from_us(start)}' AND '{from_us(until)}'
    """
    ranked = 'dense_rank() OVER (ORDER BY reason COLLATE "C") - 1'
    query = f"""
        SELECT array_agg(store_key), array_agg(timestamp_utc), array_agg(code) FROM (
            SELECT store_key, timestamp_utc, {ranked} AS code FROM store_status WHERE {which}) AS found
    """
    key, at, code = read_arrays(session, query, {}, (">i4", ">i8", ">i8"))
    distinct = f'SELECT array_agg(DISTINCT reason COLLATE "C") FROM store_status WHERE {which}'
    texts = raw(session).execute(distinct).fetchone() if len(key) else None
    store = positions(store_keys)[key].astype(np.int64)
    asked = store >= 0
    return Reasons(store[asked], at[asked] + PG_EPOCH, code[asked], list(texts[0]) if texts else [])


class _Wanted:
    """Which polls a reader wants, and where their stores go."""

    def __init__(self, store_keys: NDArray[np.int32], axis: Axis, *, packed: bool) -> None:
        self.axis = axis
        self._position = positions(store_keys)
        self._keys = store_keys
        self._packs = packs.Unpacking(axis, self._position)
        self._shards = packs.shards(store_keys)
        self._full = packs.filled(store_keys, _WORTH_A_PACK) if packed else self._shards[:0]

    def read_days(self, session: Session, found: list[int]) -> list[NDArray[np.int64]]:
        """The polls of days, as one int64 each: place on the axis, and the state as the lowest bit."""
        places, lacking = [], dict.fromkeys(found, self._shards)
        if len(self._full):
            for pack in poll_packs.read(session, found, self._full.tolist()):
                try:
                    places.append(self._packs.places(pack.day, pack.shard, pack.polls))
                except packs.DamagedPackError:
                    continue  # its rows are the truth; `db verify` tells of it
                lacking[pack.day] = lacking[pack.day][lacking[pack.day] != pack.shard]
        for day, shards in lacking.items():
            if len(shards):
                places += [self._packed(row, state) for row, state in self._columns(session, day, shards)]
        return places

    def read_at_once(self, session: Session) -> list[NDArray[np.int64]]:
        """The same of all days together."""
        low, high = from_us(self.axis.start), from_us(self.axis.until)
        which = f"{among(self._keys)} AND timestamp_utc BETWEEN '{low}' AND '{high}'"
        return [self._packed(row, state) for row, state in self._arrays(session, "store_status", which)]

    def polls(self, parts: Iterable[NDArray[np.int64]]) -> Polls:
        """What was read, in order."""
        place = np.concatenate([np.empty(0, np.int64), *parts])
        place.sort(kind="stable")  # packs and days are in order each: there are but few runs to merge
        active = (place & 1).astype(np.bool_)
        place >>= 1
        return Polls(self.axis.store(place).astype(np.int32), self.axis.at(place), active)

    def _columns(
        self, session: Session, day: int, shards: NDArray[np.int64]
    ) -> list[tuple[list[NDArray[Any]], int]]:
        low, high = max(self.axis.start, day * DAY), min(self.axis.until, (day + 1) * DAY - 1)
        which = among(self._keys[np.isin(self._keys >> packs.SHARD_BITS, shards)])
        if high - low < DAY - 1:
            which += f" AND timestamp_utc BETWEEN '{from_us(low)}' AND '{from_us(high)}'"
        return self._arrays(session, partition_name(day), which)

    def _arrays(self, session: Session, table: str, which: str) -> list[tuple[list[NDArray[Any]], int]]:
        query = _ARRAYS.format(partition=table, which=which)
        columns = read_arrays(session, query, {}, (">i4", ">i8", ">i4", ">i8"))
        return [(columns[:2], 1), (columns[2:], 0)]

    def _packed(self, columns: list[NDArray[Any]], state: int) -> NDArray[np.int64]:
        key, at = columns
        store = self._position[key]
        asked = store >= 0
        if not asked.all():
            store, at = store[asked], at[asked]
        place = self.axis.pack(store, at + PG_EPOCH)
        place <<= 1
        place |= state
        return place


_ARRAYS = """
    SELECT array_agg(store_key) FILTER (WHERE active), array_agg(timestamp_utc) FILTER (WHERE active),
           array_agg(store_key) FILTER (WHERE NOT active), array_agg(timestamp_utc) FILTER (WHERE NOT active)
    FROM {partition} WHERE {which}
"""
