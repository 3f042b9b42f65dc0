"""One set-based SQL statement in PostgreSQL: from the stored polls to every store's totals."""

from __future__ import annotations

import numpy as np
import psycopg

from bench.peers.given import OPENS_TABLE, Given, Totals, answer, from_rows, read

# date_part gives seconds as a double, from which the microsecond is exact for 285 years around 1970.
QUERY = f"""
WITH polls AS (
    SELECT store_key, round(date_part('epoch', timestamp_utc) * 1e6)::bigint AS at, active
    FROM store_status
    WHERE timestamp_utc BETWEEN to_timestamp(%(reach)s / 1e6) AND to_timestamp(%(as_of)s / 1e6)
), in_hours AS (
    SELECT p.store_key, p.at, p.active, lag(p.at) OVER store AS before, lead(p.at) OVER store AS after
    FROM polls AS p
    JOIN {OPENS_TABLE} AS o ON o.store_key = p.store_key AND o.start_us <= p.at AND p.at < o.end_us
    WINDOW store AS (PARTITION BY p.store_key ORDER BY p.at)
), cells AS (
    SELECT store_key, active, at - %(seen)s AS seen_low, at + %(seen)s AS seen_high,
           greatest(at - %(gap)s, (before + at) / 2) AS low, least(at + %(gap)s, (at + after) / 2) AS high
    FROM in_hours
), known AS (
    SELECT o.store_key, c.active, c.seen_low, c.seen_high,
           greatest(o.start_us, c.low) AS low, least(o.end_us, c.high) AS high
    FROM {OPENS_TABLE} AS o
    JOIN cells AS c ON c.store_key = o.store_key AND c.low < o.end_us AND o.start_us < c.high
), windows AS (
    SELECT number::int - 1 AS number, %(as_of)s - length AS low, %(as_of)s::bigint AS high
    FROM unnest(%(lengths)s::bigint[]) WITH ORDINALITY AS w(length, number)
), cut AS (
    SELECT k.store_key, w.number, k.active, k.seen_low, k.seen_high,
           greatest(k.low, w.low) AS low, least(k.high, w.high) AS high
    FROM known AS k JOIN windows AS w ON k.low < w.high AND w.low < k.high
), lengths AS (
    SELECT store_key, number, active, high - low AS whole,
           greatest(0, least(high, seen_high) - greatest(low, seen_low)) AS seen
    FROM cut
), sums AS (
    SELECT store_key, number,
           coalesce(sum(seen) FILTER (WHERE active), 0) AS up_seen,
           coalesce(sum(whole - seen) FILTER (WHERE active), 0) AS up_inferred,
           coalesce(sum(seen) FILTER (WHERE NOT active), 0) AS down_seen,
           coalesce(sum(whole - seen) FILTER (WHERE NOT active), 0) AS down_inferred
    FROM lengths GROUP BY store_key, number
), open AS (
    SELECT o.store_key, w.number, sum(least(o.end_us, w.high) - greatest(o.start_us, w.low)) AS open
    FROM {OPENS_TABLE} AS o JOIN windows AS w ON o.start_us < w.high AND w.low < o.end_us
    GROUP BY o.store_key, w.number
)
SELECT store_key, number::bigint, coalesce(up_seen, 0)::bigint, coalesce(up_inferred, 0)::bigint,
       coalesce(down_seen, 0)::bigint, coalesce(down_inferred, 0)::bigint,
       (open - coalesce(up_seen + up_inferred + down_seen + down_inferred, 0))::bigint
FROM open LEFT JOIN sums USING (store_key, number)
"""
SETTINGS = ("work_mem = '256MB'", "jit = off")
"""With the server's own work_mem of 4 MB the sorts would go to disk."""


def main() -> None:
    given = read()
    with psycopg.connect(given.url) as connection:
        for setting in SETTINGS:
            connection.execute(f"SET {setting}")
        answer(given, "postgres_sql", lambda: _totals(connection, given))


def _totals(connection: psycopg.Connection, given: Given) -> Totals:
    parameters = {
        "reach": given.reach,
        "as_of": given.as_of,
        "seen": given.seen_within,
        "gap": given.max_gap,
        "lengths": list(given.lengths),
    }
    rows = psycopg.ClientCursor(connection).execute(QUERY, parameters).fetchall()
    return from_rows(given, np.array(rows, np.int64))


if __name__ == "__main__":
    main()
