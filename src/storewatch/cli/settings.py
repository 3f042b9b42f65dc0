"""storewatch settings."""

from __future__ import annotations

import click

from storewatch import config
from storewatch.cli import edge, heart
from storewatch.cli.common import duration, keep_polls
from storewatch.outbound.webhooks import networks
from storewatch.services.reporting import usual


@click.command()
def settings() -> None:
    """Show every setting, its value and its meaning. NAME_FILE reads a value from a file."""
    found = config.read()
    for variable, value, text in config.table(found):
        click.echo(f"{variable}={value or '(not set)'}\n    {text}")
    usual(found.seen_within, found.default_zone)  # complains about what cannot be used
    duration("STOREWATCH_KEEP_REPORTS", found.keep_reports)
    keep_polls(found.keep_polls)
    edge.outside_url(found)
    edge.mail(found)
    networks(found.webhook_networks)
    edge.check_metrics(found)
    heart.check(found)
    edge.probe_networks(found)
