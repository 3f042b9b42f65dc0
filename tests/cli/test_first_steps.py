"""`storewatch` alone, as a person types it who does not know what to do."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from storewatch.storage.db import Database
from tests.acceptance.conftest import free_port, storewatch
from tests.factories import load_chicago

pytestmark = pytest.mark.slow


def steps(**environment: str) -> str:
    """What it says."""
    told = storewatch(environment=environment)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def test_where_nothing_is_it_offers_the_demo_and_makes_nothing(tmp_path: Path) -> None:
    told = steps(STOREWATCH_HOME=str(tmp_path / "home"), STOREWATCH_DATABASE_URL="")
    assert f"There is no data yet. ({tmp_path}/home)" in told
    assert "storewatch demo " in told
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_sleeps_is_left_asleep(tmp_path: Path) -> None:
    data = tmp_path / "postgres/data"
    data.mkdir(parents=True)
    told = steps(STOREWATCH_HOME=str(tmp_path), STOREWATCH_DATABASE_URL="")
    assert "it is not running" in told
    assert "storewatch report " in told
    assert list(data.iterdir()) == []


def test_with_data_it_leads_to_the_pages_and_a_report(database_url: str, database: Database) -> None:
    assert "There is no data yet." in steps(STOREWATCH_DATABASE_URL=database_url)
    load_chicago(database)
    told = steps(STOREWATCH_DATABASE_URL=database_url)
    assert "Data are loaded." in told
    assert "storewatch serve --no-login " in told
    assert "storewatch demo" not in told


def test_the_demo_counts_as_such(database_url: str, database: Database) -> None:
    load_chicago(database)
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute("UPDATE import SET source = 'demo'")
    assert "The demo's invented fleet is loaded." in steps(STOREWATCH_DATABASE_URL=database_url)


def test_a_database_without_tables_is_empty(server_url: str) -> None:
    assert "There is no data yet." in steps(STOREWATCH_DATABASE_URL=server_url)


def test_a_database_that_does_not_answer_is_said() -> None:
    told = steps(STOREWATCH_DATABASE_URL=f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none")
    assert "cannot be reached" in told
    assert "secret" not in told
