"""storewatch exception, by the real commands' code."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from storewatch.cli import cli
from storewatch.errors import UsageError
from storewatch.storage.db import Database
from tests.factories import load

FILE = """effect,store_id,group,start,end,rrule,hours,note
closed,*,,2026-12-25,2026-12-26,FREQ=YEARLY,,Christmas
other_hours,1,,2026-12-24,2026-12-25,,"10:00-14:00",Eve
closed,,,2026-12-25,2026-12-26,,,whose?
closed,nobody,,2026-12-25,2026-12-26,,,x
"""


@pytest.fixture(autouse=True)
def at_home(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREWATCH_DATABASE_URL", database_url)
    load(database, "store_id,status,timestamp_utc\n1,active,2023-01-01 12:00:00\n")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["exception", *words], catch_exceptions=False)


def test_one_is_added_listed_and_undone() -> None:
    when = ("--effect", "closed", "--from", "2026-12-25", "--to", "2026-12-26")
    made = run("add", *when, "--all", "--note", "Christmas").stdout.strip()
    assert run("list").stdout.startswith(f"{made}\tclosed\tall stores\t2026-12-25T00:00:00\t")
    assert run("undo", made).exit_code == 0
    assert run("list").stdout == ""
    assert "\tundone\tChristmas" in run("list", "--undone").stdout
    with pytest.raises(UsageError, match="--from: start 'soon'"):
        run("add", "--effect", "up", "--from", "soon", "--to", "later", "--all", "--note", "x")


def test_a_file_is_taken_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.csv"
    file.write_text(FILE)
    first, again = run("import", str(file)), run("import", str(file))
    assert (first.exit_code, "new 2 · unchanged 0 · rejected 2" in first.stdout) == (1, True)
    assert "new 0 · unchanged 2 · rejected 2" in again.stdout
    assert "line 4: nothing says for which stores" in first.stderr
    assert "line 5: There is no store 'nobody'" in first.stderr
