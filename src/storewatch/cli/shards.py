"""Who makes the shards of a report: chosen by settings and options; and what a Dask worker runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

import click

from storewatch import config
from storewatch.config import Settings
from storewatch.errors import SettingsError, UsageError
from storewatch.services import shards
from storewatch.services.shards import Parts, Shard, Spread
from storewatch.storage.db import Database


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--processes` and `--dask`, for a command that makes reports."""
    processes = click.option(
        "--processes",
        type=click.IntRange(1, 64),
        help="How many processes make a large report together; by default STOREWATCH_PROCESSES.",
    )
    dask = click.option(
        "--dask",
        metavar="ADDRESS",
        help="The Dask scheduler whose workers make large reports, like tls://host:8786; "
        "by default STOREWATCH_DASK.",
    )
    return processes(dask(command))


def spread(
    settings: Settings, url: str, processes: int | None = None, dask: str | None = None
) -> Spread | None:
    """Who makes shards: an option goes before a setting. None: who makes the report. SettingsError if it
    cannot be had, here and not in the middle of a report.
    """
    if processes and dask:
        raise UsageError("--processes and --dask: which of the two?", field="processes")
    address = dask or ("" if processes else settings.dask)
    count = processes or (1 if address else _count(settings.processes))
    if address:
        return _dask(address)
    if count == 1:
        return None
    from storewatch.services.process_pool import Processes

    return Processes(count, url)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 64:
        raise SettingsError(f"STOREWATCH_PROCESSES is '{text}': write a number from 1 to 64")
    return int(text)


def _dask(address: str) -> Spread:
    from storewatch.services.dask_shards import Dask, checked

    found = Dask(checked(address), work)
    if importlib.util.find_spec("distributed") is None:
        raise SettingsError("Dask is not installed: pip install 'storewatch[dask]'")
    return found


def work(shard: Shard) -> Parts:
    """What a Dask worker runs. It has the database's URL from its own environment."""
    return shards.make(_database(), shard)


@cache
def _database() -> Database:
    """One connection pool a process."""
    url = config.read().database_url
    if not url:
        raise SettingsError(
            "This Dask worker does not know the database: set STOREWATCH_DATABASE_URL, or "
            "STOREWATCH_DATABASE_URL_FILE, in its environment"
        )
    return Database(url)
