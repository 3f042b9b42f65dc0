"""storewatch exception: holidays, maintenance and corrections."""

from __future__ import annotations

import sys
from typing import BinaryIO
from uuid import UUID

import click

from storewatch import config
from storewatch.cli.common import now_us, opened_database
from storewatch.domain import exception_rows
from storewatch.domain.permissions import COMMAND
from storewatch.errors import UsageError
from storewatch.services import exception_files, exceptions
from storewatch.services.exceptions import Clock
from storewatch.storage.exceptions import Filter, Found

_OPTIONS = {"start": "--from", "end": "--to", "store_id": "--store"}
_EFFECT = click.Choice(exception_rows.EFFECTS)


@click.group("exception")
def exception() -> None:
    """Holidays, maintenance and corrections: add, list, undo, import."""


@exception.command("add")
@click.option("--effect", type=_EFFECT, required=True, help="What it does.")
@click.option("--from", "start", required=True, metavar="TIME", help="A day, or a time; local without Z.")
@click.option("--to", "end", required=True, metavar="TIME", help="The end, not part of it any more.")
@click.option("--store", "store_id", metavar="ID", help="For this store.")
@click.option("--group", metavar="NAME", help="For the stores of this group.")
@click.option("--all", "every", is_flag=True, help="For all stores.")
@click.option("--rrule", metavar="RULE", help="It comes again, such as FREQ=YEARLY.")
@click.option("--hours", help="With the effect other_hours, such as '10:00-14:00'.")
@click.option("--note", required=True, help="Why.")
def add(every: bool, **said: str | None) -> None:
    """Make an exception, and print its id."""
    try:
        wanted = exception_rows.read(said, every=every)
    except UsageError as error:
        raise UsageError(f"{_option(error.field)}: {error}", field=error.field) from None
    with opened_database() as database:
        [made] = exceptions.add(database, COMMAND, [wanted], _clock())
    click.echo(made.found.row.exception_id)
    click.echo(f"It touches {made.past_days:,} past days of stores.", err=True)


def _option(field: str | None) -> str:
    return _OPTIONS.get(field or "", f"--{field}")


@exception.command("list")
@click.option("--store", "store_id", metavar="ID", help="Those that concern this store.")
@click.option("--group", metavar="NAME", help="Those of this group.")
@click.option("--effect", type=_EFFECT, help="Those with this effect.")
@click.option("--undone", is_flag=True, help="Those that were undone too.")
def list_exceptions(store_id: str | None, group: str | None, effect: str | None, undone: bool) -> None:
    """Exceptions, newest first: id, effect, scope, from, to, rule, hours, state, note; tabs between."""
    which = Filter(effect=effect, in_force=None if undone else True)
    with opened_database() as database:
        group_id = None if group is None else exceptions.group_id_of(database, COMMAND, group)
        for found in exceptions.page(database, COMMAND, which, (store_id, group_id), None, _EVERY):
            click.echo("\t".join(_cells(found)))


_EVERY = 1_000_000


def _cells(found: Found) -> list[str]:
    row = found.row
    scope = found.store_id or (found.group.name if found.group else "all stores")
    times = (
        exceptions.told_time(row.start_at, row.start_local),
        exceptions.told_time(row.end_at, row.end_local),
    )
    state = "undone" if row.undone_at else "in force"
    hours = exceptions.told_hours(row) or ""
    return [
        str(row.exception_id),
        row.effect,
        scope,
        *times,
        row.rrule or "",
        hours,
        state,
        " ".join(row.note.split()),
    ]


@exception.command()
@click.argument("exception_id", type=click.UUID)
def undo(exception_id: UUID) -> None:
    """Take an exception back; it stays in the list."""
    with opened_database() as database:
        undone = exceptions.undo(database, COMMAND, exception_id, _clock())
    click.echo(f"Exception {exception_id} is undone; it touched {undone.past_days:,} past days of stores.")


@exception.command("import")
@click.argument("file", type=click.File("rb"))
def import_exceptions(file: BinaryIO) -> None:
    """Make the exceptions of a CSV file. Exit code 1: some rows were rejected, the rest is in."""
    with opened_database() as database:
        many = exception_files.import_file(database, COMMAND, file, file.name, _clock())
    for line, reason in many.rejected:
        click.echo(f"line {line}: {reason}", err=True)
    days = sum(made.past_days for made in many.made)
    click.echo(
        f"new {len(many.made):,} · unchanged {many.unchanged:,} · rejected {len(many.rejected):,}; "
        f"they touch {days:,} past days of stores"
    )
    sys.exit(1 if many.rejected else 0)


def _clock() -> Clock:
    return Clock(now_us(), config.read().default_zone)
