"""The real PostgreSQL for every test that needs one: a server a session, a database a test.

`STOREWATCH_TEST_DATABASE_URL` names a server on which the user may create databases; without it the
tests start storewatch's own PostgreSQL.

Generated examples are the same in every run, so that a change is judged by what it changes. `make hunt` draws
others; what it finds becomes an `@example`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from hypothesis import settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import make_url

from storewatch import embedded
from storewatch.storage import db
from storewatch.storage.db import Database

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("hunt", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, the slow ones come first, so that none is left at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def sql(url: str, statement: str) -> None:
    """Runs a statement outside of any transaction."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def named(url: str, name: str) -> str:
    """The URL of another database of the server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _in_memory() -> str | None:
    """Where files live in memory, if there is room: a database is some hundred files, each test has one."""
    there = Path("/dev/shm")  # noqa: S108 - Linux's
    return str(there) if there.is_dir() and shutil.disk_usage(there).free > _ROOM else None


_ROOM = 8 << 30


@pytest.fixture(scope="session", autouse=True)
def templates_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each app compiles its templates anew; those of the tests of a session share what they compiled."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": cache}


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server's URL, on which databases can be made."""
    given = os.environ.get("STOREWATCH_TEST_DATABASE_URL")
    if given:
        yield db.normalised_url(given)
        return
    home = Path(tempfile.mkdtemp(prefix="storewatch-tests-", dir=_in_memory()))
    home.chmod(0o755)  # as root the server runs as another user, who must get in
    try:
        with embedded.running(home / "home", print):
            pass
        with (home / "home/postgres/data/postgresql.auto.conf").open("a") as file:
            file.write("fsync = off\n")  # a test's database need not outlive a power cut
            file.write("autovacuum = off\n")  # its worker, a superuser's, would hold up DROP DATABASE
        with embedded.running(home / "home", print) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a database with the schema and nothing in it."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    sql(server_url, f"CREATE DATABASE {name}")
    database = Database(named(server_url, name))
    db.prepare(database)
    database.close()
    yield name
    sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def clone_of(server_url: str, template: str) -> Iterator[str]:
    """The URL of a database that is a copy of another, which nobody is using; gone at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield named(server_url, name)
    sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    with clone_of(server_url, template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database of this test's own, with the schema."""
    opened = Database(database_url)
    yield opened
    opened.close()
