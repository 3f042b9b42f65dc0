"""Where requests come in: a socket of our own, or one that systemd holds, which outlives a restart.

The supervisor of `serve` has it, and its web process inherits it. So while a web process is started again,
the kernel keeps those who knock. What systemd asks for is told in sd_listen_fds(3) and sd_notify(3).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket

from storewatch.errors import UsageError

_FIRST = 3  # the number of the first descriptor that systemd hands over
_BACKLOG = 2048


def inherited() -> socket.socket | None:
    """The socket that systemd hands to this process, if it does; UsageError if it isn't one that will do."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    count = os.environ.get("LISTEN_FDS", "0")
    if count != "1":
        raise UsageError(f"systemd hands over {count} sockets: take one ListenStream= in the .socket unit")
    found = socket.socket(fileno=_FIRST)
    listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if found.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        raise UsageError("systemd hands over a socket that is not a port: ListenStream=127.0.0.1:8000")
    os.set_inheritable(_FIRST, False)  # the web process gets it, and no other child
    return found


def opened(host: str, port: int) -> socket.socket:
    """A socket of our own. Says plainly what can't be had, before anything is started."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise UsageError(_why_not(host, port, error)) from error
    return made


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: stop what listens there, or give another --port"
    if error.errno == errno.EACCES:
        return f"Port {port} is not for this user: give a --port from 1024 on"
    return f"--host {host}: this machine has no such address ({error}); 0.0.0.0 or :: takes all it has"


def tell_systemd(words: str) -> None:
    """Says `READY=1` or `STOPPING=1` to whom NOTIFY_SOCKET names, if anybody listens there."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(words.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)
