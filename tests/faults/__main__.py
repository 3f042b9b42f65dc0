"""`make faults`: tries every fault for twenty minutes at most, and writes docs/reliability.md.

FAULTS_ROUNDS says how often each is tried (5), and lets it take as much longer; FAULTS_MINUTES how
long at most. FAULTS_ONLY="paused,COMMIT" tries those alone whose name has one of these words, and writes no
page. What goes wrong is kept in build/faults.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sys
import time
from collections.abc import Iterable, Iterator

from bench import machine
from bench.measure import ROOT
from tests.faults import clock, cut, disk, kinds, migration, page, twins
from tests.faults.load import Answers
from tests.faults.suite import Fault, Tried, repeated, try_all
from tests.faults.town import Town, open_folder, town

_USUAL_ROUNDS = 5
_ONLY = os.environ.get("FAULTS_ONLY", "").split(",")
_SECONDS = {"town": 690.0, "cut": 200.0, "disk": 60.0, "clock": 50.0, "alone": 200.0}


def main() -> None:
    rounds = int(os.environ.get("FAULTS_ROUNDS", _USUAL_ROUNDS))
    longer = float(os.environ.get("FAULTS_MINUTES", 20 * max(1.0, rounds / _USUAL_ROUNDS))) / 20
    began, load_before, answers = time.monotonic(), machine.load(), Answers()
    found: list[Tried] = []
    for name, part in (("town", _town), ("cut", _cut), ("disk", _disk), ("clock", _clock), ("alone", _alone)):
        print(f"{name} …", file=sys.stderr, flush=True)
        found += part(rounds, time.monotonic() + longer * _SECONDS[name], answers)
    about = machine.here(load_before, (time.monotonic() - began) / 60)
    text = page.written(found, answers, about)
    if _ONLY == [""]:
        (ROOT / "docs" / "reliability.md").write_text(text, encoding="utf-8")
    print(text)
    sys.exit(any(tried.wrong for tried in found))


def _chosen(name: str) -> bool:
    return any(word in name for word in _ONLY)


def _of(faults: Iterable[Fault]) -> list[Fault]:
    return [fault for fault in faults if _chosen(fault.name)]


def _town(rounds: int, until: float, answers: Answers) -> list[Tried]:
    @contextlib.contextmanager
    def opened() -> Iterator[Town]:
        with open_folder() as folder, town(folder, answers=answers) as there:
            yield there

    return try_all(opened, _of([*kinds.IN_A_TOWN, twins.IMPORTS]), rounds, until)


def _cut(rounds: int, until: float, answers: Answers) -> list[Tried]:
    made: list[cut.Proxy] = []

    @contextlib.contextmanager
    def opened() -> Iterator[Town]:
        with contextlib.ExitStack() as stack:

            def through(url: str) -> str:
                made.append(stack.enter_context(cut.proxy(url)))
                return cut.through_it(url, made[-1])

            folder = stack.enter_context(open_folder())
            yield stack.enter_context(town(folder, through=through, probe=False, answers=answers))

    return try_all(opened, _of(cut.faults(made)), rounds, until)


def _disk(rounds: int, until: float, answers: Answers) -> list[Tried]:
    @contextlib.contextmanager
    def opened() -> Iterator[Town]:
        with disk.small_disk() as folder:
            assert folder is not None
            with town(folder, probe=False, answers=answers) as there:
                yield there

    return try_all(opened, _of([disk.FULL]), rounds if disk.can() else 0, until)


def _clock(rounds: int, until: float, answers: Answers) -> list[Tried]:
    with open_folder() as folder:
        if not clock.can():
            return [Tried(clock.NAME)]
        more, fault = clock.shifted(folder)

        @contextlib.contextmanager
        def opened() -> Iterator[Town]:
            with open_folder() as home, town(home, answers=answers, more=more) as there:
                yield there

        return try_all(opened, _of([fault]), rounds, until)


def _alone(rounds: int, until: float, _: Answers) -> list[Tried]:
    with contextlib.ExitStack() as stack:
        old = functools.cache(lambda: stack.enter_context(migration.older()))
        killing = functools.cache(lambda: migration.Killing(old(), random.Random(1)))  # noqa: S311
        kinds_of = {
            "two commands at once on a new home": twins.starts,
            "two `serve` at once on a new home, one of them killed": twins.services,
            "`kill -9` of `storewatch db upgrade`": lambda: killing().once(),
            "two `storewatch db upgrade` at once": lambda: migration.twice(old()),
        }
        return repeated({name: once for name, once in kinds_of.items() if _chosen(name)}, rounds, until)


if __name__ == "__main__":
    main()
