"""The day itself: hour after hour of polls, reports, storefronts that go dark and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.measure import say
from bench.probe import Shops
from bench.soak import feed
from bench.soak.feed import HOURS, Feed
from tests.post_office import PostOffice

DARK, LIGHT = 6, 14
"""From the beginning of this hour to that of that one some storefronts are down."""

SCHEDULES = 3
_SOONEST_S = 90
"""They run at whole minutes, and this one may be over by the time that they are known."""


@dataclass
class Reports:
    """Reports by hand: seconds of each, and what went wrong."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Day:
    """What is needed for a day; `down_at` and `up_at` are when the storefronts went and came."""

    port: int
    token: str
    watched: Path
    fleet: Feed
    shops: Shops
    hour_s: float
    down_at: float = 0.0
    up_at: float = 0.0

    def live(self) -> None:
        """All hours: every other one by the watched folder, the others by the API."""
        began = time.time()
        for number, polls in enumerate(self.fleet.hours):
            time.sleep(max(0.0, began + number * self.hour_s - time.time()))
            say(f"hour {number} of {HOURS}")
            self._switch(number)
            if number % 2:
                feed.upload(self.port, self.token, number, polls)
            else:
                feed.drop(self.watched, number, polls)
        time.sleep(max(0.0, began + HOURS * self.hour_s - time.time()))

    def _switch(self, number: int) -> None:
        if number == DARK:
            self.shops.down, self.down_at = True, time.time()
        if number == LIGHT:
            self.shops.down, self.up_at = False, time.time()

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=300,
            trust_env=False,
        )

    def schedule(self) -> None:
        """Has reports mailed by themselves, at times spread over the day."""
        for number in range(SCHEDULES):
            seconds = (number + 1) * HOURS * self.hour_s / (SCHEDULES + 1)
            at = datetime.now(UTC) + timedelta(seconds=max(seconds, _SOONEST_S))
            wanted = {"name": f"Soak {number}", "what": "report", "every": "day", "format": "csv"}
            with self.client() as client:
                answer = client.post("/api/v1/schedules", json=wanted | {"at": f"{at:%H:%M}", "zone": "UTC"})
            answer.raise_for_status()

    @contextmanager
    def reporting(self) -> Iterator[Reports]:
        """A report by hand every two hours, until the end of the block."""
        reports, over = Reports(), threading.Event()
        thread = threading.Thread(target=self._report, args=(reports, over))
        thread.start()
        try:
            yield reports
        finally:
            over.set()
            thread.join()

    def _report(self, reports: Reports, over: threading.Event) -> None:
        with self.client() as client:
            while not over.wait(2 * self.hour_s):
                began = time.perf_counter()
                try:
                    report_id = client.post("/trigger_report").json()["report_id"]
                    ask = f"/get_report?report_id={report_id}&wait=30"
                    while (said := client.get(ask).json())["status"] == "Running":
                        pass
                    if said["status"] != "Complete" or client.get(f"/download/{report_id}").is_error:
                        reports.wrong.append(str(said))
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    reports.wrong.append(repr(error))
                reports.took.append(time.perf_counter() - began)


def scheduled(office: PostOffice) -> int:
    """How many reports came by themselves."""
    return sum(": report of " in str(one["Subject"]) for one in office.letters)


def wait_for(done: Callable[[], bool], seconds: float) -> bool:
    """Whether something came true within a time."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True
