"""A report as a file: CSV, XLSX, JSON or Parquet, in the classic or the extended form."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import polars as pl

from storewatch.formats.csv_out import report_csv
from storewatch.formats.harmless import harmless, harmless_text
from storewatch.formats.report_json import row_object
from storewatch.formats.report_tables import (
    ABOUT,
    Frames,
    classic_tables,
    extended_tables,
    extended_text_tables,
)

_BLOCK = 1 << 16
_TEXTS = ABOUT[:3]


@dataclass(frozen=True)
class Content:
    """A report's rows and what they are: `about` says which report it is and by which rules, `exceptions`
    which ones had a part in it.
    """

    frames: Frames
    windows: list[str]
    about: dict[str, Any]
    exceptions: list[dict[str, Any]]
    extended: bool = False

    def tables(self) -> Iterator[pl.DataFrame]:
        """Tables of numbers; the first is empty, for its columns."""
        made = extended_tables if self.extended else classic_tables
        return made(self.frames, self.windows)


@dataclass(frozen=True)
class Format:
    """A kind of file. `most` is how many rows it holds, None any number."""

    mimetype: str
    chunks: Callable[[Content], Iterator[bytes]]
    most: int | None = None


def _csv(content: Content) -> Iterator[bytes]:
    if not content.extended:
        yield from report_csv(content.frames, content.windows)
        return
    for number, table in enumerate(extended_text_tables(content.frames, content.windows)):
        safe = table.with_columns(harmless(pl.col(*_TEXTS)))
        yield safe.write_csv(include_header=number == 0).encode()


def _json(content: Content) -> Iterator[bytes]:
    """An object, written row by row."""
    about = content.about | {"exceptions": content.exceptions}
    yield json.dumps(about)[:-1].encode() + b', "rows": ['
    first = True
    for block in _json_rows(content):
        yield (b"\n" if first else b",\n") + b",\n".join(block)
        first = False
    yield b"\n]}\n"


def _json_rows(content: Content) -> Iterator[list[bytes]]:
    if content.extended:
        for frame in content.frames:
            yield [_dumped(row_object(row, content.windows)) for row in frame.iter_rows(named=True)]
        return
    for table in classic_tables(content.frames, content.windows):
        if len(table):
            yield [_dumped(row) for row in table.iter_rows(named=True)]


def _dumped(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode()


def _parquet(content: Content) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        pl.concat(content.tables()).write_parquet(file)
        yield from _blocks(file)


def _xlsx(content: Content) -> Iterator[bytes]:
    """Text is written as text and never looked at; numbers are numbers."""
    import xlsxwriter  # slow to import, seldom needed

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, options) as book:
            _write_rows(book, content)
            _write_about(book, content)
            _write_exceptions(book, content)
        yield from _blocks(file)


def _write_rows(book: Any, content: Content) -> None:
    sheet, line = book.add_worksheet("Report"), 0
    sheet.freeze_panes(1, 1)
    for table in content.tables():
        if line == 0:
            sheet.write_row(0, 0, table.columns, book.add_format({"bold": True}))
            line = 1
        texts = [name for name in _TEXTS if name in table.columns]
        for row in table.with_columns(harmless(pl.col(*texts))).iter_rows():
            for column, value in enumerate(row):
                _write_cell(sheet, line, column, value)
            line += 1


def _write_cell(sheet: Any, line: int, column: int, value: str | bool | float | None) -> None:
    if isinstance(value, str):
        sheet.write_string(line, column, value)
    elif isinstance(value, bool):
        sheet.write_boolean(line, column, value)
    elif value is not None:
        sheet.write_number(line, column, value)


def _write_about(book: Any, content: Content) -> None:
    sheet = book.add_worksheet("About")
    for line, (name, value) in enumerate(content.about.items()):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, value if isinstance(value, str) else json.dumps(value))


def _write_exceptions(book: Any, content: Content) -> None:
    if not content.exceptions:
        return
    sheet = book.add_worksheet("Exceptions")
    sheet.write_row(0, 0, list(content.exceptions[0]), book.add_format({"bold": True}))
    for line, told in enumerate(content.exceptions, start=1):
        for column, value in enumerate(told.values()):
            _write_cell(sheet, line, column, harmless_text(value) if value is not None else None)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(_BLOCK):
        yield block


FORMATS = {
    "csv": Format("text/csv", _csv),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx, (1 << 20) - 1),
    "json": Format("application/json", _json),
    "parquet": Format("application/vnd.apache.parquet", _parquet),
}
"""By name, which is also the ending of a file's name."""


def of_name(name: str) -> str | None:
    """The format that a file's name stands for by its ending; None if it stands for none."""
    ending = name.rpartition(".")[2].lower()
    return ending if ending in FORMATS else None
