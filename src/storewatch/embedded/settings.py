"""What the server is told: files of ours that are written anew at each start."""

from __future__ import annotations

import os
import secrets
import socket
import stat
from pathlib import Path

from storewatch.embedded.files import read_file, write_file
from storewatch.embedded.memory import shared_buffers_mb
from storewatch.embedded.place import Place
from storewatch.embedded.process import cluster_name
from storewatch.embedded.waiting import Say
from storewatch.errors import EmbeddedServerError

LOOPBACK = "127.0.0.1"

# Below the ports that systems hand out for outgoing connections: one of those could be in use some day.
_PORTS = range(15_000, 32_000)

# Linux allows 107 bytes for the path of a socket, macOS 103. The folder is followed by the file name.
_LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.65535")

_ACCESS = f"""\
# Written by storewatch at each start. The superuser has no password, so it cannot log in.
local all all scram-sha-256
host all all {LOOPBACK}/32 scram-sha-256
"""

_SETTINGS = """\
# Written by storewatch at each start of the server: changes made here are lost.
hba_file = {access}
port = {port}
listen_addresses = '{listen}'
unix_socket_directories = {sockets}
unix_socket_permissions = 0700

max_connections = 100
shared_buffers = {buffers}MB
max_locks_per_transaction = 1024    # an import makes many partitions in one transaction
dynamic_shared_memory_type = mmap   # /dev/shm has 64 MB in containers, and logind empties it at logout
jit = off                           # compiling costs more than these queries

wal_level = minimal                 # nothing is replicated: bulk loads into new tables skip the log
max_wal_senders = 0
max_wal_size = 2GB
checkpoint_timeout = 15min

timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
"""


def write_settings(place: Place, say: Say) -> None:
    """Write the files for a start now: the remembered port, if it is free, and the folder of the socket."""
    port = _remembered_port(place.port)
    listen = LOOPBACK
    if not _is_free(port):
        listen = ""
        say(
            f"Port {port} of {LOOPBACK}, which is the database's, is taken by another program. storewatch "
            f"works without it, but pgAdmin and other clients over TCP cannot connect. Free the port, or "
            f"delete {place.port} to have another one chosen, and start the database again."
        )
    sockets = _setting('"' + str(_made_socket_folder(place)).replace('"', '""') + '"')
    text = _SETTINGS.format(
        access=_setting(str(place.access)),
        port=port,
        listen=listen,
        sockets=sockets,
        buffers=shared_buffers_mb(),
    )
    write_file(place.access, _ACCESS, 0o644)
    write_file(place.settings, text, 0o644)


def _setting(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _remembered_port(path: Path) -> int:
    known = (read_file(path) or "").strip()
    if known.isdecimal() and 0 < int(known) < 65536:
        return int(known)
    while not _is_free(port := secrets.choice(_PORTS)):
        pass
    write_file(path, f"{port}\n", 0o644)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        # As PostgreSQL does: connections of an earlier server that linger in TIME_WAIT are no hindrance.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def socket_folder(place: Place) -> Path:
    """Where the next start puts the socket: in the home, unless that makes a path no socket can have."""
    home_fits = len(os.fsencode(place.run)) <= _LONGEST_SOCKET_FOLDER
    if home_fits and "," not in str(place.run):  # libpq takes a comma for the end of a host
        return place.run
    return Path("/tmp") / cluster_name(place)  # noqa: S108  (its owner is checked)


def _made_socket_folder(place: Place) -> Path:
    """The folder, which only the server's user can enter, empty of what a killed server left."""
    folder = socket_folder(place)
    try:
        folder.mkdir(0o700)
        place.account.own(folder)
    except FileExistsError:
        _check_private(folder, place)
    for leftover in folder.glob(".s.PGSQL.*"):
        leftover.unlink()
    return folder


def _check_private(folder: Path, place: Place) -> None:
    """In /tmp anybody can have made it; whoever owns the folder could stand in for the server."""
    status = folder.lstat()
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != place.account.uid or not folder.is_dir():
        raise EmbeddedServerError(
            f"{folder}, where the database's socket goes, is not a private folder of user "
            f"{place.account.name}. Remove it, and start again."
        )
