"""A fleet as large as the field's, with a season of history: what the pages are looked at with."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl

from storewatch.services.simulating import simulate
from storewatch.storage.db import Database
from tests.acceptance.conftest import storewatch

STORES, DAYS, SEEN_DAYS = 14_092, 90, 4
"""Polled twice a day, and all day long in the last days: what history costs are its days, not its polls."""

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
PATIENCE = 900
"""Seconds for a test, the first of which waits for the fleet: on a busy machine longer than others may."""


def load(database_url: str, folder: Path, stores: int = STORES) -> None:
    """Makes the files and loads them."""
    end = int(time.time()) // 3600 * _HOUR
    three = simulate(folder, stores=stores, days=SEEN_DAYS, seed=7, end_us=end, progress=lambda *_: None)
    earlier = folder / "earlier" / "store_status.csv"
    earlier.parent.mkdir()
    _sparse(pl.read_csv(three.store_timezone, infer_schema=False)["store_id"], end).write_csv(earlier)
    files = (three.store_timezone, three.menu_hours, earlier, three.store_status)
    done = storewatch("import", *map(str, files), environment={"STOREWATCH_DATABASE_URL": database_url})
    assert done.returncode == 0, done.stderr


def load_late(database_url: str, folder: Path, store_ids: list[str]) -> None:
    """Loads a poll of each of some stores that comes a day after its time."""
    folder.mkdir()
    at = f"{time.strftime('%Y-%m-%d %H', time.gmtime(time.time() - 86_400))}:30:30 UTC"
    rows = "".join(f"{store_id},active,{at}\n" for store_id in store_ids)
    file = folder / "store_status.csv"
    file.write_text(f"store_id,status,timestamp_utc\n{rows}")
    done = storewatch("import", str(file), environment={"STOREWATCH_DATABASE_URL": database_url})
    assert done.returncode == 0, done.stderr


def _sparse(ids: pl.Series, end: int) -> pl.DataFrame:
    """Two polls a store and day, of which one in thirty finds it down."""
    draw = np.random.default_rng(7)
    days = end // _DAY - np.arange(SEEN_DAYS + 1, DAYS)
    at = (days[:, None] * _DAY + np.array([1, 18]) * _HOUR).ravel()
    times = np.repeat(at, len(ids)) + draw.integers(0, _HOUR // 1_000_000, len(at) * len(ids)) * 1_000_000
    down = draw.random(len(times)) < 1 / 30
    return pl.DataFrame(
        {
            "store_id": pl.concat([ids] * len(at)),
            "status": pl.Series(np.where(down, "inactive", "active")),
            "timestamp_utc": pl.Series(times)
            .cast(pl.Datetime("us"))
            .dt.strftime("%Y-%m-%d %H:%M:%S%.6f UTC"),
        }
    )


def wait_for_history(database: Database) -> None:
    """Until the worker has computed all days, and added them up."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with database.session() as session:
            query = "SELECT (SELECT count(*) FROM history_due) + (SELECT count(*) FROM fleet_due)"
            due = session.connection().exec_driver_sql(query).scalar_one()
        if not due:
            return
        time.sleep(1)
    raise AssertionError("history is still being made")
