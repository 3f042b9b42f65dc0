"""Measures packs of polls: reports with and without them by turns, their size, and how long packing takes.

`python -m bench.packs` does so alone, on a fleet of its own; --stores N makes another one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg

from bench import imports
from bench.measure import Runs, keep_compiled, module, say
from bench.server import open_folder, running
from bench.service import Service, serving
from bench.sizes import FULL, SEED, Sizes
from bench.table import Line, bounded, of_runs
from storewatch.services import packing
from storewatch.storage.db import Database

_WAITING = """
    SELECT (SELECT count(*) FROM history_due) + (SELECT count(*) FROM fleet_due)
         + (SELECT count(*) FROM procrastinate_jobs
            WHERE task_name IN ('update_history', 'pack_polls', 'look_at_budgets')
              AND (status = 'doing' OR status = 'todo' AND coalesce(scheduled_at, now()) <= now()))
"""
_SIZE = "SELECT sum(length(polls)) / 8, pg_total_relation_size('poll_pack') FROM poll_pack"
# Packs of a version that never was count no more, and with the sign changed again they do.
_SWITCH = "UPDATE poll_pack SET version = -version"


@dataclass(frozen=True)
class Packed:
    """Reports of a service that has nothing else to do; `rows` are those made without packs."""

    warm: Runs
    rows: Runs
    packing: Runs
    polls: int
    stored: int

    @property
    def bytes_a_poll(self) -> float:
        return self.stored / self.polls


def settle(url: str, within_s: float = 600) -> None:
    """Waits until history and packs of what was imported are made."""
    with psycopg.connect(url, autocommit=True) as connection:
        until = time.monotonic() + within_s
        while connection.execute(_WAITING).fetchone() != (0,):
            if time.monotonic() > until:
                raise TimeoutError(f"history is not made within {within_s:.0f} seconds")
            time.sleep(0.2)


def measure(service: Service, url: str, runs: int, few: int) -> Packed:
    """From a service on a database with all three files in it."""
    settle(url)
    warm, rows = [], []
    with psycopg.connect(url, autocommit=True) as connection, _left_alone(url):
        service.report()
        for _ in range(runs):
            warm.append(service.report()[0])
            connection.execute(_SWITCH)
            rows.append(service.report()[0])
            connection.execute(_SWITCH)
    took = Runs(tuple(_repacked(url) for _ in range(few)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL poll_pack")  # those of before are gone, but not from the disk
        found = connection.execute(_SIZE).fetchone()
    assert found is not None
    return Packed(Runs(tuple(warm)), Runs(tuple(rows)), took, int(found[0]), int(found[1]))


@contextmanager
def _left_alone(url: str) -> Iterator[None]:
    """Keeps the job from packing anew what is switched off."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE poll_pack IN SHARE UPDATE EXCLUSIVE MODE")
        yield


def _repacked(url: str) -> float:
    database = Database(url)
    began = time.perf_counter()
    packing.repack(database, datetime.now(UTC))
    took = time.perf_counter() - began
    database.close()
    return took


def lines(packed: Packed) -> list[Line]:
    """For the table of reports."""
    return [
        of_runs("… made without packs, from rows, in turn with the others", packed.rows),
        of_runs(f"packing all {packed.polls:,} polls, which a job does after an import", packed.packing),
        Line("… on the disk, a poll", packed.bytes_a_poll, "B", 10),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.packs", description=__doc__)
    parser.add_argument("--stores", type=int, default=FULL.stores)
    parser.add_argument("--runs", type=int, default=FULL.reports)
    asked = parser.parse_args()
    print(
        _alone(replace(FULL, stores=asked.stores, polls=FULL.polls * asked.stores // FULL.stores), asked.runs)
    )


def _alone(sizes: Sizes, runs: int) -> str:
    with open_folder() as folder, running() as server:
        keep_compiled(folder / "compiled")
        say(f"a fleet of {sizes.stores:,} stores is made up")
        made = {"folder": str(folder), "stores": sizes.stores, "days": sizes.days, "seed": SEED}
        hourly = {"hourly_files": 1, "hourly_polls": sizes.stores}
        module("data", made | hourly | {"polls": sizes.polls})
        url = server.make(imports.DATABASE)
        names = ("store_status.csv", "menu_hours.csv", "store_timezone.csv")
        imports.load(url, [folder / name for name in names])
        server.settle()
        say("reports over HTTP")
        with serving(url, folder / "serve.log") as service:
            packed = measure(service, url, runs, sizes.few)
        server.drop(imports.DATABASE)
    what = f"report of {sizes.stores:,} stores: trigger to Complete over HTTP"
    return bounded([of_runs(what, packed.warm, 0.25), *lines(packed)])


if __name__ == "__main__":
    main()
