"""A backup that is read in again: what was due before is not sent, by the real pg_dump and pg_restore."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from storewatch.domain.permissions import GroupRole
from storewatch.embedded.programs import find_programs
from storewatch.storage.db import Database
from tests.alerting import Town, minutes_ago, ways
from tests.backing_up import back_up, nothing_yet, restore
from tests.conftest import clone_of
from tests.post_office import PostOffice, post_office
from tests.scheduling import Clockwork, down_for, in_zone
from tests.web.service import Service


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as open_now:
        yield open_now


@pytest.fixture
def clock(database: Database) -> Clockwork:
    """Mia of Maple has a digest every day, and a worker has looked at the database."""
    service, clock = Service(database), Clockwork(database)
    down_for(database, "17", 60)
    in_zone(database, "UTC", "17")
    service.group("maple", "17")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    clock.make("mia@maple.example")
    clock.begin()
    return clock


def tool(name: str, url: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL on a database."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    program = find_programs().folder / name
    subprocess.run([str(program), *arguments, f"--dbname={plain}"], check=True, env=os.environ)


def due(clock: Clockwork) -> None:
    """The run of today was not begun, and an alert waits."""
    clock.write("UPDATE schedule SET next_run_at = now() - interval '1 hour' WHERE NOT usual")
    town = Town(clock.database)
    [(group,)] = clock.rows("SELECT group_no FROM store_group")
    town.tell(town.down("17", minutes_ago(30)), "begun", group, email="mia@maple.example")


def settled(clock: Clockwork, office: PostOffice) -> bool:
    """Whether nothing is sent, and all goes on with what is to come."""
    for _ in range(2):
        clock.work(ways(office))
    later = clock.rows("SELECT bool_and(next_run_at > now()) FROM schedule")
    return office.letters == [] and later == [(True,)]


@pytest.mark.parametrize("how", ["into another database", "into the same one", "by storewatch restore"])
def test_after_a_restore_nothing_that_was_due_before_is_sent(
    clock: Clockwork, office: PostOffice, server_url: str, template: str, tmp_path: Path, how: str
) -> None:
    due(clock)
    if how == "by storewatch restore":
        file = back_up(clock.database, tmp_path)
        with nothing_yet(server_url) as other:
            restore(file, other, tmp_path)
            assert settled(Clockwork(other), office)
        return
    tool("pg_dump", clock.database.url, "--format=custom", f"--file={tmp_path / 'dump'}")
    if how == "into the same one":
        restored(clock.database.url, tmp_path)
        assert settled(clock, office)
        assert clock.log() == [("dropped", "It waited when this was restored from a backup")]
        return
    with clone_of(server_url, template) as url:
        restored(url, tmp_path)
        other = Database(url)
        assert settled(Clockwork(other), office)
        other.close()
    clock.work(ways(office))  # the original, which was not restored
    assert len(office.letters) == 2


def restored(url: str, folder: Path) -> None:
    """Reads the dump into a database, in place of what is there."""
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    database.close()
    tool("pg_restore", url, "--no-owner", str(folder / "dump"))


def test_a_database_that_moved_nowhere_sends_what_is_due(clock: Clockwork, office: PostOffice) -> None:
    due(clock)
    clock.work(ways(office))
    assert sorted(letter["To"] for letter in office.letters) == ["mia@maple.example"] * 2


@pytest.mark.parametrize(("minutes", "sent"), [(0, 2), (30, 0)])
def test_a_standby_that_takes_over_goes_on_and_a_recovery_to_an_instant_begins_anew(
    clock: Clockwork, office: PostOffice, minutes: int, sent: int
) -> None:
    due(clock)
    clock.write(
        "UPDATE lived_in SET timeline = timeline - 1, looked_at = now() - make_interval(mins => :minutes)",
        minutes=minutes,
    )
    clock.work(ways(office))
    assert len(office.letters) == sent
