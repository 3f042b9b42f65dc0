"""storewatch import."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from rich.progress import Progress

from storewatch.cli.common import bytes_bar, now_us, opened_database, say
from storewatch.errors import FileRefusedError, UsageError
from storewatch.services.importing import KINDS, Imported, Reject, Watchers, import_file
from storewatch.storage.db import Database


@click.command("import", context_settings={"max_content_width": 100})
@click.argument("words", nargs=-1, required=True, metavar="[KIND] FILE...")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected rows here, as CSV."
)
@click.option("--allow-future", is_flag=True, help="Take polls from the future too.")
def import_command(words: tuple[str, ...], rejects: Path | None, allow_future: bool) -> None:
    """Load CSV files, plain or gzip; - is standard input.

    KIND is store_status, menu_hours or store_timezone; left out, it is recognised by the columns. Each
    file is one transaction. Exit code 0: every row is in; 1: some rows were rejected, the rest is in;
    2: a file was refused, nothing of it is in.
    """
    kind, files = (
        (words[0], words[1:]) if words[0] in KINDS and not Path(words[0]).exists() else (None, words)
    )
    if not files:
        raise UsageError("Name a file to import, or - for standard input")
    with opened_database() as database, reject_file(rejects) as reject:
        codes = [_import(database, kind, name, reject, allow_future=allow_future) for name in files]
    sys.exit(max(codes))


def _import(
    database: Database,
    kind: str | None,
    name: str,
    reject: Callable[[str, Reject], None],
    *,
    allow_future: bool,
) -> int:
    try:
        with _opened(name) as (stream, size):
            result = imported(database, stream, name, size, kind, reject, allow_future=allow_future)
    except FileRefusedError as error:
        say(f"{error}. Nothing of it was stored.")
        return 2
    click.echo(told(result))
    return 1 if result.rows_rejected else 0


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    if name == "-":
        yield sys.stdin.buffer, None
        return
    try:
        with Path(name).open("rb") as stream:
            yield stream, os.fstat(stream.fileno()).st_size or None
    except OSError as error:
        raise FileRefusedError(f"{name}: it cannot be read ({error.strerror})") from error


def imported(
    database: Database,
    stream: BinaryIO,
    name: str,
    size: int | None,
    kind: str | None = None,
    reject: Callable[[str, Reject], None] = lambda _, __: None,
    *,
    allow_future: bool = False,
    source: str = "cli",
) -> Imported:
    """Imports a stream with a progress bar."""
    short = "standard input" if name == "-" else Path(name).name
    with bytes_bar() as bar:
        watchers = Watchers(_progress(bar, short, size), say, lambda row: reject(short, row))
        now = None if allow_future else now_us()
        return import_file(database, stream, short, now_us=now, kind=kind, source=source, watchers=watchers)


def _progress(bar: Progress, name: str, size: int | None) -> Callable[[int, int], None]:
    task, began = bar.add_task(name, total=size, rows=""), time.monotonic()

    def advance(done: int, rows: int) -> None:
        rate = rows / max(time.monotonic() - began, 0.001)
        bar.update(task, completed=done, rows=f"{rows:,} rows, {rate:,.0f} rows/s")

    return advance


@contextmanager
def reject_file(path: Path | None) -> Iterator[Callable[[str, Reject], None]]:
    """Where rejected rows go: a CSV of line, reason and row, whole at the end or not there at all."""
    if path is None:
        yield lambda _, __: None
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("line", "reason", "row"))
            yield lambda _, row: writer.writerow(row)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"--rejects {path}: it cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def told(result: Imported) -> str:
    """What became of a file, for a person."""
    rate = result.rows_read / max(result.seconds, 0.001)
    lines = [
        f"{result.file_name}: {result.kind}, {result.rows_read:,} rows in {result.seconds:.2f} s "
        f"({rate:,.0f} rows/s)",
        f"  new {result.rows_new:,} · corrected {result.rows_corrected:,} · "
        f"unchanged {result.rows_unchanged:,} · kept {result.rows_kept:,} · "
        f"rejected {result.rows_rejected:,}",
        *_assumed(result),
    ]
    return "\n".join(lines)


def _assumed(result: Imported) -> Iterator[str]:
    assumed = result.assumptions
    if assumed["polled_stores"]:
        yield (
            f"  Of {assumed['polled_stores']:,} polled stores {assumed['open_24x7']:,} have no opening hours "
            f"(taken as open 24 x 7), {assumed['default_zone']:,} no zone (taken to be in the default zone)."
        )
    closed = assumed.get("closed_days", [])
    if closed:
        yield f"  {len(closed):,} days now count as closed, because their rows were rejected:"
        yield from (f"    {day['store_id']} on {day['day']}" for day in closed[:20])
        if len(closed) > 20:
            yield f"    … and {len(closed) - 20:,} more"
    if result.rows_rejected:
        yield "  The rejected rows, with reasons: --rejects FILE, or the table import_reject."
