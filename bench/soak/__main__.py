"""`make soak`: 24 hours of a fleet of 14,092 stores in 16 minutes, with all that goes on in a day.

Hourly polls by the watched folder and the API, 300 storefronts that are looked at, of which 40 go dark and
come back, people who are told of it by mail and webhook, reports by hand and by themselves, people clicking.
Writes docs/explanation/soak.md's figures and docs/pictures/soak.svg.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import psycopg

from bench.imports import load
from bench.measure import keep_compiled, say
from bench.probe import Shops, open_shops
from bench.server import open_folder, running
from bench.soak import feed, page, proof
from bench.soak.day import SCHEDULES, Day, scheduled, wait_for
from bench.soak.feed import HOURS
from bench.soak.page import Outcome
from bench.soak.people import OF_MEMBERS, PAGES, Person, clicking
from bench.soak.sample import sampling
from bench.told import came, expected
from bench.town import Town
from storewatch.domain.clock import HOUR, to_us
from storewatch.domain.permissions import Role
from storewatch.storage import storefronts, stores
from storewatch.storage.db import Database
from tests.acceptance.conftest import Service, free_port, serving
from tests.post_office import PostOffice, post_office
from tests.web.service import Service as People

DATABASE = "storewatch_soak"
SHOPS, OFF, EVERY_S = 300, 40, 30
_SETTLED_WITHIN_S = 600
_TO_DO = """
    SELECT (SELECT count(*) FROM history_due) + (SELECT count(*) FROM watch_due)
         + (SELECT count(*) FROM procrastinate_jobs
            WHERE status IN ('todo', 'doing') AND scheduled_at IS NULL)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--stores", type=int, default=14_092)
    parser.add_argument("--minutes", type=float, default=16)
    parser.add_argument("--sample", type=int, default=40, help="stores that the oracle computes too")
    parser.add_argument("--note", default="", help="what else the machine did, for the page")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder, server = stack.enter_context(open_folder()), stack.enter_context(running())
        keep_compiled(folder / "compiled")
        url = server.make(DATABASE)
        stack.callback(server.drop, DATABASE)
        outcome = _soak(asked, url, folder, stack)
    print(page.written(outcome, asked))
    page.keep(outcome, asked)
    sys.exit(bool(outcome.problems()))


def _soak(asked: argparse.Namespace, url: str, folder: Path, stack: ExitStack) -> Outcome:
    shops, office = stack.enter_context(open_shops(OFF)), stack.enter_context(post_office())
    say(f"{asked.stores:,} stores with {feed.WEEK} days are loaded")
    end = to_us(datetime.now(UTC)) // HOUR * HOUR
    fleet = feed.make(folder / "fleet", asked.stores, end)
    load(url, fleet.first_files())
    database = Database(url)
    stack.callback(database.close)
    town = Town(SHOPS, OFF, stack)
    town.settle(database)
    people = People(database)
    token = people.token("admin@soak.example", Role.ADMIN).secret
    port = free_port()
    with serving(_environment(url, folder, office, port), folder, login=True, port=port) as run:
        say("history is made of them")
        _settled(url)
        _open(database, shops)
        day = Day(port, token, folder / "watched", fleet, shops, asked.minutes * 60 / HOURS)
        return _live(day, run, url, town, office, asked.sample)


def _live(day: Day, run: Service, url: str, town: Town, office: PostOffice, sample: int) -> Outcome:
    began = time.time()
    day.schedule()
    with (
        clicking(day.port, _people(day)) as clicks,
        sampling(run.process.pid, url, clicks) as samples,
        day.reporting() as reports,
    ):
        day.live()
    ended = time.time()
    due = expected(town.groups, EVERY_S, day.down_at, day.up_at).due
    say("the day is over; what is on its way comes to rest")
    wait_for(lambda: {told for told, _, _ in came(office, town.receivers)} >= due.keys(), 180)
    found = came(office, town.receivers)
    told = {(one, key) for one, _, key in found}
    say(f"{len(due.keys() & {one for one, _ in told})} of {len(due)} alerts came")
    wait_for(lambda: scheduled(office) == SCHEDULES, 120)
    _close(url)
    settled = _settled(url)
    say("figures, database and log are looked at")
    return Outcome(
        began,
        ended,
        list(samples),
        clicks,
        reports,
        due=len(due),
        missing=len(due.keys() - {one for one, _ in told}),
        scheduled=scheduled(office),
        to_do=settled,
        differing=proof.differing(day.fleet, day.port, day.token, sample),
        verified=proof.verified(url),
        errors=proof.errors_in(run.log),
    )


def _environment(url: str, folder: Path, office: PostOffice, port: int) -> dict[str, str]:
    (folder / "watched").mkdir()
    return {
        "STOREWATCH_DATABASE_URL": url,
        "STOREWATCH_UPLOADS": str(folder / "uploads"),
        "STOREWATCH_WATCH_FOLDER": str(folder / "watched"),
        "STOREWATCH_PROBE_NETWORKS": "127.0.0.0/8",
        "STOREWATCH_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
        "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
        "STOREWATCH_URL": f"http://127.0.0.1:{port}",
    }


def _open(database: Database, shops: Shops) -> None:
    """Has the storefronts looked at."""
    with database.transaction() as session:
        keys = stores.allot_keys(session, [str(number) for number in range(SHOPS)])
        for store_id, key in keys.iter_rows():
            storefronts.put(session, key, {"url": shops.url(int(store_id)), "every_s": EVERY_S})


def _close(url: str) -> None:
    """Has nobody look any more: each look is a poll, and there would always be something to do."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE storefront SET enabled = false")


def _people(day: Day) -> list[Person]:
    zones = pl.read_csv(day.fleet.files.store_timezone, infer_schema=False)
    fleet = zones["store_id"].head(500).to_list()
    return [
        Person("admin@soak.example", PAGES, fleet),
        Person("manager@few1.example", OF_MEMBERS, ("20", "21", "22")),
        Person("manager@whole1.example", OF_MEMBERS, ("0", "1", "2")),
    ]


def _settled(url: str) -> int:
    """What is left to do once nothing is any more, or the time is over."""
    with psycopg.connect(url, autocommit=True) as connection:

        def to_do() -> int:
            row = connection.execute(_TO_DO).fetchone()
            return int(row[0]) if row else 0

        wait_for(lambda: not to_do(), _SETTLED_WITHIN_S)
        return to_do()


if __name__ == "__main__":
    main()
