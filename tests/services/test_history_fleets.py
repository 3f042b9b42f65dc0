"""History equals the engine for whole fleets: that of the field, and a year with clock changes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, HOUR, SECOND
from storewatch.domain.permissions import COMMAND
from storewatch.services import history, periods, proof
from storewatch.services.chosen import Chosen
from storewatch.services.importing import import_file
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.factories import load
from tests.services.by_engine import assert_equal

USUAL = Request()
FIELD = Path(__file__).parents[2].parent / "shared" / "data" / "2023"
FIELD_DAYS = (19_370, 19_390)

YEAR = (19_350, 19_723)
"""2022-12-24 to 2024-01-01, counted from 1970"""
ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Casablanca", "America/Santiago")


def work_off(database: Database) -> None:
    while history.update(database, USUAL):
        pass


@pytest.mark.slow
@pytest.mark.skipif(not FIELD.exists(), reason="the field data are not here")
def test_history_of_the_field_data_equals_the_engine(database: Database) -> None:
    for name in ("menu_hours", "store_timezone", "store_status_sample"):
        with (FIELD / f"{name}.csv").open("rb") as stream:
            import_file(database, stream, name, now_us=None)
    work_off(database)
    days = len(assert_equal(database, *FIELD_DAYS, USUAL))
    assert days > 50_000
    assert proof.verify(database, USUAL) == proof.Proof(0, days)


def a_year(stores: int) -> str:
    """Polls about every six hours, a few down for days, a few never for weeks."""
    choose = np.random.default_rng(20_230_312)
    first = (YEAR[0] + 2) * DAY + choose.integers(0, 20, stores) * DAY
    steps = choose.integers(4 * HOUR, 8 * HOUR, (stores, 1_500)) // SECOND * SECOND
    steps[choose.random(steps.shape) < 0.001] += 40 * HOUR
    at = first[:, None] + np.cumsum(steps, axis=1)
    up = np.cumsum(choose.random(at.shape) < 0.03, axis=1) % 3 > 0  # turns last for days
    store = np.broadcast_to(np.arange(stores)[:, None], at.shape)
    kept = at < (YEAR[1] - 1) * DAY + 15 * HOUR
    frame = pl.DataFrame({"store_id": store[kept], "up": up[kept], "at": at[kept]})
    status = pl.when("up").then(pl.lit("active")).otherwise(pl.lit("inactive")).alias("status")
    when = pl.col("at").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S").alias("timestamp_utc")
    return frame.select("store_id", status, when).write_csv()


def weeks_of(stores: int) -> str:
    """Every third store night and day, the others by day, or over midnight at the week's end."""
    rows = ["store_id,day,start_time_local,end_time_local"]
    for store in range(stores):
        hours = {0: None, 1: ("08:00", "21:30"), 2: ("17:00", "02:30")}[store % 3]
        rows += [f"{store},{day},{hours[0]},{hours[1]}" for day in range(store % 2, 7) if hours]
    return "\n".join(rows) + "\n"


@pytest.mark.slow
def test_a_year_of_500_stores_in_five_zones_equals_the_engine(database: Database) -> None:
    zones = "store_id,timezone_str\n" + "".join(f"{n},{ZONES[n % 5]}\n" for n in range(500))
    load(database, zones, weeks_of(500))
    import_file(database, io.BytesIO(a_year(500).encode()), "year.csv", now_us=None)
    work_off(database)
    truth = assert_equal(database, *YEAR, USUAL)
    with database.session() as session:
        assert session.execute(text("SELECT count(*) FROM store_day")).scalar() == len(truth) > 175_000
    for by in ("day", "week", "month"):
        found = periods.by_period(database, COMMAND, Chosen(), by, Asked(*YEAR), USUAL)
        assert found.sums.totals.sum(axis=0).tolist() == truth.whole.totals.sum(axis=(0, 1)).tolist()
    hours = periods.by_week_hour(database, COMMAND, Chosen(), Asked(*YEAR), USUAL)
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded = truth.whole.totals.sum(
        axis=(0, 1)
    ).tolist()
    expected = [up_seen + up_inferred, down_seen + down_inferred, unknown, up_seen + down_seen]
    expected += [excluded, down_seen]
    assert hours.told.sum(axis=0).tolist() == expected
