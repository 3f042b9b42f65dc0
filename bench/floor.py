"""The import's floor: binary COPY of the rows of store_status into an empty unlogged heap, same server."""

from __future__ import annotations

import json

import psycopg

from bench.measure import timed
from bench.peers.given import read

_TABLE = "bench_floor"


def main() -> None:
    given = read()
    plain = given.url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        with connection.cursor().copy("COPY (SELECT * FROM store_status) TO STDOUT (FORMAT binary)") as copy:
            rows = b"".join(copy)
        seconds = timed(given.runs, lambda: _loaded(connection, rows))
        connection.execute(f"DROP TABLE {_TABLE}")
    print(json.dumps({"seconds": seconds, "bytes": len(rows)}))


def _loaded(connection: psycopg.Connection, rows: bytes) -> None:
    connection.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    with connection.transaction():
        connection.execute(
            f"CREATE UNLOGGED TABLE {_TABLE} (store_key integer, import_no integer,"
            " timestamp_utc timestamptz, active boolean, reason varchar(200))"
        )
        with connection.cursor().copy(f"COPY {_TABLE} FROM STDIN (FORMAT binary)") as copy:
            for first in range(0, len(rows), 1 << 20):
                copy.write(rows[first : first + (1 << 20)])


if __name__ == "__main__":
    main()
