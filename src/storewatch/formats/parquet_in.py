"""Parquet files -> frames of raw text, some rows at a time, as from a CSV file: so one validator sees all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from storewatch.errors import FileRefusedError
from storewatch.formats.csv_block import Block, Lines
from storewatch.formats.csv_in import Source, shown

MAGIC = b"PAR1"
_ROWS_AT_ONCE = 250_000
_BLOCK = 1 << 20
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises of a file that is damaged; the second is no Exception."""
_NO_BAD = {"line": pl.Int64, "reason": pl.String}


class ParquetFile:
    """A Parquet file that is being read: first its `header`, then its `blocks`; a row's `line` is its number.

    It must be a file on a disk, or is made one, for Parquet is read from its end.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.source = Source(stream)
        self._file = tempfile.NamedTemporaryFile(suffix=".parquet")  # noqa: SIM115 - open as long as this
        shutil.copyfileobj(self.source, self._file, _BLOCK)
        self._file.flush()
        self._path = Path(self._file.name)
        try:
            self._schema = pl.read_parquet_schema(self._path)
        except (*_BROKEN, OSError) as error:
            raise FileRefusedError(
                f"{name}: this is no Parquet file that can be read ({_first(error)})"
            ) from error
        self.header = list(self._schema)

    def blocks(
        self, columns: dict[str, int], optional: tuple[str, ...] = (), *, whole: bool = False
    ) -> Iterator[Block]:
        """See `CsvFile`."""
        del whole  # every row has all columns
        wanted = [self._text(self.header[at]).alias(name) for name, at in columns.items()]
        wanted += [pl.lit(None, pl.String).alias(name) for name in optional if name not in columns]
        rows, first = pl.scan_parquet(self._path, hive_partitioning=False), 0
        while True:
            try:
                part = rows.slice(first, _ROWS_AT_ONCE).select(wanted).collect()
            except _BROKEN as error:
                raise FileRefusedError(f"{self.name}: the file is damaged ({_first(error)})") from error
            if not len(part):
                return
            numbered = part.with_row_index("line", first + 1).with_columns(pl.col("line").cast(pl.Int64))
            yield Block(numbered, pl.DataFrame(schema=_NO_BAD), _Rows(numbered, first + 1))
            first += len(part)

    def _text(self, title: str) -> pl.Expr:
        """A column as a CSV file would have it; null where it is empty."""
        kind, column = self._schema[title], pl.col(title)
        if isinstance(kind, pl.Datetime):
            utc = column if kind.time_zone is None else column.dt.convert_time_zone("UTC")
            return utc.dt.cast_time_unit("us").dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
        if isinstance(kind, pl.Time):
            return column.dt.to_string("%H:%M:%S")
        if isinstance(kind, pl.Date):
            return column.dt.to_string("%Y-%m-%d")
        if isinstance(kind, pl.String | pl.Categorical | pl.Enum) or kind.is_integer():
            return pl.when(column.cast(pl.String) != "").then(column.cast(pl.String))
        if isinstance(kind, pl.Null):
            return pl.lit(None, pl.String)
        raise FileRefusedError(
            f"{self.name}: the column {shown(title)} is of the type {kind}, which can't be read "
            "without a loss: write it as text, a whole number or a time"
        )


class _Rows(Lines):
    """The rows of a block as lines, made only of those that somebody asks for."""

    def __init__(self, rows: pl.DataFrame, first: int) -> None:
        super().__init__(first, b"")
        self._of = rows

    def __getitem__(self, line: int) -> bytes:
        row = self._of.drop("line").row(line - self.first, named=True)
        return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
