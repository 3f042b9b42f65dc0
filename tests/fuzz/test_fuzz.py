"""Every input of the corpus, and some changes of each target's: the short form of `make fuzz`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests.fuzz import api_target
from tests.fuzz.loop import Hunt, hunt, try_one
from tests.fuzz.mutate import MOST, mutated
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

QUICK_S = 0.7


def _told(done: Hunt) -> list[str]:
    return [f"{each.place}: {each.told}\n{each.data!r}" for each in done.findings.values()]


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"api"}))
def test_no_input_breaks_a_law(name: str) -> None:
    done = hunt(TARGETS[name], lambda so_far: so_far.seconds < QUICK_S, seed=1)
    assert not _told(done)
    assert done.executions > len(list(TARGETS[name].corpus()))


def test_no_request_breaks_the_api(database: Database, tmp_path: Path) -> None:
    with api_target.on(database, tmp_path):
        done = hunt(TARGETS["api"], lambda so_far: so_far.seconds < QUICK_S, seed=1)
    assert not _told(done)
    assert len(done.endings) > 50


def _breaks(data: bytes) -> str:
    if b"b" in data:
        raise ValueError(data)
    return "c" * data.count(b"c")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Target:
    """A target that breaks if there is a b in its input."""
    monkeypatch.setattr(Target, "corpus", lambda _: iter([b"a", b"ac"]))
    monkeypatch.setattr(Target, "tokens", lambda _: [b"b", b"c"])
    return Target("broken", "", _breaks)


def test_what_breaks_a_law_is_found_with_its_shortest_input(broken: Target) -> None:
    done = hunt(broken, lambda so_far: so_far.executions < 3_000, seed=1)
    (finding,) = done.findings.values()
    assert b"b" in finding.data
    assert len(finding.data) <= 2
    assert finding.place.startswith("ValueError test_fuzz.py:")
    assert len(done.endings) > 3


def test_what_takes_too_long_is_found(broken: Target) -> None:
    slow = Target("slow", "", lambda _: str(sum(range(1_000_000))), slow_s=1e-6)
    done = Hunt()
    try_one(slow, b"", done)
    assert "it took" in _told(done)[0]


def test_inputs_stay_small() -> None:
    chance, data = random.Random(1), b"a" * (MOST - 10)  # noqa: S311 - a test is to repeat itself
    sizes = {len(mutated(chance, data, [data], [data])) for _ in range(300)}
    assert max(sizes) == MOST
    assert len(sizes) > 20
