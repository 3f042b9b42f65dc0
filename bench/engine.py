"""storewatch's own steps of a report, one by one, in a child process; and what the peers are given."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import psycopg
from sqlalchemy.orm import Session

from bench.measure import timed
from bench.peers.given import OPENS_TABLE, Given, Totals, answer, keep, read
from storewatch.domain import hours
from storewatch.domain.availability import Policy, Polls, Rules
from storewatch.domain.clock import DAY, from_us
from storewatch.domain.hours import Intervals
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.windows import CLASSIC, before
from storewatch.storage import polls, report_rows, stores, weekly
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import Database, raw
from storewatch.storage.report_rows import Given as StoresGiven
from storewatch.storage.tables import Report

_ZONE = "America/Chicago"


def main() -> None:
    given = read()
    database = Database(given.url)
    rules = Rules(Policy.NEAREST, given.max_gap, given.seen_within)
    with database.twin_snapshots() as sessions:
        keys = stores.polled_until(sessions[0], from_us(given.as_of))
        windows = before(given.as_of, CLASSIC, len(keys))
        schedule = weekly.schedule(sessions[0], keys, _ZONE)
        opens = hours.open_intervals(schedule, given.reach, given.as_of + 1)
        found = polls.read(sessions, keys, given.reach, given.as_of)
        figures = figures_by_store(found, opens, rules, windows, given.as_of)
        stores_given = StoresGiven(~schedule.always, schedule.zone != 0)
        steps = {
            "floor": timed(given.runs, lambda: _drained(sessions, given)),
            "read": timed(given.runs, lambda: polls.read(sessions, keys, given.reach, given.as_of)),
            "schedule": timed(given.runs, lambda: weekly.schedule(sessions[0], keys, _ZONE)),
            "opens": timed(given.runs, lambda: hours.open_intervals(schedule, given.reach, given.as_of + 1)),
        }
    steps["write"] = timed(given.runs, lambda: _written(database, keys, figures, stores_given))
    _hand_over(given, keys, opens, found)
    with database.session() as session:
        reported = _reported(session, keys)
    if reported is not None:
        keep(given, "report", reported)
    database.close()
    answer(
        given,
        "engine",
        lambda: figures_by_store(found, opens, rules, windows, given.as_of).totals,
        steps=steps,
        stores=len(keys),
        polls=len(found),
        opens=len(opens),
        in_hours=_in_hours(found, opens),
    )


def _drained(sessions: Sequence[Session], given: Given) -> int:
    """The floor: the polls of the frame read once into memory, over two connections, left as they come.

    As arrays that the server aggregates: a binary COPY comes as a message a row, and psycopg takes ten
    times as long to receive those.
    """
    days = sorted(polls.days(sessions[0]) & set(range(given.reach // DAY, given.as_of // DAY + 1)))
    shares = [days[number :: len(sessions)] for number in range(len(sessions))]
    with ThreadPoolExecutor(len(sessions)) as pool:
        return sum(pool.map(_drained_days, sessions, shares, [given] * len(sessions)))


def _drained_days(session: Session, days: list[int], given: Given) -> int:
    size = 0
    for day in days:
        query = (
            "SELECT array_agg(store_key) FILTER (WHERE active),"
            " array_agg(store_key) FILTER (WHERE NOT active),"
            " array_agg(timestamp_utc) FILTER (WHERE active),"
            f" array_agg(timestamp_utc) FILTER (WHERE NOT active) FROM {polls.partition_name(day)}"
            f" WHERE timestamp_utc BETWEEN '{from_us(given.reach)}' AND '{from_us(given.as_of)}'"
        )
        result = raw(session).pgconn.exec_params(query.encode(), [], result_format=1)
        size += sum(len(result.get_value(0, column) or b"") for column in range(4))
    return size


def _written(
    database: Database, keys: np.ndarray[tuple[int], np.dtype[np.int32]], figures: Figures, given: StoresGiven
) -> None:
    """Writes the rows of a report, and takes them back."""
    with Session(database.engine) as session:
        report_rows.add(session, Report(report_no=-1, attempt=1), keys, figures, given)
        session.rollback()


def _reported(session: Session, keys: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Totals | None:
    """The totals that the service itself wrote for its latest report, in order of `keys`."""
    latest = session.query(Report).filter_by(status="complete").order_by(Report.report_no.desc()).first()
    if latest is None:
        return None
    frame = pl.concat(report_rows.frames(session, latest))
    ids = stores.keys(session, frame["store_id"].to_list())
    frame = frame.join(ids, on="store_id", how="left").sort("store_key")
    assert frame["store_key"].to_list() == keys.tolist()
    kinds = [name for name in frame.columns if name.endswith("_us")]
    return np.stack([np.array(frame[name].to_list(), np.int64) for name in kinds], axis=2)


def _in_hours(found: Polls, opens: Intervals) -> int:
    """How many polls lie in opening hours."""
    begun = pl.DataFrame({"store": opens.store, "at": opens.start, "end": opens.end})
    asked = pl.DataFrame({"store": found.store, "at": found.at})
    joined = asked.join_asof(begun, on="at", by="store", check_sortedness=False)
    return int(joined.select((pl.col("at") < pl.col("end")).sum()).item())


def _hand_over(
    given: Given, keys: np.ndarray[tuple[int], np.dtype[np.int32]], opens: Intervals, found: Polls
) -> None:
    """Keys, polls and open intervals as files, the open intervals as a table too."""
    np.save(given.folder / "keys.npy", keys)
    pl.DataFrame({"store_key": keys[found.store], "at_us": found.at, "active": found.active}).write_parquet(
        given.polls
    )
    columns: list[Column | None] = [keys[opens.store], opens.start, opens.end]
    pl.DataFrame(columns, ["store_key", "start_us", "end_us"]).write_parquet(given.opens)
    plain = given.url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {OPENS_TABLE}")
        connection.execute(f"CREATE TABLE {OPENS_TABLE} (store_key int, start_us bigint, end_us bigint)")
        copy_rows(connection, f"COPY {OPENS_TABLE} FROM STDIN (FORMAT binary)", [columns])
        connection.execute(f"ALTER TABLE {OPENS_TABLE} ADD PRIMARY KEY (store_key, start_us)")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"ANALYZE {OPENS_TABLE}")
        connection.execute("ANALYZE store_status")


if __name__ == "__main__":
    main()
