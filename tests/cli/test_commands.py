"""Commands as people type them: processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests.acceptance.conftest import storewatch
from tests.factories import load, load_chicago

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """The environment of a command that works on this test's database."""
    return {"STOREWATCH_DATABASE_URL": database_url}


def test_report_writes_the_file_and_tells_the_fleet(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    output = tmp_path / "r.csv"
    words = ("report", "--output", str(output), "--as-of", "2023-01-23T12:00-06:00", "--policy", "previous")
    result = storewatch(*words, "--max-gap", "3h", environment=environment)
    assert result.returncode == 0, result.stderr
    assert output.read_text().splitlines()[1] == "1,15.00,2.25,2.25,45.00,0.75,0.75"
    assert (
        "1 store, as of 2023-01-23T18:00:00Z (previous poll, which speaks for 3 h at most)" in result.stdout
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--as-of", "noon"), "--as-of 'noon' is not a time"),
        (("--as-of", "2999-01-01"), "in the future"),
        (("--max-gap", "1y"), "is not a duration"),
        (("--max-gap", "1s"), "between 1 minute and 30 days"),
    ],
)
def test_report_complains_plainly(
    environment: dict[str, str], database: Database, tmp_path: Path, words: tuple[str, str], complaint: str
) -> None:
    load_chicago(database)
    result = storewatch("report", "--output", str(tmp_path / "r.csv"), *words, environment=environment)
    assert (result.returncode, complaint in result.stderr) == (2, True), result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "words", "starts"),
    [
        ("r.csv", (), b"store_id,uptime_last_hour,"),
        ("r.csv", ("--extended",), b"store_id,name,location,hours_given,zone_given,open_seconds_last_hour,"),
        ("r.XLSX", ("--extended",), b"PK"),
        ("r.parquet", (), b"PAR1"),
        ("r.json", ("--extended",), b'{"report_id": "'),
        ("r.txt", (), b"store_id,uptime_last_hour,"),
        ("r.txt", ("--format", "json"), b'{"report_id": "'),
    ],
)
def test_report_writes_what_the_name_says(
    environment: dict[str, str],
    database: Database,
    tmp_path: Path,
    name: str,
    words: tuple[str],
    starts: bytes,
) -> None:
    load_chicago(database)
    result = storewatch("report", "--output", str(tmp_path / name), *words, environment=environment)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / name).read_bytes().startswith(starts)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_report_on_some_stores_and_groups(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    load(
        database,
        "store_id,status,timestamp_utc\n2,active,2023-01-23 16:00:00\n3,active,2023-01-23 16:00:00\n",
    )
    load(database, "store_id,groups\n2,Maple St\n")
    output = tmp_path / "r.csv"
    words = ("report", "--output", str(output), "--store", "3", "--group", "Maple St")
    assert storewatch(*words, environment=environment).returncode == 0
    assert [line.split(",")[0] for line in output.read_text().splitlines()[1:]] == ["2", "3"]
    for wrong in (("--store", "9"), ("--group", "Elm St")):
        result = storewatch("report", "--output", str(output), *wrong, environment=environment)
        assert (result.returncode, wrong[1] in result.stderr) == (2, True)


def test_report_without_polls_says_what_to_do(environment: dict[str, str], tmp_path: Path) -> None:
    result = storewatch("report", "--output", str(tmp_path / "r.csv"), environment=environment)
    assert (result.returncode, "import store_status first" in result.stderr) == (2, True)


def test_report_into_a_folder_that_is_not_there(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    result = storewatch("report", "--output", str(tmp_path / "no/r.csv"), environment=environment)
    assert (result.returncode, "cannot be written" in result.stderr) == (2, True)


def test_the_demo_twice_then_own_data_then_not_again(environment: dict[str, str], tmp_path: Path) -> None:
    small = ("demo", "--stores", "60", "--days", "2", "--output", str(tmp_path / "out"))
    first = storewatch(*small, environment=environment)
    assert first.returncode == 0, first.stderr
    assert "curl -X POST http://127.0.0.1:8000/trigger_report" in first.stdout
    second = storewatch(*small, environment=environment)
    assert (second.returncode, "earlier fleet was removed" in second.stdout) == (0, True), second.stderr
    own = storewatch(*small, "--data", str(tmp_path / "out"), environment=environment)
    assert own.returncode == 0, own.stderr
    reports = sorted((tmp_path / "out").glob("*-*-*.csv"))
    assert len(reports) == 3
    assert len(reports[0].read_text().splitlines()) == 61
    mixed = storewatch(*small, environment=environment)
    assert (mixed.returncode, "data of your own" in mixed.stderr) == (2, True)


def test_simulate_is_repeatable(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("a", "b"):
        words = ("simulate", "--stores", "5", "--days", "1", "--end", "2024-05-01T12:00", "--output")
        assert storewatch(*words, str(tmp_path / name), environment=environment).returncode == 0
    for file in ("store_status.csv", "menu_hours.csv", "store_timezone.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_simulate_names_what_makes_no_sense(environment: dict[str, str], tmp_path: Path) -> None:
    result = storewatch(
        "simulate", "--stores", "0", "--days", "1", "--output", str(tmp_path), environment=environment
    )
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)


def test_settings_shows_no_secret_and_checks_values(environment: dict[str, str]) -> None:
    shown = storewatch("settings", environment=environment)
    assert shown.returncode == 0
    assert "STOREWATCH_DATABASE_URL=(set)" in shown.stdout
    for name, value in (("STOREWATCH_DEFAULT_ZONE", "Mars/Base"), ("STOREWATCH_WEBHOOK_NETWORKS", "home")):
        wrong = storewatch("settings", environment=environment | {name: value})
        assert (wrong.returncode, f"{name} is '{value}'" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("mysql://u@h/d", "works with PostgreSQL only"),
        ("not a url", "is not a URL"),
        ("postgresql://u@127.0.0.1:1/d", "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_plainly(url: str, complaint: str) -> None:
    result = storewatch("db", "verify", environment={"STOREWATCH_DATABASE_URL": url})
    assert (result.returncode, complaint in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_every_usual_form_of_the_url_is_understood(database_url: str, scheme: str) -> None:
    url = scheme + database_url[database_url.index(":") :]
    assert storewatch("db", "verify", environment={"STOREWATCH_DATABASE_URL": url}).returncode == 0


def test_a_database_with_an_older_schema_asks_for_the_upgrade(
    environment: dict[str, str], database: Database
) -> None:
    from sqlalchemy import text

    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    result = storewatch("db", "verify", environment=environment)
    assert (result.returncode, "storewatch db upgrade" in result.stderr) == (2, True)


def test_packs_that_differ_from_the_polls_are_found_and_made_anew(
    environment: dict[str, str], database: Database
) -> None:
    from sqlalchemy import text

    load_chicago(database)
    assert storewatch("db", "repack", environment=environment).stdout == "1 pack is made anew.\n"
    with database.transaction() as session:
        session.execute(text("UPDATE store_status_20230123 SET active = NOT active"))
    found = storewatch("db", "verify", environment=environment)
    assert (found.returncode, "WRONG packs hold the polls that are there (1 pack): 1" in found.stdout) == (
        1,
        True,
    )
    assert storewatch("db", "repack", environment=environment).returncode == 0
    found = storewatch("db", "verify", environment=environment)
    assert "ok    packs hold the polls that are there (1 pack)\n" in found.stdout
