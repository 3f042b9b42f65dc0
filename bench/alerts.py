"""`python -m bench.alerts`: from the poll by which a store is known to be down to the mail, at 14,092 stores.

A week is imported; then polls come by the API as 14,092 stores send them, one an hour each, for some minutes.
Among them are stores that go down: two polls each. Shown is how long after the second one was sent its mail
was here, with the web and worker processes of `storewatch serve`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import text

from bench.imports import load
from bench.measure import say
from bench.server import open_folder, running
from storewatch.domain.clock import HOUR, MINUTE, to_us
from storewatch.domain.permissions import GroupRole
from storewatch.services.simulating import simulate
from storewatch.storage.db import Database
from tests.acceptance.conftest import Service, serving
from tests.post_office import PostOffice, post_office
from tests.web.service import Service as People

DATABASE = "storewatch_bench_alerts"
STORES, DAYS, BOUND_S = 14_092, 7, 30.0
TOGETHER = 4
"""So few stores of a group that go down are told one by one."""

_SETTLED = "SELECT (SELECT count(*) FROM history_due) + (SELECT count(*) FROM watch_due)"
_UP = """
    SELECT store_id FROM store_watch JOIN store USING (store_key)
    WHERE state = 'up' AND look_again_at > now() + interval '1 hour' ORDER BY md5(store_id)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__)
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--alerts", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=5)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder, server = stack.enter_context(open_folder()), stack.enter_context(running())
        office = stack.enter_context(post_office())
        url = server.make(DATABASE)
        database = Database(url)
        end = to_us(datetime.now(UTC)) // MINUTE * MINUTE
        simulate(folder, stores=asked.stores, days=DAYS, seed=1, end_us=end, progress=lambda *_: None)
        load(url, [folder / f"{name}.csv" for name in ("store_timezone", "menu_hours", "store_status")])
        environment = {
            "STOREWATCH_DATABASE_URL": url,
            "STOREWATCH_UPLOADS": str(folder / "uploads"),
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
            "STOREWATCH_URL": "http://127.0.0.1:9",
        }
        with serving(environment, folder) as service:
            say("history is made of the week")
            while _rows(database, _SETTLED) != ["0"]:
                time.sleep(1)
            down = _rows(database, _UP)[: asked.alerts]
            _settle(database, down)
            before = len(office.letters)
            sent = _stream(service, database, down, asked.minutes)
            _wait(office, before + len(down))
            print(_told(office, before, sent, asked))
        database.close()
        server.drop(DATABASE)


def _rows(database: Database, query: str) -> list[str]:
    with database.session() as session:
        return [str(each) for each in session.execute(text(query)).scalars()]


def _settle(database: Database, down: list[str]) -> None:
    people = People(database)
    for number in range(0, len(down), TOGETHER):
        name = f"group{number}"
        people.group(name, *down[number : number + TOGETHER])
        people.person(f"{name}@stores.example", **{name: GroupRole.VIEWER})  # type: ignore[arg-type]


def _stream(service: Service, database: Database, down: list[str], minutes: float) -> dict[str, float]:
    """Sends the polls second by second; gives when the second one of each store that is down was sent."""
    dice = random.Random(1)  # noqa: S311
    others = sorted(set(_rows(database, "SELECT store_id FROM store")) - set(down))
    count, seconds = len(others) + len(down), round(minutes * 60)
    plan: dict[int, list[tuple[str, str]]] = {second: [] for second in range(seconds)}
    for place, store in enumerate(down):
        first = round(place / len(down) * (seconds / 2))
        for second in (first, first + dice.randrange(20, seconds // 2)):
            plan[second].append((store, "inactive"))
    say(f"polls of {count:,} stores an hour come for {minutes:g} minutes")
    sent: dict[str, float] = {}
    begin, done, seen = time.time(), 0, set[str]()
    for second in range(seconds):
        time.sleep(max(0, begin + second - time.time()))
        enough = round(count * (second + 1) * 1e6 / HOUR) - done - len(plan[second])
        polls = plan[second] + [(store, "active") for store in dice.sample(others, max(0, enough))]
        done += len(polls)
        at = time.time()
        _send(service, polls)
        for store, _ in plan[second]:
            if store in seen:
                sent[store] = at
            seen.add(store)
    return sent


def _send(service: Service, polls: list[tuple[str, str]]) -> None:
    if not polls:
        return
    now = datetime.now(UTC).isoformat()
    rows = [{"store_id": store, "status": status, "timestamp_utc": now} for store, status in polls]
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/api/v1/polls",
        json.dumps({"polls": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        assert not json.load(answer)["rejected"]


def _wait(office: PostOffice, count: int) -> None:
    """For two minutes at most."""
    until = time.monotonic() + 120
    while len(office.letters) < count and time.monotonic() < until:
        time.sleep(0.2)


def _delays(office: PostOffice, before: int, sent: dict[str, float]) -> Iterator[float]:
    for letter, at in list(zip(office.letters, office.at, strict=True))[before:]:
        found = re.match(r"Down: (?:store )?(\S+?),", str(letter["Subject"]))
        if found and found[1] in sent:
            yield at - sent[found[1]]


def _told(office: PostOffice, before: int, sent: dict[str, float], asked: argparse.Namespace) -> str:
    delays = np.array(list(_delays(office, before, sent)))
    if not len(delays):
        return "no mail came"
    half, most = np.percentile(delays, (50, 95))
    met = "met" if most <= BOUND_S and len(delays) == len(sent) else "NOT MET"
    return (
        f"{len(sent)} stores went down among {asked.stores:,} that are polled once an hour: "
        f"{len(delays)} mails, after p50 {half:.1f} s, p95 {most:.1f} s, at most {delays.max():.1f} s\n"
        f"bound {BOUND_S:g} s for p95: {met}; load of the machine {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
