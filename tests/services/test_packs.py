"""Polls read through packs are those of the rows, whatever changes them, and whoever packs meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.clock import DAY, to_us
from storewatch.domain.permissions import COMMAND
from storewatch.errors import NoPollsError, ReportFailedError
from storewatch.services import clearing, history, packing, reporting, retention, stores
from storewatch.services import polls as by_hand
from storewatch.services.reporting import Request
from storewatch.storage import poll_packs
from storewatch.storage import polls as stored_polls
from storewatch.storage.db import Database
from tests.services.importing import NOON, NOW, POLLS, load, polls, sound, sql
from tests.services.packs import (
    LATER,
    agree,
    both_ways,
    over_two_shards,
    pack_all,
    packs_that_count,
    reading_twice,
    small,
)

ROOT = Path(__file__).parents[2]
NOON_US = to_us(datetime(2023, 1, 22, 12, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _small(database: Database) -> Iterator[None]:
    over_two_shards(database)
    with small():
        yield


def lines(*days: int, state: str = "active", of: str = "abcd") -> list[str]:
    return [
        f"{store},{state},2023-01-{day} 0{number}:00:00," for day in days for number, store in enumerate(of)
    ]


@pytest.fixture
def packed(database: Database) -> Database:
    """Four stores of two shards on three days, all of it packed."""
    load(database, POLLS, *lines(20, 21, 22))
    assert pack_all(database) == agree(database) == 6
    return database


# --- each thing that changes polls ----------------------------------------------------------------


def put(database: Database, store: str, at_us: int, status: str) -> None:
    by_hand.put(database, COMMAND, store, at_us, (status, None), NOW, lambda _: None)


def delete(database: Database, store: str, first: int, end: int) -> int:
    return by_hand.delete_range(database, COMMAND, store, (first, end), "wrong")


DAY_20 = NOON_US // DAY * DAY - 2 * DAY
CHANGES: dict[str, tuple[Callable[[Database], Any], int]] = {
    "an import of new polls": (lambda d: load(d, POLLS, f"a,active,{NOON},"), 5),
    "an import that corrects": (lambda d: load(d, POLLS, *lines(21, state="inactive", of="ab")), 5),
    "an import that changes nothing": (lambda d: load(d, POLLS, *lines(20, 21, 22)), 6),
    "an import of another day": (lambda d: load(d, POLLS, *lines(23)), 6),
    "a poll set by hand": (lambda d: put(d, "d", NOON_US, "inactive"), 5),
    "a poll corrected by hand": (lambda d: put(d, "a", DAY_20, "inactive"), 5),
    "a deletion": (lambda d: delete(d, "c", DAY_20, DAY_20 + 2 * DAY), 4),
    "a store's deletion": (lambda d: stores.delete(d, COMMAND, "b", "b"), 3),
    "old polls dropped": (lambda d: drop_old(d), 4),
    "rows changed in SQL": (lambda d: sql(d, "UPDATE store_status SET active = NOT active"), 0),
    "polls moved in SQL": (
        lambda d: sql(
            d,
            "UPDATE store_status SET timestamp_utc = '2023-01-21 05:00Z'"
            " WHERE store_key = 1022 AND timestamp_utc < '2023-01-21Z'",
        ),
        4,
    ),
    "the table emptied in SQL": (lambda d: sql(d, "TRUNCATE store_status"), 0),
}


def drop_old(database: Database) -> None:
    while history.update(database, Request()):
        pass
    assert retention.remove_old_polls(database, DAY, Request(), NOW) == 1


@pytest.mark.parametrize("what", CHANGES)
def test_packs_of_what_changed_count_no_more_and_all_others_do(packed: Database, what: str) -> None:
    change, left = CHANGES[what]
    change(packed)
    assert agree(packed) == left
    pack_all(packed)
    assert agree(packed) >= left
    assert packing.verify(packed)[0] == 0


def test_what_is_deleted_is_in_no_pack_any_more_once_the_job_ran(packed: Database) -> None:
    delete(packed, "c", DAY_20, DAY_20 + 3 * DAY)
    pack_all(packed)
    assert sql(packed, "SELECT sum(length(polls)) FROM poll_pack") == [(8 * 9,)]


def test_an_invented_fleet_takes_its_packs_with_it(database: Database) -> None:
    load(database, POLLS, *lines(20), source="demo")
    pack_all(database)
    assert clearing.remove_invented(database)
    assert sql(database, "SELECT count(*) FROM poll_stretch") == sql(
        database, "SELECT count(*) FROM poll_pack"
    )
    load(database, POLLS, *lines(20, state="inactive"))
    assert agree(database) == 0


def test_a_change_that_is_rolled_back_leaves_packs_as_they_are(packed: Database) -> None:
    with packed.rehearsal() as session:
        put(packed, "a", DAY_20, "inactive")
        through, rows = both_ways(session)
        assert through == rows
        assert packs_that_count(session) == 5
    assert agree(packed) == 6


# --- which and when -------------------------------------------------------------------------------


def test_a_day_that_is_not_over_is_packed_once_it_is_quiet(database: Database) -> None:
    load(database, POLLS, *lines(20, 21))
    changed = datetime.now(UTC)
    same_day = datetime(2023, 1, 20, 23, 59, tzinfo=UTC)
    assert packing.pack(database, same_day) == 0
    assert packing.pack(database, same_day + timedelta(minutes=1)) == 2
    assert packing.pack(database, same_day + timedelta(minutes=1)) == 0
    assert packing.pack(database, changed + timedelta(minutes=11)) == 2


def test_an_import_has_the_job_run_and_the_job_the_next_one(database: Database) -> None:
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'pack_polls' AND status = 'todo'"
    load(database, POLLS, *lines(20, 21))
    assert sql(database, waiting) == [(1,)]
    sql(database, "UPDATE procrastinate_jobs SET status = 'succeeded'")
    packing.work(database, LATER)
    assert sql(database, waiting) == [(1,)]
    sql(database, "UPDATE procrastinate_jobs SET status = 'succeeded'")
    pack_all(database)
    packing.work(database, LATER)
    assert sql(database, waiting) == [(0,)]


def test_packs_that_are_wrong_are_found_and_made_anew(packed: Database) -> None:
    sql(packed, "UPDATE poll_pack SET polls = polls || polls WHERE day = '2023-01-21'")
    assert packing.verify(packed) == (2, 6)
    assert packing.repack(packed, LATER) == 6
    assert packing.verify(packed) == (0, 6)


@pytest.mark.parametrize(
    "damage", ["substring(polls FROM 2)", "polls || polls", "overlay(polls PLACING '\\xff' FROM 8)"]
)
def test_a_pack_that_is_damaged_is_read_as_rows(packed: Database, damage: str) -> None:
    sql(packed, f"UPDATE poll_pack SET polls = {damage}")
    assert agree(packed) == 6
    assert packing.verify(packed)[0] == 6
    assert packing.repack(packed, LATER) == 6
    assert packing.verify(packed)[0] == 0


# --- side by side ---------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before the polls are read", "after"])
def test_what_is_imported_while_a_pack_is_made_is_not_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    load(database, POLLS, *lines(20))
    name = "of_day" if when.startswith("before") else "keep"
    module = stored_polls if name == "of_day" else poll_packs
    really = getattr(module, name)

    def meanwhile(*given_: Any) -> Any:
        load(database, POLLS, *lines(20, state="inactive"))
        return really(*given_)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, meanwhile)
        assert packing.pack(database, LATER) == 2
    assert agree(database) == 0
    assert pack_all(database) == agree(database) == 2


def test_two_who_pack_at_once_wait_for_one_another(packed: Database) -> None:
    sql(packed, "DELETE FROM poll_pack")
    threads = [threading.Thread(target=pack_all, args=(packed,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert agree(packed) == 6


class Packer:
    """A process that packs all the time, and is killed now and then."""

    def __init__(self, database: Database) -> None:
        command = [sys.executable, "-m", "tests.services.packs"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PACKED_URL": database.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._told() == "packing"

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        """Kills it at whatever it is; the next one begins at once. It must not have ended by itself."""
        print(file=self._process.stdin, flush=True)
        assert self._told() == str(int(signal.SIGKILL))

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


class Again:
    """Does something all the time, in a thread; adds up what it gives."""

    def __init__(self, work: Callable[[], int]) -> None:
        self._work, self._over = work, threading.Event()
        self.times = self.given = 0
        self.errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self.given += self._work()
                self.times += 1
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self) -> Again:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)


def report(database: Database) -> int:
    """Makes one, if there is a poll until it is made, and says whether."""
    try:
        made = reporting.make_now(database, COMMAND, Request(), NOW, lambda _: None)
    except NoPollsError:
        return 0
    except ReportFailedError as error:
        if "There are no polls any more" not in str(error):
            raise
        return 0
    return int(made.status == "complete")


STORES = st.sampled_from("abcdef")
DAYS = st.integers(20, 22)
STATES = st.sampled_from(["active", "inactive"])
ROW = st.builds("{},{},2023-01-{} 0{}:00:00,".format, STORES, STATES, DAYS, st.integers(0, 9))
STEP = st.one_of(
    st.tuples(st.just("import"), st.lists(ROW, min_size=1, max_size=12)),
    st.tuples(st.just("import"), st.lists(ROW, min_size=1, max_size=12)),
    st.tuples(st.just("put"), st.tuples(STORES, DAYS, STATES)),
    st.tuples(st.just("delete"), st.tuples(STORES, DAYS)),
    st.tuples(st.just("remove"), STORES),
    st.tuples(st.just("report"), st.none()),
    st.tuples(st.just("kill"), st.none()),
    st.tuples(st.just("pause"), st.floats(0, 0.1)),
)


def step(database: Database, packer: Packer, what: str, told: Any) -> None:
    known = {store for store, _ in polls(database)}
    match what:
        case "import":
            load(database, POLLS, *told)
        case "put" if told[0] in known:
            put(database, told[0], DAY_20 + (told[1] - 20) * DAY, told[2])
        case "delete" if told[0] in known:
            delete(database, told[0], DAY_20, DAY_20 + (told[1] - 19) * DAY)
        case "remove" if told in known:
            stores.delete(database, COMMAND, told, told)
        case "report" if known:
            assert report(database)
        case "kill":
            packer.kill()
        case "pause":
            time.sleep(told)


STRETCHES = "SELECT count(*) FROM poll_stretch JOIN store_status_day USING (day)"


@pytest.mark.slow
def test_whoever_reads_sees_all_of_an_import_or_nothing_whatever_is_killed(database: Database) -> None:
    looks, hits, reports = 0, 0, 0

    @settings(
        max_examples=8,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(script=st.lists(STEP, min_size=15, max_size=40))
    def run(script: list[tuple[str, Any]]) -> None:
        nonlocal looks, hits, reports
        with Again(lambda: agree(database)) as reader, Again(lambda: report(database)) as reporter:
            for what, told in script:
                step(database, packer, what, told)
        assert reader.errors == reporter.errors == []
        assert packing.verify(database)[0] == 0
        looks, hits, reports = looks + reader.times, hits + reader.given, reports + reporter.given

    with Packer(database) as packer, reading_twice() as read:
        run()
    pack_all(database)
    assert agree(database) == sql(database, STRETCHES)[0][0]
    sound(database)
    assert hits > looks > 0
    assert read[0] > reports > 0
