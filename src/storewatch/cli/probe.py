"""storewatch probe."""

from __future__ import annotations

import click

from storewatch import config
from storewatch.cli import edge
from storewatch.cli.children import counted, end_with_parent
from storewatch.cli.common import opened_database
from storewatch.cli.logs import configure_log
from storewatch.services.reporting import usual


@click.command()
@click.option(
    "--at-once", default=500, show_default=True, type=click.IntRange(1, 10_000), help="Looks at a time."
)
@click.option(
    "--per-host",
    default=4,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Looks at a time at one host. Raise it for a host that agreed to it.",
)
def probe(at_once: int, per_host: int) -> None:
    """Look at the storefronts of stores by the clock, and keep what was seen as polls, until stopped.

    `serve` runs one already. One works at a time, a second one waits for its place.
    """
    from storewatch.jobs import probe as loop
    from storewatch.outbound.probing import agent

    settings = config.read()
    configure_log(settings.log_format, "probe")
    end_with_parent()
    allowed, outside = edge.probe_networks(settings), edge.outside_url(settings)
    zone = usual(settings.seen_within, settings.default_zone).default_zone
    with opened_database(settings) as database:
        loop.run(
            database,
            loop.Manner(
                allowed=allowed,
                agent=agent(outside),
                default_zone=zone,
                at_once=at_once,
                per_host=per_host,
            ),
            counted(),
        )
