"""Bring one server up and shut it down. Whoever calls these holds the change lock."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from storewatch.embedded.cluster import ensure_cluster
from storewatch.embedded.files import trim
from storewatch.embedded.locks import EXCLUSIVE, opened, try_lock
from storewatch.embedded.place import Place
from storewatch.embedded.process import cluster_name, find_postmaster, kill_orphans, stop_fast
from storewatch.embedded.programs import Programs, programs_for
from storewatch.embedded.settings import socket_folder, write_settings
from storewatch.embedded.waiting import Say, wait_for
from storewatch.errors import EmbeddedServerError

_LOG_BYTES = 10_000_000
_REMAINS_S = 60.0  # how long a killed server may take to vanish

# Servers that this process started; kept so that they are reaped, should they die before it.
_children: list[subprocess.Popen[Any]] = []


def bring_up(place: Place, say: Say) -> None:
    """Have a server that accepts connections: the one that runs, or a new one."""
    found = find_postmaster(place)
    if found and found.state == "ready":
        return
    if found and found.state == "stopping":
        _await_end(place, say)
        found = None
    child = None if found else _launch(place, say)
    _await_ready(place, child, say)


def shut_down(place: Place, say: Say) -> bool:
    """End every session, write everything to disk, stop. False when no server was running."""
    found = find_postmaster(place)
    if found is None:
        return False
    stop_fast(place, found.pid)
    _await_end(place, say)
    reap()
    if socket_folder(place) != place.run:
        with suppress(OSError):  # already gone
            socket_folder(place).rmdir()
    return True


def reap() -> None:
    """Let go of servers that ended, so that they do not stay as zombies while we live."""
    _children[:] = [child for child in _children if child.poll() is None]


def trim_log(place: Place) -> None:
    """Bound the log: at most twice 10 MB are kept."""
    trim(place.log, _LOG_BYTES)


def _launch(place: Place, say: Say) -> subprocess.Popen[Any] | None:
    """Start the server, or find that one has come up meanwhile (None)."""
    programs = programs_for(place.account, place.base)
    ensure_cluster(place, programs)
    with opened(place.server_lock) as lock:
        if not _take_over(place, lock, say):
            return None
        # The lock proves that no process of an earlier server lives, whatever pid its file names.
        (place.data / "postmaster.pid").unlink(missing_ok=True)
        write_settings(place, say)
        trim_log(place)
        return _spawn(place, programs, lock)


def _take_over(place: Place, lock: int, say: Say) -> bool:
    """Take the server's lock from an earlier server's remains; False when that server is alive after all."""

    def settled() -> bool:
        if try_lock(lock, EXCLUSIVE) or find_postmaster(place):
            return True
        kill_orphans(place)
        return False

    message = "Waiting for the remains of a killed database server to end."
    if not wait_for(settled, say, message, _REMAINS_S):
        raise EmbeddedServerError(
            f"A database server that this command cannot see uses {place.data}: it holds "
            f"{place.server_lock}. Perhaps it runs in another container. Stop it there and try again."
        )
    return try_lock(lock, EXCLUSIVE)


def _spawn(place: Place, programs: Programs, lock: int) -> subprocess.Popen[Any]:
    """Start the postmaster, detached from our terminal. Of our descriptors it inherits its own lock only."""
    command: list[str | Path] = [
        *(programs.folder / "postgres", "-D", place.data),
        *("-c", f"config_file={place.settings}"),
        *("-c", f"cluster_name={cluster_name(place)}"),
    ]
    with open(place.log, "ab", opener=_private) as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends the command, not the server that others use
            pass_fds=(lock,),
            **place.account.child(),
        )
    _children.append(child)
    return child


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _await_ready(place: Place, child: subprocess.Popen[Any] | None, say: Say) -> None:
    def ready() -> bool:
        found = find_postmaster(place)
        if found is None and (child is None or child.poll() is not None):
            raise EmbeddedServerError(f"The database server did not start. Its log says:\n{_log_end(place)}")
        return found is not None and found.state == "ready"

    message = "The database is starting. After a crash it recovers first, which can take a minute."
    if not wait_for(ready, say, message):
        raise EmbeddedServerError(
            f"The database server has been starting for ten minutes. See {place.log}; try again later."
        )


def _await_end(place: Place, say: Say) -> None:
    """Wait until every process of the server has ended; then the kernel grants its lock."""
    with opened(place.server_lock) as lock:
        message = "The database is stopping; it writes everything to disk first."
        if not wait_for(lambda: try_lock(lock, EXCLUSIVE), say, message):
            raise EmbeddedServerError(
                f"The database server has been stopping for ten minutes. See {place.log}; try again later."
            )


def _log_end(place: Place) -> str:
    return "\n".join(place.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
