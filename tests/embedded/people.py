"""Who runs storewatch in the tests, and their commands. All of it is real: users, processes, kills."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storewatch.embedded.place import place_of
from storewatch.embedded.process import Postmaster, find_postmaster

SCRIPT = Path(__file__).with_name("command.py")


@dataclass(frozen=True)
class Caller:
    """A user of this machine, and a Python that this user can run."""

    uid: int
    gid: int
    python: str

    def identity(self) -> dict[str, Any]:
        if self.uid == os.geteuid():
            return {}
        # Such a user cannot enter root's virtual environment, but can read the packages in it.
        path = ":".join(path for path in sys.path if path)
        return {
            **{"user": self.uid, "group": self.gid, "extra_groups": []},
            **{"cwd": "/", "env": {"PYTHONPATH": path, "PATH": os.environ["PATH"]}},
        }


@dataclass
class Command:
    """A running command.py, in a session of its own as from another terminal."""

    process: subprocess.Popen[str]

    @classmethod
    def begin(cls, caller: Caller, home: Path, mode: str) -> Command:
        process = subprocess.Popen(
            [caller.python, str(SCRIPT), mode, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **caller.identity(),
        )
        return cls(process)

    def answer(self) -> str:
        """What it printed next, but for what it said while waiting."""
        assert self.process.stdout is not None
        return next(line for line in self.process.stdout if not line.startswith("said")).strip()

    def url(self) -> str:
        word, _, rest = self.answer().partition(" ")
        assert word == "up", rest
        return rest

    def end(self) -> None:
        """Let it end by itself, and close its pipes if it has ended already."""
        self.process.communicate(timeout=60)

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.killpg(self.process.pid, number)
        self.process.communicate(timeout=60)


def whoever_tests() -> Caller:
    return Caller(os.geteuid(), os.getegid(), sys.executable)


def an_ordinary_user() -> Caller:
    """`nobody`, when the tests are run by root."""
    if os.geteuid() != 0:
        pytest.skip("the same as whoever runs the tests")
    entry = pwd.getpwnam("nobody")
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        caller = Caller(entry.pw_uid, entry.pw_gid, python)
        command = [python, "-c", "import psycopg, storewatch.embedded"]
        with suppress(OSError):
            if subprocess.run(command, check=False, **caller.identity()).returncode == 0:
                return caller
    pytest.skip("no Python that an ordinary user can run")


def silent(text: str) -> None:
    """Say nothing."""


def query(url: str, statement: str) -> Any:
    """Run a statement and give the first value of its answer."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(home: Path) -> Postmaster:
    found = find_postmaster(place_of(home))
    assert found is not None
    return found


def pid_of_postmaster(home: Path) -> int | None:
    found = find_postmaster(place_of(home))
    return found.pid if found else None


def is_up(home: Path) -> bool:
    return find_postmaster(place_of(home)) is not None


def eventually(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
