"""The schema: migrations and models agree, and the database itself refuses what makes no sense."""

from __future__ import annotations

from importlib import resources
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storewatch.storage import db, store_now, tables
from storewatch.storage.db import Database, raw


def is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    return kind != "table" or not (name or "").startswith(("procrastinate_", "store_status_2", "alembic_"))


def test_models_and_migrations_make_the_same_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        options: dict[str, Any] = {"include_object": is_ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, tables.Base.metadata)
    assert [one for one in differences if one[0] != "remove_table_comment"] == []


def test_every_table_and_view_says_what_it_is(database: Database) -> None:
    """For people in psql and pgAdmin: COMMENT ON in the newest `_comments.sql`."""
    silent = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
        AND obj_description(oid, 'pg_class') IS NULL AND relname !~ '^(procrastinate|alembic)_'"""
    with database.session() as session:
        assert raw(session).execute(silent).fetchall() == []


def test_head_is_the_newest_revision_and_a_new_database_has_it(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", "storewatch.storage:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == db.HEAD
    with database.session() as session:
        found = raw(session).execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(db.HEAD,)]


def test_a_schema_that_is_up_to_date_is_not_upgraded_again(database: Database) -> None:
    assert not db.upgrade(database)
    db.prepare(database)


def test_how_stores_stand_is_kept_when_each_figure_gets_a_column(database: Database) -> None:
    names = store_now.MEASURES
    lists = ", ".join(f"ARRAY[{number}, {number + 10}, {number + 20}]" for number in range(len(names)))
    with database.engine.begin() as connection:
        raw(connection).execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "storewatch.storage:migrations")
        command.upgrade(config, "0005")
        raw(connection).execute("INSERT INTO store (store_id) VALUES ('7')")
        raw(connection).execute(f"""
            INSERT INTO store_now (store_key, as_of, state, {", ".join(names)})
            SELECT store_key, '2023-01-25 18:13Z', 'down', {lists} FROM store""")
    assert db.upgrade(database)
    with database.session() as session:
        query = f"SELECT state, {', '.join(store_now.COLUMNS)} FROM store_now"
        (found,) = raw(session).execute(query).fetchall()
    assert found == ("down", *(number + more for more in (0, 10, 20) for number in range(9)))


def test_the_frozen_job_queue_is_the_installed_procrastinates() -> None:
    """A new procrastinate that changes its schema needs a revision here."""
    theirs = resources.files("procrastinate.sql").joinpath("schema.sql").read_text(encoding="utf-8")
    frozen = resources.files("storewatch.storage.migrations.sql").joinpath("procrastinate_3_10.sql")
    assert frozen.read_text(encoding="utf-8") == theirs


# --- What the database refuses --------------------------------------------------------------------

Values = dict[str, Any]

STORE: Values = {"store_id": "7"}
IMPORT: Values = {
    "kind": "store_status",
    "source": "cli",
    "file_name": "a.csv",
    "sha256": "0123456789abcdef" * 4,
    "size_bytes": 0,
    "started_at": "2023-01-25 18:13Z",
    "finished_at": "2023-01-25 18:13Z",
    "rows_read": 5,
    "rows_new": 1,
    "rows_corrected": 1,
    "rows_unchanged": 1,
    "rows_kept": 1,
    "rows_rejected": 1,
}
WEEK: Values = {"store_key": 1}
HOURS: Values = {"week_no": 1, "day": 0, "start_s": 32_400, "end_s": 61_200}
ZONE: Values = {"store_key": 1, "timezone_str": "UTC"}
POLL: Values = {"store_key": 1, "timestamp_utc": "2023-01-25 18:13Z", "active": True}
DAY: Values = {"day": "2023-01-25", "polls": 0, "newest": "2023-01-25 18:13Z"}
REJECT: Values = {"import_no": 1, "line": 2, "reason": "no", "row": "a,b"}
REPORT: Values = {
    "report_id": "00000000-0000-0000-0000-000000000001",
    "status": "queued",
    "policy": "nearest",
    "max_gap_us": 86_400_000_000,
    "seen_within_us": 2_700_000_000,
    "default_zone": "America/Chicago",
    "window_names": ["last_hour"],
    "window_us": [3_600_000_000],
    "storewatch_version": "1",
    "zone_data_version": "2026a",
}
COMPLETE: Values = REPORT | {
    "status": "complete",
    "finished_at": "2023-01-25 18:13Z",
    "as_of": "2023-01-25 18:13Z",
    "summary": "{}",
}
SHARE: Values = {
    "digest": b"0123456789abcdef" * 2,
    "store_key": 1,
    "label": "Lou",
    "first_day": "2023-01-01",
    "last_day": "2023-04-02",
    "created_at": "2023-01-25 18:13Z",
    "expires_at": "2023-04-25 18:13Z",
}
FAILED: Values = REPORT | {"status": "failed", "finished_at": "2023-01-25 18:13Z", "error": "why"}

ROWS: dict[str, list[Values]] = {
    "import": [IMPORT],
    "import_reject": [REJECT],
    "store": [STORE],
    "store_timezone": [ZONE],
    "hours_week": [WEEK],
    "menu_hours": [HOURS],
    "store_status": [POLL],
    "store_status_day": [DAY],
    "report": [REPORT, COMPLETE, FAILED],
    "share": [SHARE],
}


def insert(connection: psycopg.Connection[Any], table: str, values: Values) -> None:
    marks = ", ".join(["%s"] * len(values))
    statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
    connection.execute(statement.encode(), list(values.values()))


@pytest.fixture
def furnished(database: Database) -> Any:
    """A connection to a database with a store, an import, a week and a day's partition."""
    with database.session() as session:
        connection = raw(session)
        for table, values in (("store", STORE | {"store_id": "1"}), ("import", IMPORT), ("hours_week", WEEK)):
            insert(connection, table, values)
        connection.execute(
            "CREATE TABLE store_status_20230125 PARTITION OF store_status"
            " FOR VALUES FROM ('2023-01-25 00:00Z') TO ('2023-01-26 00:00Z')"
        )
        yield connection


@pytest.mark.parametrize(("table", "values"), [(t, v) for t, rows in ROWS.items() for v in rows])
def test_a_row_that_makes_sense_is_taken(furnished: Any, table: str, values: Values) -> None:
    if table == "hours_week":
        values = values | {"valid_from": "2023-01-01"}
    insert(furnished, table, values)


REFUSED: list[tuple[str, Values, Values]] = [
    ("store", STORE, {"store_id": ""}),
    ("store", STORE, {"store_id": "x" * 201}),
    ("store", STORE, {"store_id": None}),
    ("store", STORE, {"store_id": "1"}),  # there already
    ("import", IMPORT, {"kind": "menu"}),
    ("import", IMPORT, {"sha256": "0123"}),
    ("import", IMPORT, {"sha256": "0123456789ABCDEF" * 4}),
    ("import", IMPORT, {"size_bytes": -1}),
    ("import", IMPORT, {"rows_read": 6}),
    *(
        ("import", IMPORT, {f"rows_{name}": -1, "rows_read": 3})
        for name in ("new", "corrected", "unchanged", "kept", "rejected")
    ),
    ("import_reject", REJECT, {"import_no": 9}),
    ("import_reject", REJECT, {"reason": None}),
    ("store_timezone", ZONE, {"store_key": 9}),
    ("store_timezone", ZONE, {"timezone_str": None}),
    ("hours_week", WEEK, {"store_key": 9}),
    ("hours_week", WEEK, {}),  # one from that day on is there
    ("menu_hours", HOURS, {"week_no": 9}),
    ("menu_hours", HOURS, {"day": 7}),
    ("menu_hours", HOURS, {"day": -1}),
    ("menu_hours", HOURS, {"start_s": -1}),
    ("menu_hours", HOURS, {"start_s": 86_400}),
    ("menu_hours", HOURS, {"end_s": -1}),
    ("menu_hours", HOURS, {"end_s": 86_401}),
    ("menu_hours", HOURS, {"end_s": 32_400}),  # as the start
    ("store_status", POLL, {"timestamp_utc": "2023-01-26 00:00Z"}),  # a day without a partition
    ("store_status", POLL, {"active": None}),
    ("store_status", POLL, {"reason": "x" * 201}),
    ("store_status_day", DAY, {"polls": -1}),
    ("report", REPORT, {"status": "done"}),
    ("report", REPORT, {"progress": 101}),
    ("report", REPORT, {"progress": -1}),
    ("report", REPORT, {"policy": "next"}),
    ("report", REPORT, {"max_gap_us": 59_999_999}),
    ("report", REPORT, {"max_gap_us": 30 * 86_400_000_000 + 1}),
    ("report", REPORT, {"seen_within_us": 0}),
    ("report", REPORT, {"window_us": [1, 2]}),
    ("report", REPORT, {"error": "why"}),
    ("report", REPORT, {"finished_at": "2023-01-25 18:13Z"}),
    ("report", COMPLETE, {"finished_at": None}),
    ("report", COMPLETE, {"as_of": None}),
    ("report", COMPLETE, {"summary": None}),
    ("report", FAILED, {"error": None}),
    ("report", FAILED, {"finished_at": None}),
    ("share", SHARE, {"digest": b"short"}),
    ("share", SHARE, {"store_key": 9}),
    ("share", SHARE, {"account_no": 9}),
    ("share", SHARE, {"label": ""}),
    ("share", SHARE, {"last_day": "2023-04-03"}),
    ("share", SHARE, {"last_day": "2022-12-31"}),
    ("share", SHARE, {"expires_at": "2023-01-25 18:13Z"}),
    ("share", SHARE, {"expires_at": "2023-04-27 18:13Z"}),
    ("share", SHARE, {"first_used_at": "2023-01-25 18:13Z"}),
]


@pytest.mark.parametrize(
    ("table", "good", "bad"),
    REFUSED,
    ids=[f"{table} {str(bad)[:40]}" for table, _, bad in REFUSED],
)
def test_the_database_refuses(furnished: Any, table: str, good: Values, bad: Values) -> None:
    with pytest.raises((psycopg.IntegrityError, psycopg.DataError)):
        insert(furnished, table, good | bad)


def test_the_same_poll_or_hours_cannot_be_there_twice(furnished: Any) -> None:
    for table, values in (("store_status", POLL), ("menu_hours", HOURS)):
        insert(furnished, table, values)
        with pytest.raises(psycopg.errors.UniqueViolation), furnished.transaction():
            insert(furnished, table, values)


def test_what_belongs_to_a_store_or_an_import_goes_with_it(furnished: Any) -> None:
    for table, values in (("menu_hours", HOURS), ("store_timezone", ZONE), ("import_reject", REJECT)):
        insert(furnished, table, values)
    furnished.execute("DELETE FROM import")
    furnished.execute("DELETE FROM store")
    for table in ("hours_week", "menu_hours", "store_timezone", "import_reject"):
        assert furnished.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
