"""Binary COPY of numpy arrays: the fastest way into a table, with fixed-width records built in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from storewatch.ahead import ahead

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_ROWS_AT_ONCE = 1 << 16
PG_EPOCH = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000-01-01."""

Column = NDArray[Any]


def timestamps(at_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds since 1970 as PostgreSQL's timestamptz counts them."""
    return at_us - PG_EPOCH


NO_MOMENT = -(1 << 63)
"""How `-infinity` is sent and read: in place of an instant that there is not."""


def moments(at_us: NDArray[np.int64], told: NDArray[np.bool_]) -> NDArray[np.int64]:
    """`timestamps` of those that are told, `NO_MOMENT` of the others."""
    return np.where(told, timestamps(np.where(told, at_us, 0)), NO_MOMENT)


def copy_rows(connection: psycopg.Connection[Any], statement: str, batches: list[list[Column]]) -> None:
    """COPYs batches of rows; `statement` is a `COPY … FROM STDIN (FORMAT binary …)`.

    Each batch is a list of columns of one length. Types by dtype: integers and booleans as they are,
    `S` as text of exactly that many bytes, a two-dimensional array of int64 as bigint[], of int32 as
    integer[]; one that is two-dimensional without columns is null.
    """
    with connection.cursor().copy(statement.encode()) as copy:
        copy.write(_HEADER)
        slices = [*_slices(batches)]
        for records in ahead(_records, slices) if len(slices) > 1 else map(_records, slices):
            copy.write(records)
        copy.write(_TRAILER)


def _slices(batches: list[list[Column]]) -> Iterator[list[Column]]:
    for batch in batches:
        for first in range(0, len(batch[0]), _ROWS_AT_ONCE):
            yield [column[first : first + _ROWS_AT_ONCE] for column in batch]


def _records(batch: list[Column]) -> bytes:
    """Rows in PostgreSQL's binary format: a field count, then length and value of each field."""
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for number, column in enumerate(batch):
        fields.extend(((f"length{number}", ">i4"), (f"value{number}", _value_type(column))))
    records = np.zeros(len(batch[0]), np.dtype(fields))
    records["count"] = len(batch)
    for number, column in enumerate(batch):
        value = records[f"value{number}"]
        records[f"length{number}"] = value.dtype.itemsize if column[:1].size else -1
        if column.ndim == 1:
            records[f"value{number}"] = column
        elif column.size:
            value["head"] = (1, 0, _OID[column.dtype.itemsize], column.shape[1], 1)
            value["elements"]["length"] = column.dtype.itemsize
            value["elements"]["value"] = column
    return records.tobytes()


_OID = {4: 23, 8: 20}  # integer and bigint, by their bytes


def _value_type(column: Column) -> np.dtype[Any]:
    if column.ndim == 1:
        return column.dtype.newbyteorder(">")
    if not column.shape[1]:
        return np.dtype([])
    # an array: dimensions, has-nulls, element type, size, lower bound, elements
    element = np.dtype([("length", ">i4"), ("value", column.dtype.newbyteorder(">"))])
    return np.dtype([("head", ">i4", (5,)), ("elements", element, (column.shape[1],))])
