"""The faults of a town: kills, restarts, pauses, and no connections left."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

import psutil
import psycopg

from tests.acceptance.conftest import PATIENCE
from tests.faults.suite import Fault
from tests.faults.town import Town

_PAUSED_S = 4.0
_HOGGED_S = 4.0
_ENDED = 8


def nothing(town: Town, dice: random.Random) -> None:
    """To compare with: how long the load takes by itself."""


def _kill(name: str) -> Fault:
    def inject(town: Town, dice: random.Random) -> None:
        town.service.child(name).kill()

    return Fault(f"`kill -9` of the {name} process", inject)


def kill_import(town: Town, dice: random.Random) -> None:
    """Of the command, at any instant of its life."""
    time.sleep(dice.uniform(0, 1))
    until = time.monotonic() + PATIENCE
    while (command := town.load.command) is None or command.poll() is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    command.kill()


def kill_backend(town: Town, dice: random.Random) -> None:
    """Of a process of PostgreSQL that serves a connection: the server ends all others, and recovers."""
    with contextlib.suppress(psutil.Error, IndexError):
        dice.choice(town.backends()).kill()


def terminate_backends(town: Town, dice: random.Random) -> None:
    """Some connections are ended by an administrator, one after the other."""
    for _ in range(_ENDED):
        query = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1
        """
        town.load.observer.rows(query)
        time.sleep(dice.uniform(0, 0.3))


def _signalled(number: signal.Signals) -> Fault:
    names = {
        signal.SIGKILL: "`kill -9` of PostgreSQL",
        signal.SIGINT: "PostgreSQL stopped (fast), and started again by `serve`",
        signal.SIGQUIT: "PostgreSQL stopped (immediate), and started again by `serve`",
    }

    def inject(town: Town, dice: random.Random) -> None:
        with contextlib.suppress(psutil.Error):
            town.postmaster.send_signal(number)

    return Fault(names[number], inject)


def pause(town: Town, dice: random.Random) -> None:
    """All of PostgreSQL stands still for some seconds."""
    first = town.postmaster
    stopped = [first, *first.children(recursive=True)]
    try:
        for process in stopped:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        time.sleep(_PAUSED_S)
    finally:
        for process in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)


def pause_worker(town: Town, dice: random.Random) -> None:
    """The worker stands still for longer than it may without a heartbeat; then it goes on."""
    worker = town.service.child("worker")
    worker.suspend()
    time.sleep(8.0)
    worker.resume()


def hog(town: Town, dice: random.Random) -> None:
    """Somebody takes each connection that there is, and all that are given back, for some seconds."""
    taken: list[psycopg.Connection] = []
    url, until = town.database.url.replace("+psycopg", ""), time.monotonic() + _HOGGED_S
    try:
        while time.monotonic() < until:
            try:
                taken.append(psycopg.connect(url, connect_timeout=5))
            except psycopg.OperationalError:
                _end_one(town.url, taken)
                time.sleep(0.02)
        assert len(taken) > 50, "it did not get them"
    finally:
        for connection in taken:
            connection.close()


def _end_one(url: str, taken: list[psycopg.Connection]) -> None:
    """One of storewatch's own connections is ended, so that it has to ask for a new one."""
    if not taken:
        return
    ours = {connection.info.backend_pid for connection in taken}
    query = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> ALL (%s) LIMIT 1
    """
    with contextlib.suppress(psycopg.Error):
        taken[0].execute(query, [list(ours)])
        taken[0].rollback()


IN_A_TOWN = (
    Fault("nothing, to compare with", nothing),
    _kill("web"),
    _kill("worker"),
    _kill("probe"),
    Fault("`kill -9` of `storewatch import`", kill_import),
    _signalled(signal.SIGKILL),
    Fault("`kill -9` of one process of PostgreSQL", kill_backend),
    _signalled(signal.SIGINT),
    _signalled(signal.SIGQUIT),
    Fault(f"PostgreSQL paused (SIGSTOP) for {_PAUSED_S:.0f} s", pause),
    Fault("the worker paused (SIGSTOP) for 8 s", pause_worker),
    Fault(f"PostgreSQL out of connections for {_HOGGED_S:.0f} s", hog),
    Fault("a connection ended by an administrator", terminate_backends, times=_ENDED),
)
