"""storewatch availability: the figures of history, as the API tells them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from storewatch import config
from storewatch.cli.common import opened_database
from storewatch.domain.availability import Kind
from storewatch.domain.clock import HOUR, SECOND, iso
from storewatch.domain.cost import rounded
from storewatch.domain.periods import PERIODS
from storewatch.domain.permissions import COMMAND
from storewatch.errors import UsageError
from storewatch.services import groups, periods, reporting
from storewatch.services.chosen import Chosen
from storewatch.services.periods import Asked, ByPeriod

_EPOCH = date(1970, 1, 1)
_COLUMNS = (
    "first_day", "last_day", "complete", "open_seconds", "up_seconds", "down_seconds", "unknown_seconds",
    "excluded_seconds", "availability", "coverage", "down_min_seconds", "down_max_seconds", "outages", "lost",
)  # fmt: skip


@click.command()
@click.option("--store", default="", metavar="ID", help="Of this store.")
@click.option("--group", default="", metavar="NAME", help="Of the stores of this group, added up.")
@click.option("--all", "every", is_flag=True, help="Of all stores, added up: so it is without the others.")
@click.option("--from", "first", default="", metavar="DAY", help="The first local day; by default 30 in all.")
@click.option(
    "--to", "last", default="", metavar="DAY", help="The last one; by default that of the newest poll."
)
@click.option("--by", type=click.Choice(PERIODS), default="day", show_default=True, help="A line for each.")
@click.option(
    "--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write exact figures to a file."
)
def availability(
    store: str, group: str, every: bool, first: str, last: str, by: str, file: Path | None
) -> None:
    """Availability with its coverage, by local day, week, month or quarter."""
    if sum(map(bool, (store, group, every))) > 1:
        raise UsageError("Give one of --store, --group and --all", field="store")
    asked, settings = Asked(_day("--from", first), _day("--to", last)), config.read()
    request = reporting.usual(settings.seen_within, settings.default_zone)
    with opened_database(settings) as database:
        group_id = groups.named(database, COMMAND, group).group_id if group else None
        found = periods.by_period(database, COMMAND, Chosen(store or None, group_id), by, asked, request)
    rows = list(_rows(found))
    stores = f"{found.stores:,} store{'' if found.stores == 1 else 's'}"
    click.echo(f"{stores}, as of {iso(found.as_of)}; lost in {settings.currency}")
    for line in _table(rows):
        click.echo(line)
    if file is not None:
        _write(file, rows)


def _day(option: str, text: str) -> int | None:
    try:
        return (date.fromisoformat(text) - _EPOCH).days if text else None
    except ValueError as error:
        raise UsageError(f"{option} '{text}' is not a day like 2023-01-25", field=option) from error


def _rows(found: ByPeriod) -> Iterator[dict[str, Any]]:
    sums = found.sums
    bounds = (sums.down_min, sums.down_max)
    columns = (found.first, found.last, found.complete, sums.totals, *bounds, sums.outages, sums.days)
    rows = zip(*(column.tolist() for column in columns), found.lost, strict=True)
    for first, last, complete, totals, least, most, outages, days, lost in rows:
        if days:
            values = (*_figures(totals), least / SECOND, most / SECOND, outages, rounded(lost.whole))
            days_told = ((_EPOCH + timedelta(days=day)).isoformat() for day in (first, last))
            yield dict(zip(_COLUMNS, (*days_told, complete, *values), strict=True))


def _figures(totals: list[int]) -> tuple[float | None, ...]:
    up = totals[Kind.UP_SEEN] + totals[Kind.UP_INFERRED]
    down = totals[Kind.DOWN_SEEN] + totals[Kind.DOWN_INFERRED]
    times = (sum(totals), up, down, totals[Kind.UNKNOWN], totals[Kind.EXCLUDED])
    seen = totals[Kind.UP_SEEN] + totals[Kind.DOWN_SEEN]
    shares = (up / (up + down) if up + down else None, seen / times[0] if times[0] else None)
    return (*(time / SECOND for time in times), *shares)


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    heads = ("available", "coverage", "up h", "down h", "at least", "at most", *_HEADS)
    yield f"{'from':12}{'to':12}" + "".join(f"{head:>12}" for head in heads)
    for row in rows:
        shares = [_percent(row[name]) for name in ("availability", "coverage")]
        names = (f"{name}_seconds" for name in _HOURS)
        hours = [f"{row[name] * SECOND / HOUR:,.2f}" for name in names]
        cells = (*shares, *hours, f"{row['outages']:,}", f"{row['lost']:,}")
        mark = "" if row["complete"] else "  not over"
        yield f"{row['first_day']:12}{row['last_day']:12}" + "".join(f"{cell:>12}" for cell in cells) + mark


_HOURS = ("up", "down", "down_min", "down_max", "unknown", "excluded")
_HEADS = ("unknown h", "excluded h", "outages", "lost")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{int(share * 10_000) / 100:.2f}%"


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"complete": str(row["complete"]).lower()} for row in rows)
    try:
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--csv {file}: it cannot be written ({error.strerror})", field="csv") from error
