"""Files in, report out, through the front door: every figure against the contract and the oracle."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from storewatch.domain.availability import Policy
from storewatch.domain.clock import from_us
from storewatch.domain.permissions import COMMAND
from storewatch.formats.csv_out import report_csv
from storewatch.services import reporting
from storewatch.services.importing import import_file
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.tables import Report
from storewatch.storage.verify import verify
from tests import oracle
from tests.factories import load
from tests.oracle import DAY, DEFAULT_SEEN_WITHIN, HOUR, MINUTE, SECOND, HoursRow, Poll, utc
from tests.strategies import Fleet, fleets
from tests.worked_examples import (
    MONDAY,
    STORE,
    WORKED_EXAMPLES,
    WorkedExample,
    active,
    hours_csv,
    inactive,
    status_csv,
    zone_csv,
)

NOW = utc("2026-07-01 00:00")
WINDOWS = (HOUR, DAY, 7 * DAY)
FIELD = Path(__file__).parents[2].parent / "shared" / "data" / "2023"
FIELD_T = utc("2023-01-25 18:13:22.47922")

Cells = list[list[str]]


@dataclass(frozen=True)
class Question:
    """What is asked of a report; T by default the newest poll."""

    as_of_us: int | None = None
    policy: oracle.Policy = "nearest"
    max_gap_us: int = DAY
    seen_within_us: int = DEFAULT_SEEN_WITHIN


def make_report(database: Database, question: Question = Question()) -> Report:
    policy = Policy(question.policy)
    request = Request(question.as_of_us, policy, question.max_gap_us, question.seen_within_us)
    return reporting.make_now(database, COMMAND, request, NOW, lambda _: None)


def csv_of(database: Database, report: Report) -> str:
    return b"".join(report_csv(reporting.rows(database, COMMAND, report), report.window_names)).decode()


def cells_of(csv_text: str) -> Cells:
    return list(csv.reader(io.StringIO(csv_text)))


def view_of(database: Database, report: Report) -> Cells:
    """The rows of the SQL view as the CSV would hold them."""
    with database.session() as session:
        rows = session.execute(
            text("SELECT * FROM store_report_classic WHERE report_id = :id ORDER BY store_id"),
            {"id": report.report_id},
        ).all()
    return [["" if cell is None else str(cell) for cell in row[1:]] for row in rows]


def totals_of(database: Database, report: Report) -> dict[str, list[list[int]]]:
    """By store and window: up seen, up inferred, down seen, down inferred, unknown, in microseconds."""
    with database.session() as session:
        rows = session.execute(
            text("""
                SELECT store_id, up_seen_us, up_inferred_us, down_seen_us, down_inferred_us, unknown_us
                FROM store_report JOIN store USING (store_key) WHERE report_no = :no
            """),
            {"no": report.report_no},
        ).all()
    return {row[0]: np.array(row[1:]).T.tolist() for row in rows}


def contradictions(database: Database) -> list[str]:
    """What `storewatch db verify` would find."""
    with database.session() as session:
        return [name for name, count in verify(session) if count]


def empty(database: Database) -> None:
    """Takes everything out, which is quicker than a new database."""
    with database.transaction() as session:
        session.execute(
            text("TRUNCATE import, store, store_timezone, hours_week, menu_hours, deleted_poll,"
                 " store_status_day, report, store_report, import_reject CASCADE")
        )  # fmt: skip
        days = session.execute(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'store_status'::regclass"
            )
        ).scalars()  # fmt: skip
        for day in list(days):
            session.execute(text(f"DROP TABLE {day}"))


# --- The worked examples --------------------------------------------------------------------------


def load_example(database: Database, example: WorkedExample) -> None:
    files = [status_csv(example.polls)]
    files += [hours_csv(example.hours)] if example.hours else []
    files += [zone_csv(example.zones)] if example.zones else []
    load(database, *files, now_us=NOW)


@pytest.mark.parametrize("example", WORKED_EXAMPLES, ids=lambda example: example.name)
def test_worked_example(database: Database, example: WorkedExample) -> None:
    load_example(database, example)
    report = make_report(database, Question(example.as_of_us, example.policy, example.max_gap_us))
    kinds = totals_of(database, report)[STORE][WINDOWS.index(example.back_us)]
    found = sum(kinds[:2]), sum(kinds[2:4]), kinds[4]
    assert found == tuple(s * SECOND for s in (example.up_s, example.down_s, example.unknown_s))
    expected = oracle.report_csv(
        example.polls,
        example.hours,
        example.zones,
        example.as_of_us,
        example.policy,
        example.max_gap_us,
    )
    assert csv_of(database, report) == expected
    assert view_of(database, report) == cells_of(expected)[1:]


# --- Any small fleet ------------------------------------------------------------------------------


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fleet=fleets(closed_weeks=False, changing=True))
def test_the_report_agrees_with_the_oracle(database: Database, fleet: Fleet) -> None:
    empty(database)
    load(database, status_csv(fleet.polls), hours_csv(fleet.hours), zone_csv(fleet.zones), now_us=NOW)
    for as_of_us in (fleet.as_of_us, None):
        question = Question(as_of_us, fleet.policy, fleet.max_gap_us, fleet.seen_within_us)
        report = make_report(database, question)
        expected = oracle.report_csv(fleet.polls, fleet.hours, fleet.zones, *vars(question).values())
        assert csv_of(database, report) == expected
        assert view_of(database, report) == cells_of(expected)[1:]
        assert totals_of(database, report) == oracle_totals(fleet, question)
    assert contradictions(database) == []


def oracle_totals(fleet: Fleet, question: Question) -> dict[str, list[list[int]]]:
    as_of = question.as_of_us or oracle.newest_poll_us(fleet.polls)
    polled = sorted({poll.store_id for poll in fleet.polls if poll.at_us <= as_of})
    return {
        store_id: [window_totals(fleet, store_id, as_of, back) for back in WINDOWS] for store_id in polled
    }


def window_totals(fleet: Fleet, store_id: str, as_of: int, back_us: int) -> list[int]:
    rows, zone = fleet.rows_of(store_id), fleet.zone_of(store_id)
    question = (as_of - back_us, as_of), as_of, fleet.policy, fleet.max_gap_us, fleet.seen_within_us
    found = oracle.totals(fleet.polls_of(store_id), rows, zone, *question)
    return [found.up_seen, found.up_inferred, found.down_seen, found.down_inferred, found.unknown]


# --- The report as a whole ------------------------------------------------------------------------


def cell_row(database: Database, *files: str, question: Question = Question()) -> list[str]:
    load(database, *files, now_us=NOW)
    return cells_of(csv_of(database, make_report(database, question)))[1]


def test_a_store_that_was_open_and_of_which_nothing_is_known_has_empty_cells(database: Database) -> None:
    question = Question(utc("2023-01-25 12:00"), max_gap_us=HOUR)
    row = cell_row(database, status_csv([active("2023-01-23 12:00")]), question=question)
    assert row == [STORE, "", "", "2.00", "", "", "0.00"]


def test_a_store_that_was_not_open_has_zeros(database: Database) -> None:
    polls = status_csv([active("2023-01-26 12:00")])
    row = cell_row(database, polls, hours_csv([HoursRow(STORE, MONDAY, "09:00", "10:00")]))
    assert row == [STORE, "0.00", "0.00", "", "0.00", "0.00", ""]


@pytest.mark.parametrize(("seconds_up", "cell"), [(0.3, "0.01"), (0.299999, "0.00"), (2100.3, "35.01")])
def test_half_a_hundredth_is_rounded_up(database: Database, seconds_up: float, cell: str) -> None:
    until = utc("2023-01-24 00:00")
    edge = until - HOUR + int(seconds_up * SECOND)
    polls = [Poll(STORE, edge - MINUTE, active=True), Poll(STORE, edge + MINUTE, active=False)]
    row = cell_row(database, status_csv(polls), question=Question(until))
    assert row[1] == cell


def test_a_t_before_the_first_poll_gives_the_header_alone(database: Database) -> None:
    load(database, status_csv([active("2023-01-23 12:00")]), now_us=NOW)
    report = make_report(database, Question(utc("2023-01-23 11:59:59")))
    assert csv_of(database, report) == oracle.REPORT_HEADER + "\n"


def test_a_cell_that_a_spreadsheet_would_calculate_is_made_harmless(database: Database) -> None:
    ids = ["+1", "-7", "007", "=1+1", "@sum", "a=b"]
    polls = [Poll(store_id, utc("2023-01-23 12:00"), active=True) for store_id in ids]
    load(database, status_csv(polls), now_us=NOW)
    found = [row[0] for row in cells_of(csv_of(database, make_report(database)))[1:]]
    assert found == ["'+1", "'-7", "007", "'=1+1", "'@sum", "a=b"]


def test_a_correction_stands_and_the_same_file_again_changes_nothing(database: Database) -> None:
    first = status_csv([active("2023-01-23 12:00"), active("2023-01-23 14:00")])
    second = status_csv([inactive("2023-01-23 14:00"), active("2023-01-23 12:00")])
    results = load(database, first, second, second, now_us=NOW)
    counts = [(r.rows_new, r.rows_corrected, r.rows_unchanged) for r in results]
    assert counts == [(2, 0, 0), (0, 1, 1), (0, 0, 2)]
    assert cell_row(database)[1:3] == ["0.00", "23.00"]


def test_a_poll_deleted_by_hand_stays_so_and_is_not_the_newest(database: Database) -> None:
    files = status_csv([active("2023-01-23 12:00"), active("2023-01-23 14:00")])
    with database.transaction() as session:
        session.execute(text("INSERT INTO store (store_id) VALUES (:id)"), {"id": STORE})
        session.execute(text("INSERT INTO deleted_poll SELECT store_key, '2023-01-23 14:00Z' FROM store"))
    result = load(database, files, now_us=NOW)[0]
    assert (result.rows_new, result.rows_kept) == (1, 1)
    report = make_report(database)
    assert report.as_of == from_us(utc("2023-01-23 12:00"))
    assert contradictions(database) == []


def test_a_store_whose_polls_were_all_deleted_by_hand_is_not_in_the_report(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO store (store_id) VALUES ('gone')"))
        session.execute(text("INSERT INTO deleted_poll SELECT store_key, '2023-01-23 12:00Z' FROM store"))
    polls = [Poll("gone", utc("2023-01-23 12:00"), active=True), active("2023-01-23 13:00")]
    load(database, status_csv(polls), now_us=NOW)
    assert [row[0] for row in cells_of(csv_of(database, make_report(database)))[1:]] == [STORE]
    assert contradictions(database) == []


def test_a_day_whose_polls_were_all_deleted_by_hand_can_get_others(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO store (store_id) VALUES (:id)"), {"id": STORE})
        session.execute(text("INSERT INTO deleted_poll SELECT store_key, '2023-01-23 12:00Z' FROM store"))
    load(database, status_csv([active("2023-01-23 12:00")]), now_us=NOW)
    load(database, status_csv([active("2023-01-23 11:00")]), now_us=NOW)
    assert make_report(database).as_of == from_us(utc("2023-01-23 11:00"))
    assert contradictions(database) == []


# --- The field's data -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store_ids() -> list[str]:
    if not FIELD.is_dir():
        pytest.skip("the field's data are not here")
    return (FIELD / "store_ids.txt").read_text().split()


def import_field(database: Database, store_ids: list[str]) -> Iterator[tuple[int, int]]:
    """Hours, zones, and a poll at T of every store; yields rows read and rejected."""
    polls = status_csv([Poll(store_id, FIELD_T, active=True) for store_id in store_ids])
    for name, stream in (
        ("menu_hours.csv", io.BytesIO((FIELD / "menu_hours.csv").read_bytes())),
        ("store_timezone.csv", io.BytesIO((FIELD / "store_timezone.csv").read_bytes())),
        ("polls.csv", io.BytesIO(polls.encode())),
    ):
        result = import_file(database, stream, name, now_us=NOW)
        yield result.rows_read, result.rows_rejected


def test_the_fields_data_come_in_whole_and_give_the_known_scheduled_time(
    database: Database, store_ids: list[str]
) -> None:
    assert list(import_field(database, store_ids)) == [(86_198, 0), (13_559, 0), (14_092, 0)]
    report = make_report(database)
    assert report.as_of == from_us(FIELD_T)
    scheduled = np.array(list(totals_of(database, report).values())).sum(axis=2)
    means = scheduled.mean(axis=0) / (MINUTE, HOUR, HOUR)
    assert means.round(1).tolist() == [49.5, 15.5, 108.6]
    assert (scheduled == 0).sum(axis=0)[:2].tolist() == [1_972, 314]
    assert [row[0] for row in cells_of(csv_of(database, report))[1:]] == sorted(store_ids)
