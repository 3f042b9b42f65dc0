"""`python -m bench.history_year`: a year of 2,000 stores, and how quick questions about a month of it are.

The polls are storewatch's own generator's; they are imported and made history by the real import and job.
That takes minutes: --home DIR keeps the server and what is in it for the next time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench import data
from bench.imports import load
from bench.measure import module, say
from bench.server import GIVEN, open_folder
from storewatch import embedded
from storewatch.domain import exception_rows
from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, HOUR, from_us
from storewatch.domain.permissions import COMMAND
from storewatch.services import exceptions, history, periods, ranking
from storewatch.services.chosen import Chosen
from storewatch.services.exceptions import Clock
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.storage import db
from storewatch.storage.db import Database

STORES, DAYS, SEED = 2_000, 365, 1
_EPOCH = date(1970, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history_year", description=__doc__)
    parser.add_argument("--home", type=Path, help=f"kept; by default a temporary one; {GIVEN} is not used")
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--runs", type=int, default=15)
    asked = parser.parse_args()
    with _home(asked.home) as home, embedded.running(home, say) as url:
        database = Database(url)
        db.prepare(database)
        if not _filled(database):
            _fill(database, url, asked.stores)
        began = time.perf_counter()
        while history.update(database, Request()):  # also what a newer engine made due
            pass
        say(f"history is made: {time.perf_counter() - began:.1f} s")
        for name, question, bound_ms in _questions(database):
            _told(name, question, asked.runs, bound_ms)
        for scope in ("a store", "the fleet"):
            _corrected(database, scope)
        database.close()


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with open_folder() as folder:
        yield folder / "home"


def _filled(database: Database) -> bool:
    with database.session() as session:
        return bool(session.connection().exec_driver_sql("SELECT EXISTS (SELECT FROM store)").scalar())


def _fill(database: Database, url: str, stores: int) -> None:
    with open_folder() as folder:
        say(f"{stores:,} stores over {DAYS} days are made up")
        made, _ = module("data", {"folder": str(folder), "stores": stores, "days": DAYS, "seed": SEED})
        say(f"{made['polls']:,} polls are imported")
        began = time.perf_counter()
        for name in ("store_timezone", "menu_hours", "store_status"):
            load(url, [folder / f"{name}.csv"])
        say(f"imported in {time.perf_counter() - began:.1f} s")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(
            "UPDATE store SET revenue_per_week = 5000 + store_key WHERE mod(store_key, 10) > 0"
        )
        connection.exec_driver_sql("VACUUM ANALYZE")


def _questions(database: Database) -> Iterator[tuple[str, Callable[[], Any], float]]:
    """(name, what is asked, bound in ms), each about every month of the year in turn."""
    last = _EPOCH + timedelta(microseconds=data.end_us())
    months = [_month(last.year - 1, month) for month in range(2, 13)]

    def by(period: str) -> Callable[[], Any]:
        return _in_turn(
            lambda asked: periods.by_period(database, COMMAND, Chosen(), period, asked, Request()), months
        )

    yield "a month of the fleet, as one", by("month"), 200
    yield "a month of the fleet, by day", by("day"), 200

    def ranked(asked: Asked) -> Any:
        return ranking.ranking(database, COMMAND, Chosen(), asked, Request())

    def compared(asked: Asked) -> Any:
        _, *ranges = ranking.comparison(database, COMMAND, Chosen(), asked, Asked(), Request())
        return [each.together for each in ranges]

    yield "the ranking of a month", _in_turn(ranked, months), 300
    yield "a month against the one before", _in_turn(compared, months), 300


def _month(year: int, month: int) -> Asked:
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    return Asked((first - _EPOCH).days, (following - _EPOCH).days - 1)


def _in_turn(question: Callable[[Asked], Any], months: list[Asked]) -> Callable[[], Any]:
    turn = iter(range(1 << 30))
    return lambda: question(months[next(turn) % len(months)])


# --- a correction -----------------------------------------------------------------------------------


def _corrected(database: Database, scope: str) -> None:
    """Strikes out two hours eleven months back, and undoes it: how long until every figure says so, and that
    no other day changed.
    """
    at = data.end_us() - 335 * DAY
    start, end = (from_us(at + hours * HOUR).strftime("%Y-%m-%dT%H:%MZ") for hours in (0, 2))
    said = {"effect": "excluded", "start": start, "end": end, "note": "a benchmark"}
    store = None if scope == "the fleet" else _some_store(database)
    wanted = exception_rows.read(said | {"store_id": store, "group": None}, every=store is None)
    clock = Clock(data.end_us(), Request().default_zone)
    before = _days(database)
    began = time.perf_counter()
    [made] = exceptions.add(database, COMMAND, [wanted], clock)
    read = _by_reading(database, at)
    told = time.perf_counter() - began
    _work_off(database)
    stored = time.perf_counter() - began
    after = _days(database)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    far = [key for key in changed if abs(key[1] - at // DAY) > 2 or (store and key[0] != store)]
    began = time.perf_counter()
    exceptions.undo(database, COMMAND, made.found.row.exception_id, clock)
    _work_off(database)
    undone = time.perf_counter() - began
    fine = "" if stored < 10 else "  MISSED"
    back = "all as before" if _days(database) == before else "NOT AS BEFORE"
    print(
        f"two hours of {scope}, 11 months back: read right after {told:.2f} s, {read / HOUR:,.0f} h excluded"
    )
    print(f"  stored after {stored:.2f} s, bound 10{fine}; {len(changed):,} days changed, others: {len(far)}")
    print(f"  undone after {undone:.2f} s, {back}")


def _work_off(database: Database) -> None:
    while history.update(database, Request()):
        pass


def _by_reading(database: Database, at: int) -> int:
    """The excluded time of the days around, as anybody reads it."""
    asked = Asked(at // DAY - 2, at // DAY + 2)
    found = periods.by_period(database, COMMAND, Chosen(), "day", asked, Request())
    return int(found.sums.totals[:, Kind.EXCLUDED].sum())


def _some_store(database: Database) -> str:
    with database.session() as session:
        return str(session.connection().exec_driver_sql("SELECT min(store_id) FROM store").scalar())


def _days(database: Database) -> dict[tuple[str, int], str]:
    """A digest of every stored day."""
    digest = "SELECT store_id, day - date '1970-01-01', md5(d::text) FROM store_day AS d"
    with database.session() as session:
        return {
            (row[0], row[1]): row[2]
            for row in session.connection().exec_driver_sql(f"{digest} JOIN store USING (store_key)")
        }


def _told(name: str, question: Callable[[], Any], runs: int, bound_ms: float) -> None:
    question()
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        question()
        took.append((time.perf_counter() - began) * 1_000)
    median = statistics.median(took)
    fine = "" if median < bound_ms else "  MISSED"
    print(f"{name}: {median:.0f} ms [{min(took):.0f}-{max(took):.0f}], bound {bound_ms:.0f}{fine}")


if __name__ == "__main__":
    main()
