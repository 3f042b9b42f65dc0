"""Measures how import and report grow with the fleet."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.imports import Imported, load
from bench.measure import module, say
from bench.server import Server
from bench.service import serving
from bench.sizes import SEED, Sizes
from bench.table import Line, amount, bounded, table

_DATABASE = "storewatch_bench_growth"


@dataclass(frozen=True)
class Fleet:
    stores: int
    polls: int
    megabytes: float
    imported: Imported
    reports: tuple[float, float]
    worker_mb: float
    download: float


def measure(server: Server, folder: Path, sizes: Sizes) -> list[Fleet]:
    return [_fleet(server, folder / f"growth{stores}", stores, sizes.growth_days) for stores in sizes.growth]


def _fleet(server: Server, folder: Path, stores: int, days: int) -> Fleet:
    say(f"growth: {stores:,} stores are made up")
    made, _ = module("data", {"folder": str(folder), "stores": stores, "days": days, "seed": SEED})
    say(f"growth: {stores:,} stores, {made['polls']:,} polls are imported and reported")
    url = server.make(_DATABASE)
    for name in ("store_timezone", "menu_hours"):
        load(url, [folder / f"{name}.csv"])
    imported = load(url, [folder / "store_status.csv"])
    megabytes = (folder / "store_status.csv").stat().st_size / 1e6
    server.settle()
    with serving(url, folder / "serve.log") as service:
        first, report_id = service.report()
        second, _ = service.report()
        download, body = service.download(report_id)
        worker = service.peak_mb("worker")
    assert body.count(b"\n") > 1
    server.drop(_DATABASE)
    shutil.rmtree(folder)
    return Fleet(stores, made["polls"], megabytes, imported, (first, second), worker, download)


def written(fleets: list[Fleet], sizes: Sizes) -> str:
    """The section of the document."""
    head = (
        "stores", "polls", "CSV", "import", "rows/s", "import's memory",
        "first report", "second report", "… a store", "worker's memory", "download",
    )  # fmt: skip
    rows = [
        [
            f"{fleet.stores:,}",
            f"{fleet.polls:,}",
            amount(fleet.megabytes, "MB"),
            amount(fleet.imported.command.median, "s"),
            f"{fleet.polls / fleet.imported.command.median:,.0f}",
            amount(fleet.imported.command.peak_mb or 0, "MB"),
            amount(fleet.reports[0], "s"),
            amount(fleet.reports[1], "s"),
            f"{fleet.reports[1] / fleet.stores * 1e6:,.0f} µs",
            amount(fleet.worker_mb, "MB"),
            amount(fleet.download, "s"),
        ]
        for fleet in fleets
    ]
    largest = fleets[-1]
    bound = Line(
        f"peak memory of the import of {largest.polls:,} polls",
        largest.imported.command.peak_mb or 0,
        "MB",
        600,
    )
    return f"""## Growth

Fleets of {sizes.growth_days} days, each imported once into an empty database by the command (its start
included) and reported on twice by a service that was just started.

{table(head, rows)}

{bounded([bound])}
"""
