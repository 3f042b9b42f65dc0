"""The heartbeat of `serve`: in the process that keeps the others alive, so that it tells of their end."""

from __future__ import annotations

import threading

import structlog

from storewatch.cli.common import duration, home
from storewatch.config import Settings
from storewatch.domain.clock import SECOND
from storewatch.errors import DeliveryError, SettingsError, UsageError
from storewatch.services import heartbeat
from storewatch.services.heartbeat import Limits
from storewatch.storage.db import Database

log = structlog.get_logger()


def check(settings: Settings) -> None:
    """SettingsError if a setting of the heartbeat can't be used."""
    feed_within(settings)
    duration("STOREWATCH_BACKUP_WITHIN", settings.backup_within)
    duration("STOREWATCH_HEARTBEAT_EVERY", settings.heartbeat_every)
    try:
        if settings.heartbeat_url:
            heartbeat.check_url(settings.heartbeat_url)
    except UsageError as error:
        raise SettingsError(str(error)) from error


def feed_within(settings: Settings) -> int | None:
    """Microseconds; None: how old polls are does not matter."""
    if settings.feed_within == "off":
        return None
    return duration("STOREWATCH_FEED_WITHIN", settings.feed_within)


def begin(settings: Settings, database_url: str) -> None:
    """Beats beside, as long as the process lives. If the database hangs it falls silent, which tells it."""
    if settings.heartbeat_url:
        threading.Thread(target=_beat, args=(settings, database_url), daemon=True).start()


def _beat(settings: Settings, database_url: str) -> None:
    every_s = duration("STOREWATCH_HEARTBEAT_EVERY", settings.heartbeat_every) / SECOND
    backup_us = duration("STOREWATCH_BACKUP_WITHIN", settings.backup_within)
    limits = Limits(home(settings), feed_within(settings), backup_us)
    database, pause = Database(database_url), threading.Event()
    ailed, told = False, {"nothing yet"}
    while not pause.wait(every_s):
        ailing = heartbeat.ailments(database, limits)
        database.close()  # it keeps no connection in between
        first, ailed = bool(ailing) and not ailed, bool(ailing)
        if first:  # what is being started again is well the next time; nobody is woken for that
            continue
        ailing += _sent(settings.heartbeat_url, ailing)
        names = {line.partition(":")[0] for line in ailing}
        if names != told:  # not each minute
            told = names
            (log.warning if ailing else log.info)("heartbeat", ails="; ".join(ailing) or "nothing")


def _sent(url: str, ailing: list[str]) -> list[str]:
    """Why it did not arrive; nothing if it did."""
    try:
        heartbeat.beat(url, ailing)
    except DeliveryError as error:
        return [f"the heartbeat itself: {error}"]
    return []
