"""Which stores somebody may see or change, as a condition in SQL. Every query about stores has one.

`seen_by` is the number of the account whose groups are the limit; None sees every store.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select, true
from sqlalchemy.orm import InstrumentedAttribute

from storewatch.storage.access_tables import GroupStore, Membership

SEEN = """
    (CAST(:seen_by AS integer) IS NULL OR EXISTS (
        SELECT FROM group_store AS gs JOIN membership AS m USING (group_no)
        WHERE gs.store_key = s.store_key AND m.account_no = :seen_by))
"""
"""For SQL text: whether store `s` may be seen; takes the parameter `seen_by`."""


def mine(seen_by: int | None) -> str:
    """The same where the stores of few are looked up: by the groups, not store by store."""
    if seen_by is None:
        return "true"
    return """s.store_key IN (
        SELECT gs.store_key FROM group_store AS gs JOIN membership AS m USING (group_no)
        WHERE m.account_no = :seen_by)"""


_Key = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]


def seen(store_key: _Key, seen_by: int | None) -> ColumnElement[bool]:
    """Whether a store may be seen."""
    return true() if seen_by is None else _in_groups(store_key, seen_by, ("manager", "viewer"))


def managed(store_key: _Key, seen_by: int | None) -> ColumnElement[bool]:
    """Whether a store may be changed: by the manager of one of its groups."""
    return true() if seen_by is None else _in_groups(store_key, seen_by, ("manager",))


def managed_by(store_key: _Key, account_no: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether a store may be changed by a member of the same query."""
    return _in_groups(store_key, account_no, ("manager",))


def _in_groups(
    store_key: _Key, account_no: int | InstrumentedAttribute[int], roles: tuple[str, ...]
) -> ColumnElement[bool]:
    return exists(
        select(GroupStore.store_key)
        .join(Membership, Membership.group_no == GroupStore.group_no)
        .where(
            GroupStore.store_key == store_key,
            Membership.account_no == account_no,
            Membership.role.in_(roles),
        )
    )
