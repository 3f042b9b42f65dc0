"""A checkup of the installation: measures what `domain/checkup` judges. It changes nothing."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storewatch import __version__
from storewatch.domain import checkup as judge
from storewatch.domain import zones
from storewatch.domain.checkup import Finding
from storewatch.domain.clock import SECOND, to_us
from storewatch.errors import SettingsError
from storewatch.services import machine, zone_data
from storewatch.services.backups import last_backup
from storewatch.storage import condition, db
from storewatch.storage.db import Database


@dataclass(frozen=True)
class Place:
    """Where things are kept, and from when on something is late; `secrets` are files that hold settings."""

    home: Path
    uploads: Path
    default_zone: str = zones.DEFAULT_ZONE
    stale_us: int | None = 3 * 3600 * SECOND
    backup_us: int = 2 * 86400 * SECOND
    secrets: Sequence[Path] = ()


def of_machine(place: Place) -> Iterator[Finding]:
    """What can be told without the database."""
    yield judge.ok(
        "storewatch", f"{__version__}, Python {platform.python_version()}, tzdata {zones.version()}"
    )
    for about, path in (("disk of the home", place.home), ("disk of uploads", place.uploads)):
        ground = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        yield judge.disk(about, str(path), shutil.disk_usage(ground).free)
    yield judge.memory(*machine.memory())
    yield judge.files(machine.loose_files(place.home, place.uploads, place.secrets))
    yield of_backup(place.home, place.backup_us)


def of_backup(home: Path, within_us: int) -> Finding:
    """How the last backup of a home stands, which should be no older than that."""
    last, within_s = last_backup(home), within_us / SECOND
    if last is None:
        return judge.backup(None, "", within_s)
    age_s = (datetime.now(UTC) - last.at).total_seconds()
    return judge.backup(age_s, str(last.path), within_s, there=last.path.exists())


def of_database(database: Database, place: Place) -> Iterator[Finding]:
    """What the database tells. If it cannot be reached, or has another schema, it says that and no more."""
    try:
        revision = db.schema_of(database)
        with database.session() as session:
            yield _server(session)
            yield judge.schema(revision, db.HEAD)
            yield _clock(session)
            if revision == db.HEAD:
                yield from _content(session, place)
    except (SettingsError, DBAPIError) as error:
        yield unreachable(str(getattr(error, "orig", error)))


def unreachable(reason: str) -> Finding:
    """The database does not answer."""
    return judge.bad(
        "database", " ".join(reason.split()), "see that PostgreSQL runs, and that the address is right"
    )


def _server(session: Session) -> Finding:
    shown = condition.server_version(session)
    if db.server_version(session) < db.OLDEST_SERVER:
        return judge.bad("PostgreSQL", f"{shown} is too old", "storewatch needs 15 or newer")
    return judge.ok("PostgreSQL", shown)


def _clock(session: Session) -> Finding:
    """The database's clock is read between two looks at ours; the way there and back is halved."""
    before = time.time()
    theirs = condition.clock_us(session) / SECOND
    return judge.clock((before + time.time()) / 2 - theirs, machine.clock_is_kept())


def _content(session: Session, place: Place) -> Iterator[Finding]:
    now, lacking = condition.now(session), condition.lacking(session)
    yield judge.ok("database", f"{judge.size(now.size)}")
    yield judge.queue(now.waits, now.oldest_s, now.stalled, working=now.working)
    within_s = None if place.stale_us is None else place.stale_us / SECOND
    yield judge.polls(now.newest_poll_s, within_s)
    yield judge.stores(lacking.stores, lacking.hours, lacking.zone, place.default_zone)
    yield _zones(session, place)


def _zones(session: Session, place: Place) -> Finding:
    names = sorted({*condition.zones_in_use(session), place.default_zone})
    strange = zone_data.unknown(session, names)
    at_us = to_us(datetime.now(UTC))
    ours = [claim for name in names if name not in strange for claim in zone_data.claims(name, at_us)]
    return judge.zone_data(len(names), zones.version(), zone_data.differing(session, ours), strange)
