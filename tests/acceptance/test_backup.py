"""storewatch backup, restore and db upgrade, as their user runs them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config

from storewatch import embedded
from storewatch.domain.permissions import COMMAND, Role
from storewatch.services import reporting
from storewatch.services.reporting import Request
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, serving, storewatch
from tests.backing_up import counts, nothing_yet, older_home, restore
from tests.factories import load_chicago
from tests.web.service import PASSWORD, Service

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/how-to/back-up.md"


def bash(lines: str, environment: dict[str, str], folder: Path) -> str:
    """What bash prints, with `storewatch` on the path; each line must do."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", lines],
        env=os.environ | environment | {"PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"
    return done.stdout


def blocks(title: str) -> Iterator[str]:
    """The commands under a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    yield from re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def report_id(database: Database) -> str:
    """That of a store."""
    load_chicago(database)
    report = reporting.make_now(database, COMMAND, Request(), 0, lambda _: None)
    return str(report.report_id)


def downloaded(port: int, report_id: str, secret: str) -> bytes:
    """The CSV of a report, by a token."""
    url, by = f"http://127.0.0.1:{port}/download/{report_id}", {"Authorization": f"Bearer {secret}"}
    return httpx.get(url, headers=by, timeout=PATIENCE).raise_for_status().content


def logged_in(port: int, password: str) -> int:
    """How a login is answered: 303 leads on."""
    form = {"email": "ada@example.com", "password": password}
    return httpx.post(f"http://127.0.0.1:{port}/login", data=form, timeout=PATIENCE).status_code


def test_a_restore_on_a_fresh_home_by_the_words_of_the_page(
    database: Database, report_id: str, environment: dict[str, str], own_home: dict[str, str], tmp_path: Path
) -> None:
    people = Service(database)
    ada = people.token("ada@example.com", Role.ADMIN)
    here = environment | {"STOREWATCH_HOME": str(tmp_path / "home"), "STOREWATCH_CURRENCY": "EUR"}
    [back_up] = blocks("Back up")
    file = Path(bash(back_up, here, tmp_path).splitlines()[-1])
    original = ada.get(f"/download/{report_id}").data
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(file, there / "storewatch-2026-11-27-031500.zip")
    before = counts(database)
    [restore_it] = blocks("Restore")
    assert PAGE.read_text(encoding="utf-8").count("```sh\n") == 2, "a block that nobody runs"
    assert "Start the service" in bash(restore_it, own_home | {"STOREWATCH_UPLOADS": ""}, there)
    with embedded.running(Path(own_home["STOREWATCH_HOME"]), print) as url, closing(Database(url)) as other:
        assert counts(other) == before | {"lived_in": 1}
    [settings] = (Path(own_home["STOREWATCH_HOME"]) / "backups").glob("settings-of-*.env")
    assert settings.read_text() == "STOREWATCH_CURRENCY=EUR\n"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    with serving(own_home, there, login=True) as service:
        assert downloaded(service.port, report_id, ada.secret) == original
        assert [logged_in(service.port, word) for word in (PASSWORD, "not that one")] == [303, 401]


def old(database: Database, schema: str) -> None:
    """Gives an empty database the schema of an earlier storewatch."""
    with database.engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "storewatch.storage:migrations")
        command.upgrade(config, schema)
        connection.exec_driver_sql("INSERT INTO store (store_id) VALUES ('cafe')")


def test_an_upgrade_backs_up_first_and_says_how_to_go_back(
    server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    home = environment | {"STOREWATCH_HOME": str(tmp_path / "home")}
    with nothing_yet(server_url) as database:
        old(database, "0012")
        database.close()
        here = home | {"STOREWATCH_DATABASE_URL": database.url}
        done = storewatch("db", "upgrade", environment=here)
        assert f"The schema is at {db.HEAD}.\nTo go back: stop the service" in done.stdout
        words = shlex.split(done.stdout.splitlines()[-1])
        assert words[:3] == ["storewatch", "restore", "--replace"]
        again = storewatch("db", "upgrade", environment=here)
        assert again.stdout == f"The schema is at {db.HEAD} already.\n"
        assert len([*(tmp_path / "home/backups").glob("*.zip")]) == 1
    with nothing_yet(server_url) as other:
        restore(Path(words[3]), other, tmp_path)  # and brings it to the newest schema
        assert (db.schema_of(other), counts(other)["store"]) == (db.HEAD, 1)


def test_an_upgrade_makes_no_backup_where_none_can_be_or_none_is_wanted(
    server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "home").touch()  # so that nothing can be written there
    home = environment | {"STOREWATCH_HOME": str(tmp_path / "home")}
    with nothing_yet(server_url) as database:
        old(database, "0012")
        here = home | {"STOREWATCH_DATABASE_URL": database.url}
        done = storewatch("db", "upgrade", environment=here)
        assert (done.returncode, "Nothing was upgraded" in done.stderr) == (2, True)
        assert db.schema_of(database) == "0012"
        assert storewatch("db", "upgrade", "--no-backup", environment=here).returncode == 0
        assert db.schema_of(database) == db.HEAD


def test_data_of_another_major_are_moved_by_the_commands_of_the_refusal(tmp_path: Path) -> None:
    with older_home() as home:
        with embedded.running(home, print) as url:
            older = Database(url)
            db.prepare(older)
            load_chicago(older)
            before = counts(older)
            older.close()
        here = {"STOREWATCH_HOME": str(home), "STOREWATCH_DATABASE_URL": ""}
        refused = storewatch("db", "verify", environment=here)
        assert (refused.returncode, "Nothing was changed" in refused.stderr) == (2, True)
        steps = re.findall(r"^  (.*)$", refused.stderr, re.MULTILINE)
        assert len(steps) == 3
        file = bash(steps[0], here, tmp_path).strip()
        bash("\n".join(steps[1:]).replace("FILE", file), here, tmp_path)
        with embedded.using(None), embedded.running(home, print) as url:
            newer = Database(url)
            assert counts(newer) == before | {"lived_in": 1}
            newer.close()
