"""The oracle against the contract: its worked examples, its laws, and a few days that clocks make odd."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.oracle import (
    DAY,
    DEFAULT_ZONE,
    EPOCH,
    HOUR,
    MINUTE,
    REPORT_HEADER,
    SECOND,
    HoursRow,
    NoPollsError,
    Outage,
    Policy,
    Poll,
    Totals,
    in_hours,
    load_zone,
    open_intervals,
    outages,
    parse_time,
    report_csv,
    state_at,
    totals,
    two_decimals,
    utc,
    wall_interval,
    wall_to_us,
)
from tests.strategies import clock_changes
from tests.worked_examples import STORE, WORKED_EXAMPLES, WorkedExample, active, inactive

ALWAYS = tuple(HoursRow(STORE, day, "00:00", "24:00") for day in range(7))


def every_day(start: str, end: str) -> tuple[HoursRow, ...]:
    return tuple(HoursRow(STORE, day, start, end) for day in range(7))


def opening(rows: tuple[HoursRow, ...], zone: str, from_utc: str, until_utc: str) -> list[tuple[str, str]]:
    """The open intervals as texts in UTC."""
    found = open_intervals(rows, zone, utc(from_utc), utc(until_utc))
    return [(as_text(start), as_text(end)) for start, end in found]


def as_text(instant_us: int) -> str:
    return (EPOCH + timedelta(microseconds=instant_us)).strftime("%Y-%m-%d %H:%M")


# --- The worked examples --------------------------------------------------------------------------


@pytest.mark.parametrize("example", WORKED_EXAMPLES, ids=lambda example: example.name)
def test_worked_example(example: WorkedExample) -> None:
    zone = example.zone or DEFAULT_ZONE
    total = totals(
        example.polls,
        example.rows,
        zone,
        example.window,
        example.as_of_us,
        example.policy,
        example.max_gap_us,
    )
    expected = (example.up_s * SECOND, example.down_s * SECOND, example.unknown_s * SECOND)
    assert (total.up, total.down, total.unknown) == expected


def test_there_are_as_many_worked_examples_as_in_the_contract() -> None:
    assert len(WORKED_EXAMPLES) == len({example.name for example in WORKED_EXAMPLES}) == 11


# --- Opening hours --------------------------------------------------------------------------------


def test_a_day_of_25_hours_in_chicago() -> None:
    rows = (HoursRow(STORE, 6, "00:00", "23:59"),)
    assert opening(rows, "America/Chicago", "2023-11-01", "2023-11-10") == [
        ("2023-11-05 05:00", "2023-11-06 06:00")
    ]


def test_a_day_of_23_hours_in_chicago() -> None:
    rows = (HoursRow(STORE, 6, "00:00", "23:59:59"),)
    assert opening(rows, "America/Chicago", "2023-03-10", "2023-03-15") == [
        ("2023-03-12 06:00", "2023-03-13 05:00")
    ]


def test_a_time_that_occurs_twice_is_its_first_occurrence() -> None:
    rows = every_day("01:30", "03:00")
    assert opening(rows, "America/New_York", "2023-11-05", "2023-11-06") == [
        ("2023-11-05 05:30", "2023-11-05 08:00")
    ]


def test_lord_howe_shifts_by_half_an_hour() -> None:
    spring, autumn = ("2023-09-30 12:00", "2023-10-01 12:00"), ("2023-04-01 10:00", "2023-04-02 12:00")
    assert opening(every_day("02:10", "02:45"), "Australia/Lord_Howe", *spring) == [
        ("2023-09-30 15:40", "2023-09-30 15:45")
    ]
    assert opening(every_day("01:45", "02:00"), "Australia/Lord_Howe", *autumn) == [
        ("2023-04-01 14:45", "2023-04-01 15:30")
    ]


def test_the_day_without_midnight_in_beirut() -> None:
    rows = every_day("23:00", "00:30")
    assert opening(rows, "Asia/Beirut", "2022-03-26", "2022-03-27") == [
        ("2022-03-26 21:00", "2022-03-26 22:30")
    ]
    whole = (HoursRow(STORE, 6, "00:00", "24:00"),)
    assert opening(whole, "Asia/Beirut", "2022-03-26", "2022-03-29") == [
        ("2022-03-26 22:00", "2022-03-27 21:00")
    ]


def test_an_interval_turned_round_does_not_occur() -> None:
    rows = (HoursRow(STORE, 6, "02:45", "03:15"),)
    assert opening(rows, "America/New_York", "2023-03-11", "2023-03-14") == []
    assert opening(rows, "America/New_York", "2023-03-18", "2023-03-21") == [
        ("2023-03-19 06:45", "2023-03-19 07:15")
    ]


def test_an_emptied_interval_does_not_occur() -> None:
    rows = (HoursRow(STORE, 6, "02:15", "03:15"),)
    assert opening(rows, "America/New_York", "2023-03-11", "2023-03-14") == []


def test_apia_has_no_30_december() -> None:
    friday = (HoursRow(STORE, 4, "00:00", "24:00"),)
    assert opening(friday, "Pacific/Apia", "2011-12-27", "2012-01-03") == []
    late_thursday = (HoursRow(STORE, 3, "22:00", "02:00"),)
    assert opening(late_thursday, "Pacific/Apia", "2011-12-27", "2012-01-03") == [
        ("2011-12-30 08:00", "2011-12-30 12:00")
    ]


def test_overlapping_and_touching_intervals_are_one() -> None:
    rows = (*every_day("00:00", "24:00"), *every_day("22:00", "02:00"))
    for week in (ALWAYS, rows):
        assert opening(week, "America/Chicago", "2023-03-01", "2023-04-01") == [
            ("2023-03-01 00:00", "2023-04-01 00:00")
        ]


def test_none_is_always_and_an_empty_week_is_never() -> None:
    assert open_intervals(None, "UTC", 5, 9) == [(5, 9)]
    assert open_intervals(None, "UTC", 9, 9) == []
    assert open_intervals([], "UTC", 5, 9) == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("9:00", "17:30", (9 * 3600, 17 * 3600 + 1800)),
        ("00:00:00", "23:59:59", (0, 86_400)),
        ("23:59:30", "23:59:30", (86_370, 86_400)),
        ("23:00", "23:58:59", (82_800, 86_339)),
        ("18:00", "00:00", (64_800, 86_400)),
        ("22:00", "02:00", (79_200, 93_600)),
        ("00:00", "24:00:00", (0, 86_400)),
    ],
)
def test_rules_1_to_3(start: str, end: str, expected: tuple[int, int]) -> None:
    assert wall_interval(HoursRow(STORE, 0, start, end)) == expected


@pytest.mark.parametrize(("start", "end"), [("09:00", "9:00"), ("24:00", "02:00"), ("09:00", "24:01")])
def test_rejected_intervals(start: str, end: str) -> None:
    with pytest.raises(ValueError):
        wall_interval(HoursRow(STORE, 0, start, end))


@pytest.mark.parametrize("text", ["", "9", "9:0", "12:60", "12:00:60", "25:00", "009:00", " 9:00", "٩:00"])
def test_rejected_times(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


def first_occurrence(wall: datetime, zone: str, near_us: int) -> int | None:
    """The first minute around an instant at which the zone's clocks show a time, by looking at every one."""
    info = load_zone(zone)
    for minute in range(-26 * 60, 27 * 60):
        instant = EPOCH + timedelta(microseconds=near_us) + timedelta(minutes=minute)
        if instant.astimezone(info).replace(tzinfo=None) == wall:
            return near_us + minute * MINUTE
    return None


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana", "Europe/Dublin"]
)
def test_wall_clock_times_against_a_clock_that_is_watched(zone: str) -> None:
    """Only the direction from UTC is used to check: every shown time is found where it is shown first, and a
    skipped one as far after the last instant before the gap as it is after what the clocks then showed."""
    info = load_zone(zone)
    for change_us in clock_changes(zone)[-2:]:
        change = EPOCH + timedelta(microseconds=change_us)
        shown_before = (change - timedelta(seconds=1)).astimezone(info).replace(tzinfo=None)
        for minutes in range(-90, 150, 15):
            wall = shown_before + timedelta(seconds=1, minutes=minutes)
            midnight = datetime(wall.year, wall.month, wall.day, tzinfo=UTC)
            second = (wall.replace(tzinfo=UTC) - midnight) // timedelta(seconds=1)
            expected = first_occurrence(wall, zone, change_us)
            skipped = change_us + minutes * MINUTE
            assert wall_to_us(wall.date(), second, info) == (skipped if expected is None else expected)


def test_the_second_half_of_a_gap_keeps_the_offset_before_it() -> None:
    zone = load_zone("America/New_York")
    assert wall_to_us(date(2023, 3, 12), 2 * 3600 + 900, zone) == utc("2023-03-12 07:15")
    assert wall_to_us(date(2023, 3, 12), 3 * 3600 + 900, zone) == utc("2023-03-12 07:15")


# --- State between polls --------------------------------------------------------------------------


def poll(at_us: int, active: bool) -> Poll:
    return Poll(STORE, at_us, active)


def test_the_midpoint_belongs_to_the_later_poll() -> None:
    first, second = poll(10, True), poll(15, False)
    decided = [state_at(x, [first, second], "nearest", 100)[1] for x in range(8, 17)]
    assert decided == [first] * 4 + [second] * 5
    assert state_at(10, [poll(10, True), poll(11, False)], "nearest", 100)[0] == "down"


@pytest.mark.parametrize("policy", ["nearest", "previous"])
def test_a_poll_covers_max_gap_to_either_side(policy: Policy) -> None:
    states = [state_at(x, [poll(10, True)], policy, 3)[0] for x in range(6, 15)]
    assert states == ["unknown", *["up"] * 6, "unknown", "unknown"]


def test_previous_looks_ahead_only_when_nothing_is_behind() -> None:
    polls = [poll(10, True), poll(20, False)]
    assert [state_at(x, polls, "previous", 4)[0] for x in (13, 14, 15, 16, 19, 20)] == [
        "up",
        "unknown",
        "unknown",
        "down",
        "down",
        "down",
    ]


def brute_force(polls: list[Poll], policy: Policy, max_gap: int, seen_within: int, until: int) -> Totals:
    """Every microsecond asked by itself, each rule in other words than the oracle's."""
    counts = {"up seen": 0, "up": 0, "down seen": 0, "down": 0, "unknown": 0}
    for x in range(until):
        near = [poll for poll in polls if -max_gap <= x - poll.at_us < max_gap]
        behind = [poll for poll in near if poll.at_us <= x]
        if policy == "previous" and behind:
            near = [max(behind, key=lambda poll: poll.at_us)]
        if not near:
            counts["unknown"] += 1
            continue
        # Nearest to the middle of the microsecond [x, x + 1), doubled; of two as near, the later.
        decider = min(near, key=lambda poll: (abs(2 * x + 1 - 2 * poll.at_us), -poll.at_us))
        seen = " seen" if -seen_within <= x - decider.at_us < seen_within else ""
        counts[("up" if decider.active else "down") + seen] += 1
    return Totals(counts["up seen"], counts["up"], counts["down seen"], counts["down"], counts["unknown"])


def test_totals_against_every_microsecond() -> None:
    rng = random.Random(20230125)  # noqa: S311
    policies: tuple[Policy, Policy] = ("nearest", "previous")
    for _ in range(600):
        times = rng.sample(range(60), rng.randint(0, 8))
        polls = [poll(time, rng.random() < 0.5) for time in times]
        max_gap, seen_within = rng.randint(1, 15), rng.randint(1, 10)
        policy = rng.choice(policies)
        found = totals(polls, None, "UTC", (0, 60), 60, policy, max_gap, seen_within)
        assert found == brute_force(polls, policy, max_gap, seen_within, 60)


def test_a_poll_at_t_counts_and_one_after_it_does_not() -> None:
    as_of = utc("2023-01-23 18:00")
    window = (as_of - HOUR, as_of)
    late = Poll(STORE, as_of + 1, active=False)
    assert totals([active("2023-01-23 18:00"), late], None, "UTC", window, as_of).up == HOUR
    assert totals([late], None, "UTC", window, as_of).unknown == HOUR


def test_a_poll_at_the_opening_counts_and_one_at_the_closing_does_not() -> None:
    rows = every_day("09:00", "12:00")
    polls = [inactive("2023-01-23 09:00"), active("2023-01-23 12:00")]
    assert in_hours(polls, rows, "UTC", utc("2023-01-23 20:00")) == polls[:1]


def test_the_later_of_two_polls_at_the_same_instant_stands() -> None:
    as_of = utc("2023-01-23 18:00")
    polls = [inactive("2023-01-23 18:00"), active("2023-01-23 18:00")]
    assert totals(polls, None, "UTC", (as_of - HOUR, as_of), as_of).up == HOUR
    assert totals(polls[::-1], None, "UTC", (as_of - HOUR, as_of), as_of).down == HOUR


def test_a_window_beyond_t_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond T"):
        totals([], None, "UTC", (0, 2), 1)


# --- Outages --------------------------------------------------------------------------------------


def test_closed_time_does_not_end_an_outage() -> None:
    rows = every_day("09:00", "12:00")
    polls = [active("2023-01-23 09:00"), inactive("2023-01-23 11:00"), inactive("2023-01-24 10:00")]
    as_of = utc("2023-01-24 11:30")
    parts = (
        (utc("2023-01-23 10:00"), utc("2023-01-23 12:00")),
        (utc("2023-01-24 09:00"), utc("2023-01-24 11:30")),
    )
    assert outages(polls, rows, "UTC", None, as_of) == [Outage(parts)]
    assert Outage(parts).length_us == 4 * HOUR + 30 * MINUTE
    tuesday = (utc("2023-01-24 00:00"), utc("2023-01-24 10:00"))
    assert outages(polls, rows, "UTC", tuesday, as_of) == [Outage(((parts[1][0], tuesday[1]),))]
    night = (utc("2023-01-23 12:00"), utc("2023-01-24 09:00"))
    assert outages(polls, rows, "UTC", night, as_of) == []


def test_unknown_ends_an_outage() -> None:
    polls = [inactive("2023-01-23 09:00"), inactive("2023-01-23 12:00")]
    found = outages(polls, None, "UTC", None, utc("2023-01-23 18:00"), max_gap_us=HOUR)
    assert [outage.length_us for outage in found] == [2 * HOUR, 2 * HOUR]


# --- The report -----------------------------------------------------------------------------------


def test_the_report_of_a_small_fleet() -> None:
    as_of = utc("2023-01-23 18:00")
    polls = [
        Poll("b", as_of, active=True),
        Poll("B", as_of - 2 * DAY, active=True),
        Poll("a,c", as_of - 30 * MINUTE, active=False),
        Poll("shut", as_of, active=False),
        Poll("later", as_of + 1, active=True),
    ]
    hours = [HoursRow("a,c", 0, "11:30", "12:30")]
    assert report_csv(polls, hours, {}, as_of, closed=["shut"]) == (
        REPORT_HEADER + "\n"
        "B,,,48.00,,,0.00\n"
        '"a,c",0.00,0.00,0.00,30.00,0.50,0.50\n'
        "b,60.00,24.00,24.00,0.00,0.00,0.00\n"
        "shut,0.00,0.00,0.00,0.00,0.00,0.00\n"
    )


def test_t_is_the_newest_poll_and_before_the_first_there_is_the_header_alone() -> None:
    polls = [active("2023-01-23 18:00"), inactive("2023-01-23 17:00")]
    assert report_csv(polls, [], {}) == f"{REPORT_HEADER}\n{STORE},30.00,0.50,0.50,30.00,23.50,24.50\n"
    assert report_csv(polls, [], {}, utc("2023-01-23 16:59")) == REPORT_HEADER + "\n"
    with pytest.raises(NoPollsError):
        report_csv([], [], {})


@pytest.mark.parametrize(
    ("time_us", "unit_us", "text"),
    [
        (0, HOUR, "0.00"),
        (299_999, MINUTE, "0.00"),
        (300_000, MINUTE, "0.01"),
        (59 * MINUTE + 59_699_999, MINUTE, "59.99"),
        (59 * MINUTE + 59_700_000, MINUTE, "60.00"),
        (18 * SECOND, HOUR, "0.01"),
        (168 * HOUR - 1, HOUR, "168.00"),
    ],
)
def test_rounding_half_away_from_zero(time_us: int, unit_us: int, text: str) -> None:
    assert two_decimals(time_us, unit_us) == text
