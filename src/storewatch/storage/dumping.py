"""What a backup and a restore ask of a database, and the SQL that a restore is wrapped in."""

from __future__ import annotations

from uuid import UUID

from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.storage.db import SCHEMA_LOCK, Database, raw

SCHEMA = "public"

MADE_AGAIN = ("poll_pack",)
"""Tables whose rows the worker makes again out of others."""


def lock_and_count(session: Session) -> dict[str, int]:
    """The rows of each table; none of them can be dropped while the session's transaction lives."""
    names = _tables(session)
    connection = raw(session)
    if names:
        listed = SQL(", ").join(Identifier(SCHEMA, name) for name in names)
        connection.execute(SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(listed))
    return {name: _count(session, name) for name in names if name not in MADE_AGAIN}


def _tables(session: Session) -> list[str]:
    """Tables of ours; partitions belong to theirs."""
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition ORDER BY 1"
    )
    return [name for (name,) in raw(session).execute(query, [SCHEMA])]


def _count(session: Session, table: str) -> int:
    found = raw(session).execute(SQL("SELECT count(*) FROM {}").format(Identifier(SCHEMA, table))).fetchone()
    assert found is not None  # noqa: S101 - a count is one row
    return int(found[0])


def waiting_uploads(session: Session) -> list[UUID]:
    """Uploads whose files are still needed; works on every schema."""
    if "upload" not in _tables(session):
        return []
    query = "SELECT upload_id FROM upload WHERE status IN ('queued', 'running') ORDER BY 1"
    return [upload_id for (upload_id,) in raw(session).execute(query)]


_TELLING = {"store": "stores", "account": "people", "import": "imports", "report": "reports"}


def holdings(session: Session) -> dict[str, int]:
    """How many stores, people, imports and reports there are, of what there is any."""
    known = _tables(session)
    counts = {word: _count(session, table) for table, word in _TELLING.items() if table in known}
    return {word: count for word, count in counts.items() if count}


def is_foreign(session: Session) -> bool:
    """Whether there are tables, and not storewatch's."""
    tables = _tables(session)
    return bool(tables) and not {"alembic_version", "store"} <= {*tables}


def others(session: Session) -> list[str]:
    """What else is connected to this database, by the name that it gives itself."""
    query = (
        "SELECT coalesce(nullif(application_name, ''), 'storewatch or another program') "
        "FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return [name for (name,) in session.execute(text(query))]


_DROP_ALL = f"""
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('DROP %s IF EXISTS {SCHEMA}.%s CASCADE', kind, name)
        FROM (
            SELECT oid, quote_ident(relname) AS name, CASE relkind WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
            FROM pg_class
            WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
                AND NOT relispartition
            UNION ALL
            SELECT oid, format('%I(%s)', proname, pg_get_function_identity_arguments(oid)), 'ROUTINE'
            FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace
            UNION ALL
            SELECT t.oid, quote_ident(typname), 'TYPE'
            FROM pg_type AS t LEFT JOIN pg_class AS c ON c.oid = typrelid
            WHERE typnamespace = '{SCHEMA}'::regnamespace AND (typtype IN ('e', 'd') OR relkind = 'c')
        ) AS found
        WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = found.oid AND deptype = 'e')
        ORDER BY array_position('{{VIEW,MATERIALIZED VIEW,TABLE,SEQUENCE,ROUTINE,TYPE}}'::text[], kind)
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;
"""
"""All but what belongs to an extension; a sequence of a table has gone with it."""


def before() -> str:
    """Begins the transaction of a restore: whoever wants the schema waits, and what is there goes."""
    return (
        "BEGIN;\nSET LOCAL client_min_messages = warning;\nSET LOCAL lock_timeout = '60s';\n"
        f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK});\n{_DROP_ALL}"
    )


def after(rows: dict[str, int]) -> str:
    """Ends it: commits if each table has the rows that it had."""
    counts = "\n".join(_counted(table, count) for table, count in rows.items())
    return f"\nDO $$\nDECLARE found bigint;\nBEGIN\n{counts}\nEND $$;\nCOMMIT;\n"


def _counted(table: str, count: int) -> str:
    return (
        SQL(
            "SELECT count(*) INTO found FROM {};\n"
            "IF found <> {} THEN RAISE EXCEPTION 'table %: % rows instead of %', {}, found, {}; END IF;"
        )
        .format(Identifier(SCHEMA, table), Literal(count), Literal(table), Literal(count))
        .as_string()
    )


def analyze(database: Database) -> None:
    """Has PostgreSQL look at all tables now, which it would else plan for as if they were empty."""
    with database.session() as session:
        names = SQL(", ").join(Identifier(SCHEMA, name) for name in _tables(session))
        raw(session).execute(SQL("ANALYZE {}").format(names))
