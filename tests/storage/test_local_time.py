"""The database's own reading of wall-clock times, its views in local time, and its rounding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from storewatch.domain import zones
from storewatch.formats.csv_out import report_csv
from storewatch.storage import report_rows, reports
from storewatch.storage.copying import Column, copy_rows
from storewatch.storage.db import Database, raw
from storewatch.storage.tables import Report, Store
from tests.domain import clock_changes
from tests.domain.clock_changes import changes, first_occurrence, walls_around
from tests.factories import load, rows_of
from tests.oracle import DAY, HOUR, MINUTE, SECOND, load_zone, to_us

STEP = 30 * 60
SOME_YEARS = [datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2009, 2013)]


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.session() as session:
        yield raw(session)


# --- local_to_utc ---------------------------------------------------------------------------------


@cache
def wall_times(name: str) -> tuple[Column, Column, Column]:
    """Change, wall-clock time and instant by Python, around every change of a zone."""
    zone = load_zone(name)
    rows = [
        (change, to_us(wall.replace(tzinfo=UTC)), first_occurrence(wall, zone))
        for change in changes(name)
        for wall in walls_around(name, change, STEP)
    ]
    change, wall, instant = np.array(rows, np.int64).reshape(-1, 3).T
    return change, wall, instant


def look_alike() -> dict[str, str]:
    """For every name a zone that behaves like it, so that Python is asked once for all of them."""
    first: dict[clock_changes.Behaviour, str] = {}
    return {name: first.setdefault(clock_changes.behaviour(name), name) for name in sorted(zones.names())}


def copy_walls(connection: psycopg.Connection[Any]) -> None:
    """Of zones that behave alike the first gets all its changes, the others those of some years."""
    connection.execute("CREATE TEMP TABLE zone (zone_no int PRIMARY KEY, name text)")
    connection.execute("CREATE TEMP TABLE reading (zone_no int, change bigint, wall bigint, instant bigint)")
    batches: list[list[Column]] = []
    for number, (name, like) in enumerate(look_alike().items()):
        change, wall, instant = wall_times(like)
        some = (name == like) | (change > SOME_YEARS[0]) & (change < SOME_YEARS[1])
        if some.any():
            numbers = np.full(some.sum(), number, np.int32)
            batches.append([numbers, change[some], wall[some], instant[some]])
    connection.cursor().executemany("INSERT INTO zone VALUES (%s, %s)", list(enumerate(look_alike())))
    copy_rows(connection, "COPY reading FROM STDIN (FORMAT binary)", batches)


# PostgreSQL may have other zone data than we: a change counts if it agrees with Python about the time
# on the clock two days, and a moment, before and after it.
LOOKS = (-2 * 86_400, -1, 0, 2 * 86_400)


def copy_looks(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TEMP TABLE look (zone_no int, change bigint, at bigint, clock bigint)")
    batches: list[list[Column]] = []
    for number, like in enumerate(look_alike().values()):
        rows = [(change, change + look) for change in changes(like) for look in LOOKS]
        if rows:
            zone = load_zone(like)
            clock = [datetime.fromtimestamp(at, zone).replace(tzinfo=UTC).timestamp() for _, at in rows]
            change, at = np.array(rows, np.int64).T
            batches.append([np.full(len(rows), number, np.int32), change, at, np.array(clock, np.int64)])
    copy_rows(connection, "COPY look FROM STDIN (FORMAT binary)", batches)


KNOWN = "SELECT zone_no, name FROM zone WHERE lower(name) IN (SELECT lower(name) FROM pg_timezone_names)"
AGREED = f"""
    CREATE TEMP TABLE agreed AS
    SELECT zone_no, name, change,
           bool_and(to_timestamp(at) AT TIME ZONE name = timestamp 'epoch' + clock * interval '1 second') AS agrees
    FROM look JOIN ({KNOWN}) AS known USING (zone_no) GROUP BY zone_no, name, change
"""  # noqa: E501
WRONG = """
    SELECT name, timestamp 'epoch' + wall * interval '1 microsecond' AS wall, found,
           timestamptz 'epoch' + instant * interval '1 microsecond' AS expected
    FROM reading JOIN agreed USING (zone_no, change)
    CROSS JOIN LATERAL (
        SELECT local_to_utc(timestamp 'epoch' + wall * interval '1 microsecond', name) AS found
    ) AS f
    WHERE agrees AND found <> timestamptz 'epoch' + instant * interval '1 microsecond'
    LIMIT 20
"""


def test_wall_clock_times_are_pythons_at_every_change_of_every_zone(
    connection: psycopg.Connection[Any],
) -> None:
    copy_walls(connection)
    copy_looks(connection)
    connection.execute(AGREED)
    unknown = connection.execute(f"SELECT name FROM zone EXCEPT SELECT name FROM ({KNOWN}) AS k").fetchall()
    other = connection.execute("SELECT name, to_timestamp(change) FROM agreed WHERE NOT agrees").fetchall()
    of = connection.execute("SELECT count(*) FROM agreed").fetchone()
    print(f"unknown to PostgreSQL: {unknown}; it disagrees about {len(other)} of {of} changes: {other[:20]}")
    assert len(unknown) < 30
    assert of is not None
    assert len(other) < of[0] / 25
    assert connection.execute(WRONG).fetchall() == []


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        ("2023-03-12 02:15", "America/New_York", "2023-03-12 07:15"),  # skipped: the offset before
        ("2023-11-05 01:30", "America/New_York", "2023-11-05 05:30"),  # twice: the first
        ("2023-10-01 02:15", "Australia/Lord_Howe", "2023-09-30 15:45"),
        ("2022-03-27 00:00", "Asia/Beirut", "2022-03-26 22:00"),
        ("2022-10-29 23:30", "Asia/Beirut", "2022-10-29 20:30"),
        ("2011-12-30 00:00", "Pacific/Apia", "2011-12-30 10:00"),  # a day that never was
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 22:00"),
        ("2011-12-30 23:59:59.999999", "Pacific/Apia", "2011-12-31 09:59:59.999999"),
        ("2011-12-31 00:00", "Pacific/Apia", "2011-12-30 10:00"),
        ("2023-07-01 12:00", "CET", "2023-07-01 10:00"),  # an abbreviation of PostgreSQL's too
        ("2023-07-01 12:00", "EET", "2023-07-01 09:00"),
        ("2023-07-01 12:00", "MET", "2023-07-01 10:00"),
        ("2023-07-01 12:00", "WET", "2023-07-01 11:00"),
        ("2023-01-23 09:00:00.000001", "Asia/Kathmandu", "2023-01-23 03:15:00.000001"),
    ],
)
def test_a_wall_clock_time_is_an_instant(
    connection: psycopg.Connection[Any], wall: str, zone: str, instant: str
) -> None:
    query = "SELECT local_to_utc(%s::timestamp, %s) = %s::timestamptz"
    assert connection.execute(query, [wall, zone, f"{instant}Z"]).fetchone() == (True,)


def test_nothing_is_nothing_and_a_zone_that_is_none_is_an_error(connection: psycopg.Connection[Any]) -> None:
    assert connection.execute("SELECT local_to_utc(NULL, 'UTC')").fetchone() == (None,)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="Mars/Olympus"):
        connection.execute("SELECT local_to_utc('2023-01-01', 'Mars/Olympus')")


# --- Views in local time --------------------------------------------------------------------------

POLLS = """store_id,status,timestamp_utc,reason
a,active,2023-01-23 16:14:00.5 UTC,
a,inactive,2023-07-01 16:14:00 UTC,no answer
b,active,2023-01-23 16:14:00 UTC,
"""
ZONES = "store_id,timezone_str\nb,Asia/Kolkata\nc,America/New_York\nd,Pacific/Apia\n"
HOURS = """store_id,day,start_time_local,end_time_local
a,0,9:00,12:00
a,4,22:00,02:00
b,6,00:00,23:59:00
c,6,02:00,03:00
c,6,02:15,02:45
c,6,01:30,04:00
d,4,09:00,17:00
"""


@pytest.fixture
def small_fleet(database: Database) -> Iterator[psycopg.Connection[Any]]:
    load(database, POLLS, HOURS, ZONES)
    with database.transaction() as session:
        yield raw(session)


def lines(connection: psycopg.Connection[Any], query: str) -> list[str]:
    """Rows as texts, as psql would show them."""
    query = f"SELECT concat_ws(' ', VARIADIC ARRAY(SELECT coalesce(value, '-') FROM json_each_text(to_json(q)))) FROM ({query}) AS q"  # noqa: E501
    return [row[0].replace("T", " ") for row in connection.execute(query.encode()).fetchall()]


def test_polls_are_shown_in_the_stores_time_and_say_whose_zone_it_is(
    small_fleet: psycopg.Connection[Any],
) -> None:
    query = """
        SELECT store_id, status, timestamp_local, timezone_str, zone_given, reason
        FROM store_status_local ORDER BY store_id, timestamp_utc
    """
    assert lines(small_fleet, query) == [
        "a active 2023-01-23 10:14:00.5 America/Chicago false -",
        "a inactive 2023-07-01 11:14:00 America/Chicago false no answer",
        "b active 2023-01-23 21:44:00 Asia/Kolkata true -",
    ]


def test_hours_are_shown_as_times_of_day(small_fleet: psycopg.Connection[Any]) -> None:
    query = """
        SELECT store_id, day, weekday, start_time_local, end_time_local, ends_next_day, timezone_str
        FROM menu_hours_local WHERE store_id IN ('a', 'b') ORDER BY store_id, day
    """
    assert lines(small_fleet, query) == [
        "a 0 Monday 09:00:00 12:00:00 false America/Chicago",
        "a 4 Friday 22:00:00 02:00:00 true America/Chicago",
        "b 6 Sunday 00:00:00 24:00:00 false Asia/Kolkata",
    ]


@pytest.mark.parametrize(
    ("first", "last", "store_id", "expected"),
    [
        (
            "2023-01-20",
            "2023-01-23",
            "a",
            [
                "2023-01-20 01-21 04:00 01-21 08:00 22:00 02:00",
                "2023-01-23 01-23 15:00 01-23 18:00 09:00 12:00",
            ],
        ),
        ("2023-01-21", "2023-01-22", "a", []),
        ("2023-01-22", "2023-01-22", "b", ["2023-01-22 01-21 18:30 01-22 18:30 00:00 00:00"]),
        (  # 02:00 to 03:00 did not occur, 02:15 to 02:45 an hour later
            "2023-03-12",
            "2023-03-12",
            "c",
            [
                "2023-03-12 03-12 06:30 03-12 08:00 01:30 04:00",
                "2023-03-12 03-12 07:15 03-12 07:45 03:15 03:45",
            ],
        ),
        ("2011-12-30", "2011-12-30", "d", ["2011-12-30 12-30 19:00 12-31 03:00 09:00 17:00"]),
    ],
)
def test_opening_hours_as_they_fell(
    small_fleet: psycopg.Connection[Any], first: str, last: str, store_id: str, expected: list[str]
) -> None:
    query = f"""
        SELECT local_day, to_char(opens AT TIME ZONE 'UTC', 'MM-DD HH24:MI') AS opens,
               to_char(closes AT TIME ZONE 'UTC', 'MM-DD HH24:MI') AS closes,
               to_char(opens_local, 'HH24:MI') AS opens_local,
               to_char(closes_local, 'HH24:MI') AS closes_local
        FROM opening_hours('{first}', '{last}') AS h WHERE store_id = '{store_id}' ORDER BY h.opens
    """
    assert lines(small_fleet, query) == expected


def test_the_default_zone_can_be_set_for_a_session(small_fleet: psycopg.Connection[Any]) -> None:
    query = "SELECT DISTINCT store_id, timezone_str FROM {} WHERE store_id < 'c' ORDER BY 1"
    views = ("store_status_local", "menu_hours_local", "opening_hours('2023-01-01', '2023-01-07')")
    small_fleet.execute("SET LOCAL storewatch.default_zone = 'Europe/Dublin'")
    for view in views:
        assert lines(small_fleet, query.format(view))[0] == "a Europe/Dublin"
    small_fleet.execute("SET LOCAL storewatch.default_zone = ''")
    assert lines(small_fleet, query.format(views[0])) == ["a America/Chicago", "b Asia/Kolkata"]


def test_local_times_do_not_depend_on_the_sessions_zone(small_fleet: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT store_id, local_day, opens_local, closes_local FROM opening_hours('2023-01-01', '2023-12-31')"
    )
    expected = sorted(lines(small_fleet, query))
    small_fleet.execute("SET LOCAL TIME ZONE 'Pacific/Auckland'")
    assert sorted(lines(small_fleet, query)) == expected
    assert len(expected) > 200


# --- The classic report as a view -----------------------------------------------------------------

TIES = (0, 1, 299_999, 300_000, 300_001, 17_999_999, 18_000_000, 18_000_001, 53_999_999, 54_000_000)
AMOUNTS = (
    st.sampled_from(TIES) | st.integers(0, 168 * HOUR) | st.integers(0, 7000).map(lambda n: n * 18 * SECOND)
)
NAMES = {"last_hour": HOUR, "last_day": DAY, "last_week": 7 * DAY, "last_minute": MINUTE}
STORES = ["1", "10", "9", "a, b", 'say "no"', "\uff21", "\U0001f355"]


def add_report(session: Session, names: list[str], totals: np.ndarray[Any, np.dtype[np.int64]]) -> Report:
    moment = datetime(2023, 1, 25, tzinfo=UTC)
    report = reports.add(
        session,
        {
            "report_id": uuid4(),
            "policy": "nearest",
            "max_gap_us": DAY,
            "seen_within_us": 45 * MINUTE,
            "default_zone": "UTC",
            "window_names": names,
            "window_us": [NAMES[name] for name in names],
            "storewatch_version": "1",
            "zone_data_version": "1",
        },
    )
    session.execute(
        text("UPDATE report SET status = 'complete', finished_at = :at, as_of = :at, summary = '{}'"
             " WHERE report_no = :no"),
        {"at": moment, "no": report.report_no},
    )  # fmt: skip
    keys = session.execute(insert(Store).returning(Store.store_key), [{"store_id": s} for s in STORES])
    store_keys = np.array(list(keys.scalars()), np.int32)[: len(totals)]
    report_rows.add(session, report, store_keys, *rows_of(totals))
    return report


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    names=st.permutations(list(NAMES)),
    amounts=st.lists(st.tuples(*[AMOUNTS | st.just(0)] * 24), min_size=1, max_size=len(STORES)),
)
def test_the_classic_view_holds_what_the_csv_holds(
    database: Database, names: list[str], amounts: list[tuple[int, ...]]
) -> None:
    totals = np.array(amounts, np.int64).reshape(-1, 4, 6)
    with Session(database.engine) as session:  # and nothing is committed
        report = add_report(session, names, totals)
        made = b"".join(report_csv(report_rows.frames(session, report), report.window_names)).decode()
        view = session.execute(
            text("SELECT * FROM store_report_classic WHERE report_id = :id ORDER BY store_id"),
            {"id": report.report_id},
        ).all()
    found = [["" if cell is None else str(cell) for cell in row[1:]] for row in view]
    assert found == list(csv.reader(io.StringIO(made)))[1:]
    assert len(found) == len(totals)


def test_a_day_of_the_opening_hours_is_the_stores_own(small_fleet: psycopg.Connection[Any]) -> None:
    rows = small_fleet.execute("SELECT DISTINCT local_day FROM opening_hours('2023-01-20', '2023-01-23')")
    assert {row[0] for row in rows} == {date(2023, 1, 20), date(2023, 1, 22), date(2023, 1, 23)}
