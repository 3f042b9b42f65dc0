"""What commands share: the settings, the database, the clock, messages, progress."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import OperationalError

from storewatch import config, embedded
from storewatch.config import Settings
from storewatch.domain.clock import DAY, parse_duration, to_us
from storewatch.errors import SettingsError, StorewatchError
from storewatch.services.depot import Depot
from storewatch.services.depot import usual as usual_depot
from storewatch.services.watch_folder import WatchFolder
from storewatch.storage import db
from storewatch.storage.db import Database

screen = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress and messages go to standard error, results to standard output."""


def say(text: str) -> None:
    """Tells a person what is going on."""
    click.echo(f"storewatch: {text}", err=True)


def now_us() -> int:
    """The machine's clock."""
    return to_us(datetime.now(UTC))


def home(settings: Settings) -> Path:
    """Where our own PostgreSQL lives."""
    return settings.home_path or embedded.default_home()


def uploads(settings: Settings) -> Depot:
    """Where uploaded files are kept."""
    return usual_depot(settings.uploads, home(settings), settings.max_upload)


def watch_folder(settings: Settings) -> WatchFolder | None:
    """The folder whose files are taken in, ready for use; None: there is none."""
    if not settings.watch_folder:
        return None
    folder = WatchFolder(Path(settings.watch_folder).expanduser().resolve())
    if folder.path == uploads(settings).folder.resolve():
        raise SettingsError("STOREWATCH_WATCH_FOLDER and STOREWATCH_UPLOADS must be different folders")
    folder.prepare()
    return folder


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The URL of the given database, or of our own server, kept running for the length of the block."""
    if settings.database_url:
        yield settings.database_url
    else:
        with embedded.running(home(settings), say) as url:
            yield url


@contextmanager
def opened_database(settings: Settings | None = None) -> Iterator[Database]:
    """The database, with its schema in place. Trouble with the server becomes one plain sentence."""
    with database_url(settings or config.read()) as url:
        database = Database(url)
        try:
            db.prepare(database)
            yield database
        except (OperationalError, psycopg.OperationalError) as error:
            cause = getattr(error, "orig", error)
            raise StorewatchError(f"The database failed: {cause}. Nothing of this was stored.") from error
        finally:
            database.close()


def duration(variable: str, text: str) -> int:
    """Microseconds of a setting like 45m."""
    length = parse_duration(text)
    if not length:
        raise SettingsError(f"{variable} is '{text}': write it like 45m, 3h or 90d")
    return length


def keep_polls(text: str) -> int | None:
    """Microseconds of STOREWATCH_KEEP_POLLS; None: for good."""
    if not text:
        return None
    length = duration("STOREWATCH_KEEP_POLLS", text)
    if length < 10 * DAY:
        raise SettingsError("STOREWATCH_KEEP_POLLS must be 10d or more: the report of a week needs its polls")
    return length


def bytes_bar() -> Progress:
    """A bar over the bytes of a file, with rows a second beside it."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def percent_bar() -> Progress:
    """A bar over per cent."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeElapsedColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def parent_is_gone(parent: int) -> bool:
    """Whether the process that started us has died."""
    return os.getppid() != parent
