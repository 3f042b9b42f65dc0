"""Binary COPY of numpy arrays: the fastest way into a table, with fixed-width records built in bulk."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_ROWS_AT_ONCE = 1 << 16
PG_EPOCH = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01."""

Column = NDArray[Any]


def timestamps(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds since 1970 as PostgreSQL's timestamptz counts them."""
    return at_us - PG_EPOCH


def copy_rows(
    connection: psycopg.Connection[Any], statement: str, columns: list[list[Column | None]]
) -> None:
    """COPYs batches of rows; `statement` is a `COPY … FROM STDIN (FORMAT binary …)`.

    Each batch is a list of columns of one length. Types by dtype: integers and booleans as they are,
    `S` as text of exactly that many bytes, a None as NULL in every row, a two-dimensional int64 array
    as bigint[].
    """
    with connection.cursor().copy(statement.encode()) as copy:
        copy.write(_HEADER)
        for batch in columns:
            rows = next(len(column) for column in batch if column is not None)
            for first in range(0, rows, _ROWS_AT_ONCE):
                last = min(first + _ROWS_AT_ONCE, rows)
                copy.write(_records([None if c is None else c[first:last] for c in batch], last - first))
        copy.write(_TRAILER)


def _records(batch: list[Column | None], rows: int) -> bytes:
    """Rows in PostgreSQL's binary format: a field count, then length and value of each field."""
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for number, column in enumerate(batch):
        fields.append((f"length{number}", ">i4"))
        fields.extend(_value_fields(number, column))
    records = np.zeros(rows, np.dtype(fields))
    records["count"] = len(batch)
    for number, column in enumerate(batch):
        _fill(records, number, column)
    return records.tobytes()


def _value_fields(number: int, column: Column | None) -> list[tuple[str, Any]]:
    if column is None:
        return []
    if column.ndim == 2:  # an array: dimensions, has-nulls, element type, size, lower bound, elements
        element = np.dtype([("length", ">i4"), ("value", ">i8")])
        return [(f"head{number}", ">i4", (5,)), (f"value{number}", element, (column.shape[1],))]  # type: ignore[list-item]
    return [(f"value{number}", column.dtype.newbyteorder(">"))]


_BIGINT_OID = 20


def _fill(records: NDArray[Any], number: int, column: Column | None) -> None:
    if column is None:
        records[f"length{number}"] = -1
    elif column.ndim == 2:
        records[f"length{number}"] = 20 + 12 * column.shape[1]
        records[f"head{number}"] = (1, 0, _BIGINT_OID, column.shape[1], 1)
        records[f"value{number}"]["length"] = 8
        records[f"value{number}"]["value"] = column
    else:
        records[f"length{number}"] = column.dtype.itemsize
        records[f"value{number}"] = column
