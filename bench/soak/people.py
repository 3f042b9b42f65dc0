"""People at their browsers, who log in and click about; and somebody who asks for reports."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.web.service import PASSWORD

PAGES = (
    *("/", "/?state=down&sort=down", "/?q=12", "/now", "/stores/{store}", "/stores/{store}?days=30"),
    *("/store-now?store={store}", "/reports", "/levels", "/months/{month}?store={store}", "/schedules"),
    *("/imports", "/groups", "/account", "/numbers"),
)
OF_MEMBERS = tuple(page for page in PAGES if page not in ("/imports", "/groups"))
_PAUSE_S = (0.5, 2.5)


@dataclass
class Clicks:
    """(when, seconds) of each page, and what went wrong."""

    took: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def get(self, client: httpx.Client, path: str) -> None:
        began = time.perf_counter()
        try:
            answer = client.get(path)
        except httpx.HTTPError as error:
            self.wrong.append(f"{path}: {error!r}")
            return
        self.took.append((time.time(), time.perf_counter() - began))
        if answer.status_code not in (200, 304):
            self.wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")


@dataclass(frozen=True)
class Person:
    """Who clicks, on which pages, about which stores."""

    email: str
    pages: Sequence[str]
    stores: Sequence[str]

    def click(self, port: int, clicks: Clicks, over: threading.Event) -> None:
        """Logs in, and reads pages until it is over."""
        dice = random.Random(self.email)  # noqa: S311 - no secret
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Accept": "text/html"},
            timeout=60,
            trust_env=False,
        ) as client:
            answer = client.post("/login", data={"email": self.email, "password": PASSWORD})
            if answer.status_code != httpx.codes.SEE_OTHER:
                clicks.wrong.append(f"{self.email} cannot log in: {answer.status_code}")
                return
            while not over.wait(dice.uniform(*_PAUSE_S)):
                path = dice.choice(self.pages)
                clicks.get(client, path.format(store=dice.choice(self.stores), month=time.strftime("%Y-%m")))


@contextmanager
def clicking(port: int, people: Sequence[Person]) -> Iterator[Clicks]:
    """All of them at their browsers until the end of the block."""
    clicks, over = Clicks(), threading.Event()
    threads = [threading.Thread(target=each.click, args=(port, clicks, over)) for each in people]
    for thread in threads:
        thread.start()
    try:
        yield clicks
    finally:
        over.set()
        for thread in threads:
            thread.join()
