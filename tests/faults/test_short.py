"""The short form of `make faults`: what no other test does to a service under load, one after the other.

tests/acceptance/test_faults.py kills each process again and again, test_scripted_day.py while alerts are due.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import pytest

from tests.faults import cut, disk, kinds, migration
from tests.faults.suite import Fault, Tried, try_once
from tests.faults.town import Town, open_folder, town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def shaken() -> Iterator[tuple[Town, cut.Proxy, bool]]:
    """A town behind a proxy, and whether it has a small disk of its own."""
    with contextlib.ExitStack() as stack:
        made: list[cut.Proxy] = []

        def through(url: str) -> str:
            made.append(stack.enter_context(cut.proxy(url)))
            return cut.through_it(url, made[0])

        small = stack.enter_context(disk.small_disk())
        folder = small or stack.enter_context(open_folder())
        there = stack.enter_context(town(folder, stores=40, probe=False, through=through))
        yield there, made[0], small is not None


def test_cuts_and_a_crash_lose_nothing(shaken: tuple[Town, cut.Proxy, bool]) -> None:
    there, proxy, _ = shaken

    def inject(town: Town, dice: random.Random) -> None:
        for phase in (cut.before_commit, cut.after_commit, cut.rows):
            proxy.cut(phase(dice))
        kinds.kill_backend(town, dice)

    fault = Fault("cuts and a crash", inject)
    try_once(there, fault, Tried(fault.name), random.Random(1))  # noqa: S311


def test_a_full_disk_loses_nothing(shaken: tuple[Town, cut.Proxy, bool]) -> None:
    there, _, small = shaken
    if not small:
        pytest.skip("a small disk is not to be had: only root may mount one")
    try_once(there, disk.FULL, Tried(disk.FULL.name), random.Random(2))  # noqa: S311


def test_a_killed_upgrade_is_done_whole_or_not_at_all_and_of_two_one_does_it() -> None:
    with migration.older() as old:
        migration.Killing(old, random.Random(3)).once()  # noqa: S311
        migration.twice(old)
