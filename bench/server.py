"""The PostgreSQL that is measured with: storewatch's own in a temporary home, or one that is given."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from bench.measure import say
from storewatch import embedded
from storewatch.storage import db
from storewatch.storage.db import Database

GIVEN = "STOREWATCH_BENCH_DATABASE_URL"
_TEMPLATE = "storewatch_bench_template"


class Server:
    """Makes and drops databases of the benchmark's own."""

    def __init__(self, url: str, *, own: bool) -> None:
        self._url = make_url(db.normalised_url(url)).set(drivername="postgresql")
        self.own = own

    def url(self, name: str) -> str:
        """The plain URL of a database."""
        return self._url.set(database=name).render_as_string(hide_password=False)

    def version(self) -> str:
        return str(self._execute("SHOW server_version"))

    def settings(self) -> dict[str, str]:
        """Those that decide how fast it is."""
        names = ("shared_buffers", "wal_level", "fsync", "synchronous_commit", "jit")
        return {name: str(self._execute(f"SHOW {name}")) for name in names}

    def prepare(self) -> None:
        """A database with the schema and nothing in it, from which others are made."""
        self.drop(_TEMPLATE)
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        database = Database(self.url(_TEMPLATE))
        db.prepare(database)
        database.close()

    def make(self, name: str) -> str:
        """A new database with the schema; gives its URL."""
        self.drop(name)
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        self.settle()
        return self.url(name)

    def copy(self, name: str, to: str) -> str:
        """A copy of a database that nobody uses; gives its URL."""
        self.drop(to)
        self._execute(f"CREATE DATABASE {to} TEMPLATE {name}")
        self.settle()
        return self.url(to)

    def drop(self, name: str) -> None:
        """Drops a database, once autovacuum, whom we may not send away, has left it."""
        until = time.monotonic() + 30
        while not self._dropped(name, patient=time.monotonic() < until):
            time.sleep(0.5)

    def _dropped(self, name: str, *, patient: bool) -> bool:
        try:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        except psycopg.errors.InsufficientPrivilege:
            if not patient:
                raise
            return False
        return True

    def drop_template(self) -> None:
        self.drop(_TEMPLATE)

    def settle(self) -> None:
        """Writes out what earlier work left, so that it does not slow what comes; only if we may."""
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            self._execute("CHECKPOINT")

    def _execute(self, statement: str) -> Any:
        url = self._url.render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None


@contextmanager
def running() -> Iterator[Server]:
    """The server, ready to make databases on."""
    given = os.environ.get(GIVEN)
    if given:
        yield from _ready(Server(given, own=False))
        return
    with open_folder() as folder, embedded.running(folder / "home", say) as url:
        yield from _ready(Server(url, own=True))


def _ready(server: Server) -> Iterator[Server]:
    server.prepare()
    try:
        yield server
    finally:
        server.drop_template()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users can enter: started by root, the server is another user's."""
    folder = Path(tempfile.mkdtemp(prefix="storewatch-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
