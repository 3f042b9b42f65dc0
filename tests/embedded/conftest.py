"""Homes for the tests of the embedded server, and commands that use them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storewatch.embedded import running, stop
from tests.embedded.people import Caller, Command, an_ordinary_user, silent, whoever_tests

Begin = Callable[..., Command]


@contextmanager
def _open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swtest-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can enter; pytest's tmp_path is closed."""
    with _open_folder() as folder:
        yield folder


@pytest.fixture
def new_home(folder: Path) -> Iterator[Path]:
    """A home that does not exist yet."""
    home = folder / "home"
    yield home
    stop(home, silent, force=True)


@pytest.fixture(scope="session")
def shared_home() -> Iterator[Path]:
    with _open_folder() as folder:
        with running(folder / "home", silent):
            pass
        yield folder / "home"


@pytest.fixture
def home(shared_home: Path) -> Iterator[Path]:
    """A home with a database that is not running; all tests have the same, so they must not spoil it."""
    yield shared_home
    stop(shared_home, silent, force=True)


@pytest.fixture
def spare_home(shared_home: Path, new_home: Path) -> Path:
    """A copy of `home`, free to be spoiled."""
    subprocess.run(["cp", "-a", shared_home, new_home], check=True)
    return new_home


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin `command.py MODE HOME`, as whoever runs the tests unless told otherwise."""
    begun: list[Command] = []

    def begin(home: Path, mode: str = "hold", caller: Caller | None = None) -> Command:
        begun.append(Command.begin(caller or whoever_tests(), home, mode))
        return begun[-1]

    yield begin
    for command in begun:
        if command.process.stdin and not command.process.stdin.closed:
            command.end()


@pytest.fixture(scope="session", params=[whoever_tests, an_ordinary_user])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Whoever runs the tests; when that is root, an ordinary user too."""
    found = request.param()
    assert isinstance(found, Caller)
    return found


@pytest.fixture(scope="session")
def callers_folder(caller: Caller) -> Iterator[Path]:
    """A folder that belongs to the caller."""
    with _open_folder() as folder:
        os.chown(folder, caller.uid, caller.gid)
        yield folder


@pytest.fixture
def callers_home(caller: Caller, callers_folder: Path) -> Iterator[Path]:
    """The caller's home, in which only the first of the tests finds no database."""
    home = callers_folder / "home"
    yield home
    Command.begin(caller, home, "end").end()
