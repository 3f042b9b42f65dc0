"""storewatch service-level: targets, and how they stand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

import click

from storewatch import config
from storewatch.cli.common import opened_database
from storewatch.domain.clock import MINUTE
from storewatch.domain.permissions import COMMAND
from storewatch.domain.service_levels import Measure, UnknownAs
from storewatch.errors import UsageError
from storewatch.services import groups, level_status, reporting, service_levels
from storewatch.services.chosen import Chosen
from storewatch.services.level_status import Standing
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found


@click.group("service-level")
def service_level() -> None:
    """Service levels: add, list, status, remove."""


@service_level.command("add")
@click.argument("name")
@click.option("--target", required=True, metavar="NUMBER", help="Per cent of the open time, or outages.")
@click.option("--store", default="", metavar="ID", help="Of this store; without --group too: of all stores.")
@click.option("--group", default="", metavar="NAME", help="Of this group.")
@click.option(
    "--period", type=click.Choice(["week", "month", "quarter"]), default="month", show_default=True,
    help="Local weeks, months or quarters.",
)  # fmt: skip
@click.option(
    "--measure", type=click.Choice([each.value for each in Measure]), default="availability",
    show_default=True, help="What the target is about.",
)  # fmt: skip
@click.option(
    "--unknown-as", type=click.Choice([each.value for each in UnknownAs]), default="ignored",
    show_default=True, help="How unknown time counts.",
)  # fmt: skip
@click.option(
    "--min-outage", type=click.IntRange(0, 2_678_400), default=0, show_default=True,
    help="Shorter outages, in seconds, don't count.",
)  # fmt: skip
def add(
    name: str,
    target: str,
    store: str,
    group: str,
    period: str,
    measure: str,
    unknown_as: str,
    min_outage: int,
) -> None:
    """Set a target."""
    values = {
        "name": name,
        "target": _number(target),
        "period": period,
        "measure": measure,
        "unknown_as": unknown_as,
        "min_outage_s": min_outage,
    }
    if not 1 <= len(name) <= 200:
        raise UsageError("NAME must have 1 to 200 characters", field="name")
    with opened_database() as database:
        of = Chosen(store or None, _group(database, group))
        made = service_levels.create(database, COMMAND, of, values)
    click.echo(f"Service level {made.level.level_id}")


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--target '{text}' is not a number like 99.5", field="target") from error
    if not found.is_finite() or not 0 <= found <= 10_000:
        raise UsageError(f"--target '{text}' must lie between 0 and 10,000", field="target")
    return found


def _group(database: Database, name: str) -> UUID | None:
    return groups.named(database, COMMAND, name).group_id if name else None


@service_level.command("list")
def list_levels() -> None:
    """All service levels, by name."""
    with opened_database() as database:
        after: tuple[str, UUID] | None = None
        while found := service_levels.page(database, COMMAND, after, 1_000):
            for each in found:
                click.echo(f"{each.level.level_id}\t{each.level.name}\t{_told(each)}")
            after = found[-1].level.name, found[-1].level.level_id


def _told(found: Found) -> str:
    level = found.level
    of = (
        f"store {found.store_id}"
        if found.store_id
        else f"group {found.group_id}"
        if found.group_id
        else "all"
    )
    unit = "%" if level.measure == Measure.AVAILABILITY else " outages"
    return f"{of}\t{level.target.normalize():f}{unit} a {level.period}"


@service_level.command("status")
@click.argument("level_id", type=click.UUID)
@click.option(
    "--periods", type=click.IntRange(1, 60), default=6, show_default=True, help="So many, up to now."
)
def status(level_id: UUID, periods: int) -> None:
    """Budget, used and left, period by period, in minutes or outages."""
    settings = config.read()
    request = reporting.usual(settings.seen_within, settings.default_zone)
    with opened_database(settings) as database:
        found = level_status.status(database, COMMAND, level_id, periods, request)
    by_outages = found.found.level.measure == Measure.OUTAGES
    unit = "outages" if by_outages else "minutes"
    click.echo(f"{found.found.level.name}, in {unit}")
    heads = "".join(f"{head:>12}" for head in ("budget", "used", "left", "coverage"))
    click.echo(f"{'from':12}{'status':10}{heads}")
    for item in found.items:
        click.echo(_line(item, by_outages))


def _line(item: Standing, by_outages: bool) -> str:
    verdict = item.verdict
    amounts = (verdict.budget, verdict.used, verdict.left)
    told = [f"{each:,}" if by_outages else f"{each / MINUTE:,.1f}" for each in amounts]
    seen = item.totals[0] + item.totals[2]
    covered = f"{int(seen / item.period.open * 10_000) / 100:.2f}%" if item.period.open else "-"
    day = (date(1970, 1, 1) + timedelta(days=item.first_day)).isoformat()
    return f"{day:12}{verdict.status.value:10}" + "".join(f"{each:>12}" for each in (*told, covered))


@service_level.command("remove")
@click.argument("level_id", type=click.UUID)
def remove(level_id: UUID) -> None:
    """Remove a service level."""
    with opened_database() as database:
        service_levels.remove(database, COMMAND, level_id)
    click.echo(f"Service level {level_id} is removed.")
