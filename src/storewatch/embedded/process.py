"""Which process is our server. No process is signalled unless it is proven ours.

The proof is the server's `cluster_name`: we give it on the postmaster's command line, and PostgreSQL
shows it in the title of each of its other processes. It is made of the data folder's device and
inode, which no two folders of a running machine share; a pid in a file proves nothing.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storewatch.embedded.files import read_file
from storewatch.embedded.place import Place


@dataclass(frozen=True)
class Postmaster:
    """What a live server of ours wrote into postmaster.pid."""

    pid: int
    port: int
    socket_folder: Path
    has_tcp: bool
    state: str  # starting, ready, stopping


def find_postmaster(place: Place) -> Postmaster | None:
    """The live server of this home, or None."""
    found = _read_pid_file(place.data / "postmaster.pid")
    return found if found and is_postmaster(place, found.pid) else None


def cluster_name(place: Place) -> str:
    """The name that every process of this home's server bears."""
    status = place.data.stat()
    return f"storewatch-{status.st_dev:x}-{status.st_ino:x}"


def is_postmaster(place: Place, pid: int) -> bool:
    """True when the process is the one that we started on this data folder."""
    arguments = _arguments(pid, place.account.uid)
    return f"cluster_name={cluster_name(place)}" in arguments and Path(arguments[0]).name == "postgres"


def stop_fast(place: Place, pid: int) -> None:
    """Ask the postmaster to end every session and shut down cleanly."""
    _signal(pid, signal.SIGINT, partial(is_postmaster, place, pid))


def kill_orphans(place: Place) -> None:
    """Kill sessions that outlived their postmaster; they hold its shared memory, and could still write."""
    for pid in _orphans(place):
        _signal(pid, signal.SIGKILL, partial(_is_session, place, pid))


def _orphans(place: Place) -> Iterator[int]:
    import psutil  # costs 50 ms, and only a crash leads here

    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _is_session(place, process.pid) and not is_postmaster(place, process.ppid()):
                yield process.pid


def _is_session(place: Place, pid: int) -> bool:
    title = " ".join(_arguments(pid, place.account.uid))
    return title.startswith(f"postgres: {cluster_name(place)}: ")


def _read_pid_file(path: Path) -> Postmaster | None:
    """Its lines: pid, data folder, start time, port, socket folder, TCP address, memory key, state."""
    lines = (read_file(path) or "").splitlines()
    if len(lines) < 8:  # the server writes them one after the other
        return None
    return Postmaster(
        pid=int(lines[0]),
        port=int(lines[3]),
        socket_folder=Path(lines[4]),
        has_tcp=bool(lines[5].strip()),
        state=lines[7].strip(),
    )


def _signal(pid: int, number: signal.Signals, proven: Callable[[], bool]) -> None:
    """Signal the process if it is proven ours; through a pidfd, so the pid cannot change hands meanwhile."""
    handle = _pidfd(pid)
    try:
        if not proven():
            return
        if handle is None:
            os.kill(pid, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass  # it ended by itself
    finally:
        if handle is not None:
            os.close(handle)


def _pidfd(pid: int) -> int | None:
    """A descriptor that stands for this very process; None where the system has none to give."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _arguments(pid: int, uid: int) -> list[str]:
    """The command line of a process of this user; empty if there is none, or only a zombie."""
    if sys.platform != "linux":
        return _arguments_by_psutil(pid, uid)
    folder = Path(f"/proc/{pid}")
    try:
        if folder.stat().st_uid != uid:
            return []
        return [os.fsdecode(part) for part in (folder / "cmdline").read_bytes().split(b"\0")]
    except OSError:
        return []


def _arguments_by_psutil(pid: int, uid: int) -> list[str]:
    import psutil

    try:
        process = psutil.Process(pid)
        return list(process.cmdline()) if process.uids().real == uid else []
    except psutil.Error:
        return []
