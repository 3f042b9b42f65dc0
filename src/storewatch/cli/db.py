"""storewatch db …"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from storewatch import config, embedded
from storewatch.cli.backup import made_now
from storewatch.cli.common import database_url, home, opened_database, percent_bar, say
from storewatch.cli.pgadmin import definition
from storewatch.config import Settings
from storewatch.domain.clock import to_us
from storewatch.errors import StorewatchError, UsageError
from storewatch.services import backups, packing, proof, reporting, schedule_runs
from storewatch.storage import db as storage
from storewatch.storage import verify as checks
from storewatch.storage.db import Database, plain_url


@click.group()
def db() -> None:
    """The database. Without STOREWATCH_DATABASE_URL it is storewatch's own PostgreSQL."""


def _own() -> Settings:
    settings = config.read()
    if settings.database_url:
        raise UsageError(
            "STOREWATCH_DATABASE_URL is set: that server is started and stopped by whoever runs it"
        )
    return settings


@db.command()
def start() -> None:
    """Start storewatch's own PostgreSQL and keep it up until `storewatch db stop`."""
    settings = _own()
    database = Database(embedded.start(home(settings), say))
    storage.prepare(database)
    database.close()
    click.echo(f"PostgreSQL is up: {embedded.tcp_url(home(settings))}")


@db.command()
@click.option("--force", is_flag=True, help="Also while other storewatch commands use it.")
def stop(force: bool) -> None:
    """Stop storewatch's own PostgreSQL."""
    stopped = embedded.stop(home(_own()), say, force=force)
    click.echo("PostgreSQL is stopped." if stopped else "PostgreSQL was not running.")


@db.command()
def url() -> None:
    """Print the address of the database, for psql, pgAdmin and other tools. It holds the password."""
    settings = config.read()
    if settings.database_url:
        click.echo(plain_url(settings.database_url))
    else:
        click.echo(embedded.tcp_url(home(settings)))


@db.command()
def pgadmin() -> None:
    """Print the database as a server definition, for pgAdmin's `load-servers`. It holds no password."""
    settings = config.read()
    if settings.database_url:
        told = definition(settings.database_url, None)
    else:
        place = home(settings)
        told = definition(embedded.tcp_url(place), embedded.passfile(place))
    click.echo(json.dumps(told, indent=2))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the database; what follows is handed to psql, as in `db psql -c '\\d'`."""
    settings = config.read()
    environment: dict[str, str] = {}
    with database_url(settings) as address:
        if settings.database_url:
            command = ["psql", plain_url(address)]
        else:
            command, environment = embedded.psql_command(home(settings))
        done = subprocess.run([*command, *arguments], env=os.environ | environment, check=False)
    sys.exit(done.returncode)


@db.command()
@click.option("--no-backup", is_flag=True, help="Make no backup first.")
def upgrade(no_backup: bool) -> None:
    """Bring the database's schema up to this version of storewatch; a backup is made before that."""
    settings = config.read()
    with database_url(settings) as address:
        database = Database(address)
        try:
            with storage.one_upgrade(database):
                kept = None if no_backup else _kept(settings, database)
                changed = storage.upgrade(database)
        finally:
            database.close()
    click.echo(f"The schema is at {storage.HEAD}" + ("." if changed else " already."))
    if kept:
        click.echo(
            "To go back: stop the service, install the storewatch that you had, and run\n"
            f"  storewatch restore --replace {shlex.quote(str(kept))}"
        )


def _kept(settings: Settings, database: Database) -> Path | None:
    """A backup, if there are data that an upgrade is going to change."""
    found = storage.schema_of(database)
    if found in (None, storage.HEAD) or not backups.holds_data(database):
        return None
    try:
        return made_now(settings, database.url).path
    except StorewatchError as error:
        raise StorewatchError(
            f"{error}. Nothing was upgraded: with --no-backup it is, without a way back"
        ) from error


@db.command()
def restored() -> None:
    """Say that the database came out of a backup, where it can't tell by itself: a folder that was copied
    back. Mails that waited in it are not sent, and schedules go on from now.
    """
    settings = config.read()
    usual = reporting.usual(settings.seen_within, settings.default_zone)
    with opened_database(settings) as database:
        schedule_runs.after_restore(database, usual, to_us(datetime.now(UTC)), sure=True)
    click.echo("Nothing that was due before is sent; schedules go on from now.")


@db.command()
def repack() -> None:
    """Drop the packs that polls are read from, and make them anew. It changes no figure."""
    with opened_database(config.read()) as database:
        made = packing.repack(database, datetime.now(UTC))
    click.echo("1 pack is made anew." if made == 1 else f"{made:,} packs are made anew.")


@db.command()
def verify() -> None:
    """Prove that nothing in the database contradicts itself. Exit code 1 if something does."""
    settings = config.read()
    usual = reporting.usual(settings.seen_within, settings.default_zone)
    with opened_database(settings) as database, percent_bar() as bar:
        with database.snapshot() as session:
            found = checks.verify(session)
        differing, packs = packing.verify(database)
        found.append(
            (f"packs hold the polls that are there ({packs:,} pack{'s' if packs != 1 else ''})", differing)
        )
        task = bar.add_task("history", total=None)
        proved = proof.verify(
            database, usual, lambda done, total: bar.update(task, completed=done, total=total)
        )
        frozen = f", {proved.frozen:,} frozen" if proved.frozen else ""
        compared = f"{proved.compared:,} days that are not due{frozen}"
        found.append((f"history equals the engine ({compared})", proved.wrong))
        stand = proof.verify_standing(database, usual)
        found.append((f"how stores stand equals the engine ({stand.compared:,} not due)", stand.wrong))
        groups = proof.verify_groups(database, usual)
        found.append((f"days of groups are the sums of stores' ({groups.compared:,} not due)", groups.wrong))
    for check, wrong in found:
        click.echo(f"{'ok   ' if not wrong else 'WRONG'} {check}" + (f": {wrong:,}" if wrong else ""))
    sys.exit(1 if any(wrong for _, wrong in found) else 0)
