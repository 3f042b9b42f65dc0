"""storewatch doctor."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path

import click

from storewatch import config, embedded
from storewatch.cli import heart
from storewatch.cli.common import database_url, duration, home, uploads
from storewatch.config import Settings
from storewatch.domain.checkup import Finding, State, warn
from storewatch.errors import EmbeddedServerError, SettingsError
from storewatch.services import checkup
from storewatch.services.checkup import Place
from storewatch.storage.db import Database

_COLOURS = {State.OK: "green", State.WARN: "yellow", State.BAD: "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def doctor(as_json: bool) -> None:
    """Look whether this installation is well, and say what to do. It changes nothing.

    Exit code 1 if something is bad; warnings alone leave it at 0.
    """
    settings = config.read()
    findings = []
    for finding in _findings(settings):
        findings.append(finding)
        if not as_json:
            _show(finding)
    worst = [state for state in (State.BAD, State.WARN) if any(each.state is state for each in findings)]
    if as_json:
        state = worst[0] if worst else State.OK
        click.echo(json.dumps({"state": state, "findings": [asdict(each) for each in findings]}, indent=2))
    sys.exit(1 if State.BAD in worst else 0)


def _show(finding: Finding) -> None:
    state = click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state])
    click.echo(f"{state}  {finding.about}: {finding.what}")
    if finding.advice:
        click.echo(f"      -> {finding.advice}")


def _findings(settings: Settings) -> Iterator[Finding]:
    place = _place(settings)
    yield from checkup.of_machine(place)
    if not settings.database_url and not embedded.exists(place.home):
        yield warn(
            "database",
            f"there is none in {place.home} yet",
            "`storewatch serve` or `storewatch demo` makes it",
        )
        return
    with ExitStack() as stack:
        try:
            database = Database(stack.enter_context(database_url(settings)))
        except (EmbeddedServerError, SettingsError) as error:
            yield checkup.unreachable(str(error))
            return
        stack.callback(database.close)
        yield from checkup.of_database(database, place)


def _place(settings: Settings) -> Place:
    return Place(
        home=home(settings),
        uploads=uploads(settings).folder,
        default_zone=settings.default_zone,
        stale_us=heart.feed_within(settings),
        backup_us=duration("STOREWATCH_BACKUP_WITHIN", settings.backup_within),
        secrets=_secrets(),
    )


def _secrets() -> list[Path]:
    """The files that secret settings come from."""
    variables = (field.metadata for field in fields(Settings) if field.metadata["secret"])
    named = (os.environ.get(f"{meta['variable']}_FILE") for meta in variables)
    return [Path(path) for path in named if path]
