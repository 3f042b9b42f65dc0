"""Imports that run beside one another."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from storewatch.formats import csv_in
from storewatch.services.importing import Watchers, import_file
from storewatch.storage.db import Database
from tests.services.importing import HOURS, NOON, NOW, POLLS, ZONES, counts, load, polls, sound


@pytest.fixture(autouse=True)
def nothing_is_wrong_after_it(database: Database) -> Iterator[None]:
    """The whole database is proved sound after every test."""
    yield
    sound(database)


class Slow(io.BytesIO):
    """A file whose last byte comes when the gate opens."""

    def __init__(self, data: bytes, gate: threading.Event, reached: threading.Event) -> None:
        super().__init__(data)
        self._gate, self._reached = gate, reached

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            self._reached.set()
            assert self._gate.wait(30)
        return data


def test_two_imports_of_one_kind_wait_for_one_another_and_both_land(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 64)
    gate, reached, waiting = threading.Event(), threading.Event(), threading.Event()
    told: list[str] = []

    def say(words: str) -> None:
        told.append(words)
        waiting.set()

    slow = Slow("\n".join([POLLS, f"a,active,{NOON},", f"b,active,{NOON},"]).encode(), gate, reached)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(import_file, database, slow, "slow.csv", now_us=NOW)
        assert reached.wait(30)
        lines = (POLLS, f"b,inactive,{NOON},", f"c,active,{NOON},")
        second = pool.submit(load, database, *lines, watchers=Watchers(say=say))
        assert waiting.wait(30)
        assert not second.done()
        gate.set()
        assert counts(first.result(30)) == (2, 0, 0, 0, 0)
        assert counts(second.result(30)) == (1, 1, 0, 0, 0)
    assert told == ["waiting: another import of store_status is running"]
    assert {key[0]: poll[0] for key, poll in polls(database).items()} == {"a": True, "b": False, "c": True}


def test_imports_of_two_kinds_run_side_by_side(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 64)
    gate, reached = threading.Event(), threading.Event()
    load(database, ZONES, "a,UTC")
    slow = Slow(f"{POLLS}\na,active,{NOON},\n".encode(), gate, reached)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(import_file, database, slow, "slow.csv", now_us=NOW)
        assert reached.wait(30)
        assert counts(load(database, HOURS, "a,0,9:00,17:00")) == (1, 0, 0, 0, 0)
        gate.set()
        first.result(30)
