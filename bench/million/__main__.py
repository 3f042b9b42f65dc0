"""`python -m bench.million`: measures large fleets in one run, and writes a page of docs whole.

STORES is the largest fleet, by default a million; below it are 100,000 and 14,092 if they are smaller.
STOREWATCH_BENCH_DATABASE_URL names a server to measure on; without it storewatch starts its own in a
temporary home (TMPDIR says where), which needs some 200 bytes of disk a poll while it runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench import cage, machine, small
from bench.measure import ROOT, keep_compiled, say
from bench.million import fleets, page
from bench.million.town import HOURS
from bench.server import open_folder, running

_DOCUMENT = ROOT / "docs" / "benchmarks-of-large-fleets.md"
_BELOW = (14_092, 100_000)
_BYTES_A_POLL = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("--stores", type=int, default=int(os.environ.get("STORES") or 1_000_000))
    parser.add_argument("--output", type=Path, default=_DOCUMENT)
    asked = parser.parse_args()
    _check_room(asked.stores)
    text = _measured(asked.stores)
    asked.output.write_text(text, encoding="utf-8")
    print(text)
    say(f"written to {asked.output}")


def _check_room(stores: int) -> None:
    """Says before it begins that it would not fit."""
    place, needed = tempfile.gettempdir(), stores * HOURS * _BYTES_A_POLL
    free = shutil.disk_usage(place).free
    if free < needed:
        sys.exit(
            f"{stores:,} stores need {needed / 1e9:.0f} GB in {place}, where {free / 1e9:.0f} GB are free: "
            "set TMPDIR to another folder, or STORES to fewer"
        )


def _measured(stores: int) -> str:
    began, load_before = time.monotonic(), machine.load()
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        sizes = [*(size for size in _BELOW if size < stores), stores]
        measured = [fleets.measure(server, folder, size) for size in sizes]
    with open_folder() as folder:
        carried = _small(folder, [size for size in small.FLEETS if size <= stores])
    with running() as server:
        about = machine.described(server, load_before, (time.monotonic() - began) / 60)
    return f"{page.written(measured, about)}\n{carried}"


def _small(folder: Path, sizes: list[int]) -> str:
    try:
        return small.written(small.measure(folder, fleets=sizes))
    except cage.NoCageError as error:
        return f"## Small machines\n\nNot measured in this run: {error}\n"


if __name__ == "__main__":
    main()
