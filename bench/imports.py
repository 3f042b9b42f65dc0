"""Measures imports, through the real command, in a process of its own each time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import STOREWATCH, Runs, child, module, say
from bench.server import Server
from bench.sizes import Sizes
from bench.table import Line, amount, bounded, of_runs, spread, table
from storewatch.services import history
from storewatch.services.reporting import Request
from storewatch.storage.db import Database

DATABASE = "storewatch_bench"
_OTHER = "storewatch_bench_other"
_WORK = re.compile(r"rows in ([\d.]+) s")


@dataclass(frozen=True)
class Imported:
    """Runs of one import: the whole command, and the work alone, as the command tells it."""

    command: Runs
    work: Runs


@dataclass(frozen=True)
class Figures:
    first: dict[str, Imported]
    again: Imported
    hourly: Imported
    forms: dict[str, Imported]
    floor: Runs
    to_sql: Runs
    megabytes: float
    lived: Runs


def load(url: str, files: list[Path]) -> Imported:
    """Imports files one after another, a command each."""
    done = [child([STOREWATCH, "import", str(file)], STOREWATCH_DATABASE_URL=url) for file in files]
    work = tuple(float(seconds) for one in done for seconds in _WORK.findall(one.output))
    assert len(work) == len(files)
    return Imported(Runs(tuple(one.seconds for one in done), max(one.peak_mb for one in done)), Runs(work))


def joined(parts: list[Imported]) -> Imported:
    """Several runs as one."""
    peaks = [part.command.peak_mb or 0 for part in parts]
    return Imported(
        Runs(tuple(s for part in parts for s in part.command.seconds), max(peaks)),
        Runs(tuple(s for part in parts for s in part.work.seconds)),
    )


def measure(server: Server, folder: Path, sizes: Sizes, given: dict[str, Any]) -> Figures:
    """Leaves a database with all three files in it."""
    names = ("store_status", "menu_hours", "store_timezone")
    first: dict[str, list[Imported]] = {name: [] for name in names}
    for run in range(sizes.runs):
        say(f"import into an empty database, {run + 1} of {sizes.runs}")
        url = server.make(DATABASE)
        for name in names:
            first[name].append(load(url, [folder / f"{name}.csv"]))
            server.settle()
    say("the same file again")
    again = joined([load(url, [folder / "store_status.csv"]) for _ in range(sizes.few)])
    say("the floor, and pandas")
    floor, _ = module("floor", given | {"runs": sizes.runs})
    to_sql, _ = module("peers.pandas_to_sql", given | {"runs": sizes.few, "part": sizes.to_sql_rows})
    say("hourly files on top")
    url = server.copy(DATABASE, _OTHER)
    hourly = load(url, [folder / f"hourly{number}.csv" for number in range(sizes.hourly_files)])
    forms = {name: _form(server, folder / name, sizes.few) for name in ("quoted.csv", "packed.csv.gz")}
    lived = Runs(tuple(_lived(server, folder, names) for _ in range(sizes.few)))
    server.drop(_OTHER)
    return Figures(
        {name: joined(parts) for name, parts in first.items()},
        again,
        hourly,
        forms,
        Runs(tuple(floor["seconds"])),
        Runs(tuple(to_sql["seconds"]), to_sql["peak_mb"]),
        (folder / "store_status.csv").stat().st_size / 1e6,
        lived,
    )


def _lived(server: Server, folder: Path, names: tuple[str, ...]) -> float:
    """Seconds for the command that imports the polls, and for the history that a worker makes of them."""
    say("the same import, and its history")
    url = server.make(_OTHER)
    load(url, [folder / f"{name}.csv" for name in names[1:]])
    taken = load(url, [folder / f"{names[0]}.csv"])
    database = Database(url)
    began = time.perf_counter()
    while history.update(database, Request()):
        pass
    took = time.perf_counter() - began
    database.close()
    return taken.command.median + took


def _form(server: Server, file: Path, runs: int) -> Imported:
    say(f"the same rows as {file.name}")
    return joined([load(server.make(_OTHER), [file]) for _ in range(runs)])


def written(figures: Figures, sizes: Sizes, made: dict[str, Any]) -> str:
    """The section of the document."""
    status = figures.first["store_status"]
    floor = figures.floor.median
    file = f"`store_status`, {made['polls']:,} rows, {figures.megabytes:.0f} MB"
    lines = [
        of_runs(f"{file}, into an empty database: the command, its start included", status.command, 4),
        of_runs("… the work alone, as the command tells it", status.work),
        Line("… the command against the floor below", status.command.median / floor, "×"),
        Line("… the work against the floor below", status.work.median / floor, "×", 4),
        Line("… peak memory of the command", status.command.peak_mb or 0, "MB", 600),
        of_runs("… the command, and then the history of it, as the worker makes it", figures.lived, 5),
        of_runs("the same file again: the command", figures.again.command, 4),
        of_runs("… the work alone", figures.again.work),
        Line("… peak memory of the command", figures.again.command.peak_mb or 0, "MB", 600),
        of_runs(f"an hourly file of {made['hourly']:,} polls on top: the work", figures.hourly.work, 0.3),
        of_runs("… the command", figures.hourly.command),
        of_runs(f"`menu_hours`, {made['hours']:,} rows: the work", figures.first["menu_hours"].work),
        of_runs("… the command", figures.first["menu_hours"].command),
        of_runs(f"`store_timezone`, {made['zones']:,} rows: the work", figures.first["store_timezone"].work),
        of_runs("… the command", figures.first["store_timezone"].command),
        of_runs("`store_status`, every field in quotes: the command", figures.forms["quoted.csv"].command),
        Line("… its peak memory", figures.forms["quoted.csv"].command.peak_mb or 0, "MB", 600),
        of_runs("`store_status`, gzip: the command", figures.forms["packed.csv.gz"].command),
        Line("… its peak memory", figures.forms["packed.csv.gz"].command.peak_mb or 0, "MB", 600),
    ]
    return f"""## Import

{bounded(lines)}

{_peers(figures, sizes, status)}

The floor is a binary `COPY` of the stored rows into an empty unlogged heap on the same server: no reading
of text, no checks, no key, no partitions, no log; the start of a process is not counted in it, so the bound
is held against the work. pandas reads and converts the whole file (`read_csv`,
`to_datetime`) and writes a part of {sizes.to_sql_rows:,} rows by `to_sql` into an empty table with a primary
key; the time of the writing is multiplied up to all rows. Its memory is that of the whole file.
"""


def _peers(figures: Figures, sizes: Sizes, status: Imported) -> str:
    ours = status.command.median
    ways = (
        ("the floor", figures.floor),
        ("`storewatch import`, the command", status.command),
        (f"pandas `to_sql`, extrapolated from {sizes.to_sql_rows:,} rows", figures.to_sql),
    )
    rows = [
        [
            way,
            spread(runs),
            amount(runs.median / ours, "×"),
            amount(runs.peak_mb, "MB") if runs.peak_mb else "",
        ]
        for way, runs in ways
    ]
    return table(("CSV into PostgreSQL", "time", "of ours", "peak memory of the client"), rows)
