"""What was measured, judged."""

from __future__ import annotations

import pytest

from storewatch.domain import checkup
from storewatch.domain.checkup import GIB, MIB, Finding, State


@pytest.mark.parametrize(
    ("finding", "state", "words"),
    [
        (checkup.disk("disk", "/d", 3 * GIB), State.OK, "3.0 GiB free in /d"),
        (checkup.disk("disk", "/d", 3 * GIB, data=8 * GIB), State.WARN, "3.0 GiB free"),
        (checkup.disk("disk", "/d", GIB), State.WARN, "1.0 GiB free"),
        (checkup.disk("disk", "/d", 500 * MIB), State.BAD, "500 MiB free"),
        (checkup.clock(0.2, kept=True), State.OK, "0.2 s ahead of"),
        (checkup.clock(0.2, kept=None), State.OK, "0.2 s ahead of"),
        (checkup.clock(0.2, kept=False), State.WARN, "nothing keeps it right"),
        (checkup.clock(-2.0, kept=True), State.WARN, "2.0 s behind"),
        (checkup.clock(61.0, kept=True), State.BAD, "61.0 s ahead of"),
        (checkup.queue(0, 0, 0, working=True), State.OK, "0 jobs wait"),
        (checkup.queue(3, 299, 0, working=True), State.OK, "3 jobs wait, the oldest for 4 min"),
        (checkup.queue(3, 301, 0, working=True), State.WARN, "the oldest for 5 min"),
        (checkup.memory(8 * GIB, None), State.OK, "8.0 GiB"),
        (checkup.memory(8 * GIB, 1 << 62), State.OK, "8.0 GiB"),
        (checkup.memory(8 * GIB, GIB), State.WARN, "1.0 GiB (limit of the container or unit)"),
        (checkup.memory(512 * MIB, None), State.BAD, "512 MiB"),
        (checkup.schema(None, "0015"), State.WARN, "empty"),
        (checkup.polls(None, 60), State.WARN, "none yet"),
        (checkup.polls(-3.0, 60), State.OK, "0 s old"),
        (checkup.stores(100, 10, 0, "UTC"), State.OK, "10 without hours"),
        (checkup.stores(100, 0, 11, "UTC"), State.WARN, "11 without a zone"),
        (checkup.stores(0, 0, 0, "UTC"), State.OK, "0 stores"),
        (checkup.zone_data(3, "2026b", {}, ["X/Y"]), State.WARN, "X/Y (PostgreSQL does not know it)"),
    ],
)
def test_what_was_measured_is_judged(finding: Finding, state: State, words: str) -> None:
    assert (finding.state, words in finding.what) == (state, True), finding
    assert bool(finding.advice) == (state is not State.OK)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_an_age_in_words(seconds: int, words: str) -> None:
    assert checkup.age(seconds) == words
