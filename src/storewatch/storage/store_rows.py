"""Taking in what many rows say of stores: of a file of stores, or of a request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from storewatch.storage.db import raw

FIELDS = ("name", "location", "platform", "storefront_url", "manage_url", "revenue_per_week")
"""The columns of `store` that a row may set; `groups` beside them."""

_COLUMNS = ("store_key", "is_new", "given", *FIELDS, "groups")


def begin(session: Session) -> None:
    """Makes room for rows."""
    raw(session).execute("""
        CREATE TEMP TABLE incoming_store (
            store_key int PRIMARY KEY, times int NOT NULL DEFAULT 1, is_new boolean, given text[],
            name text, location text, platform text, storefront_url text, manage_url text,
            revenue_per_week numeric(12, 2), groups text[]
        ) ON COMMIT DROP
    """)


def add(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """Adds rows in order: of a store that comes again, what is given later stands.

    A row has store_key, is_new, `given` (the names of the fields that it sets) and those fields; `groups`
    is a list of names.
    """
    values = ", ".join(f"%({column})s" for column in _COLUMNS)
    later = ", ".join(
        f"{field} = CASE WHEN '{field}' = ANY(excluded.given) THEN excluded.{field} ELSE old.{field} END"
        for field in (*FIELDS, "groups")
    )
    empty = dict.fromkeys((*FIELDS, "groups"))
    statement = f"""
        INSERT INTO incoming_store AS old ({", ".join(_COLUMNS)}) VALUES ({values})
        ON CONFLICT (store_key) DO UPDATE SET times = old.times + 1, given = old.given || excluded.given,
        {later}
    """
    with raw(session).cursor() as cursor:
        cursor.executemany(statement, [empty | row for row in rows])


def take(session: Session) -> tuple[dict[str, int], dict[int, list[int]]]:
    """Sets what was given. Counts rows: new, corrected, unchanged; a row that a later one of its store
    overrode is unchanged. And tells the stores (keys) that left or joined groups, by group number.
    """
    connection = raw(session)
    connection.execute(_MAKE_GROUPS)
    connection.execute(_COMPARE)
    counts = connection.execute(_COUNT).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    connection.execute(_SET)
    moved: dict[int, list[int]] = {}
    for statement in (_LEAVE_GROUPS, _JOIN_GROUPS):
        for group_no, store_key in connection.execute(statement).fetchall():
            moved.setdefault(group_no, []).append(store_key)
    return dict(zip(("new", "corrected", "unchanged"), counts, strict=True)), moved


_MAKE_GROUPS = """
    INSERT INTO store_group (group_id, name)
    SELECT gen_random_uuid(), name FROM (SELECT DISTINCT unnest(groups) AS name FROM incoming_store) AS n
    ORDER BY name ON CONFLICT DO NOTHING
"""
_DIFFERS = " OR ".join(
    f"'{field}' = ANY(i.given) AND i.{field} IS DISTINCT FROM s.{field}" for field in FIELDS
)
_COMPARE = f"""
    CREATE TEMP TABLE store_change ON COMMIT DROP AS
    SELECT i.store_key, i.is_new, i.times, {_DIFFERS} AS differs,
           'groups' = ANY(i.given) AND ARRAY(SELECT unnest(i.groups) COLLATE "C" ORDER BY 1)
               IS DISTINCT FROM ARRAY(
                   SELECT g.name FROM group_store AS gs JOIN store_group AS g USING (group_no)
                   WHERE gs.store_key = i.store_key ORDER BY 1) AS moves
    FROM incoming_store AS i JOIN store AS s USING (store_key)
"""
_COUNT = """
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new AND (differs OR moves)),
           coalesce(sum(times), 0)::bigint - count(*) FILTER (WHERE is_new OR differs OR moves)
    FROM store_change
"""
_NEW_VALUES = ", ".join(
    f"{field} = CASE WHEN '{field}' = ANY(i.given) THEN i.{field} ELSE s.{field} END" for field in FIELDS
)
_SET = f"""
    UPDATE store AS s SET {_NEW_VALUES} FROM incoming_store AS i JOIN store_change AS c USING (store_key)
    WHERE s.store_key = i.store_key AND c.differs
"""
_LEAVE_GROUPS = """
    DELETE FROM group_store AS gs USING store_group AS g, incoming_store AS i, store_change AS c
    WHERE g.group_no = gs.group_no AND i.store_key = gs.store_key AND c.store_key = gs.store_key
      AND c.moves AND g.name <> ALL(i.groups)
    RETURNING gs.group_no, gs.store_key
"""
_JOIN_GROUPS = """
    INSERT INTO group_store (group_no, store_key)
    SELECT g.group_no, i.store_key
    FROM incoming_store AS i JOIN store_change AS c USING (store_key)
    JOIN store_group AS g ON g.name = ANY(i.groups)
    WHERE c.moves ON CONFLICT DO NOTHING RETURNING group_no, store_key
"""
