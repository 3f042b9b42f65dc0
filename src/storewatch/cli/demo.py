"""storewatch demo and simulate."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import click

from storewatch import config
from storewatch.cli.common import now_us, opened_database, percent_bar
from storewatch.cli.files import imported, told
from storewatch.cli.logs import silence_log
from storewatch.cli.report import made_now, write
from storewatch.cli.report import told as told_report
from storewatch.domain.clock import HOUR, parse_instant
from storewatch.errors import ConflictError, UsageError
from storewatch.services import clearing
from storewatch.services.reporting import usual
from storewatch.services.simulating import SimulatedFiles
from storewatch.services.simulating import simulate as make_files
from storewatch.storage.db import Database

_FILES = ("store_timezone.csv", "menu_hours.csv", "store_status.csv")
_ROWS_SHOWN = 10


@click.command()
@click.option("--stores", required=True, type=int, help="How many polled stores.")
@click.option("--days", required=True, type=int, help="How many days of polls.")
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder.")
@click.option("--seed", default=1, show_default=True, type=int, help="Another seed, another fleet.")
@click.option(
    "--end", metavar="TIME", help="The end of the polls; by default the current hour. UTC if no offset."
)
def simulate(stores: int, days: int, output: Path, seed: int, end: str | None) -> None:
    """Write store_status.csv, menu_hours.csv and store_timezone.csv of an invented fleet."""
    files = _simulate(output, stores, days, seed, _end(end))
    click.echo(
        f"{files.polls:,} polls, {files.hours:,} rows of opening hours, {files.zones:,} zones are in {output}"
    )


def _end(text: str | None) -> int:
    if text is None:
        return now_us() // HOUR * HOUR
    instant = parse_instant(text)
    if instant is None:
        raise UsageError(f"--end '{text}' is not a time like 2023-01-25T18:00:00Z", field="end")
    return instant


def _simulate(output: Path, stores: int, days: int, seed: int, end_us: int) -> SimulatedFiles:
    with percent_bar() as bar:
        task = bar.add_task("simulate", total=100)
        progress: Callable[[int, int], None] = lambda done, total: bar.update(  # noqa: E731
            task, completed=done, total=total
        )
        return make_files(output, stores=stores, days=days, seed=seed, end_us=end_us, progress=progress)


@click.command()
@click.option("--stores", default=14_000, show_default=True, type=int, help="How many polled stores.")
@click.option("--days", default=7, show_default=True, type=int, help="How many days of polls.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Your own three files instead."
)
@click.option(
    "--output",
    default=Path("demo-data"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files and the report go.",
)
def demo(stores: int, days: int, data: Path | None, output: Path) -> None:
    """Make a fleet, load it, report on it, and say what to do next."""
    silence_log()
    settings = config.read()
    files, source = (_own_files(data), "cli") if data else ([], "demo")
    with opened_database(settings) as database:
        _keep_apart(database, own=data is not None)
        if data is None:
            click.echo(f"An invented fleet of {stores:,} stores, {days} days of polls:")
            _simulate(output, stores, days, 1, _end(None))
            files = [output / name for name in _FILES]
        output.mkdir(parents=True, exist_ok=True)
        for path in files:
            with path.open("rb") as stream:
                click.echo(told(imported(database, stream, str(path), path.stat().st_size, source=source)))
        made = made_now(database, usual(settings.seen_within, settings.default_zone))
        report = output / f"{made.report_id}.csv"
        write(database, made, report)
    click.echo(f"\n{told_report(made)}\n\n{_head(report)}\n\nThe whole report: {report.resolve()}\n")
    click.echo(_next_steps(str(made.report_id)))


def _own_files(folder: Path) -> list[Path]:
    """The three files of a folder, plain or gzip; polls last, so that assumptions are told of the whole."""
    found = [path for name in _FILES for path in (folder / name, folder / f"{name}.gz") if path.exists()]
    if not any("store_status" in path.name for path in found):
        raise UsageError(f"{folder} has no store_status.csv; wanted are {', '.join(_FILES)}")
    return found


def _keep_apart(database: Database, *, own: bool) -> None:
    """Never mixes an invented fleet with real data: an earlier one makes room, real data is left alone."""
    if not clearing.holds_real_data(database):
        if clearing.remove_invented(database):
            click.echo("The demo's earlier fleet was removed.")
    elif not own:
        raise ConflictError(
            "This database holds data of your own, and the demo would mix an invented fleet into it. "
            "Give it a home of its own: STOREWATCH_HOME=DIR storewatch demo"
        )


def _head(report: Path) -> str:
    with report.open(newline="", encoding="utf-8") as file:
        rows = list(islice(csv.reader(file), _ROWS_SHOWN + 1))
    heads = [name.replace("uptime_last_", "up ").replace("downtime_last_", "down ") for name in rows[0]]
    units = ["", *(f" ({unit})" for unit in ("min", "h", "h") * 2)]
    rows[1:] = [[cell or "no data" for cell in row] for row in rows[1:]]
    table = [[head + unit for head, unit in zip(heads, units, strict=True)], *rows[1:]]
    widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    )


def _next_steps(report_id: str) -> str:
    program, here = Path(sys.argv[0]).absolute(), Path.cwd()
    shown = program.relative_to(here) if program.is_relative_to(here) else program.name
    address = "http://127.0.0.1:8000"
    return (
        f"Next: {shown} serve --no-login\n"
        f"then open {address}, or:\n"
        f"  curl -X POST {address}/trigger_report\n"
        f"  curl '{address}/get_report?report_id={report_id}'\n"
        f"  curl -OJ {address}/download/{report_id}\n"
    )
