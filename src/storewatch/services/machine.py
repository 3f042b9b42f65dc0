"""The machine: its memory, who keeps its clock, which files of the home are loose."""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Sequence
from pathlib import Path

import psutil

from storewatch.embedded import memory as room

_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_NEVER_TO_OTHERS = ("postgres/pgpass", "postgres/data", "uploads", "backups")
_OTHERS_MAY_WRITE = stat.S_IWOTH | stat.S_IWGRP


def memory() -> tuple[int, int | None]:
    """Bytes of the machine, and the limit of our control group; None if it has none."""
    total, limit = int(psutil.virtual_memory().total), room.limit()
    return total, limit if limit < total else None


def clock_is_kept() -> bool | None:
    """Whether the kernel says that something keeps the clock right; None where it does not say."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    if ask is None:
        return None
    found = ask(ctypes.create_string_buffer(512))  # all zeros: it is asked, and nothing is set
    return None if found < 0 else bool(found != _UNSYNCHRONISED)


def loose_files(home: Path, uploads: Path, secrets: Sequence[Path]) -> list[tuple[str, int, int]]:
    """(path, mode, the bits that it should not have) of what more than its owner may read, and should not;
    and of the home, if others may write to it. `secrets` are files that settings come from.
    """
    found = [(home, _OTHERS_MAY_WRITE)]  # PostgreSQL's user must get in
    found += [(path, stat.S_IRWXO) for path in secrets]  # a group may be meant to read those
    for place in {*(home / name for name in _NEVER_TO_OTHERS), uploads}:
        found.append((place, stat.S_IRWXO | stat.S_IRWXG))
        if place.name == "backups" and place.is_dir():
            found += [(path, stat.S_IRWXO | stat.S_IRWXG) for path in place.iterdir()]
    return sorted(
        (str(path), mode, forbidden) for path, forbidden in found if (mode := _mode(path)) & forbidden
    )


def _mode(path: Path) -> int:
    """The mode of a file or folder; 0 if it is not there or not ours to see."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
