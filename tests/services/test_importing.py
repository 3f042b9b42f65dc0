"""What an import leaves in the database: SEMANTICS, Inputs 4 to 7."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import CursorResult, text

from storewatch.domain.clock import to_us
from storewatch.domain.weekly import ALWAYS
from storewatch.errors import FileRefusedError
from storewatch.formats import csv_in
from storewatch.services import importing, takers
from storewatch.services.hours_from import HoursFrom
from storewatch.services.importing import Imported, Watchers, import_file
from storewatch.storage import imports, verify
from storewatch.storage.db import Database

NOW = to_us(datetime(2023, 2, 1, tzinfo=UTC))
POLLS, HOURS, ZONES = (
    "store_id,status,timestamp_utc,reason",
    "store_id,dayOfWeek,start_time_local,end_time_local",
    "store_id,timezone_str",
)
NOON = "2023-01-22 12:00:00"
COUNTS = ("new", "corrected", "unchanged", "kept", "rejected")


@pytest.fixture(autouse=True)
def nothing_is_wrong_after_it(database: Database) -> Iterator[None]:
    """The whole database is proved sound after every test."""
    yield
    sound(database)


def sound(database: Database) -> None:
    with database.session() as session:
        assert [name for name, wrong in verify.verify(session) if wrong] == []
    sums = "rows_new + rows_corrected + rows_unchanged + rows_kept + rows_rejected"
    assert sql(database, f"SELECT count(*) FROM import WHERE rows_read <> {sums}") == [(0,)]


def sql(database: Database, statement: str) -> list[Any]:
    with database.transaction() as session:
        result = session.execute(text(statement))
        return (
            [tuple(row) for row in result] if isinstance(result, CursorResult) and result.returns_rows else []
        )


def load(database: Database, *lines: str, **options: Any) -> Imported:
    data = "\n".join(lines).encode()
    return import_file(database, io.BytesIO(data), "a.csv", **{"now_us": NOW, **options})


def counts(result: Imported) -> tuple[int, ...]:
    """(new, corrected, unchanged, kept, rejected), after a check that they add up."""
    found = tuple(getattr(result, f"rows_{name}") for name in COUNTS)
    assert sum(found) == result.rows_read
    return found


def polls(database: Database) -> dict[tuple[str, str], tuple[bool, str | None, int | None]]:
    rows = sql(
        database,
        """SELECT store_id, to_char(timestamp_utc AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                  active, reason, import_no
           FROM store_status JOIN store USING (store_key)""",
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def weeks(database: Database) -> dict[str, list[tuple[int, int, int]]]:
    rows = sql(
        database,
        """SELECT store_id, array_agg(ARRAY[m.day, start_s, end_s] ORDER BY m.day, start_s, end_s)
                            FILTER (WHERE m.day IS NOT NULL)
           FROM hours_week JOIN store USING (store_key) LEFT JOIN menu_hours AS m USING (week_no)
           GROUP BY store_id""",
    )
    return {store: [tuple(row) for row in rows_of or []] for store, rows_of in rows}


def zones(database: Database) -> dict[str, tuple[str, int]]:
    rows = sql(
        database, "SELECT store_id, timezone_str, import_no FROM store_timezone JOIN store USING (store_key)"
    )
    return {row[0]: row[1:] for row in rows}


def everything(database: Database) -> list[Any]:
    weeks_of = sql(database, "SELECT store_key, import_no, week_no FROM hours_week ORDER BY 1")
    stores = sql(database, "SELECT store_id, first_poll_at FROM store ORDER BY 1")
    return [polls(database), weeks(database), zones(database), weeks_of, stores]


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


def set_by_hand(database: Database, store: str) -> None:
    sql(database, f"UPDATE store_status SET active = NOT active, import_no = NULL WHERE {of(store)}")


def delete_by_hand(database: Database, which: str) -> None:
    sql(
        database,
        f"""WITH gone AS (DELETE FROM store_status WHERE {which} RETURNING store_key, timestamp_utc)
            INSERT INTO deleted_poll SELECT * FROM gone""",
    )
    tally(database)


def tally(database: Database) -> None:
    """What a deletion must set right beside the polls: `newest` of a day without any must not be left late,
    for an import takes the later of it and its own.
    """
    polls_of_day = "FROM store_status WHERE (timestamp_utc AT TIME ZONE 'UTC')::date = d.day"
    sql(
        database,
        f"""UPDATE store_status_day AS d SET polls = (SELECT count(*) {polls_of_day}),
            newest = coalesce((SELECT max(timestamp_utc) {polls_of_day}), d.day AT TIME ZONE 'UTC')""",
    )
    sql(
        database,
        "UPDATE store AS s SET first_poll_at ="
        " (SELECT min(timestamp_utc) FROM store_status AS p WHERE p.store_key = s.store_key)",
    )


def of(store: str) -> str:
    return f"store_key = (SELECT store_key FROM store WHERE store_id = '{store}')"


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


# --- two at a time --------------------------------------------------------------------------------


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
