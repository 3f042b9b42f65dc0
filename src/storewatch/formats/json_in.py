"""Polls as JSON or NDJSON -> a frame of raw text, as from a CSV file. A row's `line` is its index, from 0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import polars as pl

from storewatch.errors import FileRefusedError
from storewatch.formats.csv_block import MAX_LINE_BYTES, Block, Lines
from storewatch.formats.csv_in import Source

HEADER = ("store_id", "status", "timestamp_utc", "reason")

_TYPES = {"line": pl.Int64} | dict.fromkeys(HEADER, pl.String)
_LONGEST = 8192  # characters of a cell; what is sensible, the validator says
_Cells = tuple[Any, ...]


class JsonPolls:
    """A body that is held whole: `{"polls": [{…}, …]}`, or for NDJSON an object a line."""

    def __init__(self, stream: BinaryIO, name: str, *, by_line: bool = False) -> None:
        self.name = name
        self.header = list(HEADER)
        self.source = Source(stream)
        data = self.source.read() or b""
        self._lines: Lines
        if by_line:
            self._lines = Lines(0, data)
            self._items = [_item(line) for line in self._lines.all]
        else:
            self._items = _polls(data, name)
            self._lines = _Items(self._items)

    def blocks(
        self, columns: dict[str, int], optional: tuple[str, ...] = (), *, whole: bool = False
    ) -> Iterator[Block]:
        """All rows at once; see `CsvFile`. A blank line is no row."""
        del columns, optional, whole  # every row has all of them, null where it does not say
        rows, bad = _sorted_out(self._items)
        yield Block(
            rows, pl.DataFrame(bad, {"line": pl.Int64, "reason": pl.String}, orient="row"), self._lines
        )


class _Items(Lines):
    """The items of a JSON array as lines, made only of those that somebody asks for."""

    def __init__(self, items: list[Any]) -> None:
        super().__init__(0, b"")
        self._of = items

    def __getitem__(self, line: int) -> bytes:
        try:
            return json.dumps(self._of[line]).encode()
        except RecursionError:
            return b"(nested too deep to be shown)"


class _Blank:
    """A line without anything on it."""


def _item(line: bytes) -> Any:
    """The value of a line; an Exception, not raised, or _Blank if it has none."""
    if not line or line.isspace():
        return _Blank()
    if len(line) > MAX_LINE_BYTES:
        return ValueError(f"the poll is longer than {MAX_LINE_BYTES:,} bytes")
    return _parsed(line)


def _polls(data: bytes, name: str) -> list[Any]:
    body = _parsed(data)
    polls = body.get("polls") if isinstance(body, dict) else None
    if not isinstance(polls, list):
        raise FileRefusedError(f'{name}: it is not a JSON object like {{"polls": [{{…}}]}}')
    other = sorted(set(body) - {"polls"})
    if other:
        raise FileRefusedError(f"{name}: there is no field '{ascii(other[0][:60])[1:-1]}' beside polls")
    return polls


def _parsed(data: bytes) -> Any:
    """The value of JSON text; an Exception, not raised, if it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # too deep, too many digits, no UTF-8
        return ValueError("this is not JSON")


def _sorted_out(items: list[Any]) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Rows, and what is wrong with the other items. All at once if they are fine, as most are."""
    if all(type(item) is dict for item in items):
        columns = [[item.get(name) for item in items] for name in HEADER]
        if all(_is_text(column) for column in columns):
            cells = dict(zip(HEADER, columns, strict=True))
            return pl.DataFrame({"line": range(len(items)), **cells}, _TYPES), []
    good: list[_Cells] = []
    bad: list[tuple[int, str]] = []
    for number, item in enumerate(items):
        cells_or_problem = _row(item)
        if isinstance(cells_or_problem, str):
            bad.append((number, cells_or_problem))
        elif cells_or_problem:
            good.append((number, *cells_or_problem))
    return pl.DataFrame(good, _TYPES, orient="row"), bad


def _is_text(cells: list[Any]) -> bool:
    """Whether all cells are texts that can be stored, or null."""
    if not {type(cell) for cell in cells} <= {str, type(None)}:
        return False
    texts = list(filter(None, cells))
    return max(map(len, texts), default=0) <= _LONGEST and not _problem_of_text("".join(texts))


def _row(item: Any) -> _Cells | str:
    """The cells of a poll in the order of HEADER, or what is wrong with it; no cells if it is blank."""
    if isinstance(item, _Blank):
        return ()
    if isinstance(item, Exception):
        return str(item)
    if not isinstance(item, dict):
        return "this is not a JSON object"
    cells = tuple(item.get(name) for name in HEADER)
    problems = (_problem(name, cell) for name, cell in zip(HEADER, cells, strict=True))
    return next((problem for problem in problems if problem), cells)


def _problem(name: str, cell: Any) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return f"{name} is not a text: write it in quotes"
    problem = "is much too long" if len(cell) > _LONGEST else _problem_of_text(cell)
    return f"{name} {problem}" if problem else ""


def _problem_of_text(text: str) -> str:
    """JSON can escape NUL and half a surrogate pair, which nothing can store."""
    if "\0" in text or not _is_unicode(text):
        return "has characters that are no text"
    return ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
