"""Two of everything, started at the same moment."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

from storewatch.storage.db import Database
from tests.acceptance.conftest import free_port, serving, storewatch
from tests.acceptance.invariants import check, settle
from tests.acceptance.scripted_day import Observer
from tests.factories import CHICAGO_MONDAY
from tests.faults.suite import Fault
from tests.faults.town import Town, open_folder

ROWS = "SELECT count(*) FROM store_status"


def begun(environment: dict[str, str], *words: str, out: TextIO | None = None) -> subprocess.Popen[str]:
    """A command that runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "storewatch", *words],
        env=os.environ | environment,
        stdout=out or subprocess.PIPE,
        stderr=out or subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What it said, once it has ended well."""
    out, said = process.communicate(timeout=300)
    assert process.returncode == 0, out + said
    return out


def starts() -> float:
    """Two commands on a home that does not exist yet: two embedded PostgreSQLs, two schemas, two imports."""
    with open_folder() as folder:
        home = {"STOREWATCH_HOME": str(folder / "home"), "STOREWATCH_DATABASE_URL": ""}
        file = folder / "polls.csv"
        file.write_text(CHICAGO_MONDAY)
        began = time.monotonic()
        for process in [begun(home, "import", str(file)) for _ in range(2)]:
            ended(process)
        took = time.monotonic() - began
        with serving(home, folder):  # makes the history of it
            url = ended(begun(home, "db", "url")).strip()
            assert Observer(url).rows(ROWS) == [(2,)]
            looked_over(url)
    return took


def services() -> float:
    """Two `serve` on one home: two web processes, two workers; then one `serve` is killed."""
    with open_folder() as folder, contextlib.ExitStack() as stack:
        home = {
            "STOREWATCH_HOME": str(folder / "home"),
            "STOREWATCH_DATABASE_URL": "",
            "STOREWATCH_UPLOADS": str(folder / "uploads"),
        }
        stack.callback(storewatch, "db", "stop", "--force", environment=home)
        return _two_services(folder, home)


def _two_services(folder: Path, home: dict[str, str]) -> float:
    """Both answer and share the work; then one is killed. Seconds until all reports were made."""
    file = folder / "polls.csv"
    file.write_text(CHICAGO_MONDAY)
    with (folder / "first.log").open("w") as log:
        first = begun(home, "serve", "--port", str(free_port()), "--no-login", out=log)
        try:
            with serving(home, folder) as second:
                assert second.taken(second.upload(file))["status"] == "complete"
                reports = [second.trigger() for _ in range(6)]
                began = time.monotonic()
                first.kill()
                assert {second.complete(report)["status"] for report in reports} == {"Complete"}
                took = time.monotonic() - began
                looked_over(ended(begun(home, "db", "url")).strip())
                return took
        finally:
            first.kill()
            first.wait()


def imports(town: Town, dice: random.Random) -> None:
    """The same file by two commands at once, in a town."""
    path, polls = town.load.file("twice")
    with town.load.ledger.offered(polls):
        for process in [begun(town.load.environment, "import", str(path)) for _ in range(2)]:
            ended(process)


IMPORTS = Fault("two `storewatch import` of the same file at once", imports)


def looked_over(url: str) -> None:
    """It comes to rest, and nothing is wrong."""
    database = Database(url)
    try:
        settle(database)
        check(database)
    finally:
        database.close()
