"""Tries faults at instants that dice say: how long until all is well again, and whether anything is lost."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.town import Town

Inject = Callable[[Town, random.Random], None]
"""Does the fault; ends when it is over."""


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


def try_all(town: Town, faults: Iterable[Fault], rounds: int, until: float) -> list[Tried]:
    """Tries each fault once, and once more, until there were so many rounds or the time is up. What is found
    wrong is noted, and ends it.
    """
    faults, dice = list(faults), random.Random(rounds)  # noqa: S311
    found = [Tried(fault.name) for fault in faults]
    for _ in range(rounds):
        for fault, tried in zip(faults, found, strict=True):
            if time.monotonic() > until:
                return found
            try:
                try_once(town, fault, tried, dice)
            except AssertionError as error:
                tried.wrong = str(error)
                return found
    return found


def repeated(name: str, once: Callable[[], float], rounds: int, until: float) -> Tried:
    """The same for what makes its own surroundings; `once` gives the seconds until all was well."""
    tried = Tried(name)
    for _ in range(rounds):
        if time.monotonic() > until:
            break
        try:
            tried.add(once())
        except AssertionError as error:
            tried.wrong = str(error)
            break
    return tried
