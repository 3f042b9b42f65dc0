"""Exceptions as people make, read and undo them.

An exception may be seen by those who see a store that it concerns: its own, one of its group's, and if it is
of all stores, any. Who sees one by a store, and not its group, is not told which group it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, text, true, update
from sqlalchemy.orm import Session, aliased

from storewatch.storage.access_tables import Account, GroupStore, Membership, StoreGroup
from storewatch.storage.people_pages import seen_account
from storewatch.storage.sight import seen
from storewatch.storage.tables import Store
from storewatch.storage.truth_tables import ExceptionRow

SAME = (
    "effect",
    "store_key",
    "group_no",
    "start_at",
    "end_at",
    "start_local",
    "end_local",
    "rrule",
    "openings",
)
"""Exceptions of which these and the note are alike say the same."""

_IMPORT_LOCK = 0x53574558
_AHEAD, _BEHIND = timedelta(hours=14), timedelta(hours=12)
"""So far is a clock from UTC at most."""


@dataclass(frozen=True)
class Found:
    """An exception, and whom it concerns: the id of its store, its group as far as it may be seen; and who
    made and undid it, as far as they may be seen.
    """

    row: ExceptionRow
    store_id: str | None
    group: StoreGroup | None
    made_by: str | None
    undone_by: str | None


@dataclass(frozen=True)
class Filter:
    """Which exceptions of a list; None asks for nothing. Those that have to do with [start, end). With
    `or_all` those of all stores belong to those of a group.
    """

    store_key: int | None = None
    group_no: int | None = None
    effect: str | None = None
    in_force: bool | None = None
    start: datetime | None = None
    end: datetime | None = None
    or_all: bool = False


def page(
    session: Session, seen_by: int | None, which: Filter, after: tuple[datetime, UUID] | None, count: int
) -> list[ExceptionRow]:
    """Exceptions that may be seen, newest first, those after (created_at, exception_id).

    One that comes again counts as lasting for good.
    """
    query = select(ExceptionRow).where(_seen(seen_by), *_conditions(which))
    if after is not None:
        moment, exception_id = after
        same = and_(ExceptionRow.created_at == moment, ExceptionRow.exception_id > exception_id)
        query = query.where(or_(ExceptionRow.created_at < moment, same))
    newest = query.order_by(ExceptionRow.created_at.desc(), ExceptionRow.exception_id).limit(count)
    return list(session.execute(newest).scalars())


def find(
    session: Session, exception_id: UUID, seen_by: int | None, *, lock: bool = False
) -> ExceptionRow | None:
    """An exception that may be seen; with `lock` nobody undoes it until the end of the transaction."""
    query = select(ExceptionRow).where(ExceptionRow.exception_id == exception_id, _seen(seen_by))
    query = query.execution_options(populate_existing=True)
    return session.execute(query.with_for_update() if lock else query).scalar()


def shown(session: Session, rows: Sequence[ExceptionRow], seen_by: int | None) -> list[Found]:
    """Exceptions with the names of what they refer to."""
    stores = _stores(session, {row.store_key for row in rows})
    groups = _groups(session, {row.group_no for row in rows}, seen_by)
    people = _people(session, {number for row in rows for number in (row.account_no, row.undone_by)}, seen_by)
    return [
        Found(
            row,
            stores.get(row.store_key),
            groups.get(row.group_no),
            people.get(row.account_no),
            people.get(row.undone_by),
        )
        for row in rows
    ]


def _stores(session: Session, keys: set[int | None]) -> dict[int | None, str]:
    query = select(Store.store_key, Store.store_id).where(Store.store_key.in_(keys - {None}))
    return {row.store_key: row.store_id for row in session.execute(query)}


def _groups(session: Session, numbers: set[int | None], seen_by: int | None) -> dict[int | None, StoreGroup]:
    query = select(StoreGroup).where(StoreGroup.group_no.in_(numbers - {None}), _group_seen(seen_by))
    return {group.group_no: group for group in session.execute(query).scalars()}


def _people(session: Session, numbers: set[int | None], seen_by: int | None) -> dict[int | None, str]:
    query = select(Account.account_no, Account.email)
    query = query.where(Account.account_no.in_(numbers - {None}), seen_account(seen_by))
    return {row.account_no: row.email for row in session.execute(query)}


# --- writing --------------------------------------------------------------------------------------


def add(session: Session, rows: Sequence[dict[str, Any]]) -> list[ExceptionRow]:
    """Adds exceptions; returns them in the same order."""
    query = insert(ExceptionRow).returning(ExceptionRow, sort_by_parameter_order=True)
    return list(session.execute(query, list(rows)).scalars()) if rows else []


def undo(session: Session, exception_no: int, account_no: int | None) -> ExceptionRow:
    """Takes an exception back."""
    query = update(ExceptionRow).where(ExceptionRow.exception_no == exception_no)
    query = query.values(undone_at=func.now(), undone_by=account_no).execution_options(
        synchronize_session=False, populate_existing=True
    )
    return session.execute(query.returning(ExceptionRow)).scalar_one()


def one_import_at_a_time(session: Session) -> None:
    """Waits until nobody else compares a file with what there is, and keeps others waiting."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})


def in_force(session: Session) -> list[ExceptionRow]:
    """Every exception that is not undone."""
    return list(session.execute(select(ExceptionRow).where(ExceptionRow.undone_at.is_(None))).scalars())


# --- whom they concern ----------------------------------------------------------------------------


def held_store(session: Session, store_id: str, seen_by: int | None) -> int | None:
    """The key of a store that may be seen; it stays until the end of the transaction."""
    query = select(Store.store_key).where(Store.store_id == store_id, seen(Store.store_key, seen_by))
    return session.execute(query.with_for_update(of=Store, read=True, key_share=True)).scalar()


def held_group(session: Session, name_or_id: str, seen_by: int | None) -> StoreGroup | None:
    """A group that may be seen, by its id or else its name; it stays until the end of the transaction."""
    query = (
        select(StoreGroup)
        .where(_group_seen(seen_by))
        .with_for_update(of=StoreGroup, read=True, key_share=True)
    )
    group_id = _uuid(name_or_id)
    if group_id is not None:
        found = session.execute(query.where(StoreGroup.group_id == group_id)).scalar()
        if found is not None:
            return found
    return session.execute(query.where(StoreGroup.name == name_or_id)).scalar()


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def first_days(
    session: Session, store_key: int | None, group_no: int | None, default_zone: str
) -> list[tuple[str, int, int]]:
    """(zone, local day of the first poll counted from 1970, number of stores) of the polled stores that
    an exception of a store, of a group or (neither) of all concerns.
    """
    query = """
        SELECT zone, greatest(
                   (first_poll_at AT TIME ZONE clock)::date,
                   ((r.polls_from::timestamp AT TIME ZONE 'UTC' + interval '1 day') AT TIME ZONE clock
                       + interval '1 day' - interval '1 microsecond')::date) - date '1970-01-01' AS day,
               count(*)
        FROM (SELECT s.store_key, s.first_poll_at, coalesce(z.timezone_str, :default_zone) AS zone
              FROM store AS s LEFT JOIN store_timezone AS z USING (store_key)) AS s
        CROSS JOIN LATERAL (SELECT clock_zone(zone) AS clock) AS c
        CROSS JOIN retention AS r  -- days before are frozen
        WHERE first_poll_at IS NOT NULL
          AND (CAST(:store_key AS integer) IS NULL OR store_key = :store_key)
          AND (CAST(:group_no AS integer) IS NULL OR EXISTS (
              SELECT FROM group_store AS g WHERE g.store_key = s.store_key AND g.group_no = :group_no))
        GROUP BY 1, 2
    """
    values = {"store_key": store_key, "group_no": group_no, "default_zone": default_zone}
    return [(zone, day, count) for zone, day, count in session.execute(text(query), values)]


# --- sight ----------------------------------------------------------------------------------------


def _seen(seen_by: int | None) -> ColumnElement[bool]:
    if seen_by is None:
        return true()
    mine = Membership.account_no == seen_by
    any_store = exists(
        select(GroupStore.store_key).join(Membership, Membership.group_no == GroupStore.group_no).where(mine)
    )
    my_group = exists(select(Membership.group_no).where(Membership.group_no == ExceptionRow.group_no, mine))
    place = aliased(GroupStore)  # `seen` looks at the groups of stores itself
    of_a_store = exists(
        select(place.store_key).where(place.group_no == ExceptionRow.group_no, seen(place.store_key, seen_by))
    )
    of_all = and_(ExceptionRow.store_key.is_(None), ExceptionRow.group_no.is_(None), any_store)
    of_group = and_(ExceptionRow.group_no.is_not(None), or_(my_group, of_a_store))
    of_store = and_(ExceptionRow.store_key.is_not(None), seen(ExceptionRow.store_key, seen_by))
    return or_(of_all, of_group, of_store)


def _group_seen(seen_by: int | None) -> ColumnElement[bool]:
    if seen_by is None:
        return true()
    mine = select(Membership.group_no).where(
        Membership.group_no == StoreGroup.group_no, Membership.account_no == seen_by
    )
    return exists(mine)


def _conditions(which: Filter) -> list[ColumnElement[bool]]:
    row = ExceptionRow
    in_group = exists(
        select(GroupStore.store_key).where(
            GroupStore.group_no == row.group_no, GroupStore.store_key == which.store_key
        )
    )
    of_all = and_(row.store_key.is_(None), row.group_no.is_(None))
    in_own = row.group_no == which.group_no
    wanted = (
        (which.store_key, or_(row.store_key == which.store_key, in_group, of_all)),
        (which.group_no, or_(in_own, of_all) if which.or_all else in_own),
        (which.effect, row.effect == which.effect),
        (which.in_force, row.undone_at.is_(None) == which.in_force),
    )
    return [condition for asked, condition in wanted if asked is not None] + _within(which.start, which.end)


def _within(start: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    """What may lie in [start, end), on the clock of any zone."""
    row, found = ExceptionRow, []
    if end is not None:
        found.append(or_(row.start_at < end, row.start_local < end.replace(tzinfo=None) + _AHEAD))
    if start is not None:
        local = row.end_local > start.replace(tzinfo=None) - _BEHIND
        found.append(or_(row.end_at > start, row.rrule.is_not(None), local))
    return found
