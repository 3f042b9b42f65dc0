"""Hours that change: from which local day on a week counts, and what of the past it changes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from storewatch.domain.clock import DAY, parse_instant
from storewatch.domain.hours import open_intervals
from storewatch.domain.week_days import Openings, changed_days
from storewatch.domain.weekly import ALWAYS, since_of
from storewatch.errors import FileRefusedError
from storewatch.services.hours_from import HoursFrom
from storewatch.services.importing import Imported, import_file
from storewatch.storage import clearing, weekly
from storewatch.storage.db import Database
from tests import oracle
from tests.factories import load
from tests.oracle import DEFAULT_ZONE, utc
from tests.strategies import Fleet, fleets
from tests.worked_examples import hours_csv, zone_csv

HEAD = "store_id,day,start_time_local,end_time_local"
NINE = "a,0,9:00,17:00"
TEN = "a,0,10:00,17:00"
POLLS = "store_id,status,timestamp_utc\na,active,2023-01-02 16:00:00\n"  # a Monday
NOW = "2023-01-24T05:30:00Z"
"""still Monday the 23rd in Chicago, Tuesday the 24th in New York"""


def given_hours(
    database: Database,
    *rows: str,
    since: str = "",
    now: str = NOW,
    head: str = HEAD,
    zone: str = DEFAULT_ZONE,
) -> Imported:
    hold = HoursFrom(since_of(since), zone) if since else HoursFrom(default_zone=zone)
    stream = io.BytesIO("\n".join([head, *rows]).encode())
    return import_file(database, stream, "hours.csv", now_us=parse_instant(now), hold=hold)


def weeks(database: Database) -> dict[str, str]:
    """The first day of each week, and its openings."""
    return dict(
        asked(
            database,
            """SELECT valid_from::text, string_agg(concat_ws(' ', m.day, m.start_s / 3600, m.end_s / 3600),
                      ', ' ORDER BY m.day, m.start_s)
               FROM hours_week LEFT JOIN menu_hours AS m USING (week_no) GROUP BY valid_from""",
        )
    )


def asked(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.session() as session:
        return [tuple(row) for row in session.execute(text(query))]


def due(database: Database) -> list[tuple[Any, ...]]:
    return asked(
        database,
        "SELECT to_char(first_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), last_at::text FROM history_due",
    )


def forget_due(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM history_due"))


def counts(result: Imported) -> tuple[int, int, int]:
    return result.rows_new, result.rows_corrected, result.rows_unchanged


# --- From when on ---------------------------------------------------------------------------------


def test_first_hours_count_for_all_the_past_and_others_from_the_local_day_of_the_import(
    database: Database,
) -> None:
    assert counts(given_hours(database, NINE)) == (1, 0, 0)
    assert weeks(database) == {"-infinity": "0 9 17"}
    assert counts(given_hours(database, TEN)) == (0, 1, 0)
    assert weeks(database) == {"-infinity": "0 9 17", "2023-01-23": "0 10 17"}


def test_the_local_day_is_that_of_the_stores_zone_or_the_default_one(database: Database) -> None:
    given_hours(database, NINE)
    given_hours(database, TEN, zone="America/New_York")
    assert set(weeks(database)) == {"-infinity", "2023-01-24"}
    load(database, "store_id,timezone_str\na,Pacific/Auckland\n")
    given_hours(database, NINE, now="2023-02-01T12:00:00Z")
    assert set(weeks(database)) == {"-infinity", "2023-01-24", "2023-02-02"}


def test_the_same_file_every_night_changes_nothing(database: Database) -> None:
    load(database, POLLS)
    given_hours(database, NINE)
    given_hours(database, TEN)
    forget_due(database)
    query = "SELECT week_no, valid_from::text, import_no FROM hours_week ORDER BY week_no"
    before = asked(database, query)
    for night in ("2023-01-25T02:00:00Z", "2024-03-01T02:00:00Z"):
        assert counts(given_hours(database, TEN, TEN, now=night)) == (0, 0, 2)
    assert asked(database, query) == before
    assert due(database) == []


def test_the_week_of_today_again_leaves_one_of_next_week_as_it_is(database: Database) -> None:
    given_hours(database, NINE)
    given_hours(database, TEN, since="2023-02-01")
    assert counts(given_hours(database, NINE)) == (0, 0, 1)
    assert set(weeks(database)) == {"-infinity", "2023-02-01"}


def test_a_second_change_on_a_day_takes_the_place_of_the_first(database: Database) -> None:
    for row in (NINE, TEN, "a,2,8:00,9:00"):
        given_hours(database, row)
    assert weeks(database) == {"-infinity": "0 9 17", "2023-01-23": "2 8 9"}
    given_hours(database, NINE)  # back to what was before: as if nothing had been
    assert weeks(database) == {"-infinity": "0 9 17"}


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("always", {"-infinity": "3 1 2"}),
        ("2022-12-31", {"-infinity": "0 9 17", "2022-12-31": "3 1 2"}),
        ("2023-01-01", {"-infinity": "0 9 17", "2023-01-01": "3 1 2"}),
        ("2023-01-10", {"-infinity": "0 9 17", "2023-01-01": "0 10 17", "2023-01-10": "3 1 2"}),
    ],
)
def test_a_week_takes_the_place_of_all_that_begin_later(
    database: Database, since: str, expected: dict[str, str]
) -> None:
    given_hours(database, NINE)
    given_hours(database, TEN, since="2023-01-01")
    given_hours(database, NINE, since="2023-02-01")
    given_hours(database, "a,3,1:00,2:00", since=since)
    assert weeks(database) == expected


def test_first_hours_count_for_all_the_past_whatever_day_is_named(database: Database) -> None:
    given_hours(database, NINE, since="2023-01-01")
    assert weeks(database) == {"-infinity": "0 9 17"}


def test_a_column_says_it_row_by_row_and_may_tell_several_weeks(database: Database) -> None:
    rows = [f"{NINE},always", f"{TEN},2022-06-01", "a,2,8:00,9:00,2022-06-01", "b,1,8:00,9:00,"]
    head = f"{HEAD},valid_from"
    assert counts(given_hours(database, *rows, head=head)) == (4, 0, 0)
    assert asked(database, "SELECT count(*) FROM hours_week") == [(3,)]
    assert counts(given_hours(database, *rows, head=head, now="2023-05-01T00:00:00Z")) == (0, 0, 4)
    given_hours(database, "a,5,1:00,2:00,", head=head, since="2022-07-01")  # an empty cell: as asked for
    assert set(weeks(database)) == {"-infinity", "2022-06-01", "2022-07-01"}


@pytest.mark.parametrize("cell", ["2023-02-30", "1999-12-31", "2100-01-01", "tomorrow", "Always", "2023-1-1"])
def test_a_cell_that_is_no_day_is_rejected(database: Database, cell: str) -> None:
    result = given_hours(database, f"{NINE},{cell}", head=f"{HEAD},valid_from")
    assert result.rows_rejected == 1
    assert f"valid_from '{cell}' is neither a date like 2023-11-01" in result.rejects[0][1]


def test_a_day_is_asked_for_files_of_hours_only(database: Database) -> None:
    with pytest.raises(FileRefusedError, match="valid-from is for files of menu_hours"):
        given_hours(database, "a,UTC", head="store_id,timezone_str", since="2023-01-01")


# --- What it changes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "first", "days"),
    [
        ("2023-01-16", "2023-01-15 06:00", 1),  # Monday the 16th; the 23rd is today
        ("2023-01-03", "2023-01-02 06:00", 2),
        ("2022-01-03", "2022-01-02 06:00", 3),  # the first poll was made on the 2nd of 2023
        ("2023-01-23", "2023-01-22 06:00", 0),
        ("2023-03-13", "2023-03-12 05:00", 0),  # in summer time
        ("", "2023-01-22 06:00", 0),
    ],
)
def test_what_changes_is_due_from_a_day_before_its_local_midnight_and_past_days_are_told(
    database: Database, since: str, first: str, days: int
) -> None:
    load(database, POLLS)
    given_hours(database, NINE)
    forget_due(database)
    result = given_hours(database, TEN, since=since)
    assert due(database) == [(first, "infinity")]
    assert result.assumptions.get("past_days_changed", 0) == days


def test_a_wrong_week_is_mended_for_all_the_past(database: Database) -> None:
    load(database, POLLS)
    given_hours(database, NINE)
    forget_due(database)
    assert given_hours(database, TEN, since="always").assumptions["past_days_changed"] == 3
    assert due(database) == [(None, "infinity")]
    assert weeks(database) == {"-infinity": "0 10 17"}


def test_what_only_a_later_week_changes_is_due_from_there(database: Database) -> None:
    load(database, POLLS)
    given_hours(database, NINE)
    given_hours(database, TEN, since="2023-01-16")
    forget_due(database)
    assert given_hours(database, NINE, since="always").assumptions["past_days_changed"] == 1
    assert due(database) == [("2023-01-15 06:00", "infinity")]


NIGHT: Openings = ((4, 79_200, 7_200),)  # Friday 22:00 to Saturday 02:00
WHOLE: Openings = tuple((day, 0, 86_400) for day in range(7))
HALVES: Openings = tuple((day, *half) for day in range(7) for half in ((0, 50_000), (40_000, 86_400)))
FRIDAY = 1  # 1970-01-02


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        ([(0, WHOLE)], [(0, HALVES)], 0),
        ([], [(0, WHOLE)], 0),
        ([], [(0, NIGHT)], 70),
        ([(0, NIGHT)], [(0, ())], 20),
        ([(0, NIGHT)], [(0, NIGHT), (FRIDAY + 1, ())], 18),  # the night that began on Friday ends as it would
        ([(0, NIGHT)], [(0, NIGHT), (69, ())], 0),
    ],
)
def test_days_are_counted_whose_open_time_differs(before: Any, after: Any, days: int) -> None:
    assert changed_days(before, after, 0, 70) == days


# --- The same in SQL ------------------------------------------------------------------------------


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fleet=fleets(closed_weeks=False, changing=True))
def test_the_engine_and_the_function_in_sql_have_the_oracles_openings(
    database: Database, fleet: Fleet
) -> None:
    with database.transaction() as session:
        clearing.empty(session)
    load(database, hours_csv(fleet.hours), zone_csv(fleet.zones), now_us=utc("2026-07-01 00:00"))
    until, start = fleet.as_of_us, fleet.as_of_us - 12 * DAY
    with database.session() as session:
        rows = session.execute(text("SELECT store_id, store_key FROM store ORDER BY store_key")).all()
        keys = np.array([row.store_key for row in rows], np.int32)
        found = open_intervals(weekly.schedule(session, keys, DEFAULT_ZONE), start, until)
        told = session.execute(
            text("""SELECT store_id, (extract(epoch FROM opens) * 1000000)::bigint AS opens,
                           (extract(epoch FROM closes) * 1000000)::bigint AS closes
                    FROM opening_hours(CAST(:first AS date), CAST(:last AS date))"""),
            {"first": str(oracle.EPOCH.date().fromordinal(719_163 + start // DAY - 4)), "last": str(
                oracle.EPOCH.date().fromordinal(719_163 + until // DAY + 2))},
        ).all()  # fmt: skip
    for place, row in enumerate(rows):
        week = fleet.rows_of(row.store_id)
        expected = oracle.open_intervals(week, fleet.zone_of(row.store_id), start, until)
        own = found.store == place
        assert list(zip(found.start[own].tolist(), found.end[own].tolist(), strict=True)) == expected
        if week is not None:
            by_sql = [(each.opens, each.closes) for each in told if each.store_id == row.store_id]
            assert oracle.clip(oracle.unite(by_sql), start, until) == expected


def test_a_week_given_by_hand_and_weeks_of_other_stores_are_left_alone(database: Database) -> None:
    given_hours(database, NINE, "b,0,9:00,17:00")
    before = asked(
        database, "SELECT week_no FROM hours_week JOIN store USING (store_key) WHERE store_id = 'b'"
    )
    given_hours(database, TEN, since="always")
    after = asked(
        database, "SELECT week_no FROM hours_week JOIN store USING (store_key) WHERE store_id = 'b'"
    )
    assert after == before
    assert since_of("always") == ALWAYS
