"""storewatch compare."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import click
import polars as pl
from click.core import ParameterSource

from storewatch import config
from storewatch.cli.common import opened_database, percent_bar
from storewatch.cli.logs import silence_log
from storewatch.cli.report import AS_OF, GROUPS, MAX_GAP, POLICY, STORES, asked, counted, made_now, of_groups
from storewatch.domain.clock import SECOND, iso, parse_duration, to_us
from storewatch.domain.outage_words import length_in_words
from storewatch.domain.permissions import COMMAND
from storewatch.errors import FileRefusedError, UsageError
from storewatch.formats import report_in
from storewatch.formats.comparison_csv import comparison_csv
from storewatch.formats.csv_in import shown
from storewatch.formats.report_in import TheirReport
from storewatch.services import comparing, reporting
from storewatch.services.comparing import Comparison
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

_RULES_SHOWN = 3


@click.command()
@click.argument("theirs", metavar="THEIR.csv", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--report", "report_id", type=click.UUID, metavar="ID", help="One of our reports; else one is made."
)
@AS_OF
@POLICY
@MAX_GAP
@STORES
@GROUPS
@click.option(
    "--tolerance", metavar="TIME", help="Cells so close are the same; by default what they rounded."
)
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all that differ here, as CSV.",
)
@click.pass_context
def compare(
    context: click.Context,
    theirs: Path,
    report_id: UUID | None,
    tolerance: str | None,
    file: Path | None,
    as_of: str | None,
    policy: str,
    max_gap: str,
    stores: tuple[str, ...],
    names: tuple[str, ...],
) -> None:
    """Hold a report that another program made of the same data against ours: which cells differ, and why.

    Exit code 0: nothing differs; 1: something does; 2: there was no comparing.
    """
    _check(context, report_id, theirs, file)
    settings = config.read()
    request = asked(settings, as_of, policy, max_gap, stores)
    read = _read(theirs, tolerance)
    silence_log()
    with opened_database(settings) as database:
        if report_id is None:
            report = made_now(database, replace(request, group_ids=of_groups(database, names)))
        else:
            report = reporting.get(database, COMMAND, report_id)
        found = _compared(database, read, report)
    if file:
        _write(file, found)
    click.echo("\n".join(told(found, theirs.name)))
    if file:
        click.echo(f"All that differ are in {file}")
    sys.exit(1 if len(found.differing) else 0)


_OF_A_NEW_REPORT = ("as_of", "policy", "max_gap", "stores", "names")


def _check(context: click.Context, report_id: UUID | None, theirs: Path, file: Path | None) -> None:
    given = [
        name
        for name in _OF_A_NEW_REPORT
        if context.get_parameter_source(name) not in (ParameterSource.DEFAULT, None)
    ]
    if report_id is not None and given:
        option = {"stores": "store", "names": "group"}.get(given[0], given[0].replace("_", "-"))
        raise UsageError(f"--{option} is for a report that is made now; --report names one that was made")
    if file and file.exists() and theirs.exists() and file.samefile(theirs):
        raise UsageError(f"--csv {file} would overwrite the file that is compared")


def _read(theirs: Path, tolerance: str | None) -> TheirReport:
    length = parse_duration(tolerance) if tolerance else None
    if tolerance and length is None:
        raise UsageError(f"--tolerance '{tolerance}' is not a duration like 1s, 5m or 1h30m")
    try:
        with theirs.open("rb") as stream:
            return report_in.read(stream, click.format_filename(theirs, shorten=True), length)
    except OSError as error:
        raise FileRefusedError(f"{theirs}: it cannot be read ({error.strerror})") from error


def _compared(database: Database, theirs: TheirReport, report: Report) -> Comparison:
    with percent_bar() as bar:
        task = bar.add_task("compare", total=max(1, len(theirs.ids)))
        return comparing.compare(
            database, COMMAND, theirs, report, lambda done: bar.update(task, completed=done)
        )


def _write(file: Path, found: Comparison) -> None:
    """Writes the file, whole or not at all."""
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as target:
            target.writelines(comparison_csv(found.differing))
        part.replace(file)
    except OSError as error:
        raise UsageError(f"--csv {file}: it cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def told(found: Comparison, name: str) -> Iterator[str]:
    """What differs by cause, the most frequent first: what the other program does, and the biggest cell."""
    report = found.report
    assert report.as_of is not None  # noqa: S101 - it is complete
    yield f"{name} against our report {report.report_id}, as of {iso(to_us(report.as_of))}"
    yield from (f"  {note}" for note in found.notes)
    cells = found.differing.filter(pl.col("column") != "store_id")
    yield (
        f"{counted(found.stores, 'store')} in both: {found.cells_same:,} cells are the same, "
        f"{len(cells):,} differ"
    )
    causes = found.differing.group_by("cause").agg(count=pl.len(), stores=pl.col("store_id").n_unique())
    for cause, count, stores in causes.sort("count", "cause", descending=[True, False]).iter_rows():
        rows = found.differing.filter(pl.col("cause") == cause)
        yield ""
        if rows["column"][0] == "store_id":
            yield f"{cause}: {counted(stores, 'store')}"
        else:
            yield f"{cause}: {counted(count, 'cell')} of {counted(stores, 'store')}"
        yield from _rules(rows)
        yield f"  {'for example' if rows['difference_seconds'][0] is None else 'biggest'}: {_example(rows)}"


def _rules(rows: pl.DataFrame) -> Iterator[str]:
    """What the other program does, the most frequent first."""
    rules = rows.group_by("rule").len().sort("len", "rule", descending=[True, False])
    for rule, count in rules.head(_RULES_SHOWN).iter_rows():
        if rule:
            yield f"  {count:,} × {rule}"
    if len(rules) > _RULES_SHOWN:
        yield f"  and {len(rules) - _RULES_SHOWN:,} other ways"


def _example(rows: pl.DataFrame) -> str:
    row = rows.row(0, named=True)
    store_id = shown(row["store_id"])
    if row["column"] == "store_id":
        return store_id
    theirs, ours = (shown(row[side] or "empty") for side in ("theirs", "ours"))
    text = f"{store_id} {row['column']}: theirs {theirs}, ours {ours}"
    if row["difference_seconds"] is None:
        return text
    more = "more" if row["difference_seconds"] > 0 else "less"
    return f"{text}, {length_in_words(abs(row['difference_seconds']) * SECOND)} {more}"
