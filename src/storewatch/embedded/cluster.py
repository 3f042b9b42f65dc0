"""The data folder: made once and whole, and refused untouched when it is another PostgreSQL's."""

from __future__ import annotations

import secrets
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from storewatch.durable import sync_folder
from storewatch.embedded.files import read_file, remove_leftovers, write_file
from storewatch.embedded.place import Place
from storewatch.embedded.programs import Programs, system_programs
from storewatch.errors import EmbeddedServerError

NAME = "storewatch"  # of the role and of the database

# Without a server running PostgreSQL would give the database a lower number, one of its own objects',
# and those pgAdmin hides.
_NUMBER = 16_384

_INITDB = (
    "--username=postgres",
    "--auth=reject",  # of the pg_hba.conf that it writes, which is not the one that we use
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
    "--no-sync",  # all of it is written to disk at once, in the end
)

_SINGLE = (
    *("-c", "exit_on_error=on"),
    *("-c", "fsync=off"),
    *("-c", "log_min_error_statement=panic"),  # a failing statement could show the password
)


def ensure_cluster(place: Place, programs: Programs) -> None:
    """Make the data folder if there is none, else check that these programs can read it."""
    if place.data.exists():
        _check_major(place, programs)
    else:
        _create(place, programs)


def password(place: Place) -> str:
    """The password of the role, as `pgpass` holds it."""
    line = read_file(place.pgpass)
    if line is None:
        raise EmbeddedServerError(
            f"There is no database in {place.home} yet, or its password file {place.pgpass} was removed. "
            "Make one with `storewatch db start`, or put the file back."
        )
    return line.strip().rpartition(":")[2]


def _check_major(place: Place, programs: Programs) -> None:
    version = (read_file(place.data / "PG_VERSION") or "").strip()
    if version != str(programs.major):
        raise EmbeddedServerError(
            f"The data in {place.data} are of PostgreSQL {version or '(unknown)'}, but the programs in "
            f"{programs.folder} are PostgreSQL {programs.major} and cannot read them. Nothing was changed. "
            + _how_to_move(place, version)
        )


def _how_to_move(place: Place, version: str) -> str:
    """The commands that bring data of another version over, by a backup."""
    found = system_programs(version)
    missing = (
        f"Install PostgreSQL {version} from your system's packages (on Debian: apt-get install "
        f"postgresql-{version}), which takes nothing away from this one. "
    )
    return (
        ("" if found else missing) + f"Move them, with the service stopped:\n"
        f"  storewatch backup --programs {found or f'/usr/lib/postgresql/{version}/bin'}\n"
        f"  mv {shlex.quote(str(place.base))} {shlex.quote(f'{place.base}-{version}')}\n"
        "  storewatch restore FILE\n"
        "FILE is what the first command prints. The folder that is moved aside can go when all is well. Or "
        "give another folder in STOREWATCH_HOME."
    )


def _create(place: Place, programs: Programs) -> None:
    """Make the data folder beside its place and rename it when done, so that it is never half a folder."""
    remove_leftovers(place.base, "data.new-*")
    if not place.pgpass.exists():
        write_file(place.pgpass, f"*:*:{NAME}:{NAME}:{secrets.token_hex(32)}\n", 0o600)
    fresh = Path(tempfile.mkdtemp(prefix="data.new-", dir=place.base))
    try:
        place.account.own(fresh)
        _run(place, [programs.folder / "initdb", "-D", fresh, *_INITDB])
        _make_database(place, programs, fresh)
        _write_to_disk(place, programs, fresh)
        fresh.rename(place.data)
        sync_folder(place.base)
    finally:
        remove_leftovers(place.base, fresh.name)


def _make_database(place: Place, programs: Programs, data: Path) -> None:
    """Make role and database with no server running, hence before anybody can connect.

    The role owns its database and nothing else: a stolen password opens no files of the server's user.
    """
    statements = (
        f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password(place)}';\n"
        f"GRANT pg_monitor TO {NAME};\n"
        f"CREATE DATABASE {NAME} OWNER {NAME} OID {_NUMBER};\n"
    )
    _run(place, [programs.folder / "postgres", "--single", "-D", data, *_SINGLE, "postgres"], statements)


def _write_to_disk(place: Place, programs: Programs, data: Path) -> None:
    # One call for the file system, where there is one: on a busy disk a thousand calls take many seconds.
    at_once = programs.major >= 17 and sys.platform == "linux"
    method = ["--sync-method=syncfs"] if at_once else []
    _run(place, [programs.folder / "initdb", "--sync-only", *method, "-D", data])


def _run(place: Place, command: Sequence[str | Path], text: str = "") -> None:
    """Run one of PostgreSQL's programs to its end, as the server's user."""
    done = subprocess.run(
        command, input=text, text=True, capture_output=True, check=False, **place.account.child()
    )
    if done.returncode != 0:
        raise EmbeddedServerError(
            f"The database could not be made in {place.home}: {Path(command[0]).name} failed. It said:\n"
            f"{done.stderr.strip()[-2000:]}"
        )
