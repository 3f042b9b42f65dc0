"""Files of every kind: nothing but rows or rejections with line and reason; good rows beside bad ones are
kept; how a file is cut into blocks changes nothing.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest import mock

import polars as pl

from storewatch.domain import exception_rows, people_rows, polls, store_rows, weekly
from storewatch.domain.rows import Read
from storewatch.errors import StorewatchError
from storewatch.formats import csv_block, csv_in, report_in
from storewatch.formats.csv_in import CsvFile
from storewatch.services import exception_files, importing, invitations
from tests.fuzz.target import Target

LINE_BYTES = 512
"""So short is a line that is too long here: inputs are small."""

Rows = dict[int, tuple[object, ...]]


@dataclass(frozen=True)
class Kind:
    """How files of a kind are read; `good` are the cells of a row that must be taken."""

    columns: Callable[[CsvFile], dict[str, int]]
    optional: tuple[str, ...]
    read: Callable[[pl.DataFrame], Read]
    good: dict[str, str]
    whole: bool = False


@dataclass(frozen=True)
class Taken:
    """What became of a file: rows and reasons by line."""

    width: int
    columns: dict[str, int]
    good: Rows
    bad: dict[int, str]


@contextmanager
def small_lines() -> Iterator[None]:
    with mock.patch.object(csv_block, "MAX_LINE_BYTES", LINE_BYTES):
        yield


def take(kind: Kind, data: bytes) -> Taken | str:
    """Reads a file as an import does. A refusal comes as its text."""
    good: Rows = {}
    bad: dict[int, str] = {}
    try:
        file = CsvFile(io.BytesIO(data), "a.csv", 1 << 22)
        columns = kind.columns(file)
        for block in file.blocks(columns, kind.optional, whole=kind.whole):
            read = kind.read(block.rows)
            assert len(read.good) + len(read.bad) == len(block.rows), "a row is lost, or there twice"
            rejected = pl.concat([block.bad, read.bad.select("line", "reason")])
            for line, reason in rejected.iter_rows():
                assert line not in bad, f"line {line} is rejected twice"
                assert _storable(reason), f"no reason that can be stored: {reason!r}"
                assert _storable(block.row_text(line)), "a row that cannot be kept"
                bad[line] = reason
            lines_first = read.good.select("line", pl.exclude("line"))
            good |= {row[0]: row[1:] for row in lines_first.iter_rows()}
    except StorewatchError as error:
        return str(error)
    assert not good.keys() & bad.keys(), "a line is both good and bad"
    return Taken(len(file.header), columns, good, bad)


def _storable(text: str) -> bool:
    return bool(text.encode()) and "\0" not in text


def try_file(kind: Kind, data: bytes) -> str:
    """All laws of a file."""
    whole = take(kind, data)
    _in_blocks(kind, data, whole)
    if isinstance(whole, str):
        assert whole.startswith("a.csv: "), "a refusal that does not name the file"
        return whole
    if data[:2] != b"\x1f\x8b" and kind.good.keys() <= whole.columns.keys():
        _with_a_good_one(kind, data, whole)
    return f"{len(whole.good)} good; " + "; ".join(sorted(set(whole.bad.values())))


def _in_blocks(kind: Kind, data: bytes, whole: Taken | str) -> None:
    """However a file is cut, the same comes out; of a damaged gzip file how much is read may tell another
    reason.
    """
    least = len(data) // 12  # in more blocks than that it takes too long
    block, lines = max(least, 16 + len(data) % 50), 1 + least // 40
    if not zlib.crc32(data) % 3:
        block, lines = 3_000, max(3, data.count(b"\n") // 60)
    with mock.patch.object(csv_in, "BLOCK_BYTES", block), mock.patch.object(csv_block, "PIECE_LINES", lines):
        parts = take(kind, data)
    if data[:2] == b"\x1f\x8b" and isinstance(whole, str):
        assert isinstance(parts, str), "refused whole, and taken in parts"
    else:
        assert parts == whole, f"in blocks of {block} bytes something else comes out"


def _with_a_good_one(kind: Kind, data: bytes, before: Taken) -> None:
    """A good row at the end is taken, and changes nothing of the others."""
    cells = [""] * before.width
    for name, cell in kind.good.items():
        if name in before.columns:
            cells[before.columns[name]] = cell
    line = ",".join(cells).encode()
    if len(line) > LINE_BYTES:
        return
    after = take(kind, data + b"\n" + line + b"\n")
    assert isinstance(after, Taken), f"refused for a good row at its end: {after}"
    (fresh,) = after.good.keys() - before.good.keys() or [0]
    assert fresh, f"a good row was not taken: {after.bad.get(max(after.bad, default=0))}"
    assert {at: row for at, row in after.good.items() if at != fresh} == before.good, "other rows changed"
    assert after.bad == before.bad, "other rejections changed"


def _exceptions(rows: pl.DataFrame) -> Read:
    good, bad = [], []
    for row in rows.iter_rows(named=True):
        try:
            wanted = exception_rows.read(row)
            assert wanted.end > wanted.start
            good.append((row["line"], repr(wanted)))
        except StorewatchError as error:
            bad.append((row["line"], str(error)))
    text = {"line": pl.Int64, "reason": pl.String}
    return Read(pl.DataFrame(good, text, orient="row"), pl.DataFrame(bad, text, orient="row"))


def _imported(kind: str, read: Callable[[pl.DataFrame], Read], **good: str) -> Kind:
    return Kind(
        lambda file: importing._positions(file, kind),
        importing.OPTIONAL.get(kind, ()),
        read,
        good,
        whole=kind == "stores",
    )


KINDS = {
    "polls": _imported(
        "store_status",
        partial(polls.read_polls, now_us=1_800_000_000_000_000),
        store_id="s1",
        status="active",
        timestamp_utc="2023-01-22 12:09:39.388884 UTC",
    ),
    "hours": _imported(
        "menu_hours",
        weekly.read_hours,
        store_id="s1",
        day="0",
        start_time_local="09:00",
        end_time_local="17:00",
    ),
    "zones": _imported("store_timezone", weekly.read_zones, store_id="s1", timezone_str="America/Chicago"),
    "stores": _imported("stores", store_rows.read_stores, store_id="s1"),
    "exceptions": Kind(
        exception_files._positions,
        exception_rows.OPTIONAL,
        _exceptions,
        {"effect": "closed", "start": "2026-12-25", "end": "2026-12-26", "note": "x", "store_id": "s1"},
    ),
    "people": Kind(
        invitations._positions,
        people_rows.OPTIONAL,
        people_rows.read_people,
        {"email": "ada@example.com", "role": "admin"},
    ),
}


def try_report(data: bytes) -> str:
    """A report of another program is read, with notes, or refused."""
    try:
        report = report_in.read(io.BytesIO(data), "a.csv")
    except StorewatchError as error:
        return str(error)
    assert len(report.ids) == len(report.texts) == len(report.cells.times)
    assert report.ids.is_unique().all()
    return "; ".join(report.notes)


TARGETS = [
    *(
        Target(f"csv-{name}", f"CSV files of {name}", partial(try_file, kind), "csv", small_lines)
        for name, kind in KINDS.items()
    ),
    Target("csv-report", "other programs' reports", try_report, "csv"),
]
