"""storewatch db pgadmin: the definition that pgAdmin loads."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import make_url

from storewatch import embedded
from storewatch.cli import cli
from storewatch.cli.pgadmin import definition


def server_of(told: dict[str, Any]) -> dict[str, Any]:
    (server,) = told["Servers"].values()
    assert isinstance(server, dict)
    return server


def printed() -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["db", "pgadmin"], catch_exceptions=False)
    return server_of(json.loads(done.output))


def connect(server: dict[str, Any]) -> psycopg.Connection[Any]:
    """As pgAdmin connects."""
    return psycopg.connect(
        host=server["Host"],
        port=server["Port"],
        user=server["Username"],
        dbname=server["MaintenanceDB"],
        **server["ConnectionParameters"],
    )


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A home of our own PostgreSQL; as root the server is another user, who must get in."""
    folder = Path(tempfile.mkdtemp(prefix="storewatch-tests-"))
    folder.chmod(0o755)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("address", "host", "port", "user", "database", "sslmode"),
    [
        ("postgresql://ann:secret@db.example:6000/shop", "db.example", 6000, "ann", "shop", "prefer"),
        ("postgres://ann@db.example/shop?sslmode=require", "db.example", 5432, "ann", "shop", "require"),
        ("postgresql+psycopg2://ann@/shop?host=/run/pg&port=6001", "/run/pg", 6001, "ann", "shop", "prefer"),
        ("postgresql://ann@/shop?host=a&host=b", "a", 5432, "ann", "shop", "prefer"),
        ("postgresql://ann@[::1]:6000", "::1", 6000, "ann", "ann", "prefer"),
        ("postgresql:///shop?user=ann", "localhost", 5432, "ann", "shop", "prefer"),
    ],
)
def test_every_form_of_the_address_makes_a_server(
    address: str, host: str, port: int, user: str, database: str, sslmode: str
) -> None:
    server = server_of(definition(address, None))
    assert (server["Host"], server["Port"], server["Username"]) == (host, port, user)
    assert (server["MaintenanceDB"], server["DBRestriction"]) == (database, database)
    assert server["ConnectionParameters"] == {"sslmode": sslmode, "connect_timeout": 10}
    assert "secret" not in json.dumps(server)


def test_the_printed_definition_opens_our_own_database(
    monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    monkeypatch.delenv("STOREWATCH_DATABASE_URL", raising=False)
    monkeypatch.setenv("STOREWATCH_HOME", str(own_home))
    with embedded.running(own_home, lambda _: None), connect(printed()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("storewatch",)


def test_the_printed_definition_opens_a_given_database(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREWATCH_DATABASE_URL", database_url)
    server = printed()
    server["ConnectionParameters"]["password"] = make_url(database_url).password or ""
    with connect(server) as connection:
        assert connection.execute("SELECT count(*) FROM store").fetchone() == (0,)
