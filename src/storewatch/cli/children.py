"""The child processes of `storewatch serve`: kept alive by it, and ending with it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from storewatch.cli import edge, listening
from storewatch.cli.common import parent_is_gone, say
from storewatch.storage import storefronts
from storewatch.storage.db import Database

_LOOK_EVERY = 0.25
_ANSWERS_WITHIN = 1.0
_ASK_EVERY = 3.0
_LONGEST_PAUSE = 5.0
_STEADY_AFTER = 10.0  # a child that lived so long is restarted at once
_STOP_WITHIN = 25.0


# --- in the parent --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where the service listens, and where it is reached."""

    listener: socket.socket
    host: str
    port: int
    outside: str

    @property
    def url(self) -> str:
        """Where people reach it."""
        return self.outside or edge.local_url(self.host, self.port)

    @property
    def words(self) -> str:
        """The same as it is said."""
        listens = "" if not self.outside else f" (listening on {self.host}, port {self.port})"
        return f"{self.url}{listens}"

    def answers(self) -> bool:
        """Whether a request is answered, with whatever; a connection alone proves nothing, it may be kept."""
        connection = HTTPConnection(self.host, self.port, timeout=_ANSWERS_WITHIN)
        with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            connection.getresponse()
            return True
        return False


class _Storefronts:
    """Whether there are any: without one no probe is needed, which is a process of some 150 MB."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._found = threading.Event()

    def there(self) -> bool:
        """Whether one was found since `watch`."""
        return self._found.is_set()

    def watch(self) -> None:
        """Looks for one beside, for a database that hangs must not hold up who keeps the others alive."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        database = Database(self._url)
        while not self._found.is_set():
            with contextlib.suppress(DBAPIError), database.session() as session:
                if storefronts.any_enabled(session):
                    self._found.set()
            database.close()  # it keeps no connection in between
            time.sleep(_ASK_EVERY)


class Supervisor:
    """Keeps child processes alive until it is told to stop."""

    def __init__(
        self,
        url: str,
        commands: dict[str, list[str]],
        watch: Callable[[], None],
        place: Place,
        first_admin: str | None,
        counted: str,
    ) -> None:
        self._environment = os.environ | {
            "STOREWATCH_DATABASE_URL": url,
            "STOREWATCH_PARENT": str(os.getpid()),
            "STOREWATCH_COUNTED": counted,
        }
        for name in ("STOREWATCH_DATABASE_URL_FILE", "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS"):
            self._environment.pop(name, None)
        self._commands = commands
        self._storefronts = _Storefronts(url)
        self._watch = watch
        self._place = place
        self._first_admin = first_admin
        self._announced = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._pause = dict.fromkeys(commands, 0.1)
        self._stop = threading.Event()

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then they are ended in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._storefronts.watch()
        try:
            while not self._stop.is_set():
                self._watch()
                for name in self._commands:
                    if name != "probe" or self._storefronts.there():
                        self._keep(name)
                self._announce()
                self._stop.wait(_LOOK_EVERY)
        finally:
            self._end()

    def _announce(self) -> None:
        """Tells the address once it answers, and not before."""
        if self._announced or not self._place.answers():
            return
        listening.tell_systemd("READY=1")
        say(f"at {self._place.words}, until Ctrl-C")
        if self._first_admin:
            link = f"{self._place.url}/link/{self._first_admin}"
            say(f"nobody can log in yet; make the first administrator at {link}")
        self._announced = True

    def _keep(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.poll() is None:
            return
        now = time.monotonic()
        if child is not None:
            lived = now - self._began[name]
            self._pause[name] = 0.1 if lived > _STEADY_AFTER else min(self._pause[name] * 2, _LONGEST_PAUSE)
            say(f"{name} ended with {child.returncode}; starting it again in {self._pause[name]:.1f} s")
            if self._stop.wait(self._pause[name]):
                return
        self._children[name] = subprocess.Popen(
            [sys.executable, "-m", "storewatch", *self._commands[name]],
            env=self._environment,
            pass_fds=[self._place.listener.fileno()] if name == "web" else [],
        )
        self._began[name] = time.monotonic()

    def _end(self) -> None:
        listening.tell_systemd("STOPPING=1")
        self._place.listener.close()
        for child in self._children.values():
            child.terminate()
        until = time.monotonic() + _STOP_WITHIN
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


# --- in the children -------------------------------------------------------------------------------


def counted() -> Path | None:
    """Where the processes of `serve` hand over what they counted; None for one that is alone."""
    folder = os.environ.get("STOREWATCH_COUNTED")
    return Path(folder) if folder else None


def end_with_parent() -> None:
    """A child of `serve` ends when `serve` is killed, or its worker and port would stay behind."""
    parent = int(os.environ.get("STOREWATCH_PARENT", "0"))
    if parent:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while not parent_is_gone(parent):
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_WITHIN)
    os._exit(1)
