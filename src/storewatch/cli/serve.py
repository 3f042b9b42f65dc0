"""storewatch serve, worker, web."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from storewatch import config, embedded
from storewatch.cli import edge, heart, listening, shards
from storewatch.cli.common import (
    database_url,
    duration,
    home,
    keep_polls,
    opened_database,
    parent_is_gone,
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
from storewatch.storage import db, storefronts
from storewatch.storage.db import Database

_MODEST = 10
"""The worker's niceness: on a busy machine pages are answered first."""

_TURN_S = 0.001
"""So long may a thread of the web process compute while others wait: many have a question to the database
to send or an answer to pass on, which takes less.
"""

_LOOK_EVERY = 0.25
_ANSWERS_WITHIN = 1.0
_ASK_EVERY = 3.0
_LONGEST_PAUSE = 5.0
_STEADY_AFTER = 10.0  # a child that lived so long is restarted at once
_STOP_WITHIN = 25.0


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
        _Supervisor(url, commands, watch, _Place(listener, host, port, outside), first, counted).run()


@dataclass(frozen=True)
class _Place:
    """Where the service listens, and where it is reached."""

    listener: socket.socket
    host: str
    port: int
    outside: str

    @property
    def url(self) -> str:
        return self.outside or edge.local_url(self.host, self.port)

    @property
    def words(self) -> str:
        listens = "" if not self.outside else f" (listening on {self.host}, port {self.port})"
        return f"{self.url}{listens}"

    def answers(self) -> bool:
        """Whether a request is answered, with whatever; a connection alone proves nothing, it may be kept."""
        connection = HTTPConnection(self.host, self.port, timeout=_ANSWERS_WITHIN)
        with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            connection.getresponse()
            return True
        return False


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


class _Storefronts:
    """Whether there are any: without one no probe is needed, which is a process of some 150 MB."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._found = threading.Event()

    def there(self) -> bool:
        """Whether one was found since `watch`."""
        return self._found.is_set()

    def watch(self) -> None:
        """Looks for one beside, for a database that hangs must not hold up who keeps the others alive."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        database = Database(self._url)
        while not self._found.is_set():
            with contextlib.suppress(DBAPIError), database.session() as session:
                if storefronts.any_enabled(session):
                    self._found.set()
            database.close()  # it keeps no connection in between
            time.sleep(_ASK_EVERY)


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


class _Supervisor:
    """Keeps child processes alive until it is told to stop."""

    def __init__(
        self,
        url: str,
        commands: dict[str, list[str]],
        watch: Callable[[], None],
        place: _Place,
        first_admin: str | None,
        counted: str,
    ) -> None:
        self._environment = os.environ | {
            "STOREWATCH_DATABASE_URL": url,
            "STOREWATCH_PARENT": str(os.getpid()),
            "STOREWATCH_COUNTED": counted,
        }
        for name in ("STOREWATCH_DATABASE_URL_FILE", "NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS"):
            self._environment.pop(name, None)
        self._commands = commands
        self._storefronts = _Storefronts(url)
        self._watch = watch
        self._place = place
        self._first_admin = first_admin
        self._announced = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._pause = dict.fromkeys(commands, 0.1)
        self._stop = threading.Event()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._storefronts.watch()
        try:
            while not self._stop.is_set():
                self._watch()
                for name in self._commands:
                    if name != "probe" or self._storefronts.there():
                        self._keep(name)
                self._announce()
                self._stop.wait(_LOOK_EVERY)
        finally:
            self._end()

    def _announce(self) -> None:
        """Tells the address once it answers, and not before."""
        if self._announced or not self._place.answers():
            return
        listening.tell_systemd("READY=1")
        say(f"at {self._place.words}, until Ctrl-C")
        if self._first_admin:
            link = f"{self._place.url}/link/{self._first_admin}"
            say(f"nobody can log in yet; make the first administrator at {link}")
        self._announced = True

    def _keep(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.poll() is None:
            return
        now = time.monotonic()
        if child is not None:
            lived = now - self._began[name]
            self._pause[name] = 0.1 if lived > _STEADY_AFTER else min(self._pause[name] * 2, _LONGEST_PAUSE)
            say(f"{name} ended with {child.returncode}; starting it again in {self._pause[name]:.1f} s")
            if self._stop.wait(self._pause[name]):
                return
        self._children[name] = subprocess.Popen(
            [sys.executable, "-m", "storewatch", *self._commands[name]],
            env=self._environment,
            pass_fds=[self._place.listener.fileno()] if name == "web" else [],
        )
        self._began[name] = time.monotonic()

    def _end(self) -> None:
        listening.tell_systemd("STOPPING=1")
        self._place.listener.close()
        for child in self._children.values():
            child.terminate()
        until = time.monotonic() + _STOP_WITHIN
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


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


def counted() -> Path | None:
    """Where the processes of `serve` hand over what they counted; None for one that is alone."""
    folder = os.environ.get("STOREWATCH_COUNTED")
    return Path(folder) if folder else None


def end_with_parent() -> None:
    """A child of `serve` ends when `serve` is killed, or its worker and port would stay behind."""
    parent = int(os.environ.get("STOREWATCH_PARENT", "0"))
    if parent:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    while not parent_is_gone(parent):
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_WITHIN)
    os._exit(1)
