"""storewatch availability and service-level, as they are typed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from storewatch.cli import cli
from storewatch.config import Settings
from storewatch.errors import UsageError
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.factories import load, load_chicago

LATER = "store_id,status,timestamp_utc\n1,active,2023-01-24 18:00:00\n"


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("STOREWATCH_DATABASE_URL", database_url)

    def typed(*words: str) -> str:
        done = CliRunner().invoke(cli, words)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return typed


def test_a_command_tells_the_figures_of_the_api(run: Any, database: Database, tmp_path: Path) -> None:
    load_chicago(database)
    load(database, LATER)
    days = ("--from", "2023-01-23", "--to", "2023-01-24", "--by", "month", "--csv", str(tmp_path / "a.csv"))
    printed = run("availability", "--store", "1", *days)
    assert "58.05%" in printed
    client = create_app(Settings(), database, Edge(login=False, limits=False)).test_client()
    answer = client.get("/api/v1/history?store_id=1&first_day=2023-01-23&last_day=2023-01-24&by=month").json
    assert answer is not None
    [told], [row] = answer["items"], list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    names = ["open_seconds", "up_seconds", "down_seconds", "availability", "coverage", "outages", "lost"]
    names += ["down_min_seconds", "down_max_seconds"]
    assert {name: float(row[name]) for name in names} == {name: told[name] for name in names}


def test_a_service_level_is_added_listed_told_and_removed(run: Any, database: Database) -> None:
    load_chicago(database)
    level_id = run("service-level", "add", "three quarters", "--target", "75", "--period", "week").split()[-1]
    assert "three quarters\tall\t75% a week" in run("service-level", "list")
    last = run("service-level", "status", level_id, "--periods", "1").splitlines()[-1]
    assert last.split() == ["2023-01-23", "met", "45.0", "30.5", "14.5", "78.51%"]
    run("service-level", "remove", level_id)
    assert run("service-level", "list") == ""


@pytest.mark.parametrize(
    "words",
    [
        ("availability", "--from", "today"),
        ("availability", "--store", "1", "--all"),
        ("service-level", "add", "x", "--target", "most"),
        ("service-level", "add", "x", "--target", "101"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Any, database: Database, words: tuple[str, ...]) -> None:
    load_chicago(database)
    with pytest.raises(UsageError):
        run(*words)
