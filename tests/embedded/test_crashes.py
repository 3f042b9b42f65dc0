"""`kill -9` of anything costs nothing committed, blocks no start, and harms no stranger."""

from __future__ import annotations

import fcntl
import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from storewatch.embedded import ensure_running, running, server, start, stop
from storewatch.embedded.place import place_of
from storewatch.errors import EmbeddedServerError
from tests.embedded.conftest import Begin
from tests.embedded.people import (
    Caller,
    eventually,
    is_up,
    pid_of_postmaster,
    postmaster,
    query,
    silent,
)

pytestmark = pytest.mark.xdist_group("crashes")  # they share homes

# Computes without a pause, so that it does not notice the end of its server; bounded, should a test fail.
BUSY = "DO 'BEGIN WHILE clock_timestamp() < now() + interval ''20 s'' LOOP END LOOP; END'"


def kill_postmaster(home: Path) -> None:
    os.kill(postmaster(home).pid, signal.SIGKILL)
    eventually(lambda: not is_up(home))


@contextmanager
def a_stranger(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the server's user that has nothing to do with it."""
    process = subprocess.Popen(["sleep", "60"], **place_of(home).account.child())
    yield process
    assert process.poll() is None, "the stranger was signalled"
    process.kill()
    process.wait()


def write_pid_file(home: Path, pid: int) -> None:
    """As a server leaves it that was killed, whose pid then became another's."""
    lines = (pid, home / "postgres/data", 1_700_000_000, 15432, "/nowhere", "127.0.0.1", "0 0", "ready   ")
    (home / "postgres/data/postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")


def test_the_server_of_a_killed_command_is_used_and_stopped_by_the_next(
    begin: Begin, caller: Caller, callers_home: Path
) -> None:
    first = begin(callers_home, caller=caller)
    query(first.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    server = postmaster(callers_home)
    first.kill()
    second = begin(callers_home, caller=caller)
    assert query(second.url(), "SELECT answer FROM kept") == 42
    assert postmaster(callers_home) == server
    second.end()
    assert not is_up(callers_home)


def test_a_killed_server_loses_nothing_committed(begin: Begin, caller: Caller, callers_home: Path) -> None:
    first = begin(callers_home, caller=caller)
    query(first.url(), "CREATE TABLE committed AS SELECT 42 AS answer")
    kill_postmaster(callers_home)
    first.kill()
    assert query(begin(callers_home, caller=caller).url(), "SELECT answer FROM committed") == 42


def test_a_supervisor_has_its_killed_server_up_again(begin: Begin, home: Path) -> None:
    url = begin(home, "supervise").url()
    for _ in range(3):
        before = postmaster(home).pid
        os.kill(before, signal.SIGKILL)
        eventually(lambda before=before: pid_of_postmaster(home) not in (None, before))  # type: ignore[misc]
        eventually(lambda: postmaster(home).state == "ready")
    assert query(url, "SELECT 1") == 1


def test_looking_after_a_live_server_is_cheap(home: Path) -> None:
    with running(home, silent):
        took = []
        for _ in range(21):
            began = time.perf_counter()
            ensure_running(home, silent)
            took.append(time.perf_counter() - began)
        assert statistics.median(took) < 0.005  # whatever else the machine does now and then


def test_a_session_that_outlives_its_server_does_not_block_the_next_start(home: Path) -> None:
    url = start(home, silent).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        busy = connection.info.backend_pid
        endless = threading.Thread(target=run_until_cut, args=(connection, BUSY))
        endless.start()
        eventually(lambda: query(url, f"SELECT state FROM pg_stat_activity WHERE pid = {busy}") == "active")
        kill_postmaster(home)
        time.sleep(0.2)
        assert psutil.pid_exists(busy), "this test needs a session that lives on"
        with running(home, silent) as again:
            assert query(again, "SELECT 1") == 1
            eventually(lambda: not psutil.pid_exists(busy))
        endless.join()


def run_until_cut(connection: psycopg.Connection, statement: str) -> None:
    with suppress(psycopg.OperationalError):
        connection.execute(statement.encode())


def test_a_stranger_with_the_pid_of_a_dead_server_is_left_alone(home: Path) -> None:
    with a_stranger(home) as stranger:
        write_pid_file(home, stranger.pid)
        assert stop(home, silent) is False
        with running(home, silent) as url:
            assert query(url, "SELECT 1") == 1


def test_a_server_of_another_home_is_a_stranger(home: Path, spare_home: Path) -> None:
    start(home, silent)
    theirs = postmaster(home)
    write_pid_file(spare_home, theirs.pid)
    assert stop(spare_home, silent) is False
    with running(spare_home, silent):
        assert postmaster(spare_home).pid != theirs.pid
    assert postmaster(home) == theirs


@pytest.mark.slow
def test_a_first_start_killed_half_way_does_not_block_the_next(begin: Begin, new_home: Path) -> None:
    base = new_home / "postgres"
    for _ in range(3):
        command = begin(new_home)
        eventually(lambda: any(base.glob("data.new-*/global")))
        command.kill()
        assert not (base / "data").exists()
    with running(new_home, silent) as url:
        assert query(url, "SELECT 1") == 1


def test_a_command_killed_while_the_server_starts_leaves_a_server_to_use(begin: Begin, home: Path) -> None:
    for _ in range(3):
        command = begin(home)
        eventually(lambda: (home / "postgres/data/postmaster.pid").exists())
        command.kill()
        with running(home, silent) as url:
            assert query(url, "SELECT 1") == 1


def test_a_server_that_cannot_be_seen_is_not_started_over(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, the server of another one on the same volume has no pid, but it holds its lock."""
    monkeypatch.setattr(server, "_REMAINS_S", 0.1)
    with (home / "postgres/server.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedServerError, match="another container"), running(home, silent):
            pass


def test_a_server_that_does_not_start_is_explained_by_its_log(spare_home: Path) -> None:
    (spare_home / "postgres/data/global/pg_control").unlink()
    with (
        pytest.raises(EmbeddedServerError, match=r"could not open file .*global/pg_control"),
        running(spare_home, silent),
    ):
        pass
