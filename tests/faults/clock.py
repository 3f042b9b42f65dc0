"""A clock that jumps, for all of storewatch's processes but PostgreSQL's: by libfaketime, where it is."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.faults.suite import Fault
from tests.faults.town import Town

_PLACES = ("usr/lib/*/faketime/libfaketimeMT.so.1", "usr/lib*/faketime/libfaketimeMT.so.1")
_WRONG_S = 6.0
_NAME = "clock"


def library() -> Path | None:
    """libfaketime, if it is installed."""
    found = (path for place in _PLACES for path in sorted(Path("/").glob(place)))
    return next(found, None)


def settings(folder: Path) -> dict[str, str]:
    """The environment of processes whose clock follows a file in the folder."""
    _set(folder / _NAME, 0)
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(folder / _NAME),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def _set(file: Path, seconds: int) -> None:
    """Written whole: a process may read it at any instant."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.replace(file)


def _jump(name: str, seconds: int) -> Fault:
    def inject(town: Town, dice: random.Random) -> None:
        try:
            _set(town.folder / _NAME, seconds)
            time.sleep(_WRONG_S)
        finally:
            _set(town.folder / _NAME, 0)

    return Fault(f"the clock of web, worker and commands an hour {name} for {_WRONG_S:.0f} s", inject)


FAULTS = [_jump("fast", 3600), _jump("slow", -3600)]
