"""A bound on the memory of a process and of all that it starts, page cache included: a control group."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import ROOT

_ROOT = Path("/sys/fs/cgroup")
_ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


class NoCageError(Exception):
    """This system lets us make none."""


@dataclass(frozen=True)
class Cage:
    """`folder` is the control group; its files are named as in version 1 or 2 of control groups."""

    folder: Path
    version: int

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command inside to its end, which it tells by its output, or by being killed."""
        words = ["sh", "-c", _ENTER, str(self.folder), *command]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    def killed(self) -> int:
        """How many processes were killed for want of memory."""
        text = (self.folder / ("memory.oom_control", "memory.events")[self.version - 1]).read_text()
        return int(dict(line.split() for line in text.splitlines()).get("oom_kill", "0"))


@contextmanager
def memory(limit: int) -> Iterator[Cage]:
    """Room for so many bytes, and no swap. NoCageError where that needs a right that we lack."""
    version = 2 if (_ROOT / "cgroup.controllers").exists() else 1
    folder = (_ROOT if version == 2 else _ROOT / "memory") / f"storewatch-bench-{time.time_ns()}"
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes", "memory.max")[version - 1]).write_text(str(limit))
        swap = folder / ("memory.memsw.limit_in_bytes", "memory.swap.max")[version - 1]
        if swap.exists():
            swap.write_text(str(limit) if version == 1 else "0")
    except OSError as error:
        raise NoCageError(
            f"no control group for memory can be made here ({error}): be root on Linux"
        ) from error
    try:
        yield Cage(folder, version)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Once its last process has left."""
    until = time.monotonic() + 30
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
