"""The short form of `make faults`: the most telling faults once, and everything is looked over after each."""

from __future__ import annotations

import random

import pytest

from tests.faults import kinds, twins
from tests.faults.suite import Tried, try_once
from tests.faults.town import open_folder, town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHOSEN = ("web process", "worker process", "of PostgreSQL", "out of connections", "of the same file")


def test_the_most_telling_faults_lose_nothing() -> None:
    faults = [each for each in (*kinds.IN_A_TOWN, twins.IMPORTS) if any(word in each.name for word in CHOSEN)]
    with open_folder() as folder, town(folder, stores=60, probe=False) as there:
        for fault in faults:
            try_once(there, fault, Tried(fault.name), random.Random(fault.name))  # noqa: S311


def test_two_commands_at_once_on_a_new_home_share_one_database() -> None:
    twins.starts()
