"""What every peer is given, and how it answers.

All get the same open intervals, made by storewatch, whose rules for hours and zones would otherwise have
to be written five times. Those that work in memory get the polls in memory too, in frames of their own kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import peak_mb, timed

Totals = NDArray[np.int64]
"""int64[stores, windows, 5]: microseconds up seen, up inferred, down seen, down inferred, unknown; in
order of store key."""

KINDS = ("up_seen", "up_inferred", "down_seen", "down_inferred", "unknown")
OPENS_TABLE = "bench_open"
"""(store_key int, start_us bigint, end_us bigint) in the database."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """Times in microseconds. `lengths` are those of the windows; all of them end at `as_of`."""

    url: str
    folder: Path
    as_of: int
    lengths: tuple[int, ...]
    max_gap: int
    seen_within: int
    runs: int
    part: int  # stores that a slow peer works on

    @property
    def reach(self) -> int:
        """The earliest instant whose polls matter."""
        return self.as_of - max(self.lengths) - self.max_gap

    @property
    def polls(self) -> Path:
        """Parquet: store_key, at_us, active; by store and time."""
        return self.folder / "polls.parquet"

    @property
    def opens(self) -> Path:
        """Parquet: store_key, start_us, end_us; by store and time, disjoint."""
        return self.folder / "opens.parquet"

    @property
    def stores(self) -> NDArray[np.int32]:
        """The keys of the stores of the report, ascending."""
        keys: NDArray[np.int32] = np.load(self.folder / "keys.npy")
        return keys


def read() -> Given:
    """From the command line."""
    values: dict[str, Any] = json.loads(sys.argv[1])
    return Given(**{**values, "folder": Path(values["folder"]), "lengths": tuple(values["lengths"])})


def answer(given: Given, name: str, work: Callable[[], Totals], **more: Any) -> None:
    """Runs the peer's work, keeps its totals for comparison, prints what it took."""
    totals: list[Totals] = []
    seconds = timed(given.runs, lambda: totals.append(work()))
    keep(given, name, totals[-1])
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), **more}))


def keep(given: Given, name: str, totals: Totals) -> None:
    """Where `agree` finds them."""
    np.save(given.folder / f"totals_{name}.npy", totals)


def from_rows(given: Given, rows: NDArray[np.int64]) -> Totals:
    """Totals from rows (store_key, window, five sums), in any order; stores without a row have none."""
    totals = np.zeros((len(given.stores), len(given.lengths), len(KINDS)), np.int64)
    totals[np.searchsorted(given.stores, rows[:, 0]), rows[:, 1]] = rows[:, 2:]
    return totals
