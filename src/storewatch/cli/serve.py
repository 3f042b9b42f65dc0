"""storewatch serve, worker, web."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from storewatch import config, embedded
from storewatch.cli.common import (
    database_url,
    duration,
    home,
    opened_database,
    parent_is_gone,
    say,
)
from storewatch.cli.logs import configure_log
from storewatch.config import Settings
from storewatch.errors import EmbeddedServerError, UsageError
from storewatch.outbound.webhooks import networks
from storewatch.services import people, reporting
from storewatch.services.announcing import Outside
from storewatch.storage import db
from storewatch.storage.db import Database

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_LOOK_EVERY = 0.25
_LONGEST_PAUSE = 5.0
_STEADY_AFTER = 10.0  # a child that lived so long is restarted at once
_STOP_WITHIN = 25.0


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="At present loopback only; a proxy may stand before it.",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--no-login", is_flag=True, help="Anybody on this machine may do everything: to try things out."
)
def serve(host: str, port: int, no_login: bool) -> None:
    """Serve the pages and the REST API, with a worker beside.

    Both are child processes; one that dies is started again, and so is storewatch's own PostgreSQL.
    """
    if host not in _LOOPBACK:
        raise UsageError(f"--host {host}: storewatch listens on loopback only: 127.0.0.1 or ::1")
    configure_log()
    settings = config.read()
    reporting.usual(settings.seen_within, settings.default_zone)  # complains here, not in a child
    duration("STOREWATCH_KEEP_REPORTS", settings.keep_reports)
    networks(settings.webhook_networks)
    _claim(host, port)
    with database_url(settings) as url:
        _prepare(url)
        first = None if no_login else _first_admin(url)
        watch = _nothing if settings.database_url else _keeper(home(settings))
        web = ["web", "--host", host, "--port", str(port), *(["--no-login"] if no_login else [])]
        _Supervisor(url, {"web": web, "worker": ["worker"]}, watch, (host, port), first).run()


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


def _claim(host: str, port: int) -> None:
    """Says plainly that a port is taken, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} is taken: stop what listens there, or give another --port"
            ) from error


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
        address: tuple[str, int],
        first_admin: str | None,
    ) -> None:
        self._environment = os.environ | {
            "STOREWATCH_DATABASE_URL": url,
            "STOREWATCH_PARENT": str(os.getpid()),
        }
        self._environment.pop("STOREWATCH_DATABASE_URL_FILE", None)
        self._commands = commands
        self._watch = watch
        self._address = address
        self._first_admin = first_admin
        self._announced = False
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._began: dict[str, float] = {}
        self._pause = dict.fromkeys(commands, 0.1)
        self._stop = threading.Event()

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            while not self._stop.is_set():
                self._watch()
                for name in self._commands:
                    self._keep(name)
                self._announce()
                self._stop.wait(_LOOK_EVERY)
        finally:
            self._end()

    def _announce(self) -> None:
        """Tells the address once it answers, and not before."""
        if self._announced:
            return
        with contextlib.suppress(OSError), socket.create_connection(self._address, 0.2):
            host, port = self._address
            ours = f"http://{'[::1]' if host == '::1' else host}:{port}"
            say(f"at {ours}, until Ctrl-C")
            if self._first_admin:
                say(f"nobody can log in yet; make the first administrator at {ours}/link/{self._first_admin}")
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
            [sys.executable, "-m", "storewatch", *self._commands[name]], env=self._environment
        )
        self._began[name] = time.monotonic()

    def _end(self) -> None:
        for child in self._children.values():
            child.terminate()
        until = time.monotonic() + _STOP_WITHIN
        for child in self._children.values():
            try:
                child.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()


@click.command()
def worker() -> None:
    """Make the reports that were asked for, until stopped. Any number of workers may run."""
    from storewatch.jobs import worker as loop
    from storewatch.jobs.tasks import make_app

    configure_log()
    _end_with_parent()
    settings = config.read()
    with opened_database(settings) as database:
        keep = duration("STOREWATCH_KEEP_REPORTS", settings.keep_reports)
        loop.run(make_app(database, keep, Outside(networks=networks(settings.webhook_networks))))


@click.command(hidden=True)
@click.option("--host", required=True)
@click.option("--port", required=True, type=int)
@click.option("--no-login", is_flag=True)
def web(host: str, port: int, no_login: bool) -> None:
    """The web process of `serve`."""
    from storewatch.web.app import Edge, create_app
    from storewatch.web.server import Server

    configure_log()
    _end_with_parent()
    settings: Settings = config.read()
    app = create_app(settings, Database(settings.database_url), Edge(login=not no_login))
    Server(app, host, port).run()


def _end_with_parent() -> None:
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
