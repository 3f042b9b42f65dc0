"""Tables as Parquet files, a folder a table, as Spark, DuckDB and Athena read them.

A file has its name only when it is whole: it is written beside under a name that begins with a dot, which
those programs pass over.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from storewatch.domain.weekly import clock

ROWS_IN_A_GROUP = 250_000
"""So many rows are read back at once."""


def part_name(number: int) -> str:
    """The file of a part of a table, or of one of its days."""
    return f"part-{number:05}.parquet"


def write(table: pl.DataFrame, path: Path) -> int:
    """Writes a file, whole or not at all, in place of one that is there. Returns how many bytes it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unready = path.with_name(f".{path.name}.part")
    try:
        with unready.open("wb") as file:
            table.write_parquet(file, row_group_size=ROWS_IN_A_GROUP)
            file.flush()
            os.fsync(file.fileno())
        unready.replace(path)
    finally:
        unready.unlink(missing_ok=True)
    return path.stat().st_size


def polls_table(polls: pl.DataFrame) -> pl.DataFrame:
    """store_id, timestamp_utc, status, reason; from (store_id, at, active, reason)."""
    status = pl.when("active").then(pl.lit("active")).otherwise(pl.lit("inactive"))
    at = pl.from_epoch("at", "us").dt.replace_time_zone("UTC")
    return polls.select("store_id", timestamp_utc=at, status=status, reason="reason")


def hours_table(hours: pl.DataFrame) -> pl.DataFrame:
    """The columns of a file of menu_hours, from (store_id, day, start_s, end_s, since)."""
    seconds = sorted(set(hours["start_s"]) | set(hours["end_s"]))
    times = {second: clock(second) for second in seconds}
    start, end = (pl.col(name).replace_strict(times, return_dtype=pl.String) for name in ("start_s", "end_s"))
    return hours.select("store_id", "day", start_time_local=start, end_time_local=end, valid_from="since")
