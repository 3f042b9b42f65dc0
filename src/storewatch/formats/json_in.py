"""Polls as JSON or NDJSON -> a frame of raw text, as from a CSV file. A row's `line` is its index, from 0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import polars as pl

from storewatch.errors import FileRefusedError
from storewatch.formats.csv_in import MAX_LINE_BYTES, Block, Lines, Source

HEADER = ("store_id", "status", "timestamp_utc", "reason")

Row = tuple[str | None, ...] | str
"""The cells of a row in the order of HEADER, or what is wrong with it."""


class JsonPolls:
    """A body that is held whole: `{"polls": [{…}, …]}`, or for NDJSON an object a line."""

    def __init__(self, stream: BinaryIO, name: str, *, by_line: bool = False) -> None:
        self.name = name
        self.header = list(HEADER)
        self.source = Source(stream)
        data = self.source.read() or b""
        self._lines = data.removesuffix(b"\n").split(b"\n") if by_line else _items(data, name)

    def blocks(self, columns: dict[str, int], optional: tuple[str, ...] = ()) -> Iterator[Block]:
        """All rows at once; see `CsvFile`. A blank line is no row."""
        del columns, optional  # every row has all of them, null where it does not say
        rows = [(number, _row(line)) for number, line in enumerate(self._lines) if line.strip()]
        good = [(number, *row) for number, row in rows if not isinstance(row, str)]
        bad = [(number, row) for number, row in rows if isinstance(row, str)]
        yield Block(
            pl.DataFrame(good, {"line": pl.Int64} | dict.fromkeys(HEADER, pl.String), orient="row"),
            pl.DataFrame(bad, {"line": pl.Int64, "reason": pl.String}, orient="row"),
            Lines(0, b"\n".join(self._lines)),
        )

    def __len__(self) -> int:
        return len(self._lines)


def _items(data: bytes, name: str) -> list[bytes]:
    """The items of `polls`, each as a line of JSON again: so they can be shown and stored as they were."""
    body = _parsed(data)
    polls = body.get("polls") if isinstance(body, dict) else None
    if not isinstance(polls, list):
        raise FileRefusedError(f'{name}: it is not a JSON object like {{"polls": [{{…}}]}}')
    other = sorted(set(body) - {"polls"})
    if other:
        raise FileRefusedError(f"{name}: there is no field '{ascii(other[0][:60])[1:-1]}' beside polls")
    return [json.dumps(item).encode() for item in polls]


def _parsed(data: bytes) -> Any:
    """The value of JSON text; an Exception, not raised, if it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # too deep, too many digits, no UTF-8
        return error


def _row(line: bytes) -> Row:
    if len(line) > MAX_LINE_BYTES:
        return f"the poll is longer than {MAX_LINE_BYTES:,} bytes"
    value = _parsed(line)
    if isinstance(value, Exception):
        return "this is not JSON"
    if not isinstance(value, dict):
        return "this is not a JSON object"
    cells = tuple(value.get(name) for name in HEADER)
    problems = (_problem(name, cell) for name, cell in zip(HEADER, cells, strict=True))
    return next((problem for problem in problems if problem), cells)


def _problem(name: str, cell: Any) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return f"{name} is not a text: write it in quotes"
    if "\0" in cell or not _is_unicode(cell):
        return f"{name} has characters that are no text"
    return ""


def _is_unicode(text: str) -> bool:
    """False with half a surrogate pair, which JSON can escape and nothing can store."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
