"""Which fleet a small machine carries: everything that storewatch is, PostgreSQL included, in so much memory.

`python -m bench.small` makes fleets outside and then runs all of it inside: the week's files come by
`storewatch import`, history and packs are made by the worker, reports come over HTTP, an hour's file comes on
top. `--limits 1 2 4` are GB, `--stores` fleets; what one limit does not carry is tried with the next.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import cage, packs
from bench.imports import load
from bench.measure import keep_compiled, module, say
from bench.million.town import HOURS
from bench.server import open_folder, running
from bench.service import serving
from bench.table import amount, table

DATABASE = "storewatch_bench_small"
_GB = 10**9
LIMITS, FLEETS = (1, 2, 4), (14_092, 100_000, 300_000)
_REPORTS = 3
_FILES = ("store_timezone", "menu_hours", "store_status")


@dataclass(frozen=True)
class Carried:
    """What became of a fleet within a limit: `seconds` by what was done, None if it was not to be done."""

    limit: int
    stores: int
    seconds: dict[str, float] | None
    killed: int


def measure(folder: Path, limits: Sequence[int] = LIMITS, fleets: Sequence[int] = FLEETS) -> list[Carried]:
    """Each fleet within the smallest limit that carries it, and within those that do not."""
    found: list[Carried] = []
    left = list(limits)
    for stores in fleets:
        if left:
            _make(folder, stores)
        while left:
            found.append(_caged(folder, left[0], stores))
            if found[-1].seconds is not None:
                break
            left.pop(0)
    _clear(folder)
    return found


def _clear(folder: Path) -> None:
    for file in folder.glob("*.csv"):
        file.unlink()


def _make(folder: Path, stores: int) -> None:
    """The files of a week and of the hour after it, outside of any limit."""
    say(f"{stores:,} stores: files are written")
    _clear(folder)
    given = {"folder": str(folder), "stores": stores, "polls": stores * HOURS}
    for what in ({"what": "known"}, {"what": "polls"}, {"what": "hourly", "hour": 0}):
        module("million.make", given | what)


def _caged(folder: Path, limit: int, stores: int) -> Carried:
    say(f"{stores:,} stores in {limit} GB")
    with cage.memory(limit * _GB) as inside:
        done = inside.run([sys.executable, "-m", "bench.small", "--inside", str(folder)])
        killed = inside.killed()
    if not done.stdout.startswith("{"):
        say(f"not carried: {done.stderr[-2000:]}")
        return Carried(limit, stores, None, killed)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return Carried(limit, stores, seconds, killed)


# --- inside ---------------------------------------------------------------------------------------


def inside(files: Path) -> None:
    """Does all that storewatch does, and prints how long each took."""
    seconds: dict[str, float] = {}
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        url = server.make(DATABASE)
        done = load(url, [files / f"{name}.csv" for name in _FILES])
        seconds["files"] = sum(done.command.seconds)
        with serving(url, folder / "serve.log") as service:
            seconds["history"] = _settled(url)
            seconds["report"] = statistics.median(service.report()[0] for _ in range(_REPORTS))
            began = time.perf_counter()
            load(url, [files / "hourly0.csv"])
            _settled(url)
            seconds["hour"] = time.perf_counter() - began
        # before the server goes away: whether it lets a database be dropped at once says nothing of the fleet
        print(json.dumps(seconds), flush=True)


def _settled(url: str) -> float:
    began = time.perf_counter()
    packs.settle(url, within_s=3600)
    return time.perf_counter() - began


# --- told -----------------------------------------------------------------------------------------


def written(found: list[Carried]) -> str:
    """The section of the document."""
    head = (
        "memory", "stores", "the week's files", "history and packs of them", "a report over HTTP",
        "an hour on top, all work", "killed for want of memory",
    )  # fmt: skip
    return f"""## Small machines

All that storewatch is, its own PostgreSQL, web, worker, probe and commands, in so much memory, what Linux
keeps of files included; no swap. Each fleet is given 1 GB, and 2 or 4 GB if that does not carry it: it is
carried if everything was done. Files are a week's, by `storewatch import`; a report is the median of three.

{table(head, [_row(each) for each in found])}
"""


def _row(each: Carried) -> list[str]:
    if each.seconds is None:
        return [f"{each.limit} GB", f"{each.stores:,}", "**not carried**", "", "", "", str(each.killed)]
    times = [amount(each.seconds[name], "s") for name in ("files", "history", "report", "hour")]
    return [f"{each.limit} GB", f"{each.stores:,}", *times, str(each.killed)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.small", description=__doc__)
    parser.add_argument("--limits", type=int, nargs="+", default=list(LIMITS))
    parser.add_argument("--stores", type=int, nargs="+", default=list(FLEETS))
    parser.add_argument("--inside", type=Path, help="for itself: measures in this process, with these files")
    asked = parser.parse_args()
    if asked.inside:
        return inside(asked.inside)
    with open_folder() as folder:
        print(written(measure(folder, asked.limits, asked.stores)))


if __name__ == "__main__":
    main()
