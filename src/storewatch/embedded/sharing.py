"""Who keeps the server up, and who ends it.

A command holds `users.lock` shared as long as it runs. At its end it takes the change lock and tries
for `users.lock` exclusively: if that succeeds it was the last one, and it stops the server while those
who come wait for the lock. There is no moment in which one command stops what another has just begun
to use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storewatch.embedded.access import socket_url
from storewatch.embedded.locks import EXCLUSIVE, SHARED, held, opened, try_lock
from storewatch.embedded.place import Place, explained, place_of, prepare
from storewatch.embedded.process import find_postmaster
from storewatch.embedded.server import bring_up, reap, shut_down, trim_log
from storewatch.embedded.waiting import Say
from storewatch.errors import EmbeddedServerError


@contextmanager
def running(home: Path, say: Say) -> Iterator[str]:
    """Have the server up for the block; gives its SQLAlchemy URL, over the unix socket."""
    place = prepare(home)
    process = os.getpid()
    with held(place.users_lock, SHARED, say) as seat:
        try:
            with _changing(place, say):
                bring_up(place, say)
            yield socket_url(place)
        finally:
            # A forked worker that unwinds through here is not the end of the command.
            if os.getpid() == process:
                _leave(place, seat, say)


def ensure_running(home: Path, say: Say) -> None:
    """Within `running`: start the server again if it died. Costs less than a millisecond while it lives."""
    place = place_of(home)
    reap()
    trim_log(place)
    if find_postmaster(place) is None:
        with _changing(place, say):
            bring_up(place, say)


def start(home: Path, say: Say) -> str:
    """Start the server and keep it up until `stop`, over restarts of the machine; gives its URL."""
    place = prepare(home)
    with _changing(place, say):
        bring_up(place, say)
        place.keep_up.touch(0o600)
        return socket_url(place)


def stop(home: Path, say: Say, *, force: bool = False) -> bool:
    """Stop the server, and no longer keep it up; False when it was not running.

    While other commands use it this is refused, unless forced; `storewatch serve` would start it again.
    """
    with explained(home):
        if not place_of(home).base.exists():
            return False
    place = prepare(home)
    with _changing(place, say), opened(place.users_lock) as seat:
        if not force and not try_lock(seat, EXCLUSIVE):
            raise EmbeddedServerError(
                f"Another storewatch command is using the database in {place.home}. End that command, "
                "or stop the database all the same with --force."
            )
        place.keep_up.unlink(missing_ok=True)
        return shut_down(place, say)


@contextmanager
def _changing(place: Place, say: Say) -> Iterator[None]:
    """Be the only one who starts or stops the server; what the system refuses meanwhile is explained."""
    with explained(place.home), held(place.change_lock, EXCLUSIVE, say):
        yield


def _leave(place: Place, seat: int, say: Say) -> None:
    with _changing(place, say):
        if not place.keep_up.exists() and try_lock(seat, EXCLUSIVE):
            shut_down(place, say)
