"""What no program could do faster on this machine and server. A child process."""

from __future__ import annotations

import json
import sys

import numpy as np
import psycopg

from bench.measure import timed
from storewatch.storage.copying import Column, copy_rows, timestamps

_POLLS_AT_ONCE = 33_600_000  # of 200,000 stores, 269 MB: more than a processor's cache holds
_RUNS = 3


def main() -> None:
    given = json.loads(sys.argv[1])
    stores, count = given["stores"], given["polls"]
    plain = given["url"].replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        figures = {
            "memory": timed(_RUNS, lambda: _streamed(count)),
            "rows": timed(_RUNS, lambda: connection.execute(_READ).fetchone()),
            "copy": timed(_RUNS, lambda: _copied(connection, stores)),
        }
    print(json.dumps(figures))


_READ = "SELECT count(*), max(timestamp_utc), count(*) FILTER (WHERE active) FROM store_status"


def _streamed(count: int) -> None:
    """The polls, one int64 each, through the processor once."""
    part = np.ones(min(count, _POLLS_AT_ONCE), np.int64)
    for _ in range(-(-count // len(part))):
        part.sum()


def _copied(connection: psycopg.Connection, rows: int) -> None:
    """An hour's rows by binary COPY into an empty heap that nobody logs."""
    columns: list[Column] = [
        np.arange(rows, dtype=np.int32),
        np.zeros(rows, np.int32),
        timestamps(np.full(rows, 1_700_000_000_000_000)),
        np.ones(rows, np.bool_),
    ]
    with connection.transaction():
        connection.execute(
            "CREATE UNLOGGED TABLE bench_hour (store_key integer, import_no integer,"
            " timestamp_utc timestamptz, active boolean, reason varchar(200))"
        )
        names = "store_key, import_no, timestamp_utc, active"
        copy_rows(connection, f"COPY bench_hour ({names}) FROM STDIN (FORMAT binary)", [columns])
        connection.execute("DROP TABLE bench_hour")


if __name__ == "__main__":
    main()
