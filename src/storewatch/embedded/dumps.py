"""PostgreSQL's own programs for a database that is written to a stream, and read from one, of any server."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storewatch.embedded.programs import find_programs, find_tool
from storewatch.errors import EmbeddedServerError

_BLOCK = 1 << 20
_TRANSACTION_TIMEOUT_SINCE = 170_000


def major() -> int:
    """The version of the programs. They read and write what servers of this version and older have."""
    return find_programs().major


@contextmanager
def dumped(url: str, schema: str, snapshot: str, without_rows: Sequence[str]) -> Iterator[IO[bytes]]:
    """A stream of the state that another session exported; an error unless all of it was written."""
    where, environment = _target(url)
    command = [
        *(
            str(find_tool("pg_dump")),
            "--format=custom",
            "--compress=gzip:1" if major() >= 16 else "--compress=1",
        ),
        *("--no-owner", "--no-privileges", f"--schema={schema}", f"--snapshot={snapshot}"),
        *(f"--exclude-table-data={schema}.{table}" for table in without_rows),
        f"--dbname={where}",
    ]
    with _program(command, environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None  # noqa: S101 - a pipe, as was asked
        yield program.stdout


def load(url: str, server: int, schema: str, dump: IO[bytes], before: str, after: str) -> None:
    """Reads a dump into a database: `before` begins a transaction, `after` ends it. All, or nothing.

    `server` is its version, like 180006. An older one than the programs' is told nothing that it can't know.
    """
    where, environment = _target(url)
    restore = [
        str(find_tool("pg_restore")),
        "--no-owner",
        "--no-privileges",
        f"--schema={schema}",
        "--file=-",
    ]
    psql = [str(find_tool("psql")), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={where}"]
    with (
        _program(restore, {}, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as out,
        _program(psql, environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as into,
    ):
        assert into.stdin and out.stdin and out.stdout  # noqa: S101, PT018 - pipes, as was asked
        threading.Thread(target=_pump, args=(dump, out.stdin), daemon=True).start()
        into.stdin.write(before.encode())
        _copy(out.stdout, into.stdin, drop_timeout=server < _TRANSACTION_TIMEOUT_SINCE)
        if out.wait() == 0:
            into.stdin.write(after.encode())
        into.stdin.close()  # without `after` psql ends its session, and the server undoes all


def _copy(source: IO[bytes], target: IO[bytes], *, drop_timeout: bool) -> None:
    while (line := source.readline()) and not line.startswith(b"SELECT "):
        if not (drop_timeout and line.startswith(b"SET transaction_timeout")):
            target.write(line)
    target.write(line)
    while block := source.read(_BLOCK):
        target.write(block)


def _pump(source: IO[bytes], target: IO[bytes]) -> None:
    """Feeds a program that may end before it has read all, and be closed then."""
    with suppress(OSError, ValueError), target:
        while block := source.read(_BLOCK):
            target.write(block)


@contextmanager
def _program(
    command: Sequence[str], environment: dict[str, str], *, stdin: int, stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A program for the block, which must end well. What it says is told if it does not."""
    with tempfile.TemporaryFile() as said:
        program = subprocess.Popen(
            command, env=os.environ | environment, stdin=stdin, stdout=stdout, stderr=said
        )
        try:
            with suppress(BrokenPipeError):  # it has ended early, and said why
                yield program
            _close(program)
            code = program.wait()
        finally:
            program.kill()
            program.wait()
            _close(program)
        if code:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()[-2000:]
            raise EmbeddedServerError(f"{Path(command[0]).name} failed. It said:\n{words}")


def _close(program: subprocess.Popen[bytes]) -> None:
    for pipe in (program.stdin, program.stdout):
        if pipe:
            with suppress(OSError):  # what it did not want to read any more
                pipe.close()


def _target(url: str) -> tuple[str, dict[str, str]]:
    """Where to connect to, and what only the program's environment holds: others see command lines."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    environment = {"PGCLIENTENCODING": "UTF8"} | ({"PGPASSWORD": str(password)} if password else {})
    return make_conninfo("", **parts), environment
