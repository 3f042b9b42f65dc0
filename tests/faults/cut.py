"""A proxy before PostgreSQL that cuts a connection in a phase of its transaction."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import make_url

from tests.acceptance.conftest import PATIENCE
from tests.faults.suite import Fault
from tests.faults.town import Town

Judge = Callable[[bool, bytes], int | None]
"""(to the server?, what is sent) -> how much of it still gets through before the cut; None: no cut."""

_CUTS = 5


@dataclass(eq=False)
class _Pair:
    client: socket.socket
    server: socket.socket
    unanswered: bool = False

    def cut(self) -> None:
        """Both ends hear of it at once, as by a machine that is gone: by a reset."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@dataclass
class Proxy:
    """Hands on what comes to `port`, until a judge says to cut. `target`: a path, or a host and a port."""

    target: str | tuple[str, int]
    listener: socket.socket
    judge: Judge | None = None
    done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self, judge: Judge) -> None:
        """Cuts the first connection of which a judge says so, and waits until that is done."""
        self.done.clear()
        self.judge = judge
        assert self.done.wait(PATIENCE), "there was nothing to cut"

    def serve(self) -> None:
        with contextlib.suppress(OSError):  # closed: it is over
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._hand_on, args=(client,), daemon=True).start()

    def _hand_on(self, client: socket.socket) -> None:
        try:
            server = _connected(self.target)
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        back = threading.Thread(target=self._pump, args=(pair, False), daemon=True)
        back.start()
        self._pump(pair, True)
        back.join()

    def _pump(self, pair: _Pair, to_server: bool) -> None:
        source, sink = (pair.client, pair.server) if to_server else (pair.server, pair.client)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                through = self._judged(pair, to_server, data)
                sink.sendall(data if through is None else data[:through])
                if through is not None:
                    break
        pair.cut()

    def _judged(self, pair: _Pair, to_server: bool, data: bytes) -> int | None:
        with self._lock:
            if pair.unanswered and not to_server:
                return self._over(0)
            through = None if self.judge is None else self.judge(to_server, data)
            if through is None:
                return None
            if through == _UNANSWERED:
                pair.unanswered, self.judge = True, None
                return None
            return self._over(through)

    def _over(self, through: int) -> int:
        self.judge = None
        self.done.set()
        return through


_UNANSWERED = -1
"""All gets through to the server, and its answer does not come back."""


def _connected(target: str | tuple[str, int]) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target)
    made = socket.socket(socket.AF_UNIX)
    made.connect(target)
    return made


def _target(url: str) -> str | tuple[str, int]:
    parsed = make_url(url)
    where = {"host": parsed.host, "port": parsed.port or 5432} | parsed.query
    host, port = str(where["host"]), int(str(where["port"]))
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


@contextlib.contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """A proxy to a server of PostgreSQL for the length of the block."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        made = Proxy(_target(url), listener)
        threading.Thread(target=made.serve, daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)


def through_it(url: str, made: Proxy) -> str:
    """The same database, by way of the proxy."""
    parsed = make_url(url).difference_update_query(["host", "port"])
    return parsed.set(host="127.0.0.1", port=made.port).render_as_string(hide_password=False)


# --- the phases -----------------------------------------------------------------------------------


def begin(dice: random.Random) -> Judge:
    return lambda to_server, data: 0 if to_server and b"BEGIN" in data else None


def statement(dice: random.Random) -> Judge:
    """Anywhere within what is sent, one way or the other."""
    left = [dice.randrange(1, 30_000)]

    def judge(to_server: bool, data: bytes) -> int | None:
        left[0] -= len(data)
        return None if left[0] > 0 else len(data) + left[0]

    return judge


def rows(dice: random.Random) -> Judge:
    """Within rows that are copied to the server: a `CopyData` message."""
    share = dice.random()
    return lambda to_server, data: int(len(data) * share) if to_server and data[:1] == b"d" else None


def before_commit(dice: random.Random) -> Judge:
    return lambda to_server, data: 0 if to_server and b"COMMIT" in data else None


def after_commit(dice: random.Random) -> Judge:
    """The server has committed, and nobody hears of it."""
    return lambda to_server, data: _UNANSWERED if to_server and b"COMMIT" in data else None


_PHASES: dict[str, Callable[[random.Random], Judge]] = {
    "as a transaction begins": begin,
    "within what is sent or answered": statement,
    "within rows that are copied": rows,
    "before COMMIT arrives": before_commit,
    "after COMMIT, before its answer": after_commit,
}
NAMES = [f"a connection to PostgreSQL cut {when}" for when in _PHASES]


def faults(made: list[Proxy]) -> list[Fault]:
    """The faults of towns that reach their databases through proxies, the last of which is the present one;
    in the order of their names.
    """

    def cuts(name: str, phase: Callable[[random.Random], Judge]) -> Fault:
        def inject(town: Town, dice: random.Random) -> None:
            for _ in range(_CUTS):
                made[-1].cut(phase(dice))
                time.sleep(dice.uniform(0, 0.3))

        return Fault(name, inject, times=_CUTS)

    return list(map(cuts, NAMES, _PHASES.values()))
