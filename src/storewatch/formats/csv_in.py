"""CSV files -> frames of raw text, block by block, in bounded memory.

One line is one row, so a broken quote can spoil its own line only. A block of well-formed lines goes
through Polars in one piece; lines that are not are read one by one, and what is wrong with them is
said in words. SEMANTICS, Inputs 3 and 7.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import polars as pl

from storewatch.errors import FileRefusedError

BLOCK_BYTES = 16 << 20
MAX_LINE_BYTES = 64 << 10
_CELL = r'(?:"[^"]*"|[^",]*)'


@dataclass(frozen=True)
class Block:
    """Rows of consecutive lines: `rows` has `line` and the wanted columns, all text; `bad` has
    (line, reason). `row_text` gives a line as it was.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame
    lines: dict[int, bytes] | _Lines

    def row_text(self, line: int) -> str:
        """A line as it was, made fit for a database: no NUL, bytes that are not UTF-8 escaped."""
        return self.lines[line].decode("utf-8", "backslashreplace").replace("\0", "\\x00").rstrip("\r")


class _Lines:
    """The lines of a block by number; split only when somebody asks, for most blocks are clean."""

    def __init__(self, first: int, data: bytes) -> None:
        self._first, self._data = first, data
        self._split: list[bytes] | None = None

    def __getitem__(self, line: int) -> bytes:
        if self._split is None:
            self._split = self._data.split(b"\n")
        return self._split[line - self._first]


class Source(io.RawIOBase):
    """A stream that counts and hashes what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Reads at most as much as fits."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self.size += len(data)
        self._hash.update(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """Of all bytes read so far, in hexadecimal."""
        return self._hash.hexdigest()


class CsvFile:
    """A CSV file that is being read: first its `header`, then its `blocks`."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.source = Source(stream)
        self._text = self._unpacked()
        self._pending = b""
        self.header = self._read_header()

    def _unpacked(self) -> io.BufferedIOBase:
        packed = io.BufferedReader(self.source, BLOCK_BYTES)
        if packed.peek(2)[:2] == b"\x1f\x8b":
            return gzip.GzipFile(fileobj=packed)
        return packed

    def _read(self, size: int) -> bytes:
        try:
            return self._text.read(size) or b""
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileRefusedError(f"{self.name}: the gzip file is damaged or cut off ({error})") from error

    def _read_header(self) -> list[str]:
        self._pending = self._read(BLOCK_BYTES)
        if not self._pending.strip(b"\xef\xbb\xbf\r\n\t "):
            raise FileRefusedError(f"{self.name}: the file is empty")
        line, newline, rest = self._pending.partition(b"\n")
        if self._pending[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise FileRefusedError(f"{self.name}: the file is UTF-16; save it as CSV in UTF-8")
        try:
            text = line[:MAX_LINE_BYTES].decode("utf-8-sig").rstrip("\r")
            names = next(csv.reader([text], strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise _not_text(self.name) from error
        if "\0" in text or len(line) > MAX_LINE_BYTES:
            raise _not_text(self.name)
        self._pending = rest if newline else b""
        return [name.strip() for name in names]

    def blocks(self, columns: dict[str, int], optional: tuple[str, ...] = ()) -> Iterator[Block]:
        """Blocks with the wanted columns, given by their positions; `optional` ones may be lacking,
        and are null then.
        """
        reader = _BlockReader(len(self.header), columns, tuple(c for c in optional if c not in columns))
        line = 2
        for data in self._whole_lines():
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            yield reader.read(data, line, count)
            line += count

    def _whole_lines(self) -> Iterator[bytes]:
        """Chunks that end at the end of a line; a line that is too long comes shortened."""
        pending = self._pending
        while True:
            cut = pending.rfind(b"\n") + 1
            if cut:
                yield pending[:cut]
            pending = pending[cut:][: MAX_LINE_BYTES + 1]  # more of a line is of no use
            more = self._read(BLOCK_BYTES)
            if not more:
                break
            pending += more
        if pending:
            yield pending


def _not_text(name: str) -> FileRefusedError:
    return FileRefusedError(f"{name}: this is not a CSV file: its first line is not text in UTF-8")


class _BlockReader:
    def __init__(self, width: int, columns: dict[str, int], lacking: tuple[str, ...]) -> None:
        self._width = width
        self._columns = columns
        self._lacking = lacking
        cells = "," + _CELL
        self._well_formed = rf"^{_CELL}(?:{cells}){{{width - 1}}}\r?$"

    def read(self, data: bytes, first_line: int, count: int) -> Block:
        """The rows of `count` whole lines."""
        lines = _Lines(first_line, data)
        frame = self._at_once(data, first_line, count)
        if frame is not None:
            return Block(frame, _no_problems(), lines)
        return self._with_care(data, first_line, lines)

    def _at_once(self, data: bytes, first_line: int, count: int) -> pl.DataFrame | None:
        """The fast way, for blocks without a quote in which every line has all its fields."""
        if b'"' in data or b"\0" in data or data.count(b",") != count * (self._width - 1):
            return None
        try:
            frame = self._parsed(data.replace(b"\r\n", b"\n") if b"\r" in data else data, ragged=False)
        except pl.exceptions.PolarsError:
            return None
        if len(frame) != count:
            return None
        return frame.with_columns(pl.int_range(first_line, first_line + count, dtype=pl.Int64).alias("line"))

    def _parsed(self, data: bytes, *, ragged: bool, quote: str | None = None) -> pl.DataFrame:
        positions = sorted(self._columns.values())
        frame = pl.read_csv(
            data,
            has_header=False,
            schema={f"c{i}": pl.String for i in range(self._width)},
            columns=positions,
            quote_char=quote,
            truncate_ragged_lines=ragged,
        )
        frame = frame.select(pl.col(f"c{position}").alias(name) for name, position in self._columns.items())
        return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in self._lacking)

    def _with_care(self, data: bytes, first_line: int, lines: _Lines) -> Block:
        """Line by line where needed: each line becomes a row, a problem, or is blank."""
        numbered = pl.DataFrame({"text": _decoded(data)}).with_row_index("line", first_line)
        numbered = numbered.cast({"line": pl.Int64})
        broken = pl.col("text").is_null()
        blank = pl.col("text").str.strip_chars() == ""
        well = pl.col("text").str.contains(self._well_formed)
        good = numbered.filter(well & ~blank)
        frame = self._parsed(
            "\n".join(good["text"].str.strip_chars_end("\r")).encode(), ragged=True, quote='"'
        )
        frame = frame.with_columns(good["line"])
        rows, problems = self._one_by_one(numbered.filter((broken | ~well) & (broken | ~blank)))
        return Block(pl.concat([frame, rows.select(frame.columns)]).sort("line"), problems, lines)

    def _one_by_one(self, odd: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Lines with escaped quotes, and those that are wrong."""
        rows: list[tuple[int, list[str]]] = []
        problems: list[tuple[int, str]] = []
        for line, text in odd.select("line", "text").iter_rows():
            fields, problem = self._fields(text)
            if problem:
                problems.append((line, problem))
            else:
                rows.append((line, fields))
        frame = pl.DataFrame(
            {name: [fields[at] for _, fields in rows] for name, at in self._columns.items()},
            dict.fromkeys(self._columns, pl.String),
        ).with_columns(pl.Series("line", [line for line, _ in rows], pl.Int64))
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in self._lacking)
        return frame, pl.DataFrame(problems, _PROBLEMS, orient="row")

    def _fields(self, text: str | None) -> tuple[list[str], str]:
        if text is None:
            return [], "the line is not text in UTF-8, or holds NUL bytes"
        if len(text) > MAX_LINE_BYTES:
            return [], f"the line is longer than {MAX_LINE_BYTES:,} bytes"
        try:
            fields = next(csv.reader([text.rstrip("\r")], strict=True), [])
        except csv.Error:
            return [], "a quote is opened and not closed on this line"
        if len(fields) != self._width:
            few = "few" if len(fields) < self._width else "many"
            return [], f"too {few} fields: {len(fields)} where the header has {self._width}"
        return fields, ""


_PROBLEMS = {"line": pl.Int64, "reason": pl.String}


def _no_problems() -> pl.DataFrame:
    return pl.DataFrame(schema=_PROBLEMS)


def _decoded(data: bytes) -> pl.Series:
    """The lines as text; null where a line is not text."""
    lines = data.removesuffix(b"\n").split(b"\n")
    if b"\0" not in data:
        try:
            return pl.Series(data.decode().removesuffix("\n").split("\n"), dtype=pl.String)
        except UnicodeDecodeError:
            pass
    return pl.Series([_text_or_none(line) for line in lines], dtype=pl.String)


def _text_or_none(line: bytes) -> str | None:
    if b"\0" in line:
        return None
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
