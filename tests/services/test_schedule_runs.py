"""What the clock begins, with a clock of our own: over the changes of the clocks of five zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from storewatch.domain.clock import DAY, HOUR, from_us
from storewatch.domain.permissions import GroupRole
from storewatch.domain.schedules import Timetable
from storewatch.services import schedule_runs
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.domain.test_schedules import ZONES, both
from tests.oracle import load_zone
from tests.scheduling import Clockwork
from tests.web.service import Service

MINUTES = (0, 30, 120, 150, 480)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("number", [0, 1])
def test_each_local_run_is_begun_exactly_once_over_a_change_of_the_clocks(
    database: Database, zone: str, number: int
) -> None:
    clock, service = Clockwork(database), Service(database)
    service.group("maple")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    start = both(zone)[number] // DAY * DAY - 2 * DAY
    for minute in MINUTES:
        made = clock.make("mia@maple.example", name=str(minute), minute=minute, zone=zone)
        first = Timetable("day", None, minute, zone).next_run(start)
        clock.write(
            "UPDATE schedule SET next_run_at = :at WHERE schedule_id = :id", at=from_us(first), id=made
        )
    for at in range(start, start + 6 * DAY, HOUR // 2):
        schedule_runs.begin(database, Request(), at)
    runs = clock.rows("""
        SELECT s.minute, array_agg(r.due_at ORDER BY r.due_at), count(d.delivery_no)
        FROM schedule AS s JOIN schedule_run AS r USING (schedule_no) LEFT JOIN delivery AS d USING (run_no)
        GROUP BY s.minute ORDER BY s.minute""")
    assert [minute for minute, _, _ in runs] == list(MINUTES)
    for minute, due, sent in runs:
        shown = [at.astimezone(load_zone(zone)).replace(tzinfo=None) for at in due]
        days = [at.date() for at in shown]
        assert days == [days[0] + timedelta(days=day) for day in range(len(days))]
        assert len(days) == sent >= 5
        wall = [datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute) for day in days]
        late = [one - other for one, other in zip(shown, wall, strict=True) if one != other]
        assert len(late) <= 1
        assert all(timedelta() < each <= timedelta(hours=1) for each in late)


def test_a_month_without_a_31st_runs_on_its_last_day_once(database: Database) -> None:
    clock, service = Clockwork(database), Service(database)
    service.group("maple")
    service.person("mia@maple.example", maple=GroupRole.MANAGER)
    clock.make("mia@maple.example", every="month", on_day=31, minute=480)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    clock.write("UPDATE schedule SET next_run_at = :at", at=start.replace(day=31, hour=8))
    for day in range(366):
        at = start + timedelta(days=day, hours=9)
        schedule_runs.begin(database, Request(), int(at.timestamp()) * 1_000_000)
    found = [
        row[0].astimezone(UTC).date() for row in clock.rows("SELECT due_at FROM schedule_run ORDER BY 1")
    ]
    last = [date(2024, month, 1) - timedelta(days=1) for month in range(2, 13)]
    assert found == [*last, date(2024, 12, 31)]
