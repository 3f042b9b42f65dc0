"""storewatch backup and restore."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import make_url

from storewatch import config, embedded
from storewatch.cli.common import database_url, home, now_us, say, screen, uploads
from storewatch.cli.report import counted
from storewatch.config import Settings
from storewatch.embedded.files import write_file
from storewatch.formats.backup_file import Origin
from storewatch.services import backups, reporting, restoring
from storewatch.services.backups import LastBackup, Places
from storewatch.storage.db import Database

_OF_THE_PLACE = (
    "STOREWATCH_DATABASE_URL",
    "STOREWATCH_HOME",
    "STOREWATCH_UPLOADS",
    "STOREWATCH_WATCH_FOLDER",
)
"""Settings that say where things lie; elsewhere they would be wrong."""


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for it; by default backups in the home.",
)
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="Remove older backups there, but for the newest N."
)
@click.option(
    "--programs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Start storewatch's own PostgreSQL by the programs in this folder: for data of an older version.",
)
def backup(folder: Path | None, keep: int | None, programs: Path | None) -> None:
    """Write one file with all that cannot be made again, and print where. The service may run meanwhile."""
    settings, began = config.read(), time.monotonic()
    with embedded.using(programs), database_url(settings) as url:
        made = made_now(settings, url, folder)
    say(f"backed up {made.bytes / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s")
    if keep:
        removed = backups.keep(made.path.parent, keep)
        say(f"{counted(len(removed), 'older backup')} removed, the newest {keep} kept")
    click.echo(made.path)


def made_now(settings: Settings, url: str, folder: Path | None = None) -> LastBackup:
    """A backup of the database, whatever its schema is."""
    places = Places(home(settings), folder or home(settings) / backups.FOLDER, uploads(settings))
    database = Database(url)
    try:
        with _bar() as begin:
            kept = {
                name: value for name, value in config.changed(settings).items() if name not in _OF_THE_PLACE
            }
            return backups.back_up(database, places, kept, datetime.now(UTC), begin("backing up", None))
    finally:
        database.close()


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="What is in the database goes; the backup takes its place.")
def restore(file: Path, replace: bool) -> None:
    """Bring a backup into this home, or the database of STOREWATCH_DATABASE_URL: all of it or nothing."""
    settings, began = config.read(), time.monotonic()
    usual = reporting.usual(settings.seen_within, settings.default_zone)
    with database_url(settings) as url, _bar() as begin:
        database = Database(url)
        target = restoring.Target(database, _name(settings), uploads(settings), replace)
        try:
            origin = restoring.restore(file, target, usual, now_us(), begin)
        finally:
            database.close()
    tables, rows = counted(len(origin.rows), "table"), counted(sum(origin.rows.values()), "row")
    say(f"{tables} with {rows} restored in {time.monotonic() - began:.1f} s, as of {origin.made_at[:19]}Z")
    _tell_settings(settings, origin, file)
    click.echo("Nothing that was due before is sent. Start the service as usual.")


def _name(settings: Settings) -> str:
    if settings.database_url:
        return f"The database {make_url(settings.database_url).render_as_string()}"
    return f"The home {home(settings)}"


def _tell_settings(settings: Settings, origin: Origin, file: Path) -> None:
    """Settings are the environment's: they can only be told, in a file that nobody else can read."""
    here = config.changed(settings)
    other = {name: value for name, value in origin.settings.items() if here.get(name) != value}
    if not other:
        return
    path = home(settings) / backups.FOLDER / f"settings-of-{file.stem}.env"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in other.items()), 0o600)
    say(f"settings were different when it was made: {', '.join(sorted(other))}. They are in {path}")


@contextmanager
def _bar() -> Iterator[restoring.Step]:
    """A line a step; on a terminal with the bytes that are done."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    ) as bar:

        def begin(words: str, total: int | None) -> Callable[[int], None]:
            if not screen.is_terminal:
                say(words)
            task = bar.add_task(words, total=total)
            return lambda done: bar.advance(task, done)

        yield begin
