"""storewatch report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click

from storewatch import config
from storewatch.cli import shards
from storewatch.cli.common import now_us, opened_database, percent_bar
from storewatch.cli.logs import silence_log
from storewatch.config import Settings
from storewatch.domain.availability import Policy
from storewatch.domain.clock import HOUR, MINUTE, iso, parse_duration, parse_instant, to_us
from storewatch.domain.permissions import COMMAND
from storewatch.errors import UsageError
from storewatch.formats.report_files import FORMATS, of_name
from storewatch.services import groups, report_figures, reporting, reports
from storewatch.services.report_figures import WindowFigures
from storewatch.services.reporting import Request
from storewatch.services.shards import Spread
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

AS_OF = click.option(
    "--as-of", metavar="ISO", help="The end of the windows; by default the newest poll. UTC if no offset."
)
POLICY = click.option(
    "--policy",
    type=click.Choice([p.value for p in Policy]),
    default="nearest",
    show_default=True,
    help="Whose state holds between two polls: the nearest one's, or the one before's.",
)
MAX_GAP = click.option(
    "--max-gap", default="24h", show_default=True, help="How far a poll speaks: 45m, 3h, 1h30m."
)
STORES = click.option(
    "--store", "stores", multiple=True, metavar="ID", help="Only this store; any number of times."
)
GROUPS = click.option(
    "--group",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only the stores of this group; any number of times.",
)


@click.command()
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@AS_OF
@POLICY
@MAX_GAP
@click.option("--extended", is_flag=True, help="All figures of each window, in seconds.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help="By default what the name of the file ends in, else csv.",
)
@STORES
@GROUPS
@shards.options
def report(
    output: Path,
    as_of: str | None,
    policy: str,
    max_gap: str,
    extended: bool,
    format_: str | None,
    stores: tuple[str, ...],
    names: tuple[str, ...],
    processes: int | None,
    dask: str | None,
) -> None:
    """Make a report here and now, write it to a file, and print the fleet's figures."""
    settings = config.read()
    request = asked(settings, as_of, policy, max_gap, stores)
    silence_log()
    with opened_database(settings) as database:
        by = shards.spread(settings, database.url, processes, dask)
        made = made_now(database, replace(request, group_ids=of_groups(database, names)), by)
        write(database, made, output, format_ or of_name(output.name) or "csv", extended=extended)
    click.echo(told(made))
    click.echo(f"Report {made.report_id} is in {output}")


def asked(
    settings: Settings, as_of: str | None, policy: str, max_gap: str, stores: tuple[str, ...]
) -> Request:
    """What the usual options of a report ask for, but for groups."""
    return replace(
        reporting.usual(settings.seen_within, settings.default_zone),
        as_of=None if as_of is None else _instant(as_of),
        policy=Policy(policy),
        max_gap=_gap(max_gap),
        store_ids=stores or None,
    )


def _instant(text: str) -> int:
    instant = parse_instant(text)
    if instant is None:
        raise UsageError(f"--as-of '{text}' is not a time like 2023-01-25T18:13:22Z", field="as_of")
    return instant


def _gap(text: str) -> int:
    length = parse_duration(text)
    if length is None:
        raise UsageError(f"--max-gap '{text}' is not a duration like 45m, 3h or 1h30m", field="max_gap")
    return length


def of_groups(database: Database, names: tuple[str, ...]) -> tuple[UUID, ...] | None:
    """The groups of these names; None without any."""
    return tuple(groups.named(database, COMMAND, name).group_id for name in names) or None


def made_now(database: Database, request: Request, by: Spread | None = None) -> Report:
    """Makes a report with a progress bar."""
    with percent_bar() as bar:
        task = bar.add_task("report", total=100)
        return reporting.make_now(
            database, COMMAND, request, now_us(), lambda percent: bar.update(task, completed=percent), by
        )


def write(
    database: Database, made: Report, output: Path, format_: str = "csv", *, extended: bool = False
) -> None:
    """Writes the file, whole or not at all."""
    part = output.with_name(output.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(reports.file(database, COMMAND, made, format_, extended=extended))
        part.replace(output)
    except OSError as error:
        raise UsageError(f"--output {output}: it cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def told(made: Report) -> str:
    """The fleet's figures with their coverage, and what was assumed."""
    summary = report_figures.of(made)
    gap = made.max_gap_us
    reach = f"{gap / HOUR:g} h" if gap >= HOUR else f"{gap / MINUTE:g} min"
    rule = f"{made.policy} poll, which speaks for {reach} at most"
    as_of = iso(to_us(made.as_of)) if made.as_of else "-"
    lines = [
        f"{counted(summary.stores, 'store')}, as of {as_of} ({rule})",
        f"  {'':10}{'available':>11}{'coverage':>10}"
        + "".join(f"{head:>14}" for head in ("up h", "down h", "unknown h", "open h")),
        *(_line(window) for window in summary.windows),
        *(text for text in [_between(summary.windows[-1])] if text),
        f"  Assumed: {counted(summary.open_24x7, 'store')} without opening hours open 24 x 7, "
        f"{counted(summary.default_zone, 'store')} without a zone in {made.default_zone}.",
    ]
    return "\n".join(lines)


def _between(window: WindowFigures) -> str:
    """How sure the downtime of a window is; nothing in reports of older versions."""
    if window.down_min is None or window.down_max is None:
        return ""
    down, least, most = (f"{time / HOUR:,.1f}" for time in (window.down, window.down_min, window.down_max))
    return f"  Down in the {window.name.replace('_', ' ')}: {down} h, between {least} and {most}."


def counted(number: int, thing: str) -> str:
    """`1 store`, `14,092 stores`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _line(window: WindowFigures) -> str:
    shares = "".join(
        f"{'-' if value is None else f'{int(value * 10_000) / 100:.2f}%':>{width}}"
        for value, width in ((window.availability, 11), (window.coverage, 10))
    )
    hours = "".join(
        f"{time / HOUR:>14,.2f}" for time in (window.up, window.down, window.unknown, window.open)
    )
    return f"  {window.name.replace('_', ' '):10}{shares}{hours}"
