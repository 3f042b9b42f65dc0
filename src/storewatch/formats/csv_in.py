"""CSV files -> frames of raw text, block by block, in bounded memory.

One line is one row, so a broken quote can spoil its own line only. SEMANTICS, Inputs 3 and 7.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol

from storewatch.ahead import ahead
from storewatch.errors import FileRefusedError, TooLargeError
from storewatch.formats import csv_block
from storewatch.formats.csv_block import Block, BlockReader

BLOCK_BYTES = 8 << 20
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


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


class RowsFile(Protocol):
    """Anything that gives rows of raw text: first its `header`, then its `blocks`."""

    name: str
    header: list[str]
    source: Source

    def blocks(
        self, columns: dict[str, int], optional: tuple[str, ...] = (), *, whole: bool = False
    ) -> Iterator[Block]:
        """See `CsvFile`."""
        ...


class CsvFile:
    """A CSV file that is being read: first its `header`, then its `blocks`.

    One that unpacks to more than `at_most` bytes is refused with TooLargeError.
    """

    def __init__(self, stream: BinaryIO, name: str, at_most: int | None = None) -> None:
        self.name = name
        self._at_most = at_most
        self._came = 0
        self.source = Source(stream)
        self._text = self._unpacked()
        self._pending = b""
        self.header = self._read_header()

    def _unpacked(self) -> io.BufferedIOBase:
        packed = io.BufferedReader(self.source, BLOCK_BYTES)
        with self._trouble():
            start = packed.peek(2)[:2]
        return gzip.GzipFile(fileobj=packed) if start == b"\x1f\x8b" else packed

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileRefusedError(f"{self.name}: the gzip file is damaged or cut off ({error})") from error
        except OSError as error:
            raise FileRefusedError(f"{self.name}: it cannot be read ({error.strerror})") from error

    def _read(self) -> bytes:
        with self._trouble():
            data = self._text.read(BLOCK_BYTES) or b""
        self._came += len(data)
        if self._at_most is not None and self._came > self._at_most:
            raise TooLargeError(f"{self.name}: it unpacks to more than {self._at_most:,} bytes")
        return data

    def _read_header(self) -> list[str]:
        while (
            b"\n" not in self._pending
            and len(self._pending) <= csv_block.MAX_LINE_BYTES
            and (more := self._read())
        ):
            self._pending += more
        if not self._pending.strip(b"\xef\xbb\xbf\r\n\t "):
            raise FileRefusedError(f"{self.name}: the file is empty")
        line, _, self._pending = self._pending.partition(b"\n")
        names, problem = _column_names(line)
        if problem:
            raise FileRefusedError(f"{self.name}: {problem}")
        return names

    def blocks(
        self, columns: dict[str, int], optional: tuple[str, ...] = (), *, whole: bool = False
    ) -> Iterator[Block]:
        """Blocks with the wanted columns, given by their positions; `optional` ones may be lacking,
        and are null then. With `whole` a line that has too few fields is no row, though it has the wanted
        ones at its start: an empty cell says something then, and one that is cut off does not.
        """
        lacking = tuple(column for column in optional if column not in columns)
        reader = BlockReader(len(self.header), columns, lacking, whole=whole)

        def parsed(chunk: tuple[bytes, int]) -> tuple[bytes, int, Block | None]:
            return *chunk, reader.at_once(*chunk)

        for data, line, block in ahead(parsed, self._chunks()):
            yield from [block] if block else reader.in_pieces(data, line)

    def _chunks(self) -> Iterator[tuple[bytes, int]]:
        """Whole lines, and the number of the first."""
        line = 2
        for data in self._whole_lines():
            yield data, line
            line += csv_block.count_lines(data)

    def _whole_lines(self) -> Iterator[bytes]:
        """Chunks that end at the end of a line; a line that is too long comes shortened, though still
        too long.
        """
        pending, more = b"", self._pending or self._read()
        self._pending = b""
        while more:
            cut = more.rfind(b"\n") + 1
            if cut:
                yield b"".join((pending, memoryview(more)[:cut]))
                pending = b""
            pending = (pending + more[cut:])[: csv_block.MAX_LINE_BYTES + 1]  # more of a line is of no use
            more = self._read()
        if pending:
            yield pending


def shown(text: str, at_most: int = 60) -> str:
    """Text from a file as a message shows it: not too long, and nothing that a terminal would obey."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:at_most])
    return clean if len(text) <= at_most else clean + "…"


def _column_names(line: bytes) -> tuple[list[str], str]:
    """The names in a header line, or what is wrong with it."""
    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return [], "the file is UTF-16; save it as CSV in UTF-8"
    text = csv_block.text_or_none(
        line[: csv_block.MAX_LINE_BYTES].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r")
    )
    if text is not None and "\r" in text:
        return [], "its lines end in a carriage return alone; save it with LF or CRLF line ends"
    if text is None or len(line) > csv_block.MAX_LINE_BYTES:
        return [], "this is not a CSV file: its first line is not text in UTF-8"
    names, problem = csv_block.split(text)
    if problem:
        return [], f"this is not a CSV file: in its first line {problem}"
    found = [word for separator, word in _SEPARATORS.items() if separator in text and len(names) == 1]
    if found:
        return [], f"its columns are separated by {found[0]}; save it with commas between them"
    return [name.strip() for name in names], ""
