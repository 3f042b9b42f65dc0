"""The clock of all that storewatch runs an hour ahead for a while, and back.

One can't set the machine's clock for a test. So a small library that a C compiler makes here is loaded before
the C library, and adds to the time of day what a file says; time that only elapses goes on as it does.
PostgreSQL is given no such environment and keeps its clock: so the two differ as well.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

from tests.faults.suite import Fault
from tests.faults.town import Town

_AHEAD_S, _LASTS_S = 3600, 5.0
_SOURCE = Path(__file__).with_suffix(".c")
NAME = "the clock of all processes but PostgreSQL's an hour ahead for 5 s, and back"


def can() -> bool:
    """Whether there is a compiler."""
    return shutil.which("cc") is not None


def shifted(folder: Path) -> tuple[dict[str, str], Fault]:
    """The environment of commands whose clock can be set, and what sets it."""
    library, ahead = folder / "clock.so", folder / "clock"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE], check=True)
    set_to = _setter(ahead)
    set_to(0)
    ahead.chmod(0o644)

    def jump(town: Town, dice: random.Random) -> None:
        try:
            set_to(_AHEAD_S)
            assert abs(_ahead_s(town) - _AHEAD_S) < 60, "the clock was not set"
            time.sleep(_LASTS_S)
        finally:
            set_to(0)

    return {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(ahead)}, Fault(NAME, jump)


def _ahead_s(town: Town) -> float:
    """By how many seconds the web process is ahead of us."""
    with urllib.request.urlopen(f"http://127.0.0.1:{town.service.port}/healthz", timeout=30) as answer:
        return parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()


def _setter(ahead: Path) -> Callable[[int], None]:
    file = os.open(ahead, os.O_RDWR | os.O_CREAT)

    def set_to(seconds: int) -> None:
        os.pwrite(file, seconds.to_bytes(8, "little"), 0)

    return set_to
