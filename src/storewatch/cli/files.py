"""storewatch import."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, TextIO

import click
import psycopg
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from storewatch import config
from storewatch.cli.common import bytes_bar, now_us, opened_database, say
from storewatch.domain.weekly import NOT_SAID, since_of
from storewatch.errors import FileRefusedError, UsageError
from storewatch.formats.csv_in import CsvFile, RowsFile, shown
from storewatch.formats.parquet_in import MAGIC, ParquetFile
from storewatch.services.exporting import files_of
from storewatch.services.hours_from import HoursFrom
from storewatch.services.importing import KINDS, Imported, Reject, Watchers, import_file
from storewatch.storage.db import Database


@click.command("import", context_settings={"max_content_width": 100})
@click.argument("words", nargs=-1, required=True, metavar="[KIND] FILE...")
@click.option(
    "--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Write rejected rows here, as CSV."
)
@click.option("--allow-future", is_flag=True, help="Take polls from the future too.")
@click.option(
    "--valid-from",
    metavar="DATE|always",
    help="From when on hours count; if not said, a store's first for all time, later ones from today.",
)
def import_command(
    words: tuple[str, ...], rejects: Path | None, allow_future: bool, valid_from: str | None
) -> None:
    """Load CSV files, plain or gzip, or Parquet; - is standard input, a folder is all Parquet files in it.

    KIND is store_status, menu_hours or store_timezone; left out, it is recognised by the columns. Each
    file is one transaction. Exit code 0: every row is in; 1: some rows were rejected, the rest is in;
    2: a file was refused, nothing of it is in.
    """
    kind, files = (
        (words[0], words[1:]) if words[0] in KINDS and not Path(words[0]).exists() else (None, words)
    )
    _check(files, rejects)
    files = tuple(name for word in files for name in _named(word))
    settings = config.read()
    options = _Options(allow_future, HoursFrom(_since(valid_from), settings.default_zone))
    with opened_database(settings) as database, reject_file(rejects, several=len(files) > 1) as reject:
        codes = [_import(database, kind, name, reject, options) for name in files]
    sys.exit(max(codes))


@dataclass(frozen=True)
class _Options:
    allow_future: bool = False
    hold: HoursFrom = field(default_factory=HoursFrom)


def _since(valid_from: str | None) -> int:
    if valid_from is None:
        return NOT_SAID
    try:
        return since_of(valid_from)
    except ValueError as error:
        raise UsageError(f"--{str(error).replace('_', '-', 1)}") from error


def _named(word: str) -> list[str]:
    """A file, or the files of a folder; one without any stays, to be refused in its turn."""
    return (list(map(str, files_of(Path(word)))) if Path(word).is_dir() else []) or [word]


def _check(files: tuple[str, ...], rejects: Path | None) -> None:
    if not files:
        raise UsageError("Name a file to import, or - for standard input")
    if files.count("-") > 1:
        raise UsageError("- stands there twice, but standard input can be read only once")
    if rejects and rejects.exists() and any(Path(f).exists() and rejects.samefile(f) for f in files):
        raise UsageError(f"--rejects {rejects} would overwrite a file that is to be imported")


class Rejects:
    """The rejected rows of files, as CSV; those of a file that is refused after all are taken back."""

    def __init__(self, file: TextIO | None, *, several: bool) -> None:
        self._file = file
        self._several = several
        if file:
            self._writer = csv.writer(file, lineterminator="\n")
            self._writer.writerow(("line", "reason", "row", *(["file"] if several else [])))

    @contextmanager
    def of(self, name: str) -> Iterator[Callable[[Reject], None] | None]:
        """Where the rejected rows of one file go; None if nobody wants them."""
        if not self._file:
            yield None
            return
        start, write, more = self._file.tell(), self._writer.writerow, (name,) if self._several else ()
        try:
            yield lambda reject: write((*reject, *more))
        except BaseException:
            self._file.seek(start)
            self._file.truncate()
            raise


@contextmanager
def reject_file(path: Path | None, *, several: bool) -> Iterator[Rejects]:
    """Where rejected rows go: a CSV of line, reason and row (and file, if there are several), which is
    whole at the end or not there at all.
    """
    if path is None:
        yield Rejects(None, several=several)
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            yield Rejects(file, several=several)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"--rejects {path}: it cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def _import(database: Database, kind: str | None, name: str, rejects: Rejects, options: _Options) -> int:
    """Imports one file and tells the outcome. Returns the exit code that it deserves."""
    short = _short(name)
    try:
        with _opened(name) as (stream, size), rejects.of(short) as reject:
            result = imported(database, stream, name, size, kind, reject, options)
    except FileRefusedError as error:
        return _refused(str(error))
    except (OperationalError, psycopg.OperationalError) as error:
        cause = str(getattr(error, "orig", error)).splitlines()[0]
        return _refused(f"{short}: the database failed ({cause})")
    except KeyboardInterrupt:
        _refused(f"{short}: interrupted")
        sys.exit(130)
    click.echo(told(result))
    return 1 if result.rows_rejected else 0


def _short(name: str) -> str:
    """What a file is called. Of a table's parts, which are all called alike, the folder tells more."""
    if name == "-":
        return "standard input"
    path = Path(name)
    short = path.name if not path.name.startswith("part-") else "/".join(path.parts[-2:])
    return click.format_filename(short)


def _refused(why: str) -> int:
    say(f"{why}. Nothing of it was stored.")
    return 2


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """A stream and its size, where that is known."""
    if name == "-":
        if sys.stdin is None:  # closed by whoever started us
            raise FileRefusedError("standard input: it is closed")
        yield sys.stdin.buffer, None
        return
    if Path(name).is_dir():
        raise FileRefusedError(f"{click.format_filename(name)}: there is no .parquet file in this folder")
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - trouble in the block is not trouble in opening
    except OSError as error:
        raise FileRefusedError(
            f"{click.format_filename(name)}: it cannot be read ({error.strerror})"
        ) from error
    with stream:
        yield stream, os.fstat(stream.fileno()).st_size or None


def imported(
    database: Database,
    stream: BinaryIO,
    name: str,
    size: int | None,
    kind: str | None = None,
    reject: Callable[[Reject], None] | None = None,
    options: _Options = _Options(),
    *,
    source: str = "cli",
) -> Imported:
    """Imports a stream with a progress bar."""
    short = _short(name)
    with bytes_bar() as bar:
        watchers = Watchers(_progress(bar, short, size), say, reject)
        now = None if options.allow_future else now_us()
        return import_file(
            database,
            stream,
            short,
            now_us=now,
            kind=kind,
            source=source,
            opened=_kind_of_file(stream),
            watchers=watchers,
            hold=options.hold,
        )


def _kind_of_file(stream: BinaryIO) -> Callable[[BinaryIO, str], RowsFile]:
    start = b""
    with contextlib.suppress(OSError):  # who reads the file says what is wrong with it
        start = stream.peek(len(MAGIC)) if isinstance(stream, io.BufferedReader) else b""
    return ParquetFile if start.startswith(MAGIC) else CsvFile


def _progress(bar: Progress, name: str, size: int | None) -> Callable[[int, int], None]:
    task, began = bar.add_task(name, total=size, rows=""), time.monotonic()

    def advance(done: int, rows: int) -> None:
        rate = rows / max(time.monotonic() - began, 0.001)
        bar.update(task, completed=done, rows=f"{rows:,} rows, {rate:,.0f} rows/s")

    return advance


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
        *_rejected(result),
        *_closed(result),
        *_past(result),
    ]
    return "\n".join(lines)


def _assumed(result: Imported) -> Iterator[str]:
    assumed = result.assumptions
    if assumed["polled_stores"]:
        yield (
            f"  Of {assumed['polled_stores']:,} polled stores {assumed['open_24x7']:,} have no opening hours "
            f"(taken as open 24 x 7), {assumed['default_zone']:,} no zone (taken to be in the default zone)."
        )


def _rejected(result: Imported) -> Iterator[str]:
    if result.rows_rejected:
        yield "  The rejected rows, with reasons: --rejects FILE, or the table import_reject."
        yield from (f"    line {line:,}: {shown(reason, 200)}" for line, reason, _ in result.rejects)
        if result.rows_rejected > len(result.rejects):
            yield f"    … and {result.rows_rejected - len(result.rejects):,} more"


def _past(result: Imported) -> Iterator[str]:
    days = result.assumptions.get("past_days_changed")
    if days:
        yield f"  {days:,} past days of stores have other opening hours now; their figures change."


def _closed(result: Imported) -> Iterator[str]:
    """Every day that a rejected row closed, a line a store."""
    closed = result.assumptions.get("closed_days", [])
    if closed:
        yield f"  {len(closed):,} days now count as closed, because their rows were rejected:"
        for store, days in groupby(closed, lambda day: day["store_id"]):
            yield f"    {store}: {', '.join(day['day'] for day in days)}"
