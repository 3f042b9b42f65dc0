"""A folder whose files are taken in as uploads are. Each step is one rename, or one transaction:

    FOLDER/polls.csv                   was dropped; it is ours once it did not change for a while
    FOLDER/working/WHEN-ID/polls.csv   is ours, and becomes the upload ID, which a job takes in
    FOLDER/done/WHEN-ID/polls.csv      is in, or FOLDER/failed/…, with what became of it beside

Who is killed in between leaves a step to do again, which finds the upload by its ID.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from uuid import UUID

import structlog

from storewatch.domain.permissions import Via, anybody
from storewatch.durable import sync_folder
from storewatch.errors import BusyError, FileRefusedError, SettingsError
from storewatch.services import imports, uploads
from storewatch.services.depot import Depot, Part
from storewatch.storage import uploads as stored
from storewatch.storage.access_tables import Upload
from storewatch.storage.db import Database

log = structlog.get_logger()

WORKING, DONE, FAILED = "working", "done", "failed"
REPORT = "what-became-of-it.txt"
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".swp", "~")
"""Ends of names of files that a program is still writing. Names that begin with a dot are left alone too."""

_QUEUED = ".queued"
_REMOVED = "Somebody removed its upload. If it was taken in before that, it is among the imports.\n"
_SETTLED_S = 5.0
_MOST_REJECTS = 1000
_BLOCK = 1 << 20
_ID_LENGTH = 36


@dataclass
class WatchFolder:
    """The folder. A file is ours when its size and times were the same for `settled_s` seconds."""

    path: Path
    settled_s: float = _SETTLED_S
    _seen: dict[str, tuple[tuple[int, ...], float]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Makes the folders within. SettingsError if that cannot be."""
        try:
            for name in (WORKING, DONE, FAILED):
                (self.path / name).mkdir(exist_ok=True)
                if not os.access(self.path / name, os.W_OK | os.X_OK):
                    raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise SettingsError(
                f"STOREWATCH_WATCH_FOLDER is {self.path}, in which nothing can be written "
                f"({error.strerror}): make the folder, for the user that storewatch runs as"
            ) from error

    def look(self, database: Database, depot: Depot) -> None:
        """Does what is to be done now; nothing if somebody else is at it."""
        with database.transaction() as session:
            if not stored.try_watch(session):
                return
            for name in self._settled(time.monotonic()):
                self._take(name)
            for place in sorted((self.path / WORKING).iterdir()):
                try:
                    self._carry_on(database, depot, place)
                except OSError as error:
                    log.warning(
                        "a file of the watched folder has to wait", place=place.name, reason=str(error)
                    )

    # --- dropped ----------------------------------------------------------------------------------

    def _settled(self, now_s: float) -> list[str]:
        """The names of what did not change for a while, the oldest first."""
        present = dict(self._dropped())
        old = self._seen
        self._seen = {
            name: old[name] if name in old and old[name][0] == state else (state, now_s)
            for name, state in present.items()
        }
        ready = [name for name, (_, since) in self._seen.items() if now_s - since >= self.settled_s]
        return sorted(ready, key=lambda name: (present[name][0], name))

    def _dropped(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                name = entry.name
                if name in (WORKING, DONE, FAILED) or name.startswith(".") or name.endswith(UNFINISHED):
                    continue
                try:
                    now = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield name, (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino)

    def _take(self, name: str) -> None:
        """Makes it ours."""
        place = self.path / WORKING / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{stored.id_of_folder()}"
        place.mkdir()
        try:
            (self.path / name).rename(place / (name if name != REPORT else f"_{name}"))
        except FileNotFoundError:
            return  # whoever dropped it took it back
        sync_folder(place)
        sync_folder(self.path / WORKING)
        sync_folder(self.path)

    # --- ours -------------------------------------------------------------------------------------

    def _carry_on(self, database: Database, depot: Depot, place: Path) -> None:
        """Does the next step of what is ours."""
        upload_id = _id_of(place)
        if upload_id is None:
            return
        ours = [path for path in place.iterdir() if path.name not in (REPORT, _QUEUED)]
        if not ours:
            place.rmdir()
            return
        upload = self._upload(database, upload_id)
        try:
            if upload is None and (place / _QUEUED).exists():
                self._settle(place, FAILED, _REMOVED)
            elif upload is None:
                _queue(database, depot, upload_id, ours[0])
                (place / _QUEUED).touch()
            elif upload.status == "complete":
                self._settle(place, *_outcome(database, upload))
            elif upload.status == "failed":
                self._settle(place, FAILED, f"{upload.error}\n")
        except FileRefusedError as error:
            self._settle(place, FAILED, f"{error}\n")
        except BusyError as error:
            log.warning("a file of the watched folder has to wait", place=place.name, reason=str(error))

    @staticmethod
    def _upload(database: Database, upload_id: UUID) -> Upload | None:
        with database.session() as session:
            found = stored.find(session, upload_id)
            session.expunge_all()
            return None if found is None else found[0]

    def _settle(self, place: Path, where: str, said: str) -> None:
        """Says what became of it, and puts both away by one rename."""
        (place / REPORT).write_text(said, encoding="utf-8", errors="replace")
        kept = self.path / where / place.name
        place.rename(kept)
        (kept / _QUEUED).unlink(missing_ok=True)
        sync_folder(self.path / where)
        log.info("file of the watched folder", place=f"{where}/{place.name}")


def _id_of(place: Path) -> UUID | None:
    """None: somebody else put it there."""
    try:
        return UUID(place.name[-_ID_LENGTH:]) if place.is_dir() else None
    except ValueError:
        return None


# --- an upload of it ------------------------------------------------------------------------------


def _queue(database: Database, depot: Depot, upload_id: UUID, file: Path) -> None:
    """Copies it into the depot and queues it. FileRefusedError if it cannot be read."""
    name = _printable(file.name)
    try:
        descriptor = _opened(file, name)
        with os.fdopen(descriptor, "rb", buffering=0) as source, depot.incoming() as part:
            _copy(source, part, depot.most_bytes, name)
            uploads.create(database, depot, anybody(Via.COMMAND), part, name, upload_id=upload_id)
    except OSError as error:
        raise FileRefusedError(f"{name}: it cannot be read ({error.strerror})") from error


def _opened(file: Path, name: str) -> int:
    """A descriptor of an ordinary file, and of nothing else, whatever it becomes meanwhile."""
    _check(file.lstat().st_mode, name)
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor).st_mode, name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(mode: int, name: str) -> None:
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder"}
        what = kinds.get(stat.S_IFMT(mode), "no ordinary file")
        raise FileRefusedError(f"{name}: it is {what}; drop the files themselves")


def _copy(source: FileIO, part: Part, most_bytes: int, name: str) -> None:
    while block := source.read(_BLOCK):
        if part.size + len(block) > most_bytes:
            raise FileRefusedError(f"{name}: it is larger than the {most_bytes:,} bytes that are allowed")
        part.write(block)


def _printable(name: str) -> str:
    """As a database and a page can hold it: names of files may be any bytes."""
    return "".join(letter if letter.isprintable() else "_" for letter in name)[:200]


# --- what became of it ----------------------------------------------------------------------------


def _outcome(database: Database, upload: Upload) -> tuple[str, str]:
    """(where it is put, what is said) of one that was imported."""
    if upload.import_no is None:
        return DONE, f"{upload.file_name} was taken in.\n"
    record = imports.get(database, upload.import_no).record
    counts = {
        "new": record.rows_new,
        "corrected": record.rows_corrected,
        "unchanged": record.rows_unchanged,
        "kept as put right by hand": record.rows_kept,
        "rejected": record.rows_rejected,
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    lines = [
        f"{upload.file_name}: {record.rows_read} row{'' if record.rows_read == 1 else 's'}: {told or 'none'}",
        f"This is import {record.import_no}, of {record.kind}.",
    ]
    if record.rows_rejected:
        lines += ["", "Rejected rows:", *_rejected(database, record.import_no, record.rows_rejected)]
    none_in = record.rows_read == record.rows_rejected > 0
    return FAILED if none_in else DONE, "\n".join([*lines, ""])


def _rejected(database: Database, import_no: int, count: int) -> list[str]:
    shown = imports.rejects(database, import_no, -1, _MOST_REJECTS)
    lines = [line for number, reason, row in shown for line in (f"line {number}: {reason}", f"    {row}")]
    return [*lines, f"and {count - len(shown)} more"] if count > len(shown) else lines
