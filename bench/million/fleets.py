"""One fleet: made, loaded, reported on, an hour added, its disk looked at."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.imports import Imported, joined, load
from bench.measure import Child, Runs, module, say
from bench.million import clusters
from bench.million.clusters import Made
from bench.million.town import HOURS
from bench.server import Server

DATABASE = "storewatch_bench_million"
FRONT_DOOR = 100_000
"""Up to so many stores the polls come as a file through the import; above they are filled in: as text those
of a million stores are 10 GB.
"""
ONE_SHARD = 20_000
"""So many stores are one shard of the usual report: nobody shares it."""
_REPORTS, _HOURS = 3, 3


@dataclass(frozen=True)
class Fleet:
    """What was measured. `disk` bytes by what they are for; `floors` seconds."""

    stores: int
    polls: int
    known: Imported
    imported: Imported | None
    fill: tuple[float, float]
    packed: tuple[float, float]
    reports: Runs
    work: Runs
    hourly: Imported
    disk: dict[str, int]
    floors: dict[str, Runs]
    ways: list[Made]
    history: tuple[float, float] | None
    vacuum: float


def measure(server: Server, folder: Path, stores: int) -> Fleet:
    """Leaves nothing behind. History is made of fleets that are imported, and their disk told with it."""
    url = server.make(DATABASE)
    given: dict[str, Any] = {"folder": str(folder), "stores": stores, "url": url, "polls": stores * HOURS}
    say(f"{stores:,} stores: hours and zones")
    module("million.make", given | {"what": "known"})
    known = joined([_load(url, folder / f"{name}.csv") for name in ("store_timezone", "menu_hours")])
    imported, fill = _polls(url, folder, given)
    server.settle()
    disk = _disk(url)
    say(f"{stores:,} stores: reports")
    from_rows, _ = clusters.alone(url, folder / "week.csv", way="one process, from rows")
    _, packed = module("million.make", given | {"what": "pack"})
    disk["packs"] = _packs(url)
    server.settle()
    made = [clusters.alone(url, folder / "week.csv") for _ in range(_REPORTS)]
    work = Runs(tuple(_work(url, _REPORTS)))
    ways = [_usual(made), from_rows, *(clusters.measure(url, folder) if stores > ONE_SHARD else [])]
    say(f"{stores:,} stores: hours on top, and floors")
    hourly = joined([_hour(url, folder, given, number) for number in range(_HOURS)])
    floors, _ = module("million.floors", given)
    history = _history(url, given, disk) if imported is not None else None
    vacuum = _vacuumed(url)
    server.drop(DATABASE)
    runs = [each for _, each in made]
    reports = Runs(tuple(each.seconds for each in runs), max(each.peak_mb for each in runs))
    spans = {name: Runs(tuple(seconds)) for name, seconds in floors.items()}
    return Fleet(
        stores,
        stores * HOURS,
        known,
        imported,
        fill,
        _spent(packed),
        reports,
        work,
        hourly,
        disk,
        spans,
        ways,
        history,
        vacuum,
    )


def _usual(made: list[tuple[Made, Child]]) -> Made:
    """Of several reports that were made in the same way the one that took neither longest nor shortest."""
    return sorted((each for each, _ in made), key=lambda each: each.seconds)[len(made) // 2]


def _load(url: str, file: Path) -> Imported:
    """Imports a file, which is not needed any more."""
    done = load(url, [file])
    file.unlink()
    return done


def _polls(url: str, folder: Path, given: dict[str, Any]) -> tuple[Imported | None, tuple[float, float]]:
    """The polls of the week: imported, or filled in, in (seconds, MB)."""
    if given["stores"] <= FRONT_DOOR:
        say(f"{given['stores']:,} stores: {given['polls']:,} polls are written and imported")
        module("million.make", given | {"what": "polls"})
        return _load(url, folder / "store_status.csv"), (0.0, 0.0)
    say(f"{given['stores']:,} stores: {given['polls']:,} polls are filled in")
    _, done = module("million.make", given | {"what": "fill"})
    return None, _spent(done)


def _spent(done: Child) -> tuple[float, float]:
    return done.seconds, done.peak_mb


def _hour(url: str, folder: Path, given: dict[str, Any], number: int) -> Imported:
    module("million.make", given | {"what": "hourly", "hour": number})
    return _load(url, folder / f"hourly{number}.csv")


def _work(url: str, count: int) -> list[float]:
    """What the last reports say that they took, rows in the database included, the file not."""
    query = "SELECT (timings->>'seconds')::float FROM report ORDER BY report_no DESC LIMIT %s"
    with _connected(url) as connection:
        return [row[0] for row in connection.execute(query, [count])]


def _disk(url: str) -> dict[str, int]:
    """Bytes of the tables and of the indexes of polls, and of all."""
    query = """
        SELECT sum(pg_table_size(inhrelid))::bigint, sum(pg_indexes_size(inhrelid))::bigint,
               pg_database_size(current_database())
        FROM pg_inherits WHERE inhparent = 'store_status'::regclass
    """
    with _connected(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return dict(zip(("polls", "index", "database"), row, strict=True))


def _packs(url: str) -> int:
    return _size(url, "poll_pack")


def _size(url: str, table: str) -> int:
    with _connected(url) as connection:
        row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [table]).fetchone()
    assert row is not None
    return int(row[0])


def _history(url: str, given: dict[str, Any], disk: dict[str, int]) -> tuple[float, float]:
    """Seconds and MB for the history of the week; adds to `disk` what it takes, in all and a store's day."""
    _, done = module("million.make", given | {"what": "live"})
    with _connected(url) as connection:
        row = connection.execute("SELECT count(*) FROM store_day").fetchone()
    assert row is not None
    disk["store_day"] = _size(url, "store_day") // int(row[0])
    return _spent(done)


def _vacuumed(url: str) -> float:
    """Seconds for what autovacuum does from time to time, of polls and history at once."""
    with _connected(url) as connection:
        began = time.perf_counter()
        connection.execute("VACUUM (ANALYZE) store_status, store_day, store_period, store_report")
    return time.perf_counter() - began


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1), autocommit=True)
