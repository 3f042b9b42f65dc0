"""A disk that is full: a small file system in memory that holds the database and the uploads."""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

from tests.faults.suite import Fault
from tests.faults.town import Town, open_folder


@contextlib.contextmanager
def small_disk(size_mb: int = 1024) -> Iterator[Path | None]:
    """A folder that is a file system of its own; None where it may not be mounted, as for all but root."""
    with open_folder() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "storewatch-faults", str(folder)]
        try:
            done = subprocess.run(mount, check=False, capture_output=True).returncode == 0
        except OSError:
            done = False
        try:
            yield folder if done else None
        finally:
            if done:
                subprocess.run(["umount", "-l", str(folder)], check=True)


def can() -> bool:
    """Whether there can be one here."""
    with small_disk(1) as folder:
        return folder is not None


def fill(town: Town, dice: random.Random) -> None:
    """Takes all room but a little, under the load; whoever needs more meanwhile hears of it in words."""
    filler, room = town.folder / "filler", dice.choice((0, 64 << 10, 1 << 20))
    took = threading.Event()
    taker = threading.Thread(target=_keep_full, args=(filler, room, took))
    taker.start()
    try:
        _refused_in_words(town)
        time.sleep(dice.uniform(0, 4))
    finally:
        took.set()
        taker.join()
        filler.unlink()


def _refused_in_words(town: Town) -> None:
    """A file that needs more room than there is, by the command and by upload; and a request that reads."""
    path, polls = town.load.file("large", rows=60_000)
    with contextlib.suppress(_RefusedError), town.load.ledger.offered(polls):
        code, said = town.load.run("import", str(path))
        assert code == 2, (code, said)
        assert re.search("No space left|cannot be reached|failed", said), said
        raise _RefusedError
    with contextlib.suppress(_RefusedError), town.load.ledger.offered(polls):
        try:
            town.service.send_file(path)
        except HTTPError as error:
            with error:
                told = error.read().decode()
            _check_told(error.code, told)
        except OSError:  # PostgreSQL or the web process came up anew: no answer at all
            pass
        raise _RefusedError


def _check_told(code: int, told: str) -> None:
    assert code in (503, 507), told
    assert re.search("No space left|disk|cannot be reached", told), told


class _RefusedError(Exception):
    """So it was to be: nothing of it is there."""


def _keep_full(filler: Path, room: int, over: threading.Event) -> None:
    while not over.is_set():  # what is given back meanwhile is taken, too
        take_all_but(filler, room)
        over.wait(0.05)


def take_all_but(filler: Path, room: int) -> None:
    left = os.statvfs(filler.parent)
    more = left.f_bavail * left.f_frsize - room
    with filler.open("ab") as file, contextlib.suppress(OSError):
        if more > 0:
            os.posix_fallocate(file.fileno(), filler.stat().st_size, more)


FULL = Fault("the disk of database and uploads full, for an import's time and some seconds", fill)
