"""Levels of single stores, told by what is kept of all: the same as each by itself, on its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.clock import to_us
from storewatch.services import budgets, history, level_status
from storewatch.services.budget_singles import standing
from storewatch.services.level_status import Looks
from storewatch.services.reporting import Request
from storewatch.storage import service_levels
from storewatch.storage.db import Database
from tests.factories import load

NOW = datetime(2023, 1, 30, 5, tzinfo=UTC)
"""A Monday: in Honolulu it is Sunday still, in Kiritimati it has been Monday for 19 hours."""

ZONES = ["Pacific/Honolulu", "America/Chicago", "UTC", "Asia/Tokyo", "Pacific/Kiritimati"]


@pytest.fixture
def fleet(database: Database) -> Database:
    """A store in each zone, polled every hour for 40 days, down one hour in seven."""
    polls = [
        f"{zone},{'inactive' if hour % 7 == number else 'active'},{NOW - timedelta(hours=hour):%F %T}"
        for number, zone in enumerate(ZONES)
        for hour in range(40 * 24)
    ]
    load(
        database,
        "\n".join(["store_id,status,timestamp_utc", *polls, ""]),
        "\n".join(["store_id,timezone_str", *(f"{zone},{zone}" for zone in ZONES), ""]),
    )
    while history.update(database, Request()):
        pass
    return database


def level(fleet: Database, store_id: str, **more: Any) -> None:
    terms: dict[str, Any] = {
        "period": "week",
        "measure": "availability",
        "target": 80,
        "unknown_as": "ignored",
    }
    values = terms | {"min_outage_s": 0} | more
    with fleet.transaction() as session:
        session.execute(
            text("""
                INSERT INTO service_level
                    (name, store_key, period, measure, target, unknown_as, min_outage_s)
                SELECT store_id, store_key, :period, :measure, :target, :unknown_as, :min_outage_s
                FROM store WHERE store_id = :store_id
            """),
            values | {"store_id": store_id},
        )


def test_they_stand_as_each_by_itself_does_and_at_most_once(fleet: Database) -> None:
    for zone in ZONES:
        for period in ("week", "month", "quarter"):
            level(fleet, zone, period=period)
            level(fleet, zone, period=period, unknown_as="down", target=95)
            level(fleet, zone, period=period, measure="outages", target=3)
    with fleet.snapshot() as session:
        looks = Looks(session, Request())
        found = {each.level.level_no: each for each in service_levels.those(session, range(1, 100))}
        told = list(standing(looks, [each.level for each in found.values()]))
        used = [each for each in told if each.verdict.used]
        single = {no: level_status.within(looks, each, 1).items[0] for no, each in found.items()}
    assert len(used) == len({each.level_no for each in used}) == len(found) == 45
    assert {
        each.level_no: (each.span.first_day, each.verdict.used, each.verdict.budget) for each in used
    } == {no: (item.first_day, item.verdict.used, item.verdict.budget) for no, item in single.items()}
    assert len({each.span.first_day for each in used if each.span.period == "week"}) == 2


@pytest.mark.parametrize(("shortest", "told"), [(0, 1), (60, 1), (7200, 0)])
def test_outages_that_are_too_short_use_nothing(fleet: Database, shortest: int, told: int) -> None:
    level(fleet, "UTC", measure="outages", target=0, min_outage_s=shortest)
    budgets.look(fleet, Request(), to_us(NOW))
    with fleet.session() as session:
        assert session.execute(text("SELECT count(*) FROM incident")).scalar_one() == told
