"""storewatch serve, worker, web."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from storewatch import config, embedded
from storewatch.cli import edge, heart, listening, shards
from storewatch.cli.children import Place, Supervisor, counted, end_with_parent
from storewatch.cli.common import (
    database_url,
    duration,
    home,
    keep_polls,
    opened_database,
    say,
    uploads,
    watch_folder,
)
from storewatch.cli.logs import configure_log
from storewatch.config import Settings
from storewatch.domain.clock import to_us
from storewatch.domain.watch import Patience
from storewatch.errors import EmbeddedServerError
from storewatch.outbound.webhooks import networks
from storewatch.services import outages, people, reporting, schedule_runs
from storewatch.services.announcing import Outside
from storewatch.services.watching import Watching
from storewatch.storage import db
from storewatch.storage.db import Database

_MODEST = 10
"""The worker's niceness: on a busy machine pages are answered first."""

_TURN_S = 0.001
"""So long may a thread of the web process compute while others wait: many have a question to the database
to send or an answer to pass on, which takes less.
"""


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="What to listen on. For all but loopback STOREWATCH_URL must be set.",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--no-login", is_flag=True, help="Anybody on this machine may do everything: to try things out."
)
@click.option(
    "--trusted-proxies",
    default="",
    metavar="NETS",
    help="Who may say by X-Forwarded-For and -Proto where a request comes from: 127.0.0.1,10.0.0.0/8.",
)
@click.option("--insecure", is_flag=True, help="Serve other machines without https: passwords can be read.")
@click.option("--web-only", is_flag=True, help="No worker and no probe: they are run by themselves.")
def serve(host: str, port: int, no_login: bool, trusted_proxies: str, insecure: bool, web_only: bool) -> None:
    """Serve the pages and the REST API, with a worker beside, and the probe once there is a storefront.

    All are child processes; one that dies is started again, and so is storewatch's own PostgreSQL. A socket
    that systemd hands over takes the place of --host and --port.
    """
    settings = config.read()
    configure_log(settings.log_format)
    given = listening.inherited()
    if given is not None:
        host, port = given.getsockname()[:2]
    outside = edge.outside_url(settings)
    edge.check(host, outside, no_login=no_login, insecure=insecure)
    edge.networks(trusted_proxies)  # these complain here, not in a child
    edge.mail(settings)
    reporting.usual(settings.seen_within, settings.default_zone)
    duration("STOREWATCH_KEEP_REPORTS", settings.keep_reports)
    networks(settings.webhook_networks)
    edge.probe_networks(settings)
    edge.check_metrics(settings)
    heart.check(settings)
    duration("STOREWATCH_KEEP_UPLOADS", settings.keep_uploads)
    duration("STOREWATCH_ALERT_WITHIN", settings.alert_within)
    duration("STOREWATCH_KEEP_ALERTS", settings.keep_alerts)
    keep_polls(settings.keep_polls)
    uploads(settings)
    watch_folder(settings)
    shards.spread(settings, "")
    listener = given or listening.opened(host, port)
    folder = tempfile.TemporaryDirectory(prefix="storewatch-")
    with listener, database_url(settings) as url, folder as counted:
        _prepare(url)
        heart.begin(settings, url)
        first = None if no_login else _first_admin(url)
        watch = _nothing if settings.database_url else _keeper(home(settings))
        web = ["web", "--host", host, "--port", str(port), "--listener", str(listener.fileno())]
        web += ["--trusted-proxies", trusted_proxies, *(["--no-login"] if no_login else [])]
        commands = {"web": web} | ({} if web_only else {"worker": ["worker"], "probe": ["probe"]})
        Supervisor(url, commands, watch, Place(listener, host, port, outside), first, counted).run()


def _prepare(url: str) -> None:
    """Checks the database, and makes its schema if it has none."""
    database = Database(url)
    try:
        db.prepare(database)
    finally:
        database.close()


def _first_admin(url: str) -> str | None:
    """The secret of the link to make the first administrator; None if there are people already."""
    database = Database(url)
    try:
        return people.first_admin_link(database)
    finally:
        database.close()


def _nothing() -> None:
    """A server that is given is not ours to watch."""


def _keeper(place: Path) -> Callable[[], None]:
    """Starts our own PostgreSQL again if it died; what fails is said and tried again soon."""

    def keep() -> None:
        try:
            embedded.ensure_running(place, say)
        except EmbeddedServerError as error:
            say(str(error))

    return keep


@click.command()
@shards.options
def worker(processes: int | None, dask: str | None) -> None:
    """Make the reports that were asked for and keep up the history, until stopped. Any number may run."""
    from storewatch.jobs import worker as loop
    from storewatch.jobs.tasks import Means, make_app
    from storewatch.services.telling import Ways

    settings = config.read()
    configure_log(settings.log_format, "worker")
    end_with_parent()
    os.nice(_MODEST)
    loop.share_heaps()
    with opened_database(settings) as database:
        usual = reporting.usual(settings.seen_within, settings.default_zone)
        outside, allowed = edge.outside_url(settings), networks(settings.webhook_networks)
        means = Means(
            keep_reports_us=duration("STOREWATCH_KEEP_REPORTS", settings.keep_reports),
            keep_uploads_us=duration("STOREWATCH_KEEP_UPLOADS", settings.keep_uploads),
            keep_polls_us=keep_polls(settings.keep_polls),
            keep_alerts_us=duration("STOREWATCH_KEEP_ALERTS", settings.keep_alerts),
            depot=uploads(settings),
            outside=Outside(outside, allowed),
            mail=edge.mail(settings),
            usual=usual,
            ways=Ways(
                mail=edge.mail(settings),
                url=outside,
                networks=allowed,
                usual=usual,
                currency=settings.currency,
                within=duration("STOREWATCH_ALERT_WITHIN", settings.alert_within),
            ),
            watching=_watching(settings),
            spread=shards.spread(settings, database.url, processes, dask),
        )
        schedule_runs.after_restore(database, usual, to_us(datetime.now(UTC)))
        folder = watch_folder(settings)
        look = None if folder is None else partial(folder.look, database, means.depot)
        loop.run(make_app(database, means), look, counted())


def _watching(settings: Settings) -> Watching:
    """By which rules stores are looked at for alerts."""
    within = duration("STOREWATCH_ALERT_WITHIN", settings.alert_within)
    return Watching(
        reporting.usual(settings.seen_within, settings.default_zone),
        Patience(open_time=duration("STOREWATCH_ALERT_AFTER", settings.alert_after), silence=within),
        within,
        within,
        outages.intended(settings.intended_reasons),
    )


@click.command(hidden=True)
@click.option("--host", required=True)
@click.option("--port", required=True, type=int)
@click.option(
    "--listener", required=True, type=int, help="The number of the descriptor to take requests from."
)
@click.option("--no-login", is_flag=True)
@click.option("--trusted-proxies", default="")
def web(host: str, port: int, listener: int, no_login: bool, trusted_proxies: str) -> None:
    """The web process of `serve`."""
    from storewatch.web.app import Edge, create_app
    from storewatch.web.server import Server

    settings: Settings = config.read()
    configure_log(settings.log_format, "web")
    end_with_parent()
    where = Edge(
        login=not no_login,
        url=edge.outside_url(settings),
        at=edge.local_url(host, port),
        trusted_proxies=edge.networks(trusted_proxies),
        mail=edge.mail(settings) is not None,
        counted=counted(),
    )
    uploads(settings).clear_temporary()
    sys.setswitchinterval(_TURN_S)
    app = create_app(settings, Database(settings.database_url), where)
    Server(app, listener).run()
