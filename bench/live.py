"""Measures what an hour of polls costs at all stores: their rows, their days of history, looking at them.

Some weeks are imported and made history; then hour after hour a file with a poll a store comes in, of which
some stores are down in turn. `python -m bench.live` measures this part alone and prints it.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.imports import load
from bench.measure import Runs, keep_compiled, say
from bench.server import Server, open_folder, running
from bench.sizes import FULL, QUICK, SEED, Sizes
from bench.table import bounded, of_runs
from storewatch.domain.clock import HOUR, MINUTE, SECOND, from_us, to_us
from storewatch.services import history, packing, watching
from storewatch.services.importing import import_file
from storewatch.services.reporting import Request
from storewatch.services.simulating import simulate
from storewatch.services.watching import Watching
from storewatch.storage.db import Database

DATABASE = "storewatch_bench_live"
DAYS, HOURS, DOWN = 35, 25, 200
BOUND_S, _INCREMENT_S = 1.0, 0.4


def measure(server: Server, folder: Path, sizes: Sizes) -> list[tuple[float, ...]]:
    """Seconds for the rows, the history and the states of each hour."""
    end = to_us(datetime.now(UTC)) // HOUR * HOUR - HOURS * HOUR
    url, files = server.make(DATABASE), folder / "live"
    say(f"{sizes.stores:,} stores with {DAYS} days are loaded, before polls come hour by hour")
    simulate(files, stores=sizes.stores, days=DAYS, seed=SEED, end_us=end, progress=lambda *_: None)
    load(url, [files / f"{name}.csv" for name in ("store_timezone", "menu_hours", "store_status")])
    database = Database(url)
    make_history(database, end)
    watching.look(database, Watching(), end)
    server.settle()
    found = [hour(database, end + number * HOUR, number) for number in range(HOURS)]
    database.close()
    server.drop(DATABASE)
    return found[1:]  # the first one comes to a database that nobody has used yet


def hour(database: Database, at: int, number: int) -> tuple[float, ...]:
    """Seconds for the rows, the history and the states of an hour of polls."""
    file = polls(database, at, number)
    rows = timed(
        lambda: import_file(database, io.BytesIO(file), "hour.csv", now_us=at + HOUR, kind="store_status")
    )
    days = timed(lambda: make_history(database, at + HOUR))
    return rows, days, timed(lambda: watching.look(database, Watching(), at + 15 * MINUTE))


def polls(database: Database, at: int, number: int) -> bytes:
    """A poll a store within a quarter of an hour; the stores that are down change every other hour."""
    with database.session() as session:
        names = session.connection().exec_driver_sql("SELECT store_id FROM store ORDER BY 1").scalars().all()
    first = number // 2 * DOWN
    when = at + np.random.default_rng(number).integers(0, 15 * 60, len(names)) * SECOND
    states = ["inactive" if first <= place < first + DOWN else "active" for place in range(len(names))]
    lines = [
        f"{name},{state},{from_us(each):%Y-%m-%d %H:%M:%S}\n"
        for name, state, each in zip(names, states, when.tolist(), strict=True)
    ]
    return ("store_id,status,timestamp_utc\n" + "".join(lines)).encode()


def make_history(database: Database, now_us: int) -> None:
    """What the worker does when polls came: days, and packs of the UTC days that are over."""
    while history.update(database, Request()):
        pass
    while packing.pack(database, from_us(now_us)):
        pass


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def written(found: list[tuple[float, ...]]) -> str:
    """The section of the document."""
    names = (
        "the rows, by `import`",
        "the days of history, packs of those that are over",
        "looking at the stores, for alerts",
    )
    lines = [
        of_runs("all work for an hour of polls", Runs(tuple(map(sum, found))), BOUND_S),
        of_runs(
            "… of it rows, history and versions of packs",
            Runs(tuple(rows + days for rows, days, _ in found)),
            _INCREMENT_S,
        ),
        *(
            of_runs(f"… {name}", Runs(each))
            for name, each in zip(names, zip(*found, strict=True), strict=True)
        ),
    ]
    return f"""## Live

A poll of each store comes in a file an hour, hour after hour for a day, on top of {DAYS} days of history;
{DOWN} stores at a time are down. Each part is measured in this process, which waits for nothing else. The
slowest hours are those in which the local days of most stores end: their last days are then looked at anew.

{bounded(lines)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small fleet")
    sizes = QUICK if parser.parse_args().quick else FULL
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        print(written(measure(server, folder, sizes)))


if __name__ == "__main__":
    main()
