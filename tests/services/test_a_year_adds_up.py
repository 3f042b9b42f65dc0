"""A year in five zones with clock changes and exceptions: days, weeks, months and the year agree."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import text

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.permissions import COMMAND
from storewatch.domain.windows import midnights
from storewatch.services import availability, exception_marks, periods
from storewatch.services.availability import Between
from storewatch.services.chosen import Chosen
from storewatch.services.importing import import_file
from storewatch.services.periods import Asked, ByPeriod
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.truth_tables import ExceptionRow
from tests.factories import load
from tests.services.test_history_fleets import YEAR, ZONES, a_year, weeks_of, work_off

ADJUSTED = Request()
RAW = replace(ADJUSTED, raw=True)
FIRST, LAST = YEAR[0] + 25, YEAR[1] - 3
"""Local days from and to which every store is polled."""

STORES = 15
NOW = (YEAR[1] + 1) * DAY


def except_(database: Database, effect: str, start: str, end: str, **more: object) -> None:
    """An exception on the clocks of all stores."""
    times = {"start_local": datetime.fromisoformat(start), "end_local": datetime.fromisoformat(end)}
    with database.transaction() as session:
        row = ExceptionRow(effect=effect, note="a test", **times, **more)
        session.add(row)
        session.flush()
        exception_marks.mark(session, row)


@pytest.fixture
def year(database: Database) -> Database:
    zones = "store_id,timezone_str\n" + "".join(f"{n},{ZONES[n % 5]}\n" for n in range(STORES))
    load(database, zones, weeks_of(STORES))
    import_file(database, io.BytesIO(a_year(STORES).encode()), "year.csv", now_us=None)
    except_(database, "closed", "2023-12-25 00:00", "2023-12-27 00:00")
    except_(database, "other_hours", "2023-04-09 00:00", "2023-04-10 00:00", openings=[36_000, 7_200])
    except_(database, "excluded", "2023-03-05 01:00", "2023-03-05 04:00", rrule="FREQ=WEEKLY;BYDAY=SU")
    except_(database, "ignore_polls", "2023-06-01 00:00", "2023-06-03 12:00")
    except_(database, "down", "2023-10-28 20:00", "2023-10-29 05:00")
    except_(database, "up", "2023-09-02 20:00", "2023-09-03 05:00")
    work_off(database)
    return database


def told(database: Database, store: int, by: str, request: Request) -> ByPeriod:
    return periods.by_period(database, COMMAND, Chosen(str(store)), by, Asked(FIRST, LAST), request)


def between_midnights(database: Database, store: int, request: Request) -> list[int]:
    """The engine's word on the whole time at once."""
    days: Int64 = np.array([[FIRST, LAST + 1]])
    start, end = midnights(days, np.zeros(1, np.int32), (ZONES[store % 5],))[0].tolist()
    asked = [Between("year", start, end)]
    found = availability.availability(database, COMMAND, Chosen(str(store)), request, asked, NOW)
    return found.windows[0].totals


@pytest.mark.slow
@pytest.mark.parametrize("request_", [ADJUSTED, RAW], ids=["adjusted", "raw"])
def test_days_weeks_and_months_add_up_to_the_year(year: Database, request_: Request) -> None:
    for store in range(STORES):
        whole = between_midnights(year, store, request_)
        for by in ("day", "week", "month"):
            found = told(year, store, by, request_).sums
            assert found.totals.sum(axis=0).tolist() == whole
            assert (found.down_min <= found.totals[:, 2:4].sum(axis=1)).all()
            assert (found.down_max >= found.totals[:, 2:4].sum(axis=1)).all()


@pytest.mark.slow
def test_raw_and_adjusted_open_time_differ_by_the_hours_alone(year: Database) -> None:
    """An exception of hours changes the open time on its days; the others change how it is told."""
    other_hours = {day_of("2023-04-09"), day_of("2023-12-25"), day_of("2023-12-26")}
    other_hours |= {day + 1 for day in other_hours}  # what closes after midnight
    for store in range(STORES):
        plain, adjusted = (told(year, store, "day", each).sums.totals for each in (RAW, ADJUSTED))
        differing = np.flatnonzero(plain.sum(axis=1) != adjusted.sum(axis=1)) + FIRST
        assert set(differing.tolist()) <= other_hours
        assert not plain[:, 5].any()


def day_of(text_: str) -> int:
    return (datetime.fromisoformat(text_) - datetime(1970, 1, 1)).days  # noqa: DTZ001


@pytest.mark.slow
def test_without_its_exceptions_the_year_is_as_it_was(year: Database) -> None:
    before = [told(year, store, "day", RAW).sums.totals.tolist() for store in range(STORES)]
    with year.transaction() as session:
        rows = session.query(ExceptionRow).all()
        session.execute(text("UPDATE exception SET undone_at = now()"))
        for row in rows:
            exception_marks.mark(session, row)
    work_off(year)
    for request in (ADJUSTED, RAW):
        after = [told(year, store, "day", request).sums.totals.tolist() for store in range(STORES)]
        assert after == before
