"""`storewatch compare`: programs that are wrong on purpose, each in one way, and whether it finds the way.

The other programs are the oracle, which shares no code with storewatch, given something else to work on.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storewatch.services.importing import import_file
from storewatch.storage.db import Database
from tests import oracle
from tests.acceptance.conftest import storewatch
from tests.comparing import (
    HOURS,
    NOW,
    OURS,
    POLLS,
    STORES,
    UNITS,
    ZONES,
    Fleet,
    T,
    compared,
    daily,
    differing,
    polls_of,
)
from tests.factories import load
from tests.oracle import DAY, DEFAULT_SEEN_WITHIN, HOUR, MINUTE, HoursRow, Poll, utc
from tests.worked_examples import hours_csv, status_csv, zone_csv

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(database_url: str, database: Database) -> dict[str, str]:
    load(database, status_csv(POLLS), hours_csv(HOURS), zone_csv(ZONES), now_us=NOW)
    return {"STOREWATCH_DATABASE_URL": database_url}


def test_a_report_that_says_the_same_is_the_same(environment: dict[str, str], tmp_path: Path) -> None:
    result, cells = compared(environment, tmp_path, OURS)
    assert (result.returncode, cells) == (0, [])
    assert "7 stores in both: 42 cells are the same, 0 differ" in result.stdout


# --- One wrong rule each --------------------------------------------------------------------------


def nights(end: str | None) -> list[HoursRow]:
    """The bar's hours cut off, or dropped: no row of it is left but one that is never reached."""
    rows = [row for row in HOURS if row.store_id != "bar"]
    return rows + (daily("bar", ("18:00", end)) if end else [])


WRONG = {
    "overnight hours: cut": (Fleet(POLLS, nights("24:00")).report(), "cut off at midnight"),
    "overnight hours: dropped": (Fleet(POLLS, nights(None)).report(closed=["bar"]), "are dropped"),
    "overnight hours: exchanged": (
        Fleet(POLLS, [*nights(None), *daily("bar", ("02:00", "18:00"))]).report(),
        "start and end are exchanged",
    ),
    "missing day": (
        Fleet(POLLS, [*HOURS, *daily("canteen", ("00:00", "24:00"), days=(5, 6))]).report(),
        "from 0 to 24",
    ),
    "store without hours": (Fleet(POLLS).report(closed=["kiosk"]), "is closed"),
    "store without zone": (Fleet(POLLS, zones=ZONES | {"grill": "UTC"}).report(), "is in UTC"),
    "UTC in place of the local zone": (Fleet(POLLS, zones=dict.fromkeys(STORES, "UTC")).report(), "as UTC"),
    "closed hours counted": (Fleet(POLLS, ()).report(), "open at all times"),
    "gap in polling": (Fleet(POLLS).report(policy="previous"), "the last poll speaks until the next"),
    "gap in polling: however far": (
        Fleet(POLLS).report(max_gap_us=7 * DAY),
        "nearest poll speaks, however far",
    ),
    "several intervals a day": (
        Fleet(POLLS, [row for row in HOURS if row.start not in ("10:00", "09:00")]).report(),
        "the last interval of a day",
    ),
    "weekday": (
        Fleet(
            POLLS, [HoursRow(row.store_id, (row.day - 1) % 7, row.start, row.end) for row in HOURS]
        ).report(),
        "day 0 is Sunday",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_wrong_rule_is_found(environment: dict[str, str], tmp_path: Path, name: str) -> None:
    theirs, words = WRONG[name]
    result, cells = compared(environment, tmp_path, theirs)
    expected = differing(OURS, theirs)
    assert expected
    assert result.returncode == 1
    assert {(cell["store_id"], cell["column"]) for cell in cells} == expected
    assert {cell["cause"] for cell in cells} == {name.partition(":")[0]}, result.stdout
    assert all(words in cell["rule"] for cell in cells), result.stdout
    assert {cell["whole_row"] for cell in cells} == {"true"}


HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "compare-with-another-program.md"


def test_the_how_to_shows_what_the_command_says(environment: dict[str, str], tmp_path: Path) -> None:
    theirs, _ = WRONG["overnight hours: cut"]
    result, _ = compared(environment, tmp_path, theirs)
    said = result.stdout.partition("\nAll that differ")[0].replace("theirs.csv", "their_report.csv")
    page = HOW_TO.read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)
    report_id = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.sub(report_id, "ID", shown) == re.sub(report_id, "ID", said)


def test_time_that_counts_twice_is_found(environment: dict[str, str], tmp_path: Path) -> None:
    theirs = written({store_id: totals_by_row(store_id) for store_id in sorted(STORES)})
    result, cells = compared(environment, tmp_path, theirs)
    assert {cell["store_id"] for cell in cells} == {"bistro"}
    assert {cell["cause"] for cell in cells} == {"overlapping intervals"}, result.stdout


def totals_by_row(store_id: str) -> list[tuple[int, int]]:
    """Up and down in the three windows, a row of hours after the other: each is a window of its own."""
    rows = [row for row in HOURS if row.store_id == store_id]
    zone, as_of = ZONES.get(store_id, oracle.DEFAULT_ZONE), utc(T)
    found = []
    for back, _ in UNITS:
        windows = [(as_of - back, as_of)]
        if rows:
            spans = [each for row in rows for each in oracle.open_intervals([row], zone, as_of - back, as_of)]
            windows = spans
        sums = [
            oracle.totals(
                [poll for poll in POLLS if poll.store_id == store_id],
                rows or None,
                zone,
                window,
                as_of,
                "nearest",
                DAY,
                DEFAULT_SEEN_WITHIN,
            )
            for window in windows
        ]
        found.append((sum(each.up for each in sums), sum(each.down for each in sums)))
    return found


def written(totals: dict[str, list[tuple[int, int]]], *, cut: bool = False) -> str:
    """A report of these figures, rounded, or with the digits cut off."""

    def cell(time: int, unit: int) -> str:
        if cut:
            hundredths = time * 100 // unit
            return f"{hundredths // 100}.{hundredths % 100:02}"
        return oracle.two_decimals(time, unit)

    lines = [oracle.REPORT_HEADER]
    for store_id, windows in totals.items():
        cells = [
            cell(windows[number][state], unit) for state in (0, 1) for number, (_, unit) in enumerate(UNITS)
        ]
        lines.append(",".join((store_id, *cells)))
    return "\n".join(lines) + "\n"


def totals_of(store_id: str) -> list[tuple[int, int]]:
    rows = [row for row in HOURS if row.store_id == store_id] or None
    polls = [poll for poll in POLLS if poll.store_id == store_id]
    zone, as_of = ZONES.get(store_id, oracle.DEFAULT_ZONE), utc(T)
    found = [
        oracle.totals(polls, rows, zone, (as_of - back, as_of), as_of, "nearest", DAY, DEFAULT_SEEN_WITHIN)
        for back, _ in UNITS
    ]
    return [(each.up, each.down) for each in found]


def test_digits_that_were_cut_off_are_found(environment: dict[str, str], tmp_path: Path) -> None:
    exact = {store_id: totals_of(store_id) for store_id in sorted(STORES)}
    ours, theirs = written(exact), written(exact, cut=True)
    result, cells = compared(environment, tmp_path, theirs)
    assert {(cell["store_id"], cell["column"]) for cell in cells} == differing(ours, theirs) != set()
    assert {cell["cause"] for cell in cells} == {"rounding"}, result.stdout


def test_another_unit_is_found(environment: dict[str, str], tmp_path: Path) -> None:
    lines = [oracle.REPORT_HEADER]
    for store_id in sorted(STORES):
        times = [window[state] for state in (0, 1) for window in totals_of(store_id)]
        lines.append(",".join((store_id, *(oracle.two_decimals(time, MINUTE) for time in times))))
    result, cells = compared(environment, tmp_path, "\n".join(lines))
    assert {(cell["cause"], cell["rule"]) for cell in cells} == {("other unit", "all in minutes")}, (
        result.stdout
    )


def test_windows_that_end_at_the_stores_own_newest_poll_are_found(
    environment: dict[str, str], tmp_path: Path
) -> None:
    lines = [oracle.REPORT_HEADER]
    for store_id in sorted(STORES):
        own = [poll for poll in POLLS if poll.store_id == store_id]
        lines.append(Fleet(own).report(as_of_us=oracle.newest_poll_us(own)).splitlines()[1])
    load_late_poll(environment)
    result, cells = compared(environment, tmp_path, "\n".join(lines))
    causes = {cell["store_id"]: cell["cause"] for cell in cells}
    assert set(causes) > set(STORES) - {"bar", "canteen"}
    assert causes.pop("late") == "store missing in theirs"
    assert set(causes.values()) == {"end of the windows"}, result.stdout


def load_late_poll(environment: dict[str, str]) -> None:
    """One more store was polled three hours later: the windows of all end there."""
    database = Database(environment["STOREWATCH_DATABASE_URL"])
    late = [Poll("late", utc(T) + 3 * HOUR, active=True)]
    load(database, status_csv(late), now_us=NOW)
    database.close()


def test_exceptions_that_the_other_program_does_not_know_are_told(
    environment: dict[str, str], tmp_path: Path
) -> None:
    words = ("--effect", "excluded", "--store", "grill", "--note", "a storm")
    times = ("--from", "2023-01-24T00:00:00Z", "--to", "2023-01-25T00:00:00Z")
    added = storewatch("exception", "add", *words, *times, environment=environment)
    assert added.returncode == 0, added.stderr
    result, cells = compared(environment, tmp_path, OURS)
    assert {(cell["store_id"], cell["cause"]) for cell in cells} == {("grill", "exceptions")}, result.stdout
    theirs = Fleet(POLLS, zones=ZONES | {"grill": "UTC"}).report()
    result, cells = compared(environment, tmp_path, theirs)
    assert {cell["cause"] for cell in cells} == {"exceptions + store without zone"}, result.stdout


@pytest.mark.parametrize(
    ("moved", "rule"),
    [("Etc/GMT+4", "the offset at the end"), ("Etc/GMT+5", "standard time holds all year")],
)
def test_a_clock_change_that_was_missed_is_found(
    database_url: str, database: Database, tmp_path: Path, moved: str, rule: str
) -> None:
    polls = polls_of("2023-03-14 18:05")
    zones = dict.fromkeys(("bakery", "canteen", "kiosk"), "America/New_York") | dict.fromkeys(
        ("bar", "bistro", "diner", "grill"), "America/Phoenix"
    )
    load(database, status_csv(polls), hours_csv(HOURS), zone_csv(zones), now_us=NOW)
    wrong = {store_id: moved if zone == "America/New_York" else zone for store_id, zone in zones.items()}
    theirs = Fleet(polls, zones=wrong).report()
    result, cells = compared({"STOREWATCH_DATABASE_URL": database_url}, tmp_path, theirs)
    assert {(cell["store_id"], cell["column"]) for cell in cells} == differing(
        Fleet(polls, zones=zones).report(), theirs
    )
    assert {cell["cause"] for cell in cells} == {"clock change"}, result.stdout
    assert all(rule in cell["rule"] for cell in cells), result.stdout


# --- Several at once, none, and stores that are not there -----------------------------------------


def test_two_wrong_rules_at_once_are_told_apart_and_together(
    environment: dict[str, str], tmp_path: Path
) -> None:
    theirs = Fleet(POLLS, nights("24:00")).report(policy="previous", closed=["kiosk"])
    result, cells = compared(environment, tmp_path, theirs)
    causes = {cell["store_id"]: cell["cause"] for cell in cells}
    assert causes["bakery"] == "gap in polling"
    assert set(causes["bar"].split(" + ")) == {"gap in polling", "overnight hours"}, result.stdout
    assert causes["kiosk"] == "store without hours"


def test_what_no_rule_explains_is_not_explained(environment: dict[str, str], tmp_path: Path) -> None:
    lines = OURS.splitlines()
    cells = lines[1].split(",")
    cells[3] = "17.77"
    result, found = compared(environment, tmp_path, "\n".join([lines[0], ",".join(cells), *lines[2:]]))
    assert [(cell["store_id"], cell["column"], cell["theirs"], cell["cause"]) for cell in found] == [
        (cells[0], "uptime_last_week", "17.77", "not explained")
    ]
    assert "not explained: 1 cell of 1 store" in result.stdout


def test_stores_that_one_side_lacks_are_listed(environment: dict[str, str], tmp_path: Path) -> None:
    lines = [line for line in OURS.splitlines() if not line.startswith("kiosk,")]
    extra = ["8.41954E+18,1,2,3,4,5,6", "nobody,1,2,3,4,5,6"]
    result, cells = compared(environment, tmp_path, "\n".join([*lines, *extra]))
    assert {(cell["store_id"], cell["cause"], cell["rule"]) for cell in cells} == {
        ("kiosk", "store missing in theirs", "it has no opening hours"),
        ("8.41954E+18", "store missing in ours", "an id damaged by a spreadsheet or by numbers"),
        ("nobody", "store missing in ours", "no store has this id"),
    }
    assert result.returncode == 1
    assert "store missing in ours: 2 stores" in result.stdout


FIELD = Path(__file__).parents[2].parent / "shared" / "data" / "2023"


@pytest.mark.skipif(not FIELD.exists(), reason="the field data are not here")
def test_of_the_field_data_each_cell_by_the_other_policy_is_explained(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    for name in ("store_timezone", "menu_hours", "store_status_sample"):
        with (FIELD / f"{name}.csv").open("rb") as stream:
            import_file(database, stream, name, now_us=NOW)
    environment = {"STOREWATCH_DATABASE_URL": database_url}
    words = ("report", "--output", str(tmp_path / "previous.csv"), "--policy", "previous")
    assert storewatch(*words, environment=environment).returncode == 0
    result, cells = compared(environment, tmp_path, (tmp_path / "previous.csv").read_text())
    assert {cell["cause"] for cell in cells} == {"gap in polling"}, result.stdout
    assert {cell["whole_row"] for cell in cells} == {"true"}
