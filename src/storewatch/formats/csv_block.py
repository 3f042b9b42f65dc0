"""A block of whole lines -> a frame of raw text, and what is wrong with those that are no rows.

A block of well-formed lines goes through Polars in one piece; any other is cut small, the lines that are not
well formed are looked at by themselves, and what is wrong with them is said in words. SEMANTICS, Inputs 7.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

PIECE_LINES, PIECE_BYTES = 1 << 17, 4 << 20
"""A block in which a line needs care is cut into pieces of about so many lines and at most about so many
bytes, for bad lines become Python objects.
"""
MAX_LINE_BYTES = 64 << 10
_COUNTED_AT_ONCE = 1 << 18
_CELL = r'(?:"(?:[^"]|"")*"|[^",]*)'
_LINE = rf"^{_CELL}(?:,{_CELL})*\r?$"


@dataclass(frozen=True)
class Block:
    """Rows of consecutive lines: `rows` has `line` and the wanted columns, all text, null where a cell
    is empty or its line ended before it; `bad` has (line, reason).
    """

    rows: pl.DataFrame
    bad: pl.DataFrame
    lines: Lines

    def row_text(self, line: int) -> str:
        """A line as it was, made fit for a database: no NUL, bytes that are not UTF-8 escaped; of one
        that is too long, its beginning.
        """
        whole = self.lines[line]
        text = _escaped(whole[:MAX_LINE_BYTES]).replace("\0", "\\x00").rstrip("\r")
        return text if len(whole) <= MAX_LINE_BYTES else text + "…"


class Lines:
    """The lines of a block by number; split only when somebody asks, for most blocks are clean."""

    def __init__(self, first: int, data: bytes) -> None:
        self.first, self._data = first, data

    @cached_property
    def all(self) -> list[bytes]:
        """In order, without the line feeds."""
        return self._data.removesuffix(b"\n").split(b"\n")

    def __getitem__(self, line: int) -> bytes:
        return self.all[line - self.first]


def count_lines(data: bytes) -> int:
    """How many lines there are, the last one with or without its end."""
    return _count(data, b"\n") + (not data.endswith(b"\n"))


def _count(data: bytes, character: bytes) -> int:
    """`data.count(character)`, several times as fast for one that is frequent."""
    codes = np.frombuffer(data, np.uint8)
    parts = (codes[first : first + _COUNTED_AT_ONCE] for first in range(0, len(codes), _COUNTED_AT_ONCE))
    return sum(int(np.count_nonzero(part == ord(character))) for part in parts)


def _pieces(data: bytes) -> Iterator[bytes]:
    usual = len(data) // count_lines(data)
    start, step = 0, min(PIECE_BYTES, PIECE_LINES * max(1, usual))
    while start < len(data):
        end = data.find(b"\n", start + step - 1) + 1 or len(data)
        yield data[start:end]
        start = end


def _may_have_a_long_line(data: bytes) -> bool:
    """False only if no line is longer than MAX_LINE_BYTES: each half of that has a line's end then."""
    half = MAX_LINE_BYTES // 2
    return any(data.find(b"\n", at, at + half) < 0 for at in range(0, len(data) - half + 1, half))


def _is_text(data: bytes) -> bool:
    return data.isascii() or text_or_none(data) is not None


class BlockReader:
    """Makes blocks of whole lines of a file whose header has so many fields."""

    def __init__(self, width: int, columns: dict[str, int], lacking: tuple[str, ...], *, whole: bool) -> None:
        self._width = width
        self._whole = whole
        self._columns = columns
        self._lacking = lacking

    def at_once(self, data: bytes, first_line: int) -> Block | None:
        """The fast way, for whole lines without a quote, every one of which has all its fields."""
        count = count_lines(data)
        if b'"' in data or b"\0" in data or _count(data, b",") != count * (self._width - 1):
            return None
        if _may_have_a_long_line(data) or not _is_text(data):
            return None
        try:
            frame = self._parsed(data.replace(b"\r\n", b"\n") if b"\r" in data else data)
        except pl.exceptions.PolarsError:
            return None
        if len(frame) != count:
            return None
        line = pl.int_range(first_line, first_line + count, dtype=pl.Int64).alias("line")
        return Block(frame.with_columns(line), _problems([]), Lines(first_line, data))

    def _parsed(self, data: bytes, *, quote: str | None = None) -> pl.DataFrame:
        """All columns are read: of some alone Polars does not say that a line has too many."""
        frame = pl.read_csv(
            data,
            has_header=False,
            schema={f"c{i}": pl.String for i in range(self._width)},
            quote_char=quote,
            raise_if_empty=False,
        )
        return self._named(frame.select(pl.col(f"c{at}").alias(name) for name, at in self._columns.items()))

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in self._lacking)

    def in_pieces(self, data: bytes, line: int) -> Iterator[Block]:
        """Lines of which some need care; pieces that are fine go the fast way all the same."""
        for piece in _pieces(data):
            if not piece.isspace():
                yield self.at_once(piece, line) or self.with_care(piece, line)
            line += count_lines(piece)

    def with_care(self, data: bytes, first_line: int) -> Block:
        """Each line becomes a row, a problem, or is blank."""
        lines = Lines(first_line, data)
        numbered = pl.DataFrame(
            {"text": _texts(data, lines), "line": range(first_line, first_line + len(lines.all))},
            {"text": pl.String, "line": pl.Int64},
        ).filter(pl.col("text").is_null() | (pl.col("text").str.strip_chars() != ""))
        well = self._well_formed(numbered["text"])
        quote = numbered["text"].str.contains('"', literal=True).fill_null(True)
        good = numbered.filter(well)
        frame = self._parsed("\n".join(good["text"].str.strip_chars_end("\r")).encode(), quote='"')
        frame = frame.with_columns(good["line"])
        plain = self._of_another_width(numbered.filter(~well & ~quote))
        rest = self._one_by_one(numbered.filter(~well & quote), lines)
        rows, problems = zip((frame, _problems([])), plain, rest, strict=True)
        return Block(
            pl.concat([r.select(frame.columns) for r in rows]).sort("line"), pl.concat(problems), lines
        )

    def _well_formed(self, text: pl.Series) -> pl.Series:
        """Whether every quote is closed and every field there."""
        commas = text.str.replace_all('"[^"]*"', "").str.count_matches(",", literal=True)
        return (text.str.contains(_LINE) & (commas == self._width - 1)).fill_null(False)

    def _of_another_width(self, plain: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Lines without quotes that have too few fields or too many.

        One that ends before the wanted columns is a row all the same: who reads its cells can say which
        is missing, and of which store.
        """
        plain = plain.with_columns(cells=pl.col("text").str.strip_chars_end("\r").str.split(","))
        found = pl.col("cells").list.len()
        wrong = pl.lit(True) if self._whole else found > max(self._columns.values())
        row = [pl.col("cells").list.get(at, null_on_oob=True).alias(n) for n, at in self._columns.items()]
        few = pl.when(found < self._width).then(pl.lit("few")).otherwise(pl.lit("many"))
        reason = pl.format(f"too {{}} fields: {{}} where the header has {self._width}", few, found)
        rows = self._named(plain.filter(~wrong).select("line", *row))
        return rows, plain.filter(wrong).select("line", reason=reason)

    def _one_by_one(self, odd: pl.DataFrame, lines: Lines) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Lines that are no text, or whose quotes must be looked at."""
        numbers, rows = [], []
        problems: list[tuple[int, str]] = []
        for text, line in odd.iter_rows():
            fields, problem = self._fields(text) if text is not None else ([], _no_text(lines[line]))
            if problem:
                problems.append((line, problem))
            else:
                numbers.append(line)
                rows.append(fields)
        columns = {name: [fields[at] for fields in rows] for name, at in self._columns.items()}
        frame = self._named(pl.DataFrame(columns, dict.fromkeys(columns, pl.String)))
        return frame.with_columns(pl.Series("line", numbers, pl.Int64)), _problems(problems)

    def _fields(self, text: str) -> tuple[list[str], str]:
        fields, problem = split(text.rstrip("\r"))
        if problem or len(fields) == self._width:
            return fields, problem
        few = "few" if len(fields) < self._width else "many"
        return [], f"too {few} fields: {len(fields)} where the header has {self._width}"


def split(line: str) -> tuple[list[str], str]:
    """The fields of a line, or what is wrong with its quotes."""
    try:
        return next(csv.reader([line], strict=True), []), ""
    except csv.Error as error:
        if "unexpected end" in str(error):
            return [], "a quote is opened and not closed on this line"
        if "delimiter" in str(error) or "expected after" in str(error):
            return [], "a quote is closed before its field ends"
        return [], "a carriage return stands in the middle"


def _problems(found: list[tuple[int, str]]) -> pl.DataFrame:
    return pl.DataFrame(found, {"line": pl.Int64, "reason": pl.String}, orient="row")


def _texts(data: bytes, lines: Lines) -> pl.Series:
    """The lines as text; null where a line is none, or too long."""
    if b"\0" not in data and not _may_have_a_long_line(data):
        text = text_or_none(data)
        if text is not None:
            return pl.Series(text.removesuffix("\n").split("\n"), dtype=pl.String)
    short = (line if len(line) <= MAX_LINE_BYTES else None for line in lines.all)
    return pl.Series([None if line is None else text_or_none(line) for line in short], dtype=pl.String)


def _escaped(data: bytes) -> str:
    r"""Bytes as text, each that is not UTF-8 as \xNN. By way of surrogates: the direct way is slow."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        marked = data.decode("utf-8", "surrogateescape").encode("utf-8", "backslashreplace")
        return marked.replace(b"\\udc", b"\\x").decode()


def text_or_none(data: bytes) -> str | None:
    """Bytes as text; None if they are none."""
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _no_text(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        return f"the line is longer than {MAX_LINE_BYTES:,} bytes"
    return "the line holds NUL bytes" if b"\0" in line else "the line is not text in UTF-8"
