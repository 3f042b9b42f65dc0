"""Weeks, months and quarters of stores, as they are kept; which stores, and their zones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import to_us
from storewatch.storage.arrays import read_arrays

_EPOCH = "date '1970-01-01'"
_TOTALS = [f"{kind.name.lower()}_us" for kind in Kind]
SUMS = (*_TOTALS, "down_min_us", "down_max_us", "outages")
"""What is told of a period."""

Keys = NDArray[np.int32]


@dataclass(frozen=True)
class Scope:
    """Which stores: one (its key), those of a group (its number), or all that somebody (None: whoever sees
    all) may see.
    """

    store_key: int | None = None
    group_no: int | None = None
    seen_by: int | None = None

    @property
    def where(self) -> str:
        """The condition on `store_key`."""
        if self.store_key is not None:
            return f"store_key = {int(self.store_key)}"
        if self.group_no is not None:
            return f"store_key IN (SELECT store_key FROM group_store WHERE group_no = {int(self.group_no)})"
        if self.seen_by is not None:
            return f"""store_key IN (
                SELECT gs.store_key FROM group_store AS gs JOIN membership AS m USING (group_no)
                WHERE m.account_no = {int(self.seen_by)})"""
        return "true"

    @property
    def polled(self) -> str:
        """The condition on `store` that it was ever polled; one that is asked for by itself need not be."""
        return "true" if self.store_key is not None else "first_poll_at IS NOT NULL"


@dataclass(frozen=True)
class Span:
    """A week, month or quarter: its local days, `end_day` not included, counted from 1970-01-01."""

    period: str
    first_day: int
    end_day: int


def each(session: Session, scope: Scope, span: Span) -> tuple[Keys, Int64]:
    """(keys in order, int64[stores, 9] as in `SUMS`) of the stores of which a day is kept in a period."""
    columns = ", ".join(f"array_agg({name}::bigint)" for name in SUMS)
    query = f"SELECT array_agg(store_key), {columns} FROM ({_rows(scope, span)}) AS p"
    key, *sums = read_arrays(session, query, {}, (">i4", *(">i8",) * len(SUMS)))
    order = np.argsort(key)
    return key[order].astype(np.int32), np.stack(sums, axis=1)[order]


def counted(session: Session, scope: Scope, span: Span, without: Keys) -> tuple[int, int]:
    """(how many stores have a day kept in a period, how many outages), but for some stores."""
    query = (
        f"SELECT count(*), coalesce(sum(outages), 0)::bigint FROM ({_rows(scope, span)}) AS p {_but(without)}"
    )
    row = session.execute(text(query)).one()
    return row[0], row[1]


_DOWN = "down_seen_us + down_inferred_us"


def longest_down(
    session: Session, scope: Scope, span: Span, without: Keys, count: int
) -> list[tuple[int, str, list[int]]]:
    """(key, id, `SUMS`) of so many stores that were down longest, but for some; alike ones by id."""
    query = f"""
        SELECT s.store_key, s.store_id, {", ".join(f"p.{name}" for name in SUMS)}
        FROM (SELECT * FROM ({_rows(scope, span)}) AS q {_but(without)}
              ORDER BY {_DOWN} DESC FETCH FIRST {int(count)} ROWS WITH TIES) AS p
        JOIN store AS s USING (store_key)
        WHERE {_DOWN} > 0 ORDER BY {_DOWN} DESC, s.store_id LIMIT {int(count)}
    """
    return [(key, store_id, list(sums)) for key, store_id, *sums in session.execute(text(query))]


def _but(without: Keys) -> str:
    return f"WHERE store_key <> ALL('{list_of(without.tolist())}'::int[])" if len(without) else ""


def _rows(scope: Scope, span: Span) -> str:
    first, end = (f"({_EPOCH} + {int(day)})" for day in (span.first_day, span.end_day))
    if span.period == "quarter":
        return _QUARTER.format(where=scope.where, first=first, end=end)
    return f"""
        SELECT store_key, {", ".join(SUMS)} FROM store_period
        WHERE period = '{span.period}' AND first_day = {first} AND {scope.where}"""


# three months, and an outage over the midnights between them is one
_QUARTER = f"""
    SELECT store_key, {", ".join(f"sum({name})::bigint AS {name}" for name in SUMS[:-1])},
           sum(outages - coalesce(starts_down AND ended_down, false)::int)::bigint AS outages
    FROM (SELECT p.*, lag(ends_down) OVER (
                     PARTITION BY store_key, starts_down IS NULL ORDER BY first_day) AS ended_down
          FROM store_period AS p
          WHERE period = 'month' AND first_day >= {{first}} AND first_day < {{end}} AND {{where}}) AS q
    GROUP BY store_key
"""


def members(session: Session, scope: Scope) -> Keys:
    """The keys, in order, of the stores, polled or not."""
    query = f"SELECT array_agg(store_key ORDER BY store_key) FROM store WHERE {scope.where}"
    return read_arrays(session, query, {}, (">i4",))[0].astype(np.int32)


def first_poll(session: Session, scope: Scope, gap_us: int) -> int | None:
    """The instant from which on a poll of theirs speaks, in microseconds; None without polls."""
    query = text(f"SELECT min(first_poll_at) FROM store WHERE {scope.where}")
    first = session.execute(query).scalar()
    return None if first is None else to_us(first) - gap_us


def archived(session: Session, scope: Scope) -> tuple[Keys, Int64]:
    """(keys in order, int64[stores] from which day on) of the stores that are archived."""
    query = f"""
        SELECT array_agg(store_key ORDER BY store_key), array_agg(archived_from - {_EPOCH} ORDER BY store_key)
        FROM store WHERE archived_from IS NOT NULL AND {scope.where}
    """
    key, day = read_arrays(session, query, {}, (">i4", ">i4"))
    return key.astype(np.int32), day.astype(np.int64)


# --- zones ----------------------------------------------------------------------------------------

_ZONED = "FROM store LEFT JOIN store_timezone USING (store_key)"


def zones(session: Session, scope: Scope, zone: str) -> list[str]:
    """The zones of the stores that were ever polled; `zone` is that of stores without one."""
    query = f"""
        SELECT DISTINCT coalesce(timezone_str, :zone) {_ZONED}
        WHERE {scope.polled} AND {scope.where} ORDER BY 1
    """
    return list(session.execute(text(query), {"zone": zone}).scalars())


def in_zones(session: Session, scope: Scope, zone: str, names: Sequence[str]) -> Keys:
    """The keys, in order, of the stores in some zones."""
    query = f"""
        SELECT array_agg(store_key ORDER BY store_key) {_ZONED}
        WHERE {scope.where} AND coalesce(timezone_str, :zone) = ANY(CAST(:names AS text[]))
    """
    [key] = read_arrays(session, query, {"zone": zone, "names": list_of(names)}, (">i4",))
    return key.astype(np.int32)


def list_of(values: Any) -> str:
    """Numbers, or names of zones, which hold nothing that needs quotes, as PostgreSQL reads a list."""
    return "{" + ",".join(map(str, values)) + "}"


# --- proof ----------------------------------------------------------------------------------------


def differing(session: Session, period: str, store_keys: Keys, fresh: Int64) -> int:
    """How many weeks or months of stores are kept otherwise than `fresh` int64[rows, 12] says: key, first
    day, the `SUMS`, days.
    """
    columns = ", ".join(f"array_agg({name}::bigint)" for name in (*SUMS, "days"))
    query = f"""
        SELECT array_agg(store_key::bigint), array_agg((first_day - {_EPOCH})::bigint), {columns}
        FROM store_period WHERE period = :period AND store_key = ANY(CAST(:keys AS int[]))
    """
    values = {"keys": list_of(store_keys.tolist()), "period": period}
    kept = np.stack(read_arrays(session, query, values, (">i8",) * 12), axis=1)
    return len({tuple(row) for row in kept.tolist()} ^ {tuple(row) for row in fresh.tolist()})
