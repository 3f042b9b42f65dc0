"""A load without a pause, by which faults are found: each part remembers what storewatch said that it has."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

from storewatch.domain.clock import DAY, MINUTE, SECOND, iso, to_us
from tests.acceptance.conftest import PATIENCE, Service
from tests.acceptance.invariants import Batch, Poll
from tests.acceptance.scripted_day import Observer, Unit, send

_ROWS = 1000
_PAUSE_S = 0.3
_LONGEST_ANSWER_S = 60.0


class Ledger:
    """All polls that were offered, and which of them were acknowledged."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[Batch] = []

    @contextmanager
    def offered(self, polls: list[Poll]) -> Iterator[None]:
        """They count as taken once the block ends well."""
        with self._lock:
            place = len(self._batches)
            self._batches.append(Batch(frozenset(polls), taken=False))
        yield
        with self._lock:
            self._batches[place] = Batch(frozenset(polls), taken=True)

    def batches(self) -> list[Batch]:
        with self._lock:
            return list(self._batches)


class Part(threading.Thread):
    """Does the same again and again. `through` is when the last that is finished was begun."""

    def __init__(self, name: str, work: Callable[[], None], fault: Callable[[BaseException], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.busy, self.go, self.over = threading.Lock(), threading.Event(), threading.Event()
        self.through, self.count = 0.0, 0
        self._work, self._fault = work, fault

    def run(self) -> None:
        try:
            while not self.over.is_set():
                with self.busy:
                    if self.go.is_set() and not self.over.is_set():
                        began = time.monotonic()
                        self._work()
                        self.through, self.count = began, self.count + 1
                time.sleep(_PAUSE_S)
        except BaseException as fault:  # told in the thread of the suite
            self._fault(fault)


@dataclass
class Answers:
    """What a page's readers were answered: how often by which status (0: not at all), and the slowest."""

    by_status: dict[int, int] = field(default_factory=dict)
    slowest_s: float = 0.0

    def add(self, status: int, took_s: float) -> None:
        self.by_status[status] = self.by_status.get(status, 0) + 1
        self.slowest_s = max(self.slowest_s, took_s)


@dataclass
class Load:
    """Polls by the API, files by upload and by command, reports, and pages."""

    service: Service
    environment: dict[str, str]
    folder: Path
    observer: Observer
    units: list[Unit]
    dice: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    answers: Answers = field(default_factory=Answers)
    command: subprocess.Popen[str] | None = None
    refusals: list[str] = field(default_factory=list)
    steady: bool = False
    fault: BaseException | None = None
    _number: int = 0

    def parts(self, *, probe: bool) -> list[Part]:
        works = {
            "polls": self.poll,
            "upload": self.upload,
            "command": self.import_file,
            "report": self.report,
            "page": self.read,
        } | ({"probe": self.look} if probe else {})
        return [Part(name, work, self._failed) for name, work in works.items()]

    def _failed(self, fault: BaseException) -> None:
        self.fault = self.fault or fault

    def check(self) -> None:
        """AssertionError with what went wrong in a part."""
        if self.fault is not None:
            raise AssertionError(f"{type(self.fault).__name__}: {self.fault}") from self.fault

    # --- what is done -----------------------------------------------------------------------------

    def poll(self) -> None:
        """The stores of the units say how they are; they go down and up as it is noticed."""
        going_on = self.observer.going_on()
        for unit in self.units:
            if not self.steady:
                unit.step(going_on)
            unit.noticed = (unit.shows in going_on) is unit.down
        at = to_us(datetime.now(UTC))
        polls = [(store, at, not unit.down) for unit in self.units for store in unit.stores]
        with self.ledger.offered(polls):
            assert not send(self.service, polls)

    def upload(self) -> None:
        """A file is uploaded, and taken in."""
        path, polls = self.file("upload")
        with self.ledger.offered(polls):
            became = self.service.taken(self.service.upload(path))
            assert became["status"] == "complete", became

    def import_file(self) -> None:
        """A file is taken in by a command; if it says that it could not, once more."""
        path, polls = self.file("command")
        until = time.monotonic() + PATIENCE
        with self.ledger.offered(polls):
            while self.run("import", str(path))[0] != 0:
                assert time.monotonic() < until, self.refusals[-1]

    def run(self, *words: str) -> tuple[int, str]:
        """(exit code, what it said) of a command: what goes wrong is said in a sentence."""
        process = subprocess.Popen(
            [sys.executable, "-m", "storewatch", *words],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.command = process
        _, said = process.communicate(timeout=300)
        if process.returncode > 0:
            assert "Traceback" not in said, said
            assert said.startswith("storewatch: "), said
            self.refusals.append(said)
        return process.returncode, said

    def report(self) -> None:
        """A report is asked for, made, and read to its end."""
        report_id = self.service.trigger()
        became = self.service.complete(report_id)
        assert became["status"] == "Complete", became
        lines = self.service.text(f"/download/{report_id}").split("\n")
        stores = self.observer.rows(
            f"SELECT (summary ->> 'stores')::int FROM report WHERE report_id = '{report_id}'"
        )
        assert [(len(lines) - 2,)] == stores  # a header, and a line that ends for each store
        assert lines[-1] == ""

    def read(self) -> None:
        """Someone looks at a page: it comes, or says in time and in words why it does not."""
        began = time.monotonic()
        status, body = self._get("/api/v1/stores?limit=20")
        took = time.monotonic() - began
        self.answers.add(status, took)
        assert took < _LONGEST_ANSWER_S, f"an answer took {took:.0f} s"
        assert status in (0, 200, 503, 507), (status, body)
        assert status in (0, 200) or b'"detail":"' in body, body

    def _get(self, path: str) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.service.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=2 * _LONGEST_ANSWER_S) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, HTTPException):
            return 0, b""

    def look(self) -> None:
        """The probe writes something that it saw just now."""
        began, until = to_us(datetime.now(UTC)), time.monotonic() + PATIENCE
        newest = """
            SELECT (extract(epoch FROM max(timestamp_utc)) * 1000000)::bigint FROM store_status
            JOIN storefront USING (store_key) WHERE timestamp_utc > now() - interval '1 day'
        """
        while int(str(self.observer.rows(newest)[0][0] or 0)) < began:
            assert time.monotonic() < until, "the probe does not look any more"
            time.sleep(0.2)

    # --- what is sent -----------------------------------------------------------------------------

    def file(self, name: str, rows: int = _ROWS) -> tuple[Path, list[Poll]]:
        """A file of polls of the last days, each instant of which no other file has."""
        self._number += 1
        number, dice = self._number, random.Random(f"{name} {self._number}")  # noqa: S311
        now = to_us(datetime.now(UTC)) // MINUTE * MINUTE
        polls = [
            (
                f"of-{name}-{dice.randrange(60)}",
                now - dice.randrange(2 * DAY, 5 * DAY) // SECOND * SECOND + number % 1000 * 1000,
                dice.random() < 0.9,
            )
            for _ in range(rows)
        ]
        polls = list({poll[:2]: poll for poll in polls}.values())
        path = self.folder / f"{name}.csv"
        lines = (f"{store},{'active' if active else 'inactive'},{iso(at)}" for store, at, active in polls)
        path.write_text("\n".join(["store_id,status,timestamp_utc", *lines, ""]))
        return path, polls
