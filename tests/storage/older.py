"""A filled database of the newest schema, and the same as it would be in an old one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session

from storewatch.domain.clock import DAY
from storewatch.domain.permissions import COMMAND
from storewatch.services import history, reporting
from storewatch.services.importing import import_file
from storewatch.services.reporting import Request
from storewatch.services.simulating import simulate
from storewatch.storage import polls
from storewatch.storage.db import Database, raw

OLD = "0004"
"""The schema of the first copies that others have."""

TABLES = (
    "import", "store", "store_timezone", "hours_week", "menu_hours", "store_status_day", "store_day",
    "history_present",
)  # fmt: skip
END = 19_450 * DAY


def fill(database: Database, folder: Path) -> None:
    """Forty stores and two weeks of the newest schema, all of whose history is made."""
    files = simulate(folder, stores=40, days=14, seed=3, end_us=END, progress=lambda *_: None)
    for file in (files.store_timezone, files.menu_hours, files.store_status):
        with file.open("rb") as source:
            import_file(database, source, file.name, now_us=END)
    make_history(database)


def make_older(database: Database, full: Database) -> None:
    """Makes of a database the same as a full one, as it would be in the old schema."""
    with database.engine.begin() as connection:
        raw(connection).execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "storewatch.storage:migrations")
        command.upgrade(config, OLD)
    with full.session() as source, database.transaction() as target:
        raw(target).execute("DELETE FROM history_present")
        for day in polls.days(source):
            polls.make_day(target, day)
        for table in (*TABLES, *map(polls.partition_name, sorted(polls.days(source)))):
            copy(source, target, table)
        for table, column in (("import", "import_no"), ("store", "store_key"), ("hours_week", "week_no")):
            own = f"pg_get_serial_sequence('{table}', '{column}')"
            raw(target).execute(f"SELECT setval({own}, max({column})) FROM {table}")
        raw(target).execute("DELETE FROM history_due")  # by triggers: all of it is made


def copy(source: Session, target: Session, table: str) -> None:
    """The columns that the old schema has."""
    has = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY 1"
    names = ", ".join(name for (name,) in raw(target).execute(has, [table]))
    with (
        raw(source).cursor().copy(f"COPY {table} ({names}) TO STDOUT".encode()) as rows,
        raw(target).cursor().copy(f"COPY {table} ({names}) FROM STDIN".encode()) as into,
    ):
        for row in rows:
            into.write(row)


def make_history(database: Database) -> None:
    while history.update(database, Request()):
        pass


def told(database: Database) -> list[object]:
    """The rows of a report, how stores stand, and the days of all stores."""
    report = reporting.make_now(database, COMMAND, Request(), END, lambda _: None)
    with database.session() as session:
        rows = raw(session).execute(
            "SELECT store_key, up_seen_us, up_inferred_us, down_seen_us, down_inferred_us, unknown_us"
            " FROM store_report WHERE report_no = %s ORDER BY 1",
            [report.report_no],
        )
        queries = ("store_now ORDER BY store_key", "fleet_day ORDER BY group_no, day",
                   "store_period ORDER BY store_key, period, first_day")  # fmt: skip
        return [rows.fetchall(), *(raw(session).execute(f"SELECT * FROM {q}").fetchall() for q in queries)]
