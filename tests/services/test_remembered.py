"""What is remembered is made once, whoever asks, and made anew when it is old."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from storewatch.services import remembered
from storewatch.services.remembered import Remembered


def test_threads_that_ask_at_once_get_what_one_of_them_made() -> None:
    memory, made, together = Remembered(), list[object](), threading.Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        together.wait()
        return memory.of("key", make)

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(ask, range(8)))
    assert got == set(made)
    assert len(made) == 1


def test_what_is_old_or_of_another_key_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Remembered()
    assert [memory.of(key, lambda key=key: key) for key in (1, 2)] == [1, 2]  # type: ignore[misc]
    assert memory.of(1, lambda: 3) == 1
    monkeypatch.setattr(remembered, "FOR_S", 0.0)
    assert memory.of(1, lambda: 3) == 3


def test_only_the_last_ones_are_kept() -> None:
    memory = Remembered()
    for key in range(100):
        memory.of(key, object)
    assert memory.of(99, lambda: None) is not None
    assert memory.of(0, lambda: None) is None


def test_what_could_not_be_made_is_not_remembered() -> None:
    memory = Remembered()
    with pytest.raises(ZeroDivisionError):
        memory.of("key", lambda: 1 // 0)
    assert memory.of("key", lambda: 1) == 1
