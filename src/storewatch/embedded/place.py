"""The home of the embedded server: its paths, and whether it can work at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storewatch.embedded.account import Account, server_account, user_name
from storewatch.errors import EmbeddedServerError

_ADVICE = "give another folder in STOREWATCH_HOME."


@dataclass(frozen=True)
class Place:
    """Every path under one home, and the account that the server there runs as.

    The caller owns all of it but what the server writes itself: `data` and `run`.
    """

    home: Path
    account: Account

    base: Path  # our folder in the home; the other paths are in it
    data: Path  # PostgreSQL's data folder
    run: Path  # the folder of the unix socket, or a link to it
    log: Path
    pgpass: Path  # the password, in the format that libpq and pgAdmin read
    port: Path
    settings: Path
    access: Path  # pg_hba.conf
    keep_up: Path  # exists from `db start` to `db stop`
    users_lock: Path
    change_lock: Path
    server_lock: Path


def place_of(home: Path) -> Place:
    """The paths of this home; nothing is touched or made."""
    home = home.resolve()
    base = home / "postgres"
    return Place(
        home=home,
        account=server_account(base / "data"),
        base=base,
        data=base / "data",
        run=base / "run",
        log=base / "server.log",
        pgpass=base / "pgpass",
        port=base / "port",
        settings=base / "settings.conf",
        access=base / "pg_hba.conf",
        keep_up=base / "keep-up",
        users_lock=base / "users.lock",
        change_lock=base / "change.lock",
        server_lock=base / "server.lock",
    )


def default_home() -> Path:
    """Where storewatch keeps its things if the user names no home."""
    if os.geteuid() == 0:
        return Path("/var/lib/storewatch")
    shared = os.environ.get("XDG_DATA_HOME", "")
    if shared.startswith("/"):  # the XDG specification: relative paths are to be ignored
        return Path(shared) / "storewatch"
    try:
        return Path.home() / ".local" / "share" / "storewatch"
    except RuntimeError as error:
        raise EmbeddedServerError(
            f"User {os.geteuid()} has no home folder to keep the database in. Name one in STOREWATCH_HOME."
        ) from error


def exists(home: Path) -> bool:
    """Whether there is a database in this home."""
    return place_of(home).data.exists()


def prepare(home: Path) -> Place:
    """Make the home if it is not there, or refuse it; a folder that was there before stays as it was."""
    with explained(home):
        place = place_of(home)
        ground = next(folder for folder in (place.base, *place.base.parents) if folder.exists())
        _check(place, ground)
        _make_folders(place.base, 0o700 if place.account.is_caller else 0o711)
        return place


@contextmanager
def explained(home: Path) -> Iterator[None]:
    """Turn what the operating system refuses us into an error that says where, and what to do."""
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror} ({error.filename})" if error.strerror else str(error)
        raise EmbeddedServerError(
            f"The database cannot be kept in {home}: {reason}. Mend that, or {_ADVICE}"
        ) from error


def _check(place: Place, ground: Path) -> None:
    """Refuse before anything is made; `ground` is the deepest folder on the way that exists."""
    if not str(place.home).isprintable():  # PostgreSQL's files hold a path a line
        raise EmbeddedServerError(
            f"{str(place.home)!r} cannot be storewatch's home: odd characters. Please {_ADVICE}"
        )
    if not ground.is_dir():
        raise EmbeddedServerError(
            f"{place.home} cannot be storewatch's home: {ground} is a file. Please {_ADVICE}"
        )
    if place.home.exists():
        _check_owner(place.home)
    if not place.account.is_caller:
        _check_open(place, ground)


def _check_owner(home: Path) -> None:
    """Others could put their own password, data or locks into a folder of theirs, or of everybody."""
    status = home.stat()
    caller = os.geteuid()
    if status.st_uid != caller:
        raise EmbeddedServerError(
            f"The home {home} belongs to user {user_name(status.st_uid)}, and you are {user_name(caller)}. "
            f"Run storewatch as its owner, or give a folder of your own in STOREWATCH_HOME."
        )
    if status.st_mode & stat.S_IWOTH:
        raise EmbeddedServerError(
            f"Every user of this machine can write to {home}, so it cannot hold a password. "
            f"Give a folder inside it, such as {home / 'storewatch'}, in STOREWATCH_HOME: it will be made."
        )


def _check_open(place: Place, ground: Path) -> None:
    closed = place.account.first_closed([*reversed(ground.parents), ground])
    if closed is not None:
        mode = stat.S_IMODE(closed.stat().st_mode)
        raise EmbeddedServerError(
            f"{place.home} cannot be storewatch's home: PostgreSQL does not run as root, so it runs as user "
            f"{place.account.name}, who cannot enter {closed} (mode {mode:04o}). Give a folder that other "
            f"users can enter, such as /var/lib/storewatch, in STOREWATCH_HOME."
        )


def _make_folders(folder: Path, mode: int) -> None:
    """Make the folder and what is missing above it; only what we make gets the mode."""
    if folder.is_dir():
        return
    _make_folders(folder.parent, mode)
    try:
        folder.mkdir(mode)
    except FileExistsError:
        return  # another command came first, and its folder is as good
    folder.chmod(mode)  # the umask may have narrowed it
