"""Exceptions that are in force, for the engine: read once for the stores of a part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, exists, or_, select, text, true
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY, from_us, to_us
from storewatch.domain.exceptions import NONE, Breadth, Effect, Ruling, Rulings
from storewatch.storage.access_tables import GroupStore, Membership
from storewatch.storage.arrays import key_bounds, positions
from storewatch.storage.truth_tables import ExceptionRow

_WIDE = 3 * DAY
"""A clock is so far from UTC at most, a night over midnight and a day's change included."""


def read(
    session: Session, store_keys: NDArray[np.int32], first: int | None = None, last: int | None = None
) -> Rulings:
    """The exceptions that concern stores; positions in the result are those in `store_keys`. With bounds,
    instants, those at least that may hold in between.
    """
    values: dict[str, Any] = dict(key_bounds(store_keys))
    bounded = ""
    if first is not None and last is not None:
        values |= {"first": from_us(first - _WIDE), "last": from_us(last + _WIDE)}
        bounded = _BOUNDED
    rows = session.execute(text(_IN_FORCE + bounded), values).all()
    return _rulings(session, rows, store_keys) if rows else NONE


_IN_FORCE = """
    SELECT exception_no, effect, store_key, group_no, start_at, end_at, start_local, end_local, rrule,
           openings
    FROM exception WHERE undone_at IS NULL AND (store_key IS NULL OR store_key BETWEEN :low AND :high)
"""
_BOUNDED = """
    AND coalesce(start_at, start_local AT TIME ZONE 'UTC') < :last
    AND (rrule IS NOT NULL OR coalesce(end_at, end_local AT TIME ZONE 'UTC') > :first)
"""


def _rulings(session: Session, rows: Sequence[Any], store_keys: NDArray[np.int32]) -> Rulings:
    """Rulings of rows, without those that concern none of the stores."""
    position = positions(store_keys)
    members = _members(session, {row.group_no for row in rows if row.group_no is not None}, store_keys)
    each: list[Ruling] = []
    everywhere: list[int] = []
    pairs: list[tuple[int, int]] = []
    for row in rows:
        keys = members.get(row.group_no, []) if row.store_key is None else [row.store_key]
        own = [int(place) for key in keys if (place := position[key]) >= 0]
        if row.store_key is None and row.group_no is None:
            everywhere.append(len(each))
        elif not own:
            continue
        pairs += [(place, len(each)) for place in own]
        each.append(ruling(row))
    store, which = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    return Rulings(tuple(each), tuple(everywhere), store.astype(np.int32), which)


def _members(
    session: Session, group_nos: Iterable[int], store_keys: NDArray[np.int32]
) -> dict[int, list[int]]:
    """The keys of the stores of groups, those within the bounds of some."""
    query = text("""
        SELECT group_no, array_agg(store_key) FROM group_store
        WHERE group_no = ANY(CAST(:groups AS int[])) AND store_key BETWEEN :low AND :high GROUP BY group_no
    """)
    if not (groups := list(group_nos)):
        return {}
    found = session.execute(query, {"groups": groups, **key_bounds(store_keys)})
    return {row[0]: row[1] for row in found}


def ruling(row: Any) -> Ruling:
    """The exception of a row, a model's or a query's, as the domain has it."""
    local = row.start_at is None
    start, end = (row.start_local, row.end_local) if local else (row.start_at, row.end_at)
    breadth = Breadth.STORE if row.store_key is not None else Breadth.ALL
    return Ruling(
        row.exception_no,
        Effect(row.effect),
        _us(start),
        _us(end),
        local,
        row.rrule,
        _pairs(row.openings),
        Breadth.GROUP if row.group_no is not None else breadth,
    )


def _us(moment: datetime) -> int:
    """Microseconds of an instant, or of a clock's time as if it showed UTC."""
    return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _pairs(openings: list[int] | None) -> tuple[tuple[int, int], ...]:
    flat = openings or []
    return tuple(zip(flat[::2], flat[1::2], strict=True))


# --- in words -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What is said of an exception beside a figure. `exception_id` and `note` are None for one of a group
    that is not the reader's.
    """

    effect: str
    exception_id: UUID | None
    note: str | None


def told(session: Session, numbers: Iterable[int], seen_by: int | None) -> dict[int, Told]:
    """Exceptions by number, whether they are in force or not."""
    if not (wanted := list(numbers)):
        return {}
    query = select(ExceptionRow, _seen(seen_by)).where(ExceptionRow.exception_no.in_(wanted))
    return {
        row.exception_no: Told(
            row.effect, row.exception_id if may_see else None, row.note if may_see else None
        )
        for row, may_see in session.execute(query)
    }


def seen(session: Session, numbers: Iterable[int], seen_by: int | None) -> list[ExceptionRow]:
    """Those that may be seen, in order of number."""
    query = select(ExceptionRow).where(ExceptionRow.exception_no.in_(list(numbers)), _seen(seen_by))
    return list(session.execute(query.order_by(ExceptionRow.exception_no)).scalars())


def _seen(seen_by: int | None) -> ColumnElement[bool]:
    """Those of all stores, of a group that they belong to, of a store that they may see."""
    if seen_by is None:
        return true()
    of_group = exists().where(Membership.group_no == ExceptionRow.group_no, Membership.account_no == seen_by)
    of_store = exists().where(
        GroupStore.store_key == ExceptionRow.store_key,
        Membership.group_no == GroupStore.group_no,
        Membership.account_no == seen_by,
    )
    everywhere = ExceptionRow.store_key.is_(None) & ExceptionRow.group_no.is_(None)
    return or_(everywhere, of_group, of_store)


# --- groups ---------------------------------------------------------------------------------------


def hold_groups(session: Session, group_nos: Iterable[int]) -> None:
    """Makes others that mark for these groups wait until the end of the transaction: who puts a store into
    one, and who makes an exception for it, would not see each other.
    """
    session.execute(
        text("""
            SELECT FROM store_group WHERE group_no = ANY(CAST(:groups AS int[]))
            ORDER BY group_no FOR NO KEY UPDATE
        """),
        {"groups": sorted(set(group_nos))},
    )


def of_groups(session: Session, group_nos: Iterable[int]) -> dict[int, list[Ruling]]:
    """The exceptions in force of groups, by group."""
    query = select(ExceptionRow).where(
        ExceptionRow.group_no.in_(list(group_nos)), ExceptionRow.undone_at.is_(None)
    )
    found: dict[int, list[Ruling]] = {}
    for row in session.execute(query).scalars():
        if row.group_no is not None:
            found.setdefault(row.group_no, []).append(ruling(row))
    return found


def stores_of(session: Session, group_no: int) -> list[int]:
    """The keys of a group's stores, in order."""
    query = text("SELECT store_key FROM group_store WHERE group_no = :group_no ORDER BY store_key")
    return list(session.execute(query, {"group_no": group_no}).scalars())
