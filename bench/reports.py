"""Measures the report: in a running service, step by step, and against its peers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import packs
from bench.measure import Runs, module, say
from bench.packs import Packed
from bench.service import serving
from bench.sizes import Sizes
from bench.table import Line, amount, bounded, of_runs, spread, table

_STEPS = {
    "schedule": "hours and zones out of PostgreSQL",
    "opens": "hours and zones to open intervals (`domain.hours`)",
    "read": "polls out of PostgreSQL, sorted, from packs (`storage.polls.read`)",
    "engine": "the engine: polls and open intervals to totals and outages (`domain.outages`)",
    "write": "the rows into PostgreSQL",
}


class DisagreementError(Exception):
    """Two ways came to different figures: then no time of theirs means anything."""


@dataclass(frozen=True)
class Figures:
    whole: Runs  # with the worker's peak memory
    cold: float
    busy: Runs  # while history of what was imported is made
    packed: Packed
    download: Runs
    megabytes: float
    steps: dict[str, Runs]
    floor: Runs
    peers: dict[str, Runs]
    compared: dict[str, int]
    sizes: dict[str, int]


def measure(url: str, folder: Path, sizes: Sizes, given: dict[str, Any]) -> Figures:
    """From a database with all three files in it."""
    say("reports over HTTP")
    with serving(url, folder / "serve.log") as service:
        cold, report_id = service.report()
        busy = tuple(service.report()[0] for _ in range(sizes.few))
        packed = packs.measure(service, url, sizes.reports, sizes.few)
        fetched = [service.download(report_id) for _ in range(sizes.few)]
        worker = service.peak_mb("worker")
    say("the steps of a report")
    engine, _ = module("engine", given | {"runs": sizes.runs})
    steps = {name: Runs(tuple(seconds)) for name, seconds in engine["steps"].items()}
    steps["engine"] = Runs(tuple(engine["seconds"]))
    compared = {"the report of the service": _same(folder, "report", None)}
    peers = {}
    for name, runs in (
        ("polars_frames", sizes.runs),
        ("duckdb_sql", sizes.runs),
        ("postgres_sql", sizes.few),
    ):
        say(f"peer: {name}")
        answer, _ = module(f"peers.{name}", given | {"runs": runs})
        peers[name] = Runs(tuple(answer["seconds"]), answer["peak_mb"])
        compared[name] = _same(folder, name, None)
    say("peer: orm")
    part = min(sizes.orm_stores, engine["stores"])
    answer, _ = module("peers.orm", given | {"runs": sizes.few, "part": part})
    times = engine["stores"] / part
    peers["orm"] = Runs(tuple(seconds * times for seconds in answer["seconds"]), answer["peak_mb"])
    compared["orm"] = _same(folder, "orm", answer["keys"])
    return Figures(
        Runs(packed.warm.seconds, worker),
        cold,
        Runs(busy),
        packed,
        Runs(tuple(seconds for seconds, _ in fetched)),
        len(fetched[0][1]) / 1e6,
        {name: steps[name] for name in _STEPS},
        steps["floor"],
        peers,
        compared,
        {name: engine[name] for name in ("stores", "polls", "opens", "in_hours")},
    )


def _same(folder: Path, name: str, keys: list[int] | None) -> int:
    """How many figures a peer and the engine have in common: all, or DisagreementError."""
    engine = np.load(folder / "totals_engine.npy")
    ours, excluded = engine[:, :, :5], engine[:, :, 5:]  # the peers know of no exceptions
    theirs = np.load(folder / f"totals_{name}.npy")[:, :, :5]
    if keys is not None:
        ours = ours[np.searchsorted(np.load(folder / "keys.npy"), keys)]
    if ours.shape != theirs.shape or not np.array_equal(ours, theirs):
        raise DisagreementError(f"{name} and the engine have different figures")
    if excluded.any():
        raise DisagreementError("there is excluded time, which the peers do not know of")
    if not ours[:, :, :4].any():
        raise DisagreementError("all figures are zero: nothing was compared")
    return int(ours.size)


def written(figures: Figures, sizes: Sizes) -> str:
    """The section of the document."""
    size, steps, whole = figures.sizes, figures.steps, figures.whole
    lines = [
        of_runs(f"report of {size['stores']:,} stores: trigger to Complete over HTTP", whole, 0.25),
        Line("… the first one after `storewatch serve` started", figures.cold, "s"),
        of_runs("… while history of the first import is made", figures.busy),
        Line("… against the floor below", whole.median / figures.floor.median, "×"),
        Line("… peak memory of the worker", whole.peak_mb or 0, "MB", 400),
        *packs.lines(figures.packed),
        of_runs("the engine alone, polls and open intervals in memory", steps["engine"], 0.1),
        of_runs("the open intervals alone", steps["opens"]),
        of_runs(f"download of the CSV, {figures.megabytes:.1f} MB", figures.download),
    ]
    return f"""## Report

The report reads {size["polls"]:,} polls, {size["in_hours"]:,} of them in opening hours, and
{size["opens"]:,} open intervals; three windows; policy `nearest`.

{bounded(lines)}

### Against other ways

{_against_stored(figures, sizes)}

{_in_memory(figures)}

All peers are given the same table of open intervals, which storewatch makes itself as a part of its report,
and give the same five totals (up and down, seen and inferred, and unknown). Ours is the whole, HTTP, queue,
open intervals and the writing of the rows included; the peers give figures and write nothing. The program
over the ORM ran for {min(sizes.orm_stores, size["stores"]):,} stores spread over all, and its time is
multiplied up. PostgreSQL's own statement has 256 MB of `work_mem`. DuckDB and Polars have the polls in
tables of their own in memory; in the first table the floor is added for reading them. The floor is the
reading of the polls out of PostgreSQL once, left as they come.

{_agreement(figures)}

### Where the time of a report goes

{_where(figures)}
"""


def _against_stored(figures: Figures, sizes: Sizes) -> str:
    floor = figures.floor
    part = min(sizes.orm_stores, figures.sizes["stores"])
    alike = figures.steps["read"].median + figures.steps["engine"].median
    ways: list[tuple[str, Runs, bool]] = [
        ("the floor: the polls read once", floor, False),
        ("storewatch, trigger to Complete", figures.whole, True),
        ("… of that what the peers do: polls read and summed", Runs((alike,)), False),
        ("Polars, and the floor for reading", _plus(figures.peers["polars_frames"], floor), True),
        ("DuckDB, and the floor for reading", _plus(figures.peers["duckdb_sql"], floor), True),
        ("one SQL statement in PostgreSQL", figures.peers["postgres_sql"], True),
        (f"SQLAlchemy ORM, store by store, extrapolated from {part:,} stores", figures.peers["orm"], True),
    ]
    rows = [
        [
            way,
            spread(runs),
            amount(runs.median / figures.whole.median, "×"),
            amount(runs.peak_mb, "MB") if has_memory and runs.peak_mb else "",
        ]
        for way, runs, has_memory in ways
    ]
    return table(("polls in PostgreSQL to figures", "time", "of ours", "peak memory of the client"), rows)


def _plus(runs: Runs, floor: Runs) -> Runs:
    return Runs(tuple(seconds + floor.median for seconds in runs.seconds), runs.peak_mb)


def _in_memory(figures: Figures) -> str:
    ours = figures.steps["engine"]
    ways = (
        ("storewatch's engine (numpy, one thread)", ours),
        ("Polars (all threads)", figures.peers["polars_frames"]),
        ("DuckDB (all threads)", figures.peers["duckdb_sql"]),
    )
    rows = [[way, spread(runs), amount(runs.median / ours.median, "×")] for way, runs in ways]
    return table(("polls in memory to figures", "time", "of the engine's"), rows)


def _agreement(figures: Figures) -> str:
    names = {
        "polars_frames": "Polars",
        "duckdb_sql": "DuckDB",
        "postgres_sql": "the SQL statement",
        "orm": "the program over the ORM",
    }
    told = ", ".join(f"{names.get(name, name)} {count:,}" for name, count in figures.compared.items())
    return (
        "Checked in this run: figures that are the same as the engine's to the microsecond, all that there "
        f"were to compare (stores × windows × totals): {told}."
    )


def _where(figures: Figures) -> str:
    steps = {_STEPS[name]: runs.median for name, runs in figures.steps.items()}
    rest = figures.whole.median - sum(steps.values())
    steps["the rest: HTTP, queue, commits, less what is done side by side (the difference)"] = rest
    rows = [[what, amount(seconds, "s") if seconds > 0 else "none"] for what, seconds in steps.items()]
    return table(("step", "median"), rows)
