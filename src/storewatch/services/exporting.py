"""Polls, hours and zones of the database as a folder of Parquet files; and which of them to take in, how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from sqlalchemy.orm import Session

from storewatch.formats import parquet_out
from storewatch.storage import exporting
from storewatch.storage.db import Database
from storewatch.storage.exporting import Keys

_STORES_AT_ONCE = 50_000
"""A part has so many stores at most, which bounds the memory."""

_EPOCH = date(1970, 1, 1)
_ORDER = ("store_timezone", "menu_hours", "store_status")
"""The folders, and in which order they are taken in: an import counts what it had to assume."""

Progress = Callable[[int, int], None]


@dataclass
class Exported:
    """What was written: rows by table, bytes of all files, and weeks that no row can say."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_ORDER, 0))
    days: int = 0
    size: int = 0
    empty_weeks: int = 0


def export(
    database: Database, folder: Path, first: date | None, last: date | None, progress: Progress
) -> Exported:
    """Writes one state of the database: hours and zones of all stores, and polls of UTC days from `first`
    to `last`, both included. Of the same days what an earlier export left is replaced or taken away.
    """
    found = Exported()
    low = -(1 << 20) if first is None else (first - _EPOCH).days
    high = 1 << 20 if last is None else (last - _EPOCH).days
    with database.snapshot() as session:
        parts = list(_parts(session))
        for name, read, table in (
            ("store_timezone", exporting.zones, lambda rows: rows),
            ("menu_hours", exporting.hours, parquet_out.hours_table),
        ):
            _write(folder / name, (table(read(session, keys)) for keys in parts), found, name)
        days = exporting.days(session, low, high)
        _take_away_days(folder / "store_status", low, high, set(days))
        for number, day in enumerate(days):
            tables = (parquet_out.polls_table(exporting.polls(session, day, keys)) for keys in parts)
            _write(folder / "store_status" / _day_name(day), tables, found, "store_status")
            progress(number + 1, len(days))
        found.days, found.empty_weeks = len(days), exporting.empty_weeks(session)
    return found


def _parts(session: Session) -> Iterator[Keys]:
    """The stores in parts; one part at least, so that there is a table to read."""
    for low in range(0, exporting.last_key(session) + 1, _STORES_AT_ONCE):
        yield Keys(low, low + _STORES_AT_ONCE - 1)


def _write(folder: Path, tables: Iterator[pl.DataFrame], found: Exported, name: str) -> None:
    """Writes the parts of a table, and takes away those that an earlier export had more of."""
    written = set()
    for number, table in enumerate(tables):
        if len(table) or not number:
            path = folder / parquet_out.part_name(number)
            found.size += parquet_out.write(table, path)
            found.rows[name] += len(table)
            written.add(path.name)
    _take_away(folder, written)


def _take_away(folder: Path, but: set[str]) -> None:
    """Takes away files that an export made."""
    for path in folder.glob("part-[0-9][0-9][0-9][0-9][0-9].parquet"):
        if path.name not in but:
            path.unlink()


def _take_away_days(folder: Path, low: int, high: int, but: set[int]) -> None:
    """Takes away the files of days that have no polls any more."""
    for path in folder.glob("day=????-??-??"):
        try:
            day = (date.fromisoformat(path.name.removeprefix("day=")) - _EPOCH).days
        except ValueError:
            continue
        if low <= day <= high and day not in but:
            _take_away(path, set())
            if not any(path.iterdir()):
                path.rmdir()


def _day_name(day: int) -> str:
    return f"day={_EPOCH + timedelta(days=day):%Y-%m-%d}"


def files_of(folder: Path) -> list[Path]:
    """The Parquet files of a folder, in the order in which they are taken in: zones, hours, polls by day."""
    found = [
        path
        for path in folder.rglob("*.parquet")
        if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    return sorted(found, key=lambda path: (_place(path.relative_to(folder).parts), str(path)))


def _place(parts: tuple[str, ...]) -> int:
    return next((place for place, name in enumerate(_ORDER) if name in parts), len(_ORDER))
