"""flock on files: the kernel lets go of them when a process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storewatch.embedded.waiting import Say, wait_for
from storewatch.errors import EmbeddedServerError

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of the lock file, not inherited by programs that are started."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        # Closed and never unlocked: LOCK_UN would also take the lock from those who inherited it by fork.
        os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock if it is free; False when somebody else is in the way."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def held(path: Path, kind: int, say: Say) -> Iterator[int]:
    """Hold the lock for the block, waiting for it first."""
    with opened(path) as descriptor:
        message = "Waiting for another storewatch command, which is starting or stopping the database."
        if not wait_for(lambda: try_lock(descriptor, kind), say, message):
            raise EmbeddedServerError(
                f"Another storewatch command has held {path} for ten minutes. End that command and try again."
            )
        yield descriptor
