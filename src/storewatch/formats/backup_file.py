"""A backup as a file: a zip of the database's dump, the uploads that wait, and a manifest that tells of all.

    manifest.json   who made it, when and from what; the rows of each table; size and SHA-256 of each member
    database.dump   what pg_dump wrote, in its own format
    uploads/ID      files that were received and not taken in yet

It holds hashes of passwords, keys and settings with passwords in them, so nobody but its owner can read it,
from the first byte on. Under its own name it is whole or not there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from storewatch.durable import sync_folder
from storewatch.errors import FileRefusedError

FORMAT = 1
DUMP, UPLOADS = "database.dump", "uploads/"
_MANIFEST, _PART = "manifest.json", ".part"
_BLOCK = 1 << 20

Progress = Callable[[int], None]
"""Is told how many more bytes are done."""


@dataclass(frozen=True)
class Origin:
    """What a backup was made of. `rows` are those of each table, `server` is PostgreSQL's version, 180006,
    `pg_dump` the major version of the program that wrote the dump, `settings` are by their variables.
    """

    made_at: str
    storewatch: str
    schema: str
    server: int
    pg_dump: int
    rows: dict[str, int]
    settings: dict[str, str]


class Writer:
    """Adds members to a backup that is being made."""

    def __init__(self, archive: zipfile.ZipFile, progress: Progress) -> None:
        self._archive, self._progress = archive, progress
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, source: IO[bytes]) -> None:
        """Copies all of a stream."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as member:
            while block := source.read(_BLOCK):
                member.write(block)
                digest.update(block)
                size += len(block)
                self._progress(len(block))
        self._members[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def finish(self, origin: Origin) -> None:
        """Adds the manifest, which must be last."""
        told = {"format": FORMAT, **asdict(origin), "members": self._members}
        self._archive.writestr(_MANIFEST, json.dumps(told, indent=1))


@contextmanager
def writing(path: Path, progress: Progress) -> Iterator[Writer]:
    """A backup that has its name once the block has ended well; else nothing is left of it."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_PART}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, 0o600), "w+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # as long as we live, `clear_parts` leaves it alone
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                yield Writer(archive, progress)
            file.flush()
            os.fsync(file.fileno())
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
    sync_folder(path.parent)


def clear_parts(folder: Path) -> None:
    """Removes what backups left half made that were killed."""
    for part in folder.glob(f"*{_PART}"):
        with part.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # somebody is writing it
            part.unlink(missing_ok=True)


class Backup:
    """A backup that is read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        try:
            told = json.loads(archive.read(_MANIFEST))
            if told.pop("format") != FORMAT:
                raise FileRefusedError(f"{path} was made by a newer storewatch: restore it with that one")
            self._members: dict[str, dict[str, Any]] = told.pop("members")
            self.origin = Origin(**told)
        except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
            raise FileRefusedError(f"{path} is not a backup that `storewatch backup` made") from error

    @property
    def size(self) -> int:
        """The bytes of all members."""
        return sum(int(member["bytes"]) for member in self._members.values())

    @property
    def uploads(self) -> list[str]:
        """The ids of the uploads that it holds."""
        return [name.removeprefix(UPLOADS) for name in self._members if name.startswith(UPLOADS)]

    def open(self, name: str) -> IO[bytes]:
        """A member to read from."""
        return self._archive.open(name)

    def check(self, progress: Progress) -> None:
        """Reads all of it. FileRefusedError if anything is missing or was changed."""
        if {*self._archive.namelist()} != {_MANIFEST, *self._members} or DUMP not in self._members:
            raise self._spoilt("what it holds is not what it lists")
        for name, told in self._members.items():
            try:
                same = self._sha256(name, progress) == told["sha256"]
            except (zipfile.BadZipFile, EOFError, OSError) as error:
                raise self._spoilt(f"{name}: {error}") from error
            if not same:
                raise self._spoilt(f"{name} has another checksum than when it was made")

    def _sha256(self, name: str, progress: Progress) -> str:
        digest = hashlib.sha256()
        with self._archive.open(name) as member:
            while block := member.read(_BLOCK):
                digest.update(block)
                progress(len(block))
        return digest.hexdigest()

    def _spoilt(self, why: str) -> FileRefusedError:
        return FileRefusedError(
            f"{self._path} is not whole ({why}): nothing was changed. Take another backup"
        )


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """A backup to read. FileRefusedError if it is none, or was cut off."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield Backup(path, archive)
    except zipfile.BadZipFile as error:
        raise FileRefusedError(
            f"{path} is not a whole backup: nothing was changed. Was it cut off when it was copied?"
        ) from error
    except FileNotFoundError as error:
        raise FileRefusedError(f"There is no file {path}") from error
