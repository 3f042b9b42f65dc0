"""Polls that are kept for a time only, and the days that are frozen then."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from storewatch.domain.clock import DAY, HOUR, from_us
from storewatch.domain.permissions import COMMAND
from storewatch.domain.weekly import ALWAYS
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.errors import ReportFailedError, UsageError
from storewatch.services import (
    availability,
    history,
    periods,
    polls,
    proof,
    reporting,
    retention,
    timeline,
    weeks,
)
from storewatch.services.availability import Between
from storewatch.services.chosen import Chosen
from storewatch.services.hours_from import HoursFrom
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.storage import retention as stored
from storewatch.storage import verify
from storewatch.storage.db import Database
from tests.factories import load

USUAL = Request()
FIRST = (date(2023, 3, 1) - date(1970, 1, 1)).days
LAST = FIRST + 39
NOW = (LAST + 1) * DAY
KEEP = 20 * DAY
ZONES = {"east": "Asia/Tokyo", "west": "America/Los_Angeles", "none": None}


@pytest.fixture
def fleet(database: Database) -> Database:
    """Three stores, polled every two hours for forty days, down one day in five; history is made."""
    states = [
        ("inactive" if at // DAY % 5 == 0 else "active", at) for at in range(FIRST * DAY, NOW, 2 * HOUR)
    ]
    rows = [f"{store},{state},{from_us(at):%F %T}" for store in ZONES for state, at in states]
    zones = [f"{store},{zone}" for store, zone in ZONES.items() if zone]
    load(
        database,
        "\n".join(["store_id,status,timestamp_utc", *rows]),
        "\n".join(["store_id,timezone_str", *zones]),
    )
    made(database)
    return database


def made(database: Database) -> None:
    while history.update(database, USUAL):
        pass


def give_hours(database: Database) -> int:
    """An hour a day, for all time. How many past days that changes."""
    hour = [(day, 0, 3600) for day in range(7)]
    return weeks.set_week(database, COMMAND, "east", hour, lambda _: None, NOW, HoursFrom(ALWAYS))[1]


def days(database: Database) -> Any:
    found = periods.by_period(database, COMMAND, Chosen(), "day", Asked(FIRST - 1, LAST + 1), USUAL)
    return found.sums.totals.tolist()


def removed(database: Database) -> int:
    return retention.remove_old_polls(database, KEEP, USUAL, NOW)


def test_figures_of_days_stay_when_their_polls_go(fleet: Database) -> None:
    before = days(fleet)
    assert (removed(fleet), removed(fleet)) == (19, 0)
    assert days(fleet) == before
    made(fleet)
    assert days(fleet) == before
    proved = proof.verify(fleet, USUAL)
    assert (proved.wrong, proved.frozen) == (0, 3 * 22)  # up to 20 March, and in Tokyo from a day later on
    with fleet.session() as session:
        assert not any(wrong for _, wrong in verify.verify(session))


def test_changes_leave_frozen_days_as_they_are_and_reach_all_others(fleet: Database) -> None:
    removed(fleet)
    before = days(fleet)
    give_hours(fleet)
    made(fleet)
    changed = [
        number for number, pair in enumerate(zip(before, days(fleet), strict=True)) if pair[0] != pair[1]
    ]
    assert changed == list(range(changed[0], 42))
    assert from_us((FIRST - 1 + changed[0]) * DAY).date() == date(2023, 3, 22)
    assert proof.verify(fleet, USUAL).wrong == 0


def test_polls_of_the_time_before_are_rejected(fleet: Database) -> None:
    removed(fleet)
    at = (FIRST + 3) * DAY
    result = load(fleet, f"store_id,status,timestamp_utc\neast,active,{from_us(at + 1):%F %T}\n")[-1]
    assert (result.rows_new, result.rows_rejected) == (0, 1)
    assert result.rejects[0][1] == (
        "timestamp_utc '2023-03-04 00:00:00' is before 2023-03-20: polls of that time are not kept"
    )
    with pytest.raises(UsageError, match="are not kept"):
        polls.put(fleet, COMMAND, "east", at, ("active", None), NOW, lambda _: None)


def test_what_needs_polls_that_are_gone_is_refused_and_told_from_when_on_there_are_some(
    fleet: Database,
) -> None:
    removed(fleet)
    chosen, early = Chosen("east"), (FIRST + 15) * DAY
    with pytest.raises(UsageError, match="before 2023-03-20 UTC are not kept"):
        availability.availability(fleet, COMMAND, chosen, USUAL, [Between("range", early)], NOW)
    with pytest.raises(UsageError, match="before 2023-03-20 UTC are not kept"):
        timeline.timeline(fleet, COMMAND, "east", USUAL, early, early + DAY, 10, NOW)
    month = Request(windows=(*CLASSIC, Elapsed("last_month", 30 * DAY)))
    with pytest.raises(ReportFailedError, match="before 2023-03-20 UTC are not kept"):
        reporting.make_now(fleet, COMMAND, month, NOW, lambda _: None)
    assert reporting.make_now(fleet, COMMAND, USUAL, NOW, lambda _: None).status == "complete"


def test_polls_stay_as_long_as_history_is_due_for_their_days(fleet: Database) -> None:
    give_hours(fleet)
    assert removed(fleet) == 0
    made(fleet)
    assert removed(fleet) == 19
    with fleet.session() as session:
        kept = "SELECT min(timestamp_utc)::date::text, min(day)::text FROM store_status, store_status_day"
        assert tuple(session.execute(text(kept)).one()) == ("2023-03-20", "2023-03-20")


def test_a_poll_deleted_by_hand_leaves_the_first_one_known_though_it_is_gone(fleet: Database) -> None:
    removed(fleet)
    before = days(fleet)[:10]
    polls.delete_range(fleet, COMMAND, "east", ((FIRST + 19) * DAY, (FIRST + 25) * DAY), "a test")
    made(fleet)
    assert days(fleet)[:10] == before


def test_polls_that_a_backup_reads_stay_and_nobody_waits_for_long(
    fleet: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "PATIENCE_S", 0.2)
    with fleet.snapshot() as reader:
        reader.execute(text("SELECT count(*) FROM store_status"))
        assert retention.remove_old_polls(fleet, KEEP, USUAL, NOW) == 0
        assert reader.execute(text("SELECT count(*) FROM store_status_day")).scalar() == 40
    assert retention.remove_old_polls(fleet, KEEP, USUAL, NOW) == 19
