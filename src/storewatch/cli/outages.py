"""storewatch outages."""

from __future__ import annotations

from pathlib import Path

import click

from storewatch import config
from storewatch.cli.common import now_us, opened_database
from storewatch.cli.report import counted
from storewatch.domain.clock import iso, parse_duration, parse_instant
from storewatch.domain.outage_words import length_in_words, worded
from storewatch.domain.permissions import COMMAND
from storewatch.domain.windows import LAST_WEEK, Elapsed
from storewatch.errors import UsageError
from storewatch.formats.outages_csv import outages_csv
from storewatch.services import groups, outages, reporting
from storewatch.services.availability import Between
from storewatch.services.chosen import Chosen
from storewatch.services.outages import Found, Summary, Which
from storewatch.storage.db import Database

_SHOWN, _ALL = 20, 1 << 30


@click.command("outages")
@click.option("--store", metavar="ID", help="Only of this store.")
@click.option("--group", metavar="NAME", help="Only of the stores of this group.")
@click.option("--from", "start", metavar="ISO", help="With a part in the time from here; by default a week.")
@click.option("--to", "end", metavar="ISO", help="Up to here; by default the newest poll. UTC if no offset.")
@click.option("--min", "least", metavar="TIME", help="Only those of so much open time: 5m, 1h30m.")
@click.option("--ongoing", is_flag=True, help="Only those that go on.")
@click.option("--longest", is_flag=True, help="The longest first, in place of the newest.")
@click.option(
    "--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all of them here, as CSV."
)
def outages_command(
    store: str | None,
    group: str | None,
    start: str | None,
    end: str | None,
    least: str | None,
    ongoing: bool,
    longest: bool,
    file: Path | None,
) -> None:
    """List outages on the clocks of their stores, and what they add up to."""
    settings = config.read()
    request = reporting.usual(settings.seen_within, settings.default_zone)
    asked, which = _asked(start, end), Which(_least(least), ongoing, longest)
    meant = outages.intended(settings.intended_reasons)
    with opened_database(settings) as database:
        found = outages.outages(
            database,
            COMMAND,
            _chosen(database, store, group),
            request,
            asked,
            which,
            meant,
            now_us(),
            count=_ALL if file else _SHOWN,
        )
    if file:
        _write(file, found)
    click.echo(told(found))
    if file:
        click.echo(f"All of them are in {file}")


def _chosen(database: Database, store: str | None, group: str | None) -> Chosen:
    if store is not None and group is not None:
        raise UsageError("Give --store or --group, not both", field="group")
    return Chosen(store, None if group is None else groups.named(database, COMMAND, group).group_id)


def _asked(start: str | None, end: str | None) -> Elapsed | Between:
    """Without a start a week, up to the end or to T."""
    first = None if start is None else _instant("--from", start)
    last = None if end is None else _instant("--to", end)
    if first is None:
        return LAST_WEEK if last is None else Between("range", last - LAST_WEEK.length_us, last)
    if last is not None and last < first:
        raise UsageError("--to lies before --from", field="end")
    return Between("range", first, last)


def _instant(option: str, text: str) -> int:
    instant = parse_instant(text)
    if instant is None:
        raise UsageError(f"{option} '{text}' is not a time like 2023-01-25T18:13:22Z")
    return instant


def _least(text: str | None) -> int:
    length = parse_duration(text) if text else 0
    if length is None:
        raise UsageError(f"--min '{text}' is not a duration like 45s, 5m or 1h30m")
    return length


def _write(file: Path, found: Found) -> None:
    rows = ((item.outage, [note.note for note in item.notes]) for item in found.items)
    try:
        with file.open("wb") as target:
            target.writelines(outages_csv(rows))
    except OSError as error:
        raise UsageError(f"--csv {file}: it cannot be written ({error.strerror})") from error


def told(found: Found) -> str:
    """What the outages add up to, and the first of them."""
    lines = [
        f"{counted(found.stores, 'store')}, from {iso(found.start)} to {iso(found.end)}",
        f"  {'':8}{'outages':>9}" + "".join(f"{head:>13}" for head in _HEADS),
        _line("all", found.every),
    ]
    if found.chosen != found.every:
        lines.append(_line("chosen", found.chosen))
    for item in found.items[:_SHOWN]:
        lines += ["", f"{item.outage.store_id}: {worded(item.outage)}"]
        lines += [f"  Note: {note.note}" for note in item.notes]
    if found.chosen.count > _SHOWN:
        lines += ["", f"And {found.chosen.count - _SHOWN:,} more: --csv FILE has all."]
    return "\n".join(lines)


_HEADS = ("down", "longest", "mean (MTTR)", "MTBF", "intended")


def _line(name: str, of: Summary) -> str:
    times = (of.down, of.longest, of.mean, of.mtbf, of.intended_down)
    cells = ["no outage" if time is None else length_in_words(time) for time in times]
    return f"  {name:8}{of.count:>9,}" + "".join(f"{cell:>13}" for cell in cells)
