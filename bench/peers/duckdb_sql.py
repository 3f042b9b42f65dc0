"""DuckDB: SQL over tables in memory. ASOF JOIN finds the cell in which each edge of open time lies."""

from __future__ import annotations

import duckdb
import numpy as np

from bench.peers.given import Given, Totals, answer, from_rows, read

# What was up, seen and so on before an edge, less what was before another, is what was between them.
QUERY = """
WITH in_hours AS (
    SELECT p.store_key, p.at, p.active,
           lag(p.at) OVER store AS before, lead(p.at) OVER store AS after
    FROM polls AS p ASOF JOIN opens AS o ON o.store_key = p.store_key AND o.start_us <= p.at
    WHERE p.at < o.end_us
    WINDOW store AS (PARTITION BY p.store_key ORDER BY p.at)
), cells AS (
    SELECT store_key, active, at - $seen AS seen_low, at + $seen AS seen_high,
           greatest(at - $gap, (before + at) // 2) AS low, least(at + $gap, (at + after) // 2) AS high
    FROM in_hours
), lengths AS (
    SELECT *, high - low AS whole, least(high, seen_high) - greatest(low, seen_low) AS seen FROM cells
), running AS (
    SELECT *, coalesce(sum(if(active, seen, 0)) OVER earlier, 0)::BIGINT AS up_seen,
           coalesce(sum(if(active, whole, 0)) OVER earlier, 0)::BIGINT AS up,
           coalesce(sum(if(active, 0, seen)) OVER earlier, 0)::BIGINT AS down_seen,
           coalesce(sum(if(active, 0, whole)) OVER earlier, 0)::BIGINT AS down
    FROM lengths
    WINDOW earlier AS (PARTITION BY store_key ORDER BY low ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), pieces AS (
    SELECT o.store_key, w.number, greatest(o.start_us, w.low) AS low, least(o.end_us, w.high) AS high
    FROM opens AS o JOIN windows AS w ON o.start_us < w.high AND w.low < o.end_us
), edges AS (
    SELECT store_key, number, low AS edge, -1 AS sign FROM pieces
    UNION ALL SELECT store_key, number, high, 1 FROM pieces
), placed AS (
    SELECT e.store_key, e.number, e.sign, e.edge, r.active, r.up_seen, r.up, r.down_seen, r.down,
           greatest(0, least(e.edge, r.high) - r.low) AS whole,
           greatest(0, least(e.edge, r.high, r.seen_high) - greatest(r.low, r.seen_low)) AS seen
    FROM edges AS e ASOF LEFT JOIN running AS r ON r.store_key = e.store_key AND r.low <= e.edge
), sums AS (
    SELECT store_key, number, sum(sign * edge) AS open,
           sum(sign * (coalesce(up_seen, 0) + if(active, seen, 0))) AS up_seen,
           sum(sign * (coalesce(up, 0) + if(active, whole, 0))) AS up,
           sum(sign * (coalesce(down_seen, 0) + if(NOT active, seen, 0))) AS down_seen,
           sum(sign * (coalesce(down, 0) + if(NOT active, whole, 0))) AS down
    FROM placed GROUP BY store_key, number
)
SELECT store_key::BIGINT, number::BIGINT, up_seen::BIGINT, (up - up_seen)::BIGINT, down_seen::BIGINT,
       (down - down_seen)::BIGINT, (open - up - down)::BIGINT
FROM sums
"""


def main() -> None:
    given = read()
    with duckdb.connect() as connection:
        for table, path in (("polls", given.polls), ("opens", given.opens)):
            connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{path}')")
        connection.execute("CREATE TABLE windows (number BIGINT, low BIGINT, high BIGINT)")
        windows = [(i, given.as_of - length, given.as_of) for i, length in enumerate(given.lengths)]
        connection.executemany("INSERT INTO windows VALUES (?, ?, ?)", windows)
        answer(given, "duckdb_sql", lambda: _totals(connection, given))


def _totals(connection: duckdb.DuckDBPyConnection, given: Given) -> Totals:
    parameters = {"seen": given.seen_within, "gap": given.max_gap}
    columns = connection.execute(QUERY, parameters).fetchnumpy().values()
    return from_rows(given, np.column_stack([np.asarray(column, np.int64) for column in columns]))


if __name__ == "__main__":
    main()
