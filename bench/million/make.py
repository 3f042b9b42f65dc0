"""Makes the files of a fleet, fills in the polls of the week, packs them, makes their history. A child.

What it fills is what an import leaves: partitions by day, tallies, first polls, history that is due. Memory
is that of a day's hours of all stores (9 bytes a poll), and of some stores at a time on their way.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure import peak_mb
from bench.million.town import HOURS, Town
from storewatch.domain.batches import Batch, DayBatch
from storewatch.domain.clock import DAY
from storewatch.domain.touched import Touched
from storewatch.services import history as days
from storewatch.services import packing
from storewatch.services.reporting import Request
from storewatch.storage import history, imports, polls, stores
from storewatch.storage.db import Database

_IDS_AT_ONCE = 100_000
_STORES_AT_ONCE = 50_000


def main() -> None:
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    town = Town(given["stores"], folder)
    made: dict[str, float] = {}
    if given["what"] == "known":
        made |= town.write_known()
    elif given["what"] == "polls":
        for number in range(HOURS):
            town.write_hour(folder / "store_status.csv", number)
    elif given["what"] == "hourly":
        town.write_hour(folder / f"hourly{given['hour']}.csv", HOURS + given["hour"])
    else:
        database = Database(given["url"])
        {
            "fill": lambda: fill(database, town),
            "pack": lambda: pack(database),
            "live": lambda: live(database),
        }[given["what"]]()
        database.close()
    print(json.dumps(made | {"peak_mb": peak_mb()}))


def fill(database: Database, town: Town) -> None:
    """A transaction a day; the database has no polls yet."""
    keys = _keys(database, town)
    order = np.argsort(keys)
    first = np.full(town.stores, np.iinfo(np.int64).max)
    for day, numbers in groupby(range(HOURS), lambda number: town.begins(number) // DAY):
        hours = [town.hour(number) for number in numbers]
        touched = Touched()
        with database.transaction() as session:
            import_no = imports.open_import(session, "store_status", "cli", "bench", datetime.now(UTC))
            polls.add_day(session, day, _parts(day, keys, order, hours, touched), import_no, [b""])
            history.mark_polls(session, touched.stretches())
        first = np.minimum(first, hours[0][0])
    for low in range(0, town.stores, _IDS_AT_ONCE):
        part = slice(low, low + _IDS_AT_ONCE)
        with database.transaction() as session:
            stores.lower_first_polls(session, keys[part].astype(np.int64), first[part])


def pack(database: Database) -> None:
    """As the worker's job does, an hour after the last poll came."""
    while packing.pack(database, datetime.now(UTC) + timedelta(hours=1)):
        pass


def live(database: Database) -> None:
    """Makes history, as the worker's job does, until nothing is due."""
    while days.update(database, Request()):
        pass


def _keys(database: Database, town: Town) -> NDArray[np.int32]:
    """The key of each store; those without hours and zone become stores here."""
    found = []
    for low in range(0, town.stores, _IDS_AT_ONCE):
        ids = town.ids[low : low + _IDS_AT_ONCE]
        with database.transaction() as session:
            allotted = stores.allot_keys(session, ids.to_list())
        placed = ids.to_frame("store_id").join(allotted, on="store_id", maintain_order="left")
        found.append(placed["store_key"].to_numpy())
    return np.concatenate(found).astype(np.int32)


def _parts(
    day: int,
    keys: NDArray[np.int32],
    order: NDArray[np.intp],
    hours: list[tuple[NDArray[np.int64], NDArray[np.bool_]]],
    touched: Touched,
) -> Iterator[DayBatch]:
    """The polls of a day by store and time, some stores at a time."""
    for low in range(0, len(order), _STORES_AT_ONCE):
        rows = order[low : low + _STORES_AT_ONCE]
        at = np.stack([at[rows] for at, _ in hours], axis=1).reshape(-1)
        active = np.stack([active[rows] for _, active in hours], axis=1).reshape(-1)
        key = np.repeat(keys[rows], len(hours))
        touched.add(key, at)
        yield DayBatch(day, Batch(key, at, active, np.zeros(len(key), np.int32)), 0, 0)


if __name__ == "__main__":
    main()
