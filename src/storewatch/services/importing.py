"""Taking in a file: one transaction, whatever its size; good rows in, bad ones kept with their reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

import polars as pl
from sqlalchemy.orm import Session

from storewatch.ahead import ahead
from storewatch.domain import polls as poll_rows
from storewatch.domain import store_rows
from storewatch.domain import weekly as weekly_rows
from storewatch.domain.rows import Read
from storewatch.errors import FileRefusedError
from storewatch.formats.csv_block import Block
from storewatch.formats.csv_in import CsvFile, RowsFile, shown
from storewatch.services.hours_from import FROM_TODAY, HoursFrom
from storewatch.services.store_taker import StoresTaker
from storewatch.services.takers import HoursTaker, StatusTaker, Taker, ZonesTaker
from storewatch.storage import imports, stores
from storewatch.storage.db import Database

KINDS: dict[str, tuple[str, ...]] = {
    "store_status": poll_rows.COLUMNS,
    "menu_hours": weekly_rows.HOURS_COLUMNS,
    "store_timezone": weekly_rows.ZONE_COLUMNS,
    "stores": store_rows.COLUMNS,
}
"""The kinds of file and the columns that each needs."""

OPTIONAL = {
    "store_status": poll_rows.OPTIONAL,
    "menu_hours": weekly_rows.HOURS_OPTIONAL,
    "stores": store_rows.OPTIONAL,
}
"""The columns that a kind may have besides; a file of stores has at least one of them."""

_OTHER_NAMES = {name.lower(): "day" for name in weekly_rows.DAY_NAMES}

Reject = tuple[int, str, str]
"""(line, reason, the row as it was)"""


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Watchers:
    """Who is told while an import runs: bytes and rows read so far, a wait, each rejected row if wanted;
    and, in the import's own transaction, that all is in: who raises there keeps it from being stored.
    """

    progress: Callable[[int, int], None] = _ignore
    say: Callable[[str], None] = _ignore
    reject: Callable[[Reject], None] | None = None
    done: Callable[[Session, Imported], None] = _ignore


@dataclass
class Imported:
    """What became of a file. `rows_read` is the sum of the other five counts; `rejects` are the first of
    the rejected rows.
    """

    kind: str
    file_name: str
    import_no: int
    sha256: str = ""
    size_bytes: int = 0
    rows_read: int = 0
    rows_new: int = 0
    rows_corrected: int = 0
    rows_unchanged: int = 0
    rows_kept: int = 0
    rows_rejected: int = 0
    assumptions: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    rejects: list[Reject] = field(default_factory=list)


def import_file(
    database: Database,
    stream: BinaryIO,
    name: str,
    *,
    now_us: int | None,
    kind: str | None = None,
    source: str = "cli",
    account_no: int | None = None,
    opened: Callable[[BinaryIO, str], RowsFile] = CsvFile,
    watchers: Watchers = Watchers(),
    patience_s: int | None = None,
    hold: HoursFrom = FROM_TODAY,
) -> Imported:
    """Takes in one CSV file, plain or gzip, or what else `opened` makes rows of.

    `kind` is one of `KINDS`; None recognises it by the columns. `now_us` is the machine's clock,
    against which times in the future are rejected; None takes them. `account_no` is who loads it.
    `hold` is from when on hours count.
    Raises FileRefusedError if the file as a whole cannot be used, and BusyError if another import of
    its kind is running and `patience_s` is over: then nothing of it is stored.
    """
    began, started_at = time.perf_counter(), datetime.now(UTC)
    file = opened(stream, name)
    kind = kind or recognised(file)
    if hold.since != weekly_rows.NOT_SAID and kind != "menu_hours":
        raise FileRefusedError(f"{name}: valid-from is for files of menu_hours, and this one is of {kind}")
    columns = _positions(file, kind)
    with database.transaction(patience_s) as session:
        _take_turn(session, kind, watchers)
        import_no = imports.open_import(session, kind, source, name, started_at, account_no)
        result = Imported(kind, name, import_no)
        with closing(_taker(kind, session, import_no, now_us, hold)) as taker:
            _take_all(session, file, columns, taker, result, watchers)
            counts, notes = taker.finish()
        for what, count in counts.items():
            setattr(result, f"rows_{what}", count)
        result.sha256, result.size_bytes = file.source.sha256, file.source.size
        result.assumptions = stores.assumed(session) | notes
        imports.close_import(session, import_no, _record(result))
        watchers.done(session, result)
        taker.mark()
    result.seconds = time.perf_counter() - began
    return result


def _take_turn(session: Session, kind: str, watchers: Watchers) -> None:
    if not imports.try_lock(session, kind):
        watchers.say(f"waiting: another import of {kind} is running")
        imports.lock(session, kind)


def _taker(kind: str, session: Session, import_no: int, now_us: int | None, hours: HoursFrom) -> Taker:
    match kind:
        case "store_status":
            return StatusTaker(session, import_no, now_us)
        case "menu_hours":
            return HoursTaker(session, import_no, now_us, hours)
        case "store_timezone":
            return ZonesTaker(session, import_no)
        case _:
            return StoresTaker(session, import_no)


def _take_all(
    session: Session,
    file: RowsFile,
    columns: dict[str, int],
    taker: Taker,
    result: Imported,
    watchers: Watchers,
) -> None:
    def read(block: Block) -> tuple[Block, Read]:
        return block, taker.read(block.rows)

    for block, found in ahead(read, file.blocks(columns, taker.optional, whole=taker.whole)):
        taker.take(found)
        result.rows_read += len(block.rows) + len(block.bad)
        bad = pl.concat([block.bad, found.bad.select("line", "reason")]).sort("line")
        _reject(session, block, bad, result, watchers)
        watchers.progress(file.source.size, result.rows_read)


def _reject(session: Session, block: Block, bad: pl.DataFrame, result: Imported, watchers: Watchers) -> None:
    """Keeps rejected rows of a block, (line, reason), as they were, as far as anybody wants them."""
    room = max(0, imports.KEPT_REJECTS - result.rows_rejected)
    wanted = bad if watchers.reject else bad.head(room)
    rejects = [(line, reason, block.row_text(line)) for line, reason in wanted.iter_rows()]
    imports.keep_rejects(session, result.import_no, rejects[:room])
    result.rejects += rejects[: max(0, _REJECTS_SHOWN - result.rows_rejected)]
    result.rows_rejected += len(bad)
    if watchers.reject:
        for reject in rejects:
            watchers.reject(reject)


_REJECTS_SHOWN = 5


def _record(result: Imported) -> dict[str, Any]:
    names = ("sha256", "size_bytes", "assumptions")
    counts = ("read", "new", "corrected", "unchanged", "kept", "rejected")
    values = {name: getattr(result, name) for name in (*names, *(f"rows_{count}" for count in counts))}
    return values | {"finished_at": datetime.now(UTC)}


def _names(file: RowsFile) -> list[str]:
    lower = [name.lower() for name in file.header]
    return [_OTHER_NAMES.get(name, name) for name in lower]


def recognised(file: RowsFile) -> str:
    """The kind of a file, by its columns. FileRefusedError if they fit none, or several."""
    names = set(_names(file))
    fitting = [kind for kind, columns in KINDS.items() if names.issuperset(columns)]
    if "stores" in fitting and (len(fitting) > 1 or names.isdisjoint(store_rows.OPTIONAL)):
        fitting.remove("stores")  # it needs little: what fits another kind too is of that kind
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise FileRefusedError(
            f"{file.name}: its columns fit {' and '.join(fitting)}; say which it is, "
            f"as in `storewatch import {fitting[0]} FILE`"
        )
    needed = "; ".join(f"{kind}: {', '.join(columns)}" for kind, columns in KINDS.items())
    needed += f" and one of {', '.join(store_rows.OPTIONAL)}"
    raise FileRefusedError(
        f"{file.name}: the kind of file cannot be told from its columns ({_found(file)}). "
        f"Needed are, for {needed}"
    )


def _positions(file: RowsFile, kind: str) -> dict[str, int]:
    """Where the needed columns, and the optional ones that are there, stand in a line."""
    names = _names(file)
    needed = KINDS[kind]
    lacking = [column for column in needed if column not in names]
    if lacking:
        raise FileRefusedError(
            f"{file.name}: a file of {kind} needs the {_columns(lacking)}; found: {_found(file)}"
        )
    more = [column for column in OPTIONAL.get(kind, ()) if column in names]
    if kind == "stores" and not more:
        raise FileRefusedError(
            f"{file.name}: a file of stores needs one of {', '.join(store_rows.OPTIONAL)} beside store_id; "
            f"found: {_found(file)}"
        )
    wanted = [*needed, *more]
    double = [column for column in wanted if names.count(column) > 1]
    if double:
        raise FileRefusedError(f"{file.name}: the column {double[0]} is there twice")
    return {column: names.index(column) for column in wanted}


def _columns(names: list[str]) -> str:
    return f"column{'s' if len(names) > 1 else ''} {' and '.join(names)}"


def _found(file: RowsFile) -> str:
    """The header as a message shows it."""
    more = ", …" if len(file.header) > _COLUMNS_SHOWN else ""
    return ", ".join(shown(name) for name in file.header[:_COLUMNS_SHOWN]) + more


_COLUMNS_SHOWN = 20
