"""A day in fast time: stores that go down and come back, as their pollers and their storefronts tell it.

Each outage lasts until it was noticed, and so does each recovery: so what is due is known beforehand, however
long the processes are away that somebody kills meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.error import HTTPError

import psycopg
from sqlalchemy import make_url

from storewatch.domain.clock import iso, to_us
from tests.acceptance.conftest import PATIENCE, Service, postmaster
from tests.outbound.storefront import Page, Storefront

Poll = tuple[str, int, bool]
"""(store, microseconds, active)."""

MANY = "many"
_OPEN = f"""
    SELECT coalesce(store_id, '{MANY}') FROM incident LEFT JOIN store USING (store_key) WHERE ended_at IS NULL
"""
_POLLS = """
    SELECT store_id, (extract(epoch FROM timestamp_utc) * 1000000)::bigint, active
    FROM store_status JOIN store USING (store_key)
"""


@dataclass
class Unit:
    """Stores of a group that go down together, `outages` times; `calm` ticks pass before the first time."""

    stores: tuple[str, ...]
    group: str
    outages: int
    calm: int
    down: bool = False
    had: int = 0
    noticed: bool = True

    @property
    def shows(self) -> str:
        """What is told to be down: the store, or many."""
        return self.stores[0] if len(self.stores) == 1 else MANY

    def over(self) -> bool:
        return self.had == self.outages and not self.down and self.noticed

    def step(self, going_on: set[str]) -> None:
        """One tick of the day; `going_on` are the incidents of now."""
        self.noticed = (self.shows in going_on) is self.down
        if not self.noticed:
            return
        if self.calm > 0:
            self.calm -= 1
        elif self.down:
            self.down, self.calm, self.noticed = False, 2, False
        elif self.had < self.outages:
            self.down, self.had, self.calm, self.noticed = True, self.had + 1, 2, False


class Observer:
    """Reads what is committed; waits while the database is away."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self._url, connect_timeout=5) as connection:
                    return connection.execute(query).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < until, "the database does not come back"
                time.sleep(0.1)

    def going_on(self) -> set[str]:
        return {str(name) for (name,) in self.rows(_OPEN)}

    def polls(self) -> set[Poll]:
        return {(str(store), int(str(at)), bool(active)) for store, at, active in self.rows(_POLLS)}


def send(service: Service, polls: Sequence[Poll]) -> list[object]:
    """Sends polls by the API, again and again until it says that it has them; gives what is refused."""
    rows = [
        {"store_id": store, "timestamp_utc": iso(at), "status": "active" if active else "inactive"}
        for store, at, active in polls
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/api/v1/polls",
        json.dumps({"polls": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return list(json.load(answer)["rejected"])
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError):
                error.close()
            if getattr(error, "code", 503) not in (503, 507) or time.monotonic() > until:
                raise
            time.sleep(0.1)


@dataclass
class Day:
    """`pollers` are polled by the API, `fronts` looked at by the probe. `acknowledged` are the polls that the
    API took, `seen` those that were in the database at the last look.
    """

    service: Service
    observer: Observer
    shop: Storefront
    pollers: list[Unit]
    fronts: list[Unit]
    acknowledged: set[Poll] = field(default_factory=set)
    seen: set[Poll] = field(default_factory=set)

    def run(self, until: threading.Event) -> None:
        """Until all is over, and the event is set."""
        last = time.monotonic()
        while not (until.is_set() and all(unit.over() for unit in (*self.pollers, *self.fronts))):
            before = self._where()
            self._tick()
            if self._where() != before or not until.is_set():
                last = time.monotonic()
            assert time.monotonic() - last < PATIENCE, f"nobody notices\n{self.service.log.read_text()}"
            time.sleep(0.4)
        self._send()  # the last state of each store is sure

    def _where(self) -> list[tuple[bool, int, int]]:
        return [(unit.down, unit.had, unit.calm) for unit in (*self.pollers, *self.fronts)]

    def _tick(self) -> None:
        going_on = self.observer.going_on()
        for unit in (*self.pollers, *self.fronts):
            unit.step(going_on)
        for unit in self.fronts:
            for store in unit.stores:
                self.shop.pages[f"/{store}"] = Page(status=503 if unit.down else 200)
        self._send()
        found = self.observer.polls()
        assert self.seen <= found, f"lost: {self.seen - found}"
        self.seen = found

    def _send(self) -> None:
        at = to_us(datetime.now(UTC))
        polls = [(store, at, not unit.down) for unit in self.pollers for store in unit.stores]
        assert not send(self.service, polls)
        self.acknowledged.update(polls)


@dataclass
class Killer:
    """Kills one of the processes every few seconds, in an order and at instants that dice say."""

    service: Service
    home: dict[str, str]
    dice: random.Random
    rounds: int
    done: threading.Event = field(default_factory=threading.Event)
    killed: Counter[str] = field(default_factory=Counter)
    fault: BaseException | None = None

    @contextlib.contextmanager
    def at_work(self) -> Iterator[threading.Event]:
        """Gives the event that all was killed."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield self.done
        finally:
            thread.join()
        if self.fault is not None:
            raise self.fault

    def _work(self) -> None:
        try:
            for _ in range(self.rounds):
                names = ["web", "worker", "probe", "database"]
                self.dice.shuffle(names)
                for name in names:
                    time.sleep(self.dice.uniform(1, 5))
                    self.kill(name)
        except BaseException as fault:  # told in the thread of the test
            self.fault = fault
        finally:
            self.done.set()

    def kill(self, name: str) -> None:
        if name == "database":
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it is dead already
                os.kill(postmaster(self.home), signal.SIGKILL)
        else:
            self.service.child(name).kill()
        self.killed[name] += 1
