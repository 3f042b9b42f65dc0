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
_FAR = 1 << 20  # days from 1970: before and after all that there are
_ORDER = ("store_timezone", "menu_hours", "store_status")
"""The folders, and in which order they are taken in: an import counts what it had to assume."""

HISTORY = "store_day"
"""The folder of history, which is not taken in: it is made of the others."""

Progress = Callable[[int, int], None]


@dataclass
class Exported:
    """What was written: rows by table, bytes of all files, and weeks that no row can say."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*_ORDER, HISTORY), 0))
    days: int = 0
    history_days: int = 0
    history_due: bool = False
    size: int = 0
    empty_weeks: int = 0


def export(
    database: Database,
    folder: Path,
    first: date | None,
    last: date | None,
    progress: Progress,
    *,
    history: bool = False,
) -> Exported:
    """Writes one state of the database: hours and zones of all stores, and polls of UTC days from `first`
    to `last`, both included; with `history` its local days too. Of the same days what an earlier export left
    is replaced or taken away.
    """
    low = -_FAR if first is None else (first - _EPOCH).days
    high = _FAR if last is None else (last - _EPOCH).days
    with database.snapshot() as session:
        writing = _Writing(session, folder, low, high)
        writing.table("store_timezone", exporting.zones)
        writing.table("menu_hours", lambda *which: parquet_out.hours_table(exporting.hours(*which)))
        days = exporting.days(session, low, high)
        past = exporting.history_days(session, low, high) if history else []
        done = writing.by_day("store_status", days, _polls, lambda day: progress(day, len(days) + len(past)))
        found = writing.found
        found.days, found.empty_weeks = done, exporting.empty_weeks(session)
        if history:
            found.history_days = writing.by_day(
                HISTORY, past, exporting.history, lambda day: progress(len(days) + day, len(days) + len(past))
            )
            found.history_due = exporting.history_is_due(session)
    return found


def _polls(session: Session, day: int, keys: Keys) -> pl.DataFrame:
    return parquet_out.polls_table(exporting.polls(session, day, keys))


class _Writing:
    """Writes tables to their folders; of days, those from `low` to `high`."""

    def __init__(self, session: Session, folder: Path, low: int, high: int) -> None:
        self._session, self._folder, self._low, self._high = session, folder, low, high
        self._parts = list(_parts(session))
        self.found = Exported()

    def table(self, name: str, read: Callable[[Session, Keys], pl.DataFrame]) -> None:
        """A table that has no days."""
        self._write(self._folder / name, name, (read(self._session, keys) for keys in self._parts))

    def by_day(
        self,
        name: str,
        days: list[int],
        read: Callable[[Session, int, Keys], pl.DataFrame],
        progress: Callable[[int], None],
    ) -> int:
        """A table with a folder a day. Returns how many days it has."""
        _take_away_days(self._folder / name, self._low, self._high, set(days))
        for number, day in enumerate(days, start=1):
            tables = (read(self._session, day, keys) for keys in self._parts)
            self._write(self._folder / name / _day_name(day), name, tables)
            progress(number)
        return len(days)

    def _write(self, folder: Path, name: str, tables: Iterator[pl.DataFrame]) -> None:
        """Writes the parts of a table, and takes away those that an earlier export had more of."""
        written = set()
        for number, table in enumerate(tables):
            if len(table) or not number:
                path = folder / parquet_out.part_name(number)
                self.found.size += parquet_out.write(table, path)
                self.found.rows[name] += len(table)
                written.add(path.name)
        _take_away(folder, written)


def _parts(session: Session) -> Iterator[Keys]:
    """The stores in parts; one part at least, so that there is a table to read."""
    for low in range(0, exporting.last_key(session) + 1, _STORES_AT_ONCE):
        yield Keys(low, low + _STORES_AT_ONCE - 1)


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
        if not any(part.startswith((".", "_")) or part == HISTORY for part in path.relative_to(folder).parts)
    ]
    return sorted(found, key=lambda path: (_place(path.relative_to(folder).parts), str(path)))


def _place(parts: tuple[str, ...]) -> int:
    return next((place for place, name in enumerate(_ORDER) if name in parts), len(_ORDER))
