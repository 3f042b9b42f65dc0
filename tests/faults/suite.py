"""Tries faults at instants that dice say: how long until all is well again, and whether anything is lost."""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from bench.measure import ROOT
from tests.acceptance.conftest import storewatch
from tests.faults.town import Town

KEPT = ROOT / "build" / "faults"

Inject = Callable[[Town, random.Random], None]
"""Does the fault; ends when it is over."""

Opened = Callable[[], AbstractContextManager[Town]]
"""A new town under no load yet."""


@dataclass(frozen=True)
class Fault:
    """What is done, so many `times` in one go; `name` is how the page calls it."""

    name: str
    inject: Inject
    times: int = 1


@dataclass
class Tried:
    """How often a fault was tried, how long until all was well again each time, and what was wrong."""

    name: str
    times: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: str = ""

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    def add(self, seconds: float, times: int = 1) -> None:
        self.seconds.append(seconds)
        self.times += times


def try_once(town: Town, fault: Fault, tried: Tried, dice: random.Random) -> None:
    """Tries a fault in a town under load; then that comes to rest, and everything is checked."""
    town.begin()
    time.sleep(dice.uniform(0.5, 2.5))
    fault.inject(town, dice)
    over = time.monotonic()
    took = town.through(over) - over
    town.rest()
    town.check()
    tried.add(took, fault.times)
    _tell(tried)


def _tell(tried: Tried) -> None:
    print(f"  {tried.name}: well after {tried.seconds[-1]:.1f} s", file=sys.stderr, flush=True)


def try_all(opened: Opened, faults: Iterable[Fault], rounds: int, until: float) -> list[Tried]:
    """Tries each fault once, and once more, until there were so many rounds or the time is up. What is found
    wrong is noted, kept for who looks into it, and not tried again; the others go on in another town.
    """
    found, dice = {fault: Tried(fault.name) for fault in faults}, random.Random(rounds)  # noqa: S311
    turns = list(found) * rounds
    while turns and time.monotonic() < until:
        with opened() as town:
            turns = _try_some(town, turns, found, dice, until)
    return list(found.values())


def _try_some(
    town: Town, turns: list[Fault], found: dict[Fault, Tried], dice: random.Random, until: float
) -> list[Fault]:
    """Tries faults until one goes wrong, or the time is up; gives those that are left then."""
    for number, fault in enumerate(turns):
        if time.monotonic() > until:
            break
        tried = found[fault]
        try:
            try_once(town, fault, tried, dice)
        except AssertionError as error:
            tried.wrong = _words(error)
            _keep(town, f"{fault.name}, {len(found)} faults, after {tried.times} good ones: {tried.wrong}")
            return [left for left in turns[number + 1 :] if left != fault]
    return []


def _words(error: AssertionError) -> str:
    """What an assertion says, or where it stands if it says nothing."""
    return str(error) or traceback.format_exception(error)[-2].strip()


def _keep(town: Town, told: str) -> None:
    """The database as it is, what the service said, and what was wrong, in `KEPT`."""
    folder = KEPT / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    (folder / "wrong.txt").write_text(told)
    shutil.copy(town.service.log, folder)
    storewatch("backup", "--to", str(folder), environment=town.home)
    print(f"{told.splitlines()[0]}\nkept in {folder}", file=sys.stderr, flush=True)


def repeated(kinds: dict[str, Callable[[], float]], rounds: int, until: float) -> list[Tried]:
    """The same for what makes its own surroundings; each gives the seconds until all was well."""
    found = {name: Tried(name) for name in kinds}
    for name in list(kinds) * rounds:
        tried = found[name]
        if tried.wrong or time.monotonic() > until:
            continue
        try:
            tried.add(kinds[name]())
            _tell(tried)
        except AssertionError as error:
            tried.wrong = _words(error)
    return list(found.values())
