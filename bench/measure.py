"""Running child processes and keeping what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STOREWATCH = str(Path(sys.executable).with_name("storewatch"))

# The first two make numpy slow to start on some machines; for the third see `keep_compiled`.
_NOT_FOR_CHILDREN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
_compiled: dict[str, str] = {}


@dataclass(frozen=True)
class Runs:
    """Several runs of one thing: seconds of each, and the highest peak of memory."""

    seconds: tuple[float, ...]
    peak_mb: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Child:
    """What a child process took, start-up included, and what it printed."""

    seconds: float
    peak_mb: float
    cpu_seconds: float
    code: int
    output: str


class ChildFailedError(Exception):
    """A child process that should have worked did not."""


def keep_compiled(folder: Path) -> None:
    """Has children keep their modules compiled, as they are after a command's first run, in a folder of ours.

    Where the environment forbids Python to write them, each command would spend seconds on compiling.
    """
    _compiled["PYTHONPYCACHEPREFIX"] = str(folder)


def environment(**more: str) -> dict[str, str]:
    """The environment of a child; of storewatch's own variables only those given."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _NOT_FOR_CHILDREN and not name.startswith("STOREWATCH_")
    }
    return kept | _compiled | more


def child(command: list[str], fine: tuple[int, ...] = (0,), **variables: str) -> Child:
    """Runs a command to its end; ChildFailedError unless its exit code is one of `fine`."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        done = subprocess.run(
            [sys.executable, "-S", "-E", str(ROOT / "bench" / "wait.py"), str(result), *command],
            cwd=ROOT,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        took: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {"code": "none"}
    if took["code"] not in fine:
        raise ChildFailedError(
            f"{' '.join(command)}\nended with {took['code']}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return Child(took["seconds"], took["peak_mb"], took["cpu_seconds"], took["code"], done.stdout)


def module(name: str, given: dict[str, Any]) -> tuple[dict[str, Any], Child]:
    """Runs a module of ours with parameters; gives the last line that it prints, read as JSON."""
    done = child([sys.executable, "-m", f"bench.{name}", json.dumps(given)])
    answer: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return answer, done


def timed(runs: int, work: Callable[[], object]) -> list[float]:
    """Seconds of each of several calls."""
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return took


def peak_mb(pid: int | str = "self") -> float:
    """The most memory that a process ever held, up to now. Linux only; elsewhere 0."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return found[0] * 1024 / 1e6 if found else 0.0


def say(text: str) -> None:
    """Tells a person how far we are."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
