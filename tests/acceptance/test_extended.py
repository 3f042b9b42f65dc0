"""The extended form through the front door, against the oracle: every figure of every window."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.availability import Policy
from storewatch.domain.permissions import COMMAND
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.services import report_figures, reporting, reports
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from storewatch.storage.tables import Report
from tests import oracle
from tests.acceptance.test_figures import NOW, empty
from tests.factories import load
from tests.oracle import DAY, MINUTE
from tests.strategies import Fleet, fleets
from tests.worked_examples import hours_csv, status_csv, zone_csv

LENGTHS = st.lists(st.integers(MINUTE, 40 * DAY), max_size=3)
TIMES = ("open", "up", "down", "unknown", "seen", "inferred", "longest_outage", "down_min", "down_max")

SUMMED = ("open", "up", "down", "unknown", "seen", "down_min", "down_max")


def windows_of(lengths: list[int]) -> tuple[Elapsed, ...]:
    return (*CLASSIC, *(Elapsed(f"w{number}", length) for number, length in enumerate(lengths)))


def lines_of(database: Database, report: Report) -> list[dict[str, str]]:
    file = b"".join(reports.file(database, COMMAND, report, "csv", extended=True))
    return list(csv.DictReader(io.StringIO(file.decode())))


def expected(fleet: Fleet, store_id: str, as_of: int, length: int) -> dict[str, int]:
    """Microseconds, and how many outages."""
    polls, rows, zone = fleet.polls_of(store_id), fleet.rows_of(store_id), fleet.zone_of(store_id)
    window = as_of - length, as_of
    total = oracle.totals(
        polls, rows, zone, window, as_of, fleet.policy, fleet.max_gap_us, fleet.seen_within_us
    )
    found = oracle.outages(polls, rows, zone, window, as_of, fleet.policy, fleet.max_gap_us)
    least, most = oracle.bounds(polls, rows, zone, window, as_of, fleet.max_gap_us)
    lengths = [sum(end - start for start, end in outage.parts) for outage in found]
    return {
        "open": total.open,
        "up": total.up,
        "down": total.down,
        "unknown": total.unknown,
        "seen": total.up_seen + total.down_seen,
        "inferred": total.up_inferred + total.down_inferred,
        "outages": len(lengths),
        "longest_outage": max(lengths, default=0),
        "down_min": least,
        "down_max": most,
    }


def told(line: dict[str, str], window: str) -> dict[str, int]:
    found = {name: int(line[f"{name}_seconds_{window}"].replace(".", "")) for name in TIMES}
    return found | {"outages": int(line[f"outages_{window}"])}


def shares(line: dict[str, str], window: str) -> Iterator[tuple[str, float | None]]:
    for name in ("coverage", "availability"):
        cell = line[f"{name}_{window}"]
        yield name, float(cell) if cell else None


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fleet=fleets(closed_weeks=False), lengths=LENGTHS)
def test_the_extended_report_agrees_with_the_oracle(
    database: Database, fleet: Fleet, lengths: list[int]
) -> None:
    empty(database)
    load(database, status_csv(fleet.polls), hours_csv(fleet.hours), zone_csv(fleet.zones), now_us=NOW)
    windows = windows_of(lengths)
    policy = Policy(fleet.policy)
    request = Request(fleet.as_of_us, policy, fleet.max_gap_us, fleet.seen_within_us, windows=windows)
    report = reporting.make_now(database, COMMAND, request, NOW, lambda _: None)
    lines = lines_of(database, report)
    polled = {poll.store_id for poll in fleet.polls if poll.at_us <= fleet.as_of_us}
    assert [line["store_id"] for line in lines] == sorted(polled)
    for line in lines:
        store_id = line["store_id"]
        assert line["hours_given"] == str(any(row.store_id == store_id for row in fleet.hours)).lower()
        assert line["zone_given"] == str(store_id in fleet.zones).lower()
        for window in windows:
            figures = told(line, window.name)
            assert figures == expected(fleet, store_id, fleet.as_of_us, window.length_us)
            assert figures["up"] + figures["down"] + figures["unknown"] == figures["open"]
            known = figures["up"] + figures["down"]
            assert dict(shares(line, window.name)) == {
                "coverage": figures["seen"] / figures["open"] if figures["open"] else None,
                "availability": figures["up"] / known if known else None,
            }
    assert_the_summary_is_the_sum(report, lines)


def assert_the_summary_is_the_sum(report: Report, lines: list[dict[str, str]]) -> None:
    for window in report_figures.of(report).windows:
        rows = [told(line, window.name) for line in lines]
        sums = {name: sum(row[name] for row in rows) for name in SUMMED}
        assert sums == {name: getattr(window, name) for name in sums}
