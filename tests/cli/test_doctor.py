"""storewatch doctor, as a person and a program run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from storewatch.storage.db import Database
from tests.acceptance.conftest import storewatch


@pytest.mark.slow
def test_the_doctor_says_what_is_bad_and_what_to_do(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    environment = {"STOREWATCH_DATABASE_URL": database_url, "STOREWATCH_HOME": str(tmp_path)}
    told = storewatch("doctor", environment=environment)
    assert (told.returncode, "bad   queue: no worker is at work" in told.stdout) == (1, True), told
    assert "-> start `storewatch serve`" in told.stdout
    with database.transaction() as session:
        session.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() + interval '1 h')")
        )
    well = storewatch("doctor", "--json", environment=environment)
    found = json.loads(well.stdout)
    assert (well.returncode, found["state"]) == (0, "warn"), well
    assert {"about": "backup", "state": "warn"}.items() <= found["findings"][5].items()


@pytest.mark.slow
def test_the_doctor_changes_nothing_where_there_is_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told = storewatch("doctor", environment={"STOREWATCH_DATABASE_URL": "", "STOREWATCH_HOME": str(home)})
    assert (told.returncode, f"there is none in {home} yet" in told.stdout) == (0, True), told
    assert not home.exists()
