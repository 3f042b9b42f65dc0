"""History: kept up by jobs, read so that it is never stale, always what the engine says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from storewatch.domain.availability import Policy
from storewatch.domain.clock import HOUR
from storewatch.domain.permissions import COMMAND
from storewatch.domain.weekly import ALWAYS
from storewatch.services import history, periods, proof, sight, weeks
from storewatch.services.chosen import Chosen
from storewatch.services.hours_from import HoursFrom
from storewatch.services.periods import Asked, ByPeriod
from storewatch.services.reporting import Request
from storewatch.storage import history as marks
from storewatch.storage import polls
from storewatch.storage.db import Database
from tests.factories import CHICAGO_MONDAY, load, load_chicago
from tests.services.by_engine import assert_equal

USUAL = Request()
MONDAY = 19_380
"""2023-01-23, counted from 1970"""


def worked_off(database: Database, request: Request = USUAL) -> int:
    """Runs jobs until nothing is due; returns how many."""
    count = 1
    while history.update(database, request):
        count += 1
    return count


def stored(database: Database, what: str = "count(*)") -> object:
    with database.session() as session:
        return session.execute(text(f"SELECT {what} FROM store_day")).scalar()


def due(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM history_due")).scalar_one())


def proved(database: Database, request: Request = USUAL) -> bool:
    """Whether all is stored, nothing due, and everything as the engine says."""
    proved = proof.verify(database, request)
    wrong, compared = proved.wrong, proved.compared
    return (wrong, due(database), compared) == (0, 0, stored(database))


def month(database: Database, by: str = "month", request: Request = USUAL) -> ByPeriod:
    return periods.by_period(database, COMMAND, Chosen(), by, Asked(MONDAY - 22, MONDAY + 8), request)


# --- the job --------------------------------------------------------------------------------------


def test_a_first_poll_that_comes_just_as_a_job_begins_is_not_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is later than all others, by an hour of the same day: only its mark says that the day before, into
    which it speaks, is to be computed with it.
    """
    load(database, "store_id,timezone_str\na,UTC\nb,UTC\n")
    load(database, "store_id,status,timestamp_utc\nb,active,2023-01-24 01:00:00\n")
    worked_off(database)
    load(database, "store_id,status,timestamp_utc\nb,active,2023-01-24 01:30:00\n")
    newest = polls.newest

    def and_one_comes(session: Session) -> int | None:
        monkeypatch.setattr(polls, "newest", newest)
        found = newest(session)
        load(database, "store_id,status,timestamp_utc\na,active,2023-01-24 02:00:00\n")
        return found

    monkeypatch.setattr(polls, "newest", and_one_comes)
    worked_off(database)
    worked_off(database)  # the job that the poll itself asked for
    assert proved(database)


def test_a_job_stores_the_days_from_the_one_on_in_which_the_first_poll_speaks(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    assert stored(database, "string_agg(day || ' ' || complete || ' ' || outages, ', ' ORDER BY day)") == (
        "2023-01-22 true 0, 2023-01-23 false 1"
    )
    assert (
        stored(database, "string_agg(up_seen_us + up_inferred_us || '', ',' ORDER BY day)") == "0,6270000000"
    )
    assert proved(database)


@pytest.mark.parametrize(
    "file",
    [
        "store_id,status,timestamp_utc\n1,active,2023-01-23 17:15:00\n",
        "store_id,status,timestamp_utc\n2,active,2023-01-25 00:00:00\n",
        "store_id,status,timestamp_utc\n1,active,2022-12-01 16:15:00\n",
        "store_id,day,start_time_local,end_time_local,valid_from\n1,0,22:00,02:00,always\n",
        "store_id,timezone_str\n1,Asia/Tokyo\n",
    ],
    ids=["a correction", "a later poll of another store", "an earlier poll", "hours", "a zone"],
)
def test_what_an_import_changes_is_read_at_once_and_stored_by_the_next_job(
    database: Database, file: str
) -> None:
    load_chicago(database)
    worked_off(database)
    before = month(database, "day")
    load(database, file)
    read = month(database, "day")
    assert read.sums.totals.tolist() != before.sums.totals.tolist()
    assert_equal(database, MONDAY - 60, MONDAY + 9, USUAL)
    worked_off(database)
    assert proved(database)
    assert month(database, "day").sums.totals.tolist() == read.sums.totals.tolist()


def test_a_file_that_changes_nothing_makes_nothing_due(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    load(database, CHICAGO_MONDAY)
    assert due(database) == 0


def test_hours_and_zone_set_by_hand_are_followed(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    for wanted in ([(0, 0, 86_400)], [], None):
        weeks.set_week(database, COMMAND, "1", wanted, lambda _: None, 0, HoursFrom(ALWAYS))
        worked_off(database)
        assert proved(database)
    weeks.set_zone(database, COMMAND, "1", "Pacific/Auckland", lambda _: None)
    worked_off(database)
    assert proved(database)


def test_other_settings_make_all_days_anew(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    other = replace(USUAL, seen_within=HOUR, default_zone="Asia/Tokyo")
    read = month(database, request=other)
    worked_off(database, other)
    assert proved(database, other)
    assert month(database, request=other).sums.totals.tolist() == read.sums.totals.tolist()
    assert month(database).sums.totals.tolist() != read.sums.totals.tolist()


def test_days_of_a_store_without_polls_go(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    with database.transaction() as session:
        session.execute(text("DELETE FROM store_status"))
        session.execute(text("DELETE FROM store_status_day"))
        session.execute(text("UPDATE store SET first_poll_at = NULL"))
    worked_off(database)
    assert stored(database) == 0
    assert proved(database)


@pytest.mark.parametrize(("stores", "rows"), [(3, 3), (1001, 1)])
def test_an_import_marks_few_stores_one_by_one_and_many_at_once(
    database: Database, stores: int, rows: int
) -> None:
    lines = [f"{store},active,2023-01-23 12:{store % 60:02d}:00\n" for store in range(stores)]
    load(database, "store_id,status,timestamp_utc\n" + "".join(lines))
    assert due(database) == rows


@pytest.mark.parametrize("stores", [1, 1001])
@pytest.mark.parametrize("at", ["2023-01-15 00:00:00", "2023-01-15 12:00:00", "2023-01-15 23:59:59"])
def test_a_poll_changes_the_days_on_either_side_of_its_own(database: Database, stores: int, at: str) -> None:
    def polls(*instants: str) -> str:
        lines = [f"{store},active,{instant}\n" for store in range(stores) for instant in instants]
        return "store_id,status,timestamp_utc\n" + "".join(lines)

    zones = "store_id,timezone_str\n" + "".join(f"{store},UTC\n" for store in range(stores))
    load(database, zones, polls("2023-01-10 12:00:00", "2023-01-20 12:00:00"))
    worked_off(database)
    load(database, polls(at))
    assert_equal(database, MONDAY - 22, MONDAY + 8, USUAL)
    worked_off(database)
    assert proved(database)


def test_marks_that_are_covered_by_others_are_not_added_again(database: Database) -> None:
    load_chicago(database)
    for minute in range(3):
        load(database, f"store_id,status,timestamp_utc\n1,active,2023-01-23 10:{minute:02d}:00\n")
    assert due(database) == 2  # the polls of one day, and all time by the hours


def test_an_outage_over_midnight_is_counted_once_in_the_month(database: Database) -> None:
    down, up = "1,inactive,2023-01-23 16:00:00\n", "1,active,2023-01-26 00:00:00\n"
    load(database, "store_id,status,timestamp_utc\n" + down + up)
    worked_off(database)
    days, whole = month(database, "day"), month(database)
    assert days.sums.outages[days.sums.days > 0].tolist() == [1, 1, 1, 0]
    assert whole.sums.outages.tolist() == [1]
    assert len(assert_equal(database, MONDAY - 22, MONDAY + 8, USUAL)) == 4


def test_each_job_waits_once_in_a_queue_beside_reports(database: Database) -> None:
    load_chicago(database)
    load(database, "store_id,status,timestamp_utc\n1,active,2023-01-24 16:00:00\n")
    with database.session() as session:
        columns = "task_name, priority, queueing_lock"
        query = text(f"SELECT {columns} FROM procrastinate_jobs WHERE queue_name = 'history' ORDER BY id")
        jobs = [tuple(job) for job in session.execute(query)]
    assert jobs == [(task, -1, task) for task in ("pack_polls", "update_history")]


def test_a_long_history_is_made_in_many_jobs_each_of_which_defers_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "_BOX", 3)
    monkeypatch.setattr(history, "_STORES_AT_ONCE", 4)
    lines = [f"{store},active,2023-01-2{day} 12:00:00\n" for store in range(9) for day in (1, 4)]
    load(database, "store_id,status,timestamp_utc\n" + "".join(lines))
    assert worked_off(database) == 4  # three stores at a time, of the next four
    assert proved(database)
    assert len(assert_equal(database, MONDAY - 22, MONDAY + 8, USUAL)) == 9 * 5


def test_a_job_that_ends_between_its_days_and_its_marks_leaves_nothing_that_no_one_mends(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_chicago(database)
    worked_off(database)
    with monkeypatch.context() as failing:
        failing.setattr(marks, "done", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            history.update(database, replace(USUAL, policy=Policy.PREVIOUS))
    worked_off(database)
    assert proof.verify(database, USUAL).wrong == 0


def test_the_proof_counts_days_that_are_wrong_lacking_or_too_many(database: Database) -> None:
    load_chicago(database)
    worked_off(database)
    for wrong, statement in enumerate(
        (
            "UPDATE store_day SET down_by_hour_us[11] = 1 WHERE day = '2023-01-23'",
            "DELETE FROM store_day WHERE day = '2023-01-22'",
            "UPDATE store_day SET day = '2023-01-24' WHERE day = '2023-01-23'",
        )
    ):
        with database.transaction() as session:
            session.execute(text(statement))
        assert proof.verify(database, USUAL).wrong == wrong + 1
