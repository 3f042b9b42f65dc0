"""Exceptions of a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

from storewatch.domain import exception_rows
from storewatch.domain.exception_rows import Wanted
from storewatch.domain.permissions import Caller
from storewatch.errors import FileRefusedError, StorewatchError
from storewatch.formats.csv_in import CsvFile, shown
from storewatch.services.exceptions import Changed, Clock, add_rows, columns, identity, row_of
from storewatch.storage import exceptions
from storewatch.storage.db import Database

MOST = 10_000
"""So many exceptions may be in one file."""

MAX_BYTES = 16 << 20


@dataclass(frozen=True)
class Many:
    """What became of a file: those made, how many rows said what is in force already, the
    rejected ones as (line, reason).
    """

    made: list[Changed]
    unchanged: int
    rejected: list[tuple[int, str]]


def import_file(database: Database, caller: Caller, stream: BinaryIO, name: str, clock: Clock) -> Many:
    """Makes the exceptions of a CSV file. Rows that cannot be used are rejected alone; a row that says what
    is in force already changes nothing. FileRefusedError if the file as a whole cannot be used.
    """
    good, rejected = _read_file(stream, name)
    with database.transaction() as session:
        exceptions.one_import_at_a_time(session)
        known = {identity(columns(row)) for row in exceptions.in_force(session)}
        rows: list[dict[str, Any]] = []
        for line, wanted in good:
            try:
                row = row_of(session, caller, wanted)
            except StorewatchError as error:
                rejected.append((line, str(error)))
                continue
            if identity(row) not in known:
                known.add(identity(row))
                rows.append(row)
        made = add_rows(session, caller, rows, clock)
    lines = {line for line, _ in rejected}
    unchanged = sum(line not in lines for line, _ in good) - len(made)
    return Many(made, unchanged, sorted(rejected))


def _read_file(stream: BinaryIO, name: str) -> tuple[list[tuple[int, Wanted]], list[tuple[int, str]]]:
    """Good rows as (line, exception), and the rejected."""
    file = CsvFile(stream, name, MAX_BYTES)
    good: list[tuple[int, Wanted]] = []
    bad: list[tuple[int, str]] = []
    for block in file.blocks(_positions(file), exception_rows.OPTIONAL):
        bad += block.bad.select("line", "reason").rows()
        for row in block.rows.iter_rows(named=True):
            try:
                good.append((row["line"], exception_rows.read(row)))
            except StorewatchError as error:
                bad.append((row["line"], str(error)))
        if len(good) + len(bad) > MOST:
            raise FileRefusedError(f"{name}: it has more than {MOST:,} rows: send it in parts")
    return good, bad


def _positions(file: CsvFile) -> dict[str, int]:
    names = [name.lower() for name in file.header]
    optional = [name for name in exception_rows.OPTIONAL if name in names]
    for name in (*exception_rows.COLUMNS, *optional):
        if names.count(name) != 1:
            what = "twice" if name in names else "not there"
            found = ", ".join(shown(name) for name in file.header[:20])
            raise FileRefusedError(
                f"{file.name}: the column {name} is {what}; a file of exceptions has "
                f"{', '.join(exception_rows.COLUMNS)} and any of {', '.join(exception_rows.OPTIONAL)}; "
                f"found: {found}"
            )
    return {name: names.index(name) for name in (*exception_rows.COLUMNS, *optional)}
