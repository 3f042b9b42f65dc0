"""The fleet: who the stores are, and what their polls say. Any part of it can be made by itself.

Each store is polled once an hour, in the first quarter of it, for a week. Stores, hours and zones are those
of storewatch's own generator; a store is down in one stretch of six hours out of twenty, and now and then
between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.data import end_us
from bench.sizes import SEED
from storewatch.domain.clock import HOUR, MINUTE
from storewatch.domain.simulation import hours_rows, make_fleet, timezone_rows

HOURS = 168
_STRETCH = 6
_DOWN, _MOMENTS = 0.05, 0.01
_ROWS_AT_ONCE = 500_000
_IDS = "ids.parquet"

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Town:
    """`stores` polled stores, counted from 0; the `number`th hour begins so many hours after the first. Their
    files are in `folder`.
    """

    stores: int
    folder: Path

    @cached_property
    def ids(self) -> pl.Series:
        """Of the polled stores, once `write_known` has made them up."""
        return pl.read_parquet(self.folder / _IDS)["store_id"]

    def begins(self, number: int) -> int:
        """When an hour begins; the polls of the week are those of the hours 0 to 167."""
        return end_us() + (number - HOURS) * HOUR

    def hour(self, number: int) -> tuple[Ints, Bools]:
        """When each store is polled in an hour, and whether it is active."""
        rng = np.random.default_rng([SEED, 10, number])
        at = self.begins(number) + rng.integers(0, 15 * MINUTE, self.stores)
        stretch = np.random.default_rng([SEED, 11, number // _STRETCH])
        down = stretch.random(self.stores, np.float32) < _DOWN
        down |= rng.random(self.stores, np.float32) < _MOMENTS
        return at, ~down

    def write_hour(self, file: Path, number: int) -> None:
        """Adds the polls of an hour to a file; the first one begins it."""
        at, active = self.hour(number)
        new = not file.exists()
        with file.open("ab") as out:
            for first in range(0, self.stores, _ROWS_AT_ONCE):
                part = slice(first, first + _ROWS_AT_ONCE)
                _rows(self.ids[part], at[part], active[part]).write_csv(out, include_header=new and not first)

    def write_known(self) -> dict[str, int]:
        """Makes the fleet up (1.3 GB for a million stores) and writes the files of hours and zones, and
        the ids for whoever comes after. Gives how many rows there are.
        """
        fleet = make_fleet(stores=self.stores, seed=SEED)
        hours, zones = hours_rows(fleet), timezone_rows(fleet)
        hours.write_csv(self.folder / "menu_hours.csv")
        zones.write_csv(self.folder / "store_timezone.csv")
        fleet.ids.head(self.stores).to_frame("store_id").write_parquet(self.folder / _IDS)
        return {"hours": len(hours), "zones": len(zones)}


def _rows(ids: pl.Series, at: Ints, active: Bools) -> pl.DataFrame:
    moment = pl.col("at").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.6f UTC")
    state = pl.when("active").then(pl.lit("active")).otherwise(pl.lit("inactive"))
    frame = pl.DataFrame({"store_id": ids, "at": at, "active": active})
    return frame.select("store_id", state.alias("status"), moment.alias("timestamp_utc"))
