"""The user whom the server runs as: the caller, or somebody else when the caller is root."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storewatch.errors import EmbeddedServerError

_INSTEAD_OF_ROOT = ("storewatch", "postgres", "nobody")

# Tells the first folder that cannot be entered. The kernel is asked, for modes are not all: there are ACLs.
_FIRST_CLOSED = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit; }; done'


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    @property
    def is_caller(self) -> bool:
        """True when no privileges need to be dropped."""
        return self.uid == os.geteuid()

    def child(self) -> dict[str, Any]:
        """What to give subprocess for a child that is this user, with nothing of the caller's about it.

        The environment is a new one: root's may hold secrets, and the caller's PG* variables would
        change what the programs do. The caller's working folder may be closed to this user.
        """
        surroundings: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            "umask": 0o077,
        }
        if not self.is_caller:
            surroundings |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return surroundings

    def own(self, path: Path) -> None:
        """Give this user a file or folder that we have just made."""
        if not self.is_caller:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def first_closed(self, folders: Sequence[Path]) -> Path | None:
        """The first of these folders that the user cannot enter."""
        command = ["/bin/sh", "-c", _FIRST_CLOSED, "sh", *map(str, folders)]
        told = subprocess.run(command, check=True, capture_output=True, text=True, **self.child()).stdout
        return Path(told) if told else None


def server_account(data: Path) -> Account:
    """Who runs the server on this data folder, which need not exist yet."""
    if os.geteuid() != 0:
        return _account(os.geteuid(), os.getegid())
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        # Whoever made the data goes on: another user, created later, could not even read it.
        return _account(owner.st_uid, owner.st_gid)
    for name in _INSTEAD_OF_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and there is no user storewatch, postgres or nobody to run it. "
        "Create one (useradd --system storewatch), or run storewatch as an ordinary user."
    )


def user_name(uid: int) -> str:
    """The name of a user, or the number when there is no such entry (as in many containers)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _account(uid: int, gid: int) -> Account:
    return Account(name=user_name(uid), uid=uid, gid=gid)
