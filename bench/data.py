"""The files that are measured with, made by storewatch's own generator. Runs as a child process.

The generator polls a fleet every hour. The field's polls of a week are fewer, for there were hours in
which nobody was polled; those holes are cut out of the generated file here, at full size until it has as
many polls as the field's.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from storewatch.domain.clock import DAY, HOUR, from_us, parse_instant
from storewatch.services.simulating import simulate

END = "2023-01-25T18:00:00Z"
"""No zone of the fleet changed its clocks in the weeks before; it lies in the past of every machine."""

# Hours before the end at which nobody is polled, and for how long: as long a hole as the field had, and
# single hours.
_HOLES_H = ((100.0, 40.7), *((before, 1.0) for before in (10, 25, 31, 52, 58, 150, 170)))
_GZIP_LEVEL = 6


def end_us() -> int:
    """The end of the polls."""
    end = parse_instant(END)
    assert end is not None
    return end


def newest_us(folder: Path) -> int:
    """The newest poll of the three files: what a report is as of."""
    text = pl.scan_csv(folder / "store_status.csv", infer_schema=False).select(pl.col("timestamp_utc").max())
    found = parse_instant(text.collect().item())
    assert found is not None
    return found


def make(folder: Path, stores: int, days: int, seed: int) -> dict[str, Any]:
    """The three files of a fleet as they are generated."""
    files = simulate(folder, stores=stores, days=days, seed=seed, end_us=end_us(), progress=lambda *_: None)
    return {"polls": files.polls, "hours": files.hours, "zones": files.zones}


def cut(folder: Path, polls: int) -> int:
    """Cuts holes into the polls, then thins them evenly to so many rows; every store keeps one at least."""
    path = folder / "store_status.csv"
    rows = pl.read_csv(path, infer_schema=False).with_row_index("row")
    text = pl.col("timestamp_utc").str.slice(0, 19)
    before_h = (pl.lit(end_us()) - text.str.to_datetime("%Y-%m-%d %H:%M:%S").dt.epoch("us")) / HOUR
    in_hole = pl.any_horizontal((before_h <= start) & (before_h > start - hours) for start, hours in _HOLES_H)
    first = pl.col("row") == pl.col("row").min().over("store_id")
    rows = rows.filter(~in_hole | first)
    is_first = rows.select(first).to_series().to_numpy()
    spare = np.flatnonzero(~is_first)
    surplus = min(max(0, len(rows) - polls), len(spare))
    dropped = np.random.default_rng(1).choice(spare, surplus, replace=False)
    kept = np.ones(len(rows), np.bool_)
    kept[dropped] = False
    rows = rows.filter(pl.Series(kept)).drop("row")
    rows.write_csv(path)
    return len(rows)


def variants(folder: Path) -> None:
    """The same polls with every field in quotes, and packed."""
    path = folder / "store_status.csv"
    pl.read_csv(path, infer_schema=False).write_csv(folder / "quoted.csv", quote_style="always")
    with path.open("rb") as plain, gzip.open(folder / "packed.csv.gz", "wb", _GZIP_LEVEL) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)


def hourly(folder: Path, files: int, polls: int) -> int:
    """Files of the hours after the end, a poll a store each; returns how many polls a file has."""
    ids = pl.read_csv(folder / "store_status.csv", columns=["store_id"], infer_schema=False)
    stores = ids["store_id"].unique(maintain_order=True).head(polls)
    rng = np.random.default_rng(2)
    for number in range(files):
        at = end_us() + number * HOUR + rng.integers(1, 15 * 60 * 1_000_000, len(stores))
        stamp = pl.col("at").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.6f UTC")
        state = pl.Series(np.where(rng.random(len(stores)) < 0.1, "inactive", "active"))
        frame = pl.DataFrame({"store_id": stores, "status": state, "at": at})
        rows = frame.select("store_id", "status", stamp.alias("timestamp_utc"))
        rows.write_csv(folder / f"hourly{number}.csv")
    return len(stores)


def main() -> None:
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    made = make(folder, given["stores"], given["days"], given["seed"])
    if given.get("polls"):
        made["polls"] = cut(folder, given["polls"])
        made["hourly"] = hourly(folder, given["hourly_files"], given["hourly_polls"])
        variants(folder)
    made["from"], made["until"] = (
        from_us(at).isoformat() for at in (end_us() - given["days"] * DAY, end_us())
    )
    print(json.dumps(made))


if __name__ == "__main__":
    main()
