"""The views of history say what the API says, and nothing of what is due."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.permissions import COMMAND
from storewatch.services import history, periods
from storewatch.services.chosen import Chosen
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.factories import load, load_chicago

NEXT_DAY = "store_id,status,timestamp_utc\n1,active,2023-01-24 18:00:00\n2,inactive,2023-01-25 06:00:00\n"
LATER = "store_id,status,timestamp_utc\n1,active,2023-01-24 19:00:00\n"


def rows(database: Database, by: str) -> list[Any]:
    with database.session() as session:
        query = f"SELECT * FROM store_availability_by_{by} ORDER BY store_id, local_{by}"
        return list(session.execute(text(query)).mappings())


@pytest.mark.parametrize("by", ["day", "month"])
def test_a_view_says_what_the_api_says(database: Database, by: str) -> None:
    load_chicago(database)
    load(database, NEXT_DAY)
    assert rows(database, by) == []
    while history.update(database, Request()):
        pass
    found = [row for row in rows(database, by) if row["store_id"] == "1"]
    asked = Asked(19_358, 19_389)  # the whole month
    told = periods.by_period(database, COMMAND, Chosen("1"), by, asked, Request())
    down = [
        sum(totals[2:4]) / 3.6e9
        for totals, days in zip(told.sums.totals, told.sums.days, strict=True)
        if days
    ]
    assert [float(row["downtime_hours"]) for row in found] == [round(hours, 2) for hours in down]
    assert [row["outages"] for row in found] == [
        n for n, d in zip(told.sums.outages, told.sums.days, strict=True) if d
    ]
    if by == "month":
        assert [row["availability"] for row in found] == [6270 / 10800]


def test_what_is_due_is_left_out_and_comes_back(database: Database) -> None:
    load_chicago(database)
    load(database, NEXT_DAY)
    while history.update(database, Request()):
        pass
    before = rows(database, "day")
    load(database, LATER)
    assert {row["store_id"] for row in rows(database, "day")} == {"2"}
    assert [row["store_id"] for row in rows(database, "month")] == ["2"]
    while history.update(database, Request()):
        pass
    assert len(rows(database, "day")) == len(before)
