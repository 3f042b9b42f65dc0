"""The folder of uploaded files: each comes in under a temporary name, and is whole or not there."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from storewatch.domain.sizes import parse_size
from storewatch.durable import sync_folder
from storewatch.errors import BusyError, SettingsError

_AT_ONCE = 4
"""So many files are received at once: each holds a thread of the server."""

_ABANDONED_AFTER = 3600
"""Seconds since it was last written to, after which a file without a record is nobody's any more."""

_TEMPORARY = ".part"


class Depot:
    """Uploads by their id. Web and worker must have the same folder, also on different machines."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def path(self, upload_id: UUID) -> Path:
        """Where an upload lies, if it is there."""
        return self.folder / str(upload_id)

    def remove(self, upload_id: UUID) -> None:
        """Removes an upload; it may be gone already."""
        self.path(upload_id).unlink(missing_ok=True)

    @contextmanager
    def incoming(self) -> Iterator[Part]:
        """A file that comes in; unless it is kept, nothing is left of it. BusyError if too many come."""
        if not self._slots.acquire(blocking=False):
            raise BusyError(f"{_AT_ONCE} files are being received already: try again in a moment")
        try:
            with _stored():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                part = Part(self.folder / f"{uuid4()}{_TEMPORARY}")
            try:
                yield part
            finally:
                part.close()
        finally:
            self._slots.release()

    def abandoned(self) -> Iterator[Path]:
        """Files that nobody has written to for an hour: of interrupted requests, or uploads."""
        before = time.time() - _ABANDONED_AFTER
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            try:
                old = path.stat().st_mtime < before
            except FileNotFoundError:
                continue
            if old:
                yield path

    def clear_temporary(self) -> None:
        """Removes what requests left behind that were killed."""
        for path in self.abandoned():
            if path.suffix == _TEMPORARY:
                path.unlink(missing_ok=True)


def usual(folder: str, home: Path, most: str) -> Depot:
    """The depot by the settings: the folder, or one in the home if it is empty; the largest file's size."""
    size = parse_size(most)
    if not size:
        raise SettingsError(f"STOREWATCH_MAX_UPLOAD is '{most}': write it like 500MiB or 1GiB")
    return Depot(Path(folder).expanduser() if folder else home / "uploads", size)


class Part:
    """A file under its temporary name; counts and hashes what is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def path(self) -> Path:
        """Where it lies until it is kept."""
        return self._path

    @property
    def sha256(self) -> str:
        """Of all that was written, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """Writes all of it. BusyError if there is no room."""
        with _stored():
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def seek(self, *_: int) -> int:
        """For parsers that go back to the start when all is written: nobody reads here."""
        return 0

    def keep(self, path: Path) -> None:
        """Gives the file its name, once it is safe on the disk."""
        with _stored():
            os.fsync(self._file.fileno())
            self._path.rename(path)
            sync_folder(path.parent)

    def close(self) -> None:
        """Drops the file, if it was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def _stored() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BusyError(f"The file cannot be stored on the server ({error.strerror})", 60) from error
