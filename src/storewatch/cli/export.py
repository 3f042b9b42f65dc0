"""storewatch export."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import click

from storewatch import config
from storewatch.cli.common import opened_database, percent_bar
from storewatch.cli.report import counted
from storewatch.errors import UsageError
from storewatch.services import exporting
from storewatch.services.exporting import Exported


@click.command()
@click.option(
    "--parquet",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write to.",
)
@click.option(
    "--since", metavar="DAY", help="The first UTC day of polls, such as 2023-01-18; by default all."
)
@click.option("--until", metavar="DAY", help="The last one, included.")
@click.option("--history", is_flag=True, help="History by day too; it is not taken in again.")
def export(folder: Path, since: str | None, until: str | None, history: bool) -> None:
    """Write polls, opening hours and zones as Parquet, for Spark, DuckDB, Athena, and storewatch import."""
    first, last = (_day(name, text) for name, text in (("--since", since), ("--until", until)))
    if first and last and last < first:
        raise UsageError("--until lies before --since")
    began = time.monotonic()
    with opened_database(config.read()) as database, percent_bar() as bar:
        task = bar.add_task("export", total=1)
        try:
            found = exporting.export(
                database,
                folder,
                first,
                last,
                lambda done, of: bar.update(task, completed=done, total=of),
                history=history,
            )
        except OSError as error:
            raise UsageError(f"--parquet {folder}: it cannot be written ({error.strerror})") from error
    click.echo(told(found, folder, time.monotonic() - began))


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} '{text}' is not a day like 2023-01-18") from error


def told(found: Exported, folder: Path, seconds: float) -> str:
    """What was written, and what no file can say."""
    lines = [
        f"{folder}: {counted(found.rows['store_status'], 'poll')} of {counted(found.days, 'day')}, "
        f"{found.rows['menu_hours']:,} rows of hours, {counted(found.rows['store_timezone'], 'zone')}; "
        f"{found.size / 1e6:,.1f} MB in {seconds:.1f} s"
    ]
    if found.history_days:
        lines.append(
            f"  {found.rows[exporting.HISTORY]:,} days of stores, of {counted(found.history_days, 'day')}"
        )
    if found.history_due:
        lines.append("  The worker has still to bring history up to date: export it again when it has.")
    if found.empty_weeks:
        weeks = counted(found.empty_weeks, "week")
        lines.append(f"  {weeks} given without hours (closed) can't be said by rows: not in menu_hours.")
    return "\n".join(lines)
