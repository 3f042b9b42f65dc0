"""pandas: `read_csv`, `to_datetime`, `to_sql` into an empty table with a primary key. A part is written."""

from __future__ import annotations

import json
import time

import pandas as pd
from sqlalchemy import Engine, create_engine, text

from bench.measure import peak_mb
from bench.peers.given import read

_TABLE = "bench_to_sql"


def main() -> None:
    given = read()
    engine = create_engine(given.url.replace("postgresql://", "postgresql+psycopg://", 1))
    began = time.perf_counter()
    rows = pd.read_csv(given.folder / "store_status.csv", dtype=str)
    stamp = rows["timestamp_utc"].str.removesuffix(" UTC")
    rows["timestamp_utc"] = pd.to_datetime(stamp, format="ISO8601", utc=True)
    rows["active"] = rows.pop("status") == "active"
    rows = rows.drop_duplicates(["store_id", "timestamp_utc"], keep="last")
    parsed = time.perf_counter() - began
    seconds = [_written(engine, rows.head(given.part)) for _ in range(given.runs)]
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {_TABLE}"))
    whole = [parsed + part * len(rows) / min(given.part, len(rows)) for part in seconds]
    print(json.dumps({"seconds": whole, "parsed": parsed, "part": seconds, "peak_mb": peak_mb()}))


def _written(engine: Engine, rows: pd.DataFrame) -> float:
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {_TABLE}"))
        connection.execute(
            text(
                f"CREATE TABLE {_TABLE} (store_id text, timestamp_utc timestamptz, active boolean,"
                " PRIMARY KEY (store_id, timestamp_utc))"
            )
        )
    began = time.perf_counter()
    rows.to_sql(_TABLE, engine, if_exists="append", index=False, chunksize=10_000)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
