"""Databases that earlier versions of storewatch made become new ones while somebody reads them.

`old/NNNN.sql` is what pg_dump said of one: its rows. `old/report.csv` is what that version made of them.
"""

from __future__ import annotations

import re
import threading
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from storewatch.domain.permissions import COMMAND
from storewatch.services import history, proof, reporting, reports
from storewatch.services.reporting import Request
from storewatch.storage import db, polls
from storewatch.storage.db import Database, raw
from tests.backing_up import nothing_yet

OLD = Path(__file__).parent / "old"
EPOCH = date(1970, 1, 1)


def as_it_was(database: Database, schema: str) -> None:
    """Makes the schema and fills it; triggers would write what is in the file too."""
    rows = (OLD / f"{schema}.sql").read_text(encoding="utf-8")
    days = {date.fromisoformat(day) for day in re.findall(r"'(2023-01-\d\d) \S+', (?:true|false)", rows)}
    with database.engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "storewatch.storage:migrations")
        command.upgrade(config, schema)
    with database.transaction() as session:
        for day in days:
            polls.make_day(session, (day - EPOCH).days)
        tables = [name for (name,) in raw(session).execute(TABLES)]
        for turn in ("DISABLE", "ENABLE"):
            for table in tables:
                raw(session).execute(f"ALTER TABLE {table} {turn} TRIGGER USER".encode())
            if turn == "DISABLE":
                raw(session).execute(f"TRUNCATE {', '.join(tables)}".encode())
                raw(session).execute(rows.encode())


TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
    "AND NOT relispartition AND relname NOT LIKE 'procrastinate%' AND relname <> 'alembic_version'"
)


@pytest.mark.parametrize("schema", ["0001", "0012"])
def test_an_earlier_version_s_database_says_the_same_after_the_upgrade(server_url: str, schema: str) -> None:
    with nothing_yet(server_url) as database:
        as_it_was(database, schema)
        seen: list[int] = []
        ended = threading.Event()

        def read() -> None:
            while not ended.is_set():
                with database.session() as session:
                    seen.append(len(raw(session).execute("SELECT FROM store_status").fetchall()))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            while not seen:
                pass
            assert db.upgrade(database)
        finally:
            ended.set()
            reader.join()
        assert {*seen} == {138}
        while history.update(database, Request()):
            pass
        assert proof.verify(database, Request()).wrong == 0
        made = reporting.make_now(database, COMMAND, Request(), 0, lambda _: None)
        assert b"".join(reports.file(database, COMMAND, made, "csv")) == (OLD / "report.csv").read_bytes()
