"""What an import leaves in the database: SEMANTICS, Inputs 4 to 7."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.weekly import ALWAYS
from storewatch.errors import FileRefusedError
from storewatch.formats import csv_in
from storewatch.services import importing
from storewatch.services.hours_from import HoursFrom
from storewatch.services.importing import Watchers, import_file
from storewatch.storage import imports
from storewatch.storage.db import Database
from tests.services.importing import (
    HOURS,
    NOON,
    NOW,
    POLLS,
    ZONES,
    counts,
    delete_by_hand,
    everything,
    load,
    of,
    polls,
    set_by_hand,
    sound,
    sql,
    weeks,
    zones,
)


@pytest.fixture(autouse=True)
def nothing_is_wrong_after_it(database: Database) -> Iterator[None]:
    """The whole database is proved sound after every test."""
    yield
    sound(database)


# --- polls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected", "left"),
    [
        (["a"], ["a"], (0, 0, 1, 0, 0), (True, None, 1)),
        (["a"], ["i"], (0, 1, 0, 0, 0), (False, None, 2)),
        (["a"], ["a,slow"], (0, 1, 0, 0, 0), (True, "slow", 2)),
        (["a,slow"], ["a"], (0, 1, 0, 0, 0), (True, None, 2)),
        (["a,slow"], ["a,slow"], (0, 0, 1, 0, 0), (True, "slow", 1)),
        ([], ["a", "a"], (1, 0, 1, 0, 0), (True, None, 2)),
        ([], ["a", "i"], (1, 1, 0, 0, 0), (False, None, 2)),
        ([], ["a", "a,slow"], (1, 1, 0, 0, 0), (True, "slow", 2)),
        (["i"], ["a", "i"], (0, 1, 1, 0, 0), (False, None, 1)),
    ],
)
def test_the_poll_imported_last_stands(
    database: Database, first: list[str], second: list[str], expected: tuple[int, ...], left: tuple[Any, ...]
) -> None:
    for states in (first, second):
        rows = [
            state.replace("a", "active", 1) if state[0] == "a" else "inactive" + state[1:] for state in states
        ]
        lines = [f"s,{row.partition(',')[0]},{NOON},{row.partition(',')[2]}" for row in rows]
        result = load(database, POLLS, *lines)
    assert counts(result) == expected
    assert polls(database) == {("s", NOON): left}


def test_a_poll_set_by_hand_or_deleted_stays_so(database: Database) -> None:
    rows = [f"{store},active,{NOON}," for store in ("free", "gone", "hand")]
    load(database, POLLS, *rows, "gone,active,2023-01-22 11:00:00,")
    set_by_hand(database, "hand")
    delete_by_hand(database, f"{of('gone')} AND timestamp_utc = '{NOON}Z'")
    before = polls(database)
    assert counts(load(database, POLLS, *rows, "gone,inactive,2023-01-22 11:30:00,")) == (1, 0, 1, 2, 0)
    after = polls(database)
    assert {key: after[key] for key in before} == before
    assert before["hand", NOON] == (False, None, None)
    assert ("gone", NOON) not in after


def test_a_deleted_poll_that_comes_again_is_no_first_poll_and_no_newest(database: Database) -> None:
    load(database, POLLS, f"gone,active,{NOON},")
    delete_by_hand(database, of("gone"))
    load(database, POLLS, f"gone,active,{NOON},")
    assert sql(database, "SELECT first_poll_at FROM store") == [(None,)]
    assert sql(database, "SELECT polls FROM store_status_day") == [(0,)]


# --- the same again -------------------------------------------------------------------------------

FIELD = {
    POLLS: [
        f"a,active,{NOON},",
        f"b,inactive,{NOON},slow",
        f"a,inactive,{NOON},",
        "x,active,2023-01-23 00:00:00,",
    ],
    HOURS: ["a,0,9:00,17:00", "a,0,9:00,17:00", "b,6,22:00,02:00", "c,1,0:00,23:59"],
    ZONES: ["a,America/Chicago", "b,Asia/Beirut", "a,UTC"],
}


def test_the_same_files_again_change_nothing(database: Database) -> None:
    for header, rows in FIELD.items():
        load(database, header, *rows)
    before = everything(database)
    for header, rows in FIELD.items():
        assert load(database, header, *rows).rows_new == 0
    assert everything(database) == before


# --- opening hours --------------------------------------------------------------------------------


# --- the polls of the hour ------------------------------------------------------------------------


def test_polls_later_than_all_of_their_day_are_as_if_they_had_come_with_the_others(
    database: Database,
) -> None:
    """They are added without a look at those that are there; at the newest instant there is one."""
    load(database, POLLS, f"a,active,{NOON},", "b,inactive,2023-01-22 12:30:00,NO_TABLET")
    later = (
        "b,active,2023-01-22 12:30:01,",
        "c,inactive,2023-01-22 13:00:00,PAUSED",
        "a,active,2023-01-22 12:59:00,",
    )
    assert counts(load(database, POLLS, *later)) == (3, 0, 0, 0, 0)
    assert counts(load(database, POLLS, *later, "c,active,2023-01-22 13:00:00,")) == (0, 2, 2, 0, 0)
    assert counts(load(database, POLLS, "c,inactive,2023-01-22 13:00:00,PAUSED")) == (0, 1, 0, 0, 0)
    assert polls(database) == {
        ("a", NOON): (True, None, 1),
        ("a", "2023-01-22 12:59:00"): (True, None, 2),
        ("b", "2023-01-22 12:30:00"): (False, "NO_TABLET", 1),
        ("b", "2023-01-22 12:30:01"): (True, None, 2),
        ("c", "2023-01-22 13:00:00"): (False, "PAUSED", 4),
    }


def test_whoever_reads_a_day_does_not_hold_up_the_polls_of_the_hour(database: Database) -> None:
    load(database, POLLS, f"a,active,{NOON},")
    with database.snapshot() as reader:
        reader.execute(text("SELECT count(*) FROM store_status")).scalar_one()
        load(
            database,
            POLLS,
            "a,inactive,2023-01-22 13:00:00,",
            "b,active,2023-01-22 13:00:00,OK",
            patience_s=5,
        )
    assert len(polls(database)) == 3


def test_hours_are_replaced_for_stores_with_a_readable_row_and_no_others(database: Database) -> None:
    load(database, HOURS, "a,0,9:00,17:00", "a,1,9:00,17:00", "b,0,8:00,12:00", "c,0,8:00,12:00")
    week_of_b = sql(database, f"SELECT week_no, import_no FROM hours_week WHERE {of('b')}")
    result = load(
        database,
        HOURS,
        "a,2,10:00,11:00",
        "b,7,1:00,2:00",
        "b,0,9:00,9:00",
        "d,9,1:00,2:00",
        hold=HoursFrom(ALWAYS),
    )
    assert counts(result) == (0, 1, 0, 0, 3)
    assert weeks(database) == {
        "a": [(2, 36_000, 39_600)],
        "b": [(0, 28_800, 43_200)],
        "c": [(0, 28_800, 43_200)],
    }
    assert sql(database, f"SELECT week_no, import_no FROM hours_week WHERE {of('b')}") == week_of_b
    assert "closed_days" not in result.assumptions


def test_every_day_that_a_rejected_row_closes_is_told(database: Database) -> None:
    result = load(
        database,
        HOURS,
        "a,0,9:00,17:00",
        "a,1,9:00,noon",  # closed: Tuesday
        "a,0,18:00,18:00",  # Monday has another row
        "a,4,9:00",  # closed: Friday; the row ends early
        "b,3,9:00,9:00",  # b has no readable row: it keeps what it had
        "c,6,9:00,10:00",
        "c,5,25:00,26:00",  # closed: Saturday
    )
    assert counts(result) == (2, 0, 0, 0, 5)
    assert result.assumptions["closed_days"] == [
        {"store_id": "a", "day": "Tuesday"},
        {"store_id": "a", "day": "Friday"},
        {"store_id": "c", "day": "Saturday"},
    ]
    assert set(weeks(database)) == {"a", "c"}


def test_a_week_given_as_empty_is_replaced_by_an_import(database: Database) -> None:
    load(database, ZONES, "a,UTC")
    sql(database, f"INSERT INTO hours_week (store_key) SELECT store_key FROM store WHERE {of('a')}")
    assert weeks(database) == {"a": []}
    load(database, HOURS, "a,0,9:00,17:00", hold=HoursFrom(ALWAYS))
    assert weeks(database) == {"a": [(0, 32_400, 61_200)]}


# --- zones ----------------------------------------------------------------------------------------


def test_the_last_readable_zone_of_a_store_stands(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 30)
    rows = ["a,UTC", "b,UTC", "a,Asia/Beirut", "b,Mars/X", "a,America/Denver", "a,Nowhere", "c,?"]
    assert counts(load(database, ZONES, *rows)) == (2, 0, 2, 0, 3)
    assert zones(database) == {"a": ("America/Denver", 1), "b": ("UTC", 1)}
    assert counts(load(database, ZONES, "a,UTC", "b,UTC")) == (0, 1, 1, 0, 0)
    assert zones(database) == {"a": ("UTC", 2), "b": ("UTC", 1)}


# --- assumptions, records, rejects ----------------------------------------------------------------


def test_an_import_tells_how_many_stores_are_taken_as_24_x_7_or_in_the_default_zone(
    database: Database,
) -> None:
    load(database, HOURS, "a,0,9:00,17:00", "unpolled,0,9:00,17:00")
    load(database, ZONES, "a,UTC", "b,UTC")
    result = load(database, POLLS, *(f"{store},active,{NOON}," for store in "abcd"))
    assert result.assumptions == {"polled_stores": 4, "open_24x7": 3, "default_zone": 2}


def test_rejected_rows_are_kept_with_line_and_reason(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "KEPT_REJECTS", 3)
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 40)
    seen: list[importing.Reject] = []
    rows = [f"s,up,{NOON},", f"s,active,{NOON},", "", "s,\0,", 's,"x,', "tail"]
    result = load(database, POLLS, *rows, watchers=Watchers(reject=seen.append))
    assert counts(result) == (1, 0, 0, 0, 4)
    assert [(line, row) for line, _, row in seen] == [
        (2, rows[0]),
        (5, "s,\\x00,"),
        (6, rows[4]),
        (7, "tail"),
    ]
    assert sql(database, 'SELECT line, reason, "row" FROM import_reject ORDER BY line') == seen[:3]
    assert result.rejects == seen


def test_a_file_of_the_header_alone_is_an_import_of_nothing(database: Database) -> None:
    assert [counts(load(database, header)) for header in (POLLS, HOURS, ZONES)] == [(0, 0, 0, 0, 0)] * 3


def test_progress_is_told_block_by_block(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 50)
    told: list[tuple[int, int]] = []
    load(database, ZONES, *["a,UTC"] * 50, watchers=Watchers(progress=lambda *at: told.append(at)))
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1][1] == 50


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kind", "message"),
    [
        ("store_id,status", None, r"cannot be told from its columns \(store_id, status\)"),
        ("store_id,status", "store_status", "needs the column timestamp_utc; found: store_id, status"),
        ("status", "store_status", "needs the columns store_id and timestamp_utc"),
        (HOURS, "store_timezone", "store_timezone needs the column timezone_str"),
        ("store_id,store_id,timezone_str", None, "the column store_id is there twice"),
        ("store_id,day,dayOfWeek,start_time_local,end_time_local", None, "the column day is there twice"),
        (POLLS + ",timezone_str", None, "fit store_status and store_timezone; say which it is"),
        ("a\x1b[2J," + "b" * 90, None, r"\(a�\[2J, b{60}…\)"),
        (",".join("c" * 30), None, r"c, …\)"),
    ],
)
def test_a_file_without_the_needed_columns_is_refused(
    database: Database, header: str, kind: str | None, message: str
) -> None:
    with pytest.raises(FileRefusedError, match=message):
        load(database, header, "1,2,3", kind=kind)
    assert sql(database, "SELECT count(*) FROM import") == [(0,)]


@pytest.mark.parametrize(
    "header",
    [
        "reason,TIMESTAMP_UTC, Store_ID ,x,Status",
        "\ufeffreason,timestamp_utc,store_id,x,status",
        '"reason","timestamp_utc","store_id","x","status"',
    ],
)
def test_columns_are_found_by_name_in_any_order_and_case(database: Database, header: str) -> None:
    load(database, header, f"slow,{NOON},s,zzz,inactive")
    assert polls(database) == {("s", NOON): (False, "slow", 1)}


@pytest.mark.parametrize("name", ["day", "dayOfWeek", "day_of_week", "DAYOFWEEK"])
def test_the_day_has_three_names(database: Database, name: str) -> None:
    load(database, f"store_id,{name},start_time_local,end_time_local", "a,6,0:00,24:00")
    assert weeks(database) == {"a": [(6, 0, 86_400)]}


def test_a_file_that_breaks_off_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_in, "BLOCK_BYTES", 60)
    load(database, POLLS, f"s,active,{NOON},")
    before = everything(database), sql(database, "SELECT count(*) FROM import_reject")

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    rows = [POLLS, *(f"t{number},active,2023-01-24 00:00:00,\nbad" for number in range(20))]
    with pytest.raises(FileRefusedError, match="cannot be read"):
        import_file(database, Broken("\n".join(rows).encode()), "b.csv", now_us=NOW)
    assert (everything(database), sql(database, "SELECT count(*) FROM import_reject")) == before
