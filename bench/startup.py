"""Measures what a person waits for before anything happens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.measure import STOREWATCH, Runs, child, module, say
from bench.sizes import Sizes
from bench.table import bounded, of_runs

_HELP_RUNS = 10


@dataclass(frozen=True)
class Figures:
    help: Runs
    first: Runs
    later: Runs


def measure(folder: Path, sizes: Sizes) -> Figures:
    say("start-up")
    shown = [child([STOREWATCH, "--help"]).seconds for _ in range(_HELP_RUNS)]
    started, _ = module("starting", {"folder": str(folder), "homes": sizes.homes, "again": sizes.starts})
    return Figures(Runs(tuple(shown)), Runs(tuple(started["first"])), Runs(tuple(started["later"])))


def written(figures: Figures) -> str:
    """The section of the document."""
    lines = [
        of_runs("`storewatch --help`", figures.help, 0.5),
        of_runs("storewatch's own PostgreSQL up, the first time in a home", figures.first, 2),
        of_runs("… later", figures.later, 0.5),
    ]
    return f"## Start\n\n{bounded(lines)}\n"
