"""`storewatch` alone: what to do next, by what there is. It starts no database and makes no folder."""

from __future__ import annotations

from pathlib import Path

import click

from storewatch import config, embedded
from storewatch.config import Settings

_PATIENCE_S = "3"

_TRY = ("storewatch demo", "in a minute: an invented fleet, loaded and reported on")
_IMPORT = (
    "storewatch import FILE...",
    "your own files: time zones, opening hours, then polls",
)
_PAGES = ("storewatch serve --no-login", "the pages and the API for you alone, at http://127.0.0.1:8000")
_REPORT = ("storewatch report --output report.csv", "how much each store was up and down")
_PEOPLE = ("storewatch serve", "the same for others: it prints a link to become the administrator")
_OWN_HOME = ("STOREWATCH_HOME=DIR storewatch import FILE...", "your own files, in a home beside the demo's")
_ALL = ("storewatch --help", "all commands; storewatch COMMAND --help explains one")

_STEPS = {
    "nothing": ("There is no data yet.", (_TRY, _IMPORT, _PAGES)),
    "demo": ("The demo's invented fleet is loaded.", (_PAGES, _REPORT, _OWN_HOME)),
    "data": ("Data are loaded.", (_PAGES, _REPORT, _PEOPLE)),
    "asleep": (
        "A database is here; it is not running, and each command starts it.",
        (_PAGES, _REPORT, _IMPORT),
    ),
    "closed": (
        "The database cannot be reached just now.",
        (("storewatch settings", "what is set, and what it means"),),
    ),
}


def show() -> None:
    """Prints three or so steps that lead on from where things stand."""
    settings = config.read()
    title, steps = _STEPS[_standing(settings)]
    where = "STOREWATCH_DATABASE_URL" if settings.database_url else _home(settings)
    click.echo(
        f"storewatch: how much was each store up or down during its opening hours?\n\n{title} ({where})\n"
    )
    width = max(len(command) for command, _ in (*steps, _ALL))
    for command, words in (*steps, _ALL):
        click.echo(f"  {command.ljust(width)}  {words}")


def _standing(settings: Settings) -> str:
    """Which of the steps fit."""
    if settings.database_url:
        return _holds(settings.database_url) or "closed"
    place = _home(settings)
    if not _made(place):
        return "nothing"
    from storewatch.errors import EmbeddedServerError

    try:
        return _holds(embedded.tcp_url(place)) or "asleep"
    except EmbeddedServerError:
        return "asleep"


def _home(settings: Settings) -> Path:
    return settings.home_path or embedded.default_home()


def _made(place: Path) -> bool:
    try:
        return (place / "postgres" / "data").exists()
    except PermissionError:
        return True  # it is somebody else's, and something is in it


def _holds(url: str) -> str | None:
    """What a database holds; None if it does not answer."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import DBAPIError, ProgrammingError

    from storewatch.services import clearing
    from storewatch.storage.db import Database, normalised_url

    patient = make_url(normalised_url(url)).update_query_dict({"connect_timeout": _PATIENCE_S})
    database = Database(patient.render_as_string(hide_password=False))
    try:
        return clearing.kind_of_data(database)
    except ProgrammingError:
        return "nothing"  # it has no tables yet
    except DBAPIError:
        return None
    finally:
        database.close()
