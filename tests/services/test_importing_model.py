"""Any run of files, corrections and deletions against a plain model of what is in the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.formats import csv_in
from storewatch.services import takers
from storewatch.storage.db import Database
from tests.services.importing import (
    COUNTS,
    NOON,
    POLLS,
    counts,
    delete_by_hand,
    load,
    of,
    polls,
    set_by_hand,
    sound,
    sql,
)


@pytest.fixture(autouse=True)
def nothing_is_wrong_after_it(database: Database) -> Iterator[None]:
    """The whole database is proved sound after every test."""
    yield
    sound(database)


LINES = {
    "good": st.builds(
        lambda store, minute, state, reason: (
            f"{store},{state},2023-01-2{minute // 2} 00:0{minute % 2}:00,{reason}"
        ),
        st.sampled_from("abc"),
        st.integers(0, 3),
        st.sampled_from(["active", "inactive"]),
        st.sampled_from(["", "", "slow", '"a, b"']),
    ),
    "bad": st.sampled_from(
        [
            f"a,up,{NOON},",
            "a,active,soon,",
            ",active,,",
            "a",
            'a,"active,x,',
            "a,b,c,d,e",
            "a,\0,x,",
            "\ufffd",
        ]
    ),
    "blank": st.sampled_from(["", "  ", "\r"]),
}
LINE = st.one_of(*(st.tuples(st.just(kind), lines) for kind, lines in LINES.items()))


class Model:
    """The rules on polls in plain words."""

    def __init__(self) -> None:
        self.polls: dict[tuple[str, str], tuple[bool, str | None, int | None]] = {}
        self.deleted: set[tuple[str, str]] = set()

    def take(self, lines: list[tuple[str, str]], import_no: int) -> dict[str, int]:
        count = dict.fromkeys(COUNTS, 0)
        count["rejected"] = sum(kind == "bad" for kind, _ in lines)
        last: dict[tuple[str, str], tuple[bool, str | None]] = {}
        for kind, line in lines:
            if kind == "good":
                store, state, time, reason = line.split(",", 3)
                poll = (state == "active", reason.strip('"') or None)
                if (store, time) in last:
                    count["unchanged" if last[store, time] == poll else "corrected"] += 1
                last[store, time] = poll
        for key, poll in last.items():
            count[self._take_one(key, poll, import_no)] += 1
        return count

    def _take_one(self, key: tuple[str, str], poll: tuple[bool, str | None], import_no: int) -> str:
        old = self.polls.get(key)
        if key in self.deleted or (old and old[2] is None):
            return "kept"
        if old and old[:2] == poll:
            return "unchanged"
        self.polls[key] = (*poll, import_no)
        return "corrected" if old else "new"


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    files=st.lists(st.lists(LINE, max_size=25), min_size=1, max_size=4),
    by_hand=st.sampled_from(["", "a", "b"]),
    block=st.integers(1, 200),
    at_once=st.integers(1, 30),
)
def test_counts_and_polls_are_those_of_a_plain_model(
    database: Database, files: list[list[tuple[str, str]]], by_hand: str, block: int, at_once: int
) -> None:
    empty(database)
    model = Model()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_in, "BLOCK_BYTES", block)
        patch.setattr(takers, "_POLLS_AT_ONCE", at_once)
        for number, lines in enumerate(files):
            result = load(database, POLLS, *(line for _, line in lines))
            expected = model.take(lines, result.import_no)
            assert dict(zip(COUNTS, counts(result), strict=True)) == expected
            assert polls(database) == model.polls
            if number == 0 and by_hand:
                edit(database, model, by_hand)
    sound(database)
    empty(database)


def edit(database: Database, model: Model, store: str) -> None:
    """Sets the polls of store a by hand, or deletes those of b."""
    mine = [key for key in model.polls if key[0] == store]
    if store == "a":
        set_by_hand(database, store)
        model.polls |= {key: (not model.polls[key][0], model.polls[key][1], None) for key in mine}
    else:
        delete_by_hand(database, of(store))
        model.deleted |= set(mine)
        model.polls = {key: poll for key, poll in model.polls.items() if key[0] != store}


def empty(database: Database) -> None:
    sql(
        database,
        "TRUNCATE import, store, store_timezone, hours_week, menu_hours, deleted_poll CASCADE",
    )
    for (day,) in sql(database, "DELETE FROM store_status_day RETURNING to_char(day, 'YYYYMMDD')"):
        sql(database, f"DROP TABLE store_status_{day}")
