"""Bulk reads: columns as arrays that PostgreSQL aggregates, many times faster than rows one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.storage.db import raw

# before the first element: how many dimensions, has-nulls, type; and of each dimension length and lower bound
_HEAD, _DIMENSION = 12, 8


def read_arrays(
    session: Session, query: str, parameters: dict[str, Any], dtypes: tuple[str, ...]
) -> list[NDArray[Any]]:
    """The arrays of a query that gives one row of them; an empty one for NULL, a flat one for arrays
    of arrays. They hold no nulls.
    """
    statement = str(text(query).bindparams(**parameters).compile(compile_kwargs={"literal_binds": True}))
    with raw(session).cursor(binary=True) as cursor:
        for name in ("int2", "int4", "int8", "date", "timestamptz"):
            cursor.adapters.register_loader(psycopg.adapters.types[name].array_oid, _RawLoader)
        row = cursor.execute(statement).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return [_elements(blob, dtype) for blob, dtype in zip(row, dtypes, strict=True)]


class _RawLoader(Loader):
    """Leaves a value as PostgreSQL sent it."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        """The bytes."""
        return bytes(data)


def _elements(blob: bytes | None, dtype: str) -> NDArray[Any]:
    if blob is None:
        return np.empty(0, np.dtype(dtype).newbyteorder("="))
    head = _HEAD + _DIMENSION * int.from_bytes(blob[:4])
    elements = np.frombuffer(blob, [("length", ">i4"), ("value", dtype)], offset=head)["value"]
    return elements.astype(elements.dtype.newbyteorder("="))


def positions(store_keys: NDArray[np.int32]) -> NDArray[np.int32]:
    """Position in `store_keys` by key; -1 where a key is not among them."""
    position = np.full(key_bounds(store_keys)["high"] + 1, -1, np.int32)
    position[store_keys] = np.arange(len(store_keys), dtype=np.int32)
    return position


def key_bounds(store_keys: NDArray[np.int32]) -> dict[str, int]:
    """The lowest and highest key, for a query's WHERE; an empty range if there are none."""
    if not len(store_keys):
        return {"low": 0, "high": -1}
    return {"low": int(store_keys.min()), "high": int(store_keys.max())}


def among(store_keys: NDArray[np.int32], column: str = "store_key") -> str:
    """The condition on a column for a query that wants these: a range if they fill it, so that the others
    in it cost little; else one by one, for a group's few stores lie far apart.
    """
    bounds = key_bounds(store_keys)
    if bounds["high"] - bounds["low"] < _SPARSE * len(store_keys):
        return f"{column} BETWEEN {bounds['low']} AND {bounds['high']}"
    return f"{column} = ANY('{{{','.join(map(str, store_keys.tolist()))}}}'::int[])"


_SPARSE = 4
