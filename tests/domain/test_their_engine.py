"""Other programs' rules: with ours in their place the figures are the engine's, whatever the fleet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from storewatch.domain.availability import Kind, Rules
from storewatch.domain.hours import open_intervals
from storewatch.domain.other_weeks import (
    Change,
    from_first_to_last,
    layers,
    missing_days_open,
    night_on_one_day,
)
from storewatch.domain.their_catalogue import catalogue
from storewatch.domain.their_engine import Evidence, figures, touched
from storewatch.domain.their_rules import OURS, How, Program, Rule
from storewatch.domain.totals import totals_by_store
from storewatch.domain.windows import CLASSIC, before
from tests.domain.arrays import int64, make_polls, make_schedule, polls_of, rules_of, schedule_of
from tests.oracle import DAY, HOUR, utc
from tests.strategies import Fleet, fleets

LENGTHS = tuple(window.length_us for window in CLASSIC)


def evidence_of(fleet: Fleet) -> Evidence:
    rules, start = rules_of(fleet), fleet.as_of_us - 7 * DAY - max(7 * DAY, fleet.max_gap_us)
    polls = polls_of(fleet)
    some = np.flatnonzero((polls.at >= start) & (polls.at <= fleet.as_of_us))
    kept = type(polls)(polls.store[some], polls.at[some], polls.active[some])
    return Evidence(kept, schedule_of(fleet), rules, start, fleet.as_of_us, LENGTHS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(closed_weeks=True))
def test_with_our_rules_the_figures_are_those_of_the_engine(fleet: Fleet) -> None:
    of = evidence_of(fleet)
    windows = before(of.as_of, CLASSIC, of.schedule.stores)
    opens = open_intervals(of.schedule, of.start, of.as_of + 1)
    totals = totals_by_store(of.polls, opens, of.rules, windows, of.as_of)
    up = totals[:, :, Kind.UP_SEEN] + totals[:, :, Kind.UP_INFERRED]
    down = totals[:, :, Kind.DOWN_SEEN] + totals[:, :, Kind.DOWN_INFERRED]
    said = figures(of, OURS)
    assert said.times.tolist() == np.stack([up, down], axis=2).tolist()
    assert said.nothing.tolist() == ((up + down == 0) & (totals[:, :, Kind.UNKNOWN] > 0)).tolist()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(closed_weeks=True))
def test_a_rule_that_does_not_touch_a_store_leaves_its_figures(fleet: Fleet) -> None:
    of = evidence_of(fleet)
    usual = figures(of, OURS)
    for rule in catalogue(of.schedule.zone_names, fleet.policy):
        program = OURS + rule
        said, others = figures(of, program), ~touched(of, program)
        assert (said.times[others] == usual.times[others]).all(), rule.words
        assert (said.nothing[others] == usual.nothing[others]).all(), rule.words


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(closed_weeks=True))
def test_some_stores_have_the_figures_that_they_have_among_all(fleet: Fleet) -> None:
    of = evidence_of(fleet)
    rows = int64(range(0, of.schedule.stores, 2))
    for rule in catalogue(of.schedule.zone_names, fleet.policy):
        some, every = figures(of.some(rows), OURS + rule), figures(of, OURS + rule)
        assert some.times.tolist() == every.times[rows].tolist(), rule.words


# --- Each way of polls, by hand -------------------------------------------------------------------

T = utc("2023-01-25 12:00")


def of_one(*polls: tuple[float, bool]) -> Evidence:
    """A store that is always open, polled so many hours before T."""
    rows = make_polls([(0, T - round(back * HOUR), active) for back, active in polls])
    return Evidence(rows, make_schedule([], ["UTC"], [0]), Rules(), T - 14 * DAY, T, LENGTHS)


def by_words(words: str) -> Program:
    found = [rule for rule in catalogue(("UTC",), "nearest") if rule.words == words]
    assert len(found) == 1
    return OURS + found[0]


@pytest.mark.parametrize(
    ("words", "up", "down"),
    [
        ("the last poll speaks, however old; before the first nothing counts", 6, 4),
        ("the next poll speaks for the time before it", 14, 6),
        ("only polls of the window speak: the nearest", 17, 7),
        ("only polls of the window speak: the last one, and before the first the first", 20, 4),
        ("only polls of the window speak: the last one; before the first nothing counts", 6, 4),
        ("time between two polls of any hours counts whole, closed hours included", 6, 4),
        ("open time is parted as the polls of the window are", 12, 12),
        ("each poll counts as an hour", 1, 1),
        ("the last poll speaks, 1 h at most; before it nothing counts", 1, 1),
    ],
)
def test_polls_speak_as_the_words_say(words: str, up: float, down: float) -> None:
    said = figures(of_one((10, True), (4, False)), by_words(words))
    assert (said.times[0, 1] / HOUR).tolist() == [up, down]


@pytest.mark.parametrize(
    ("words", "up", "down"),
    [
        ("time of which nothing is known counts as up", 168 - 29, 29),
        ("time of which nothing is known counts as down", 0, 168),
        ("0 where nothing is known", 0, 29),
    ],
)
def test_what_is_not_known_becomes_what_the_words_say(words: str, up: float, down: float) -> None:
    said = figures(of_one((5, False)), by_words(words))
    assert (said.times[0, 2] / HOUR).tolist() == [up, down]
    assert not said.nothing.any()


# --- Each change of a week, by hand ---------------------------------------------------------------

NINE, NOON, TWO, SIX, TEN, DAY_S = (hour * 3600 for hour in (9, 12, 14, 18, 22, 24))


@pytest.mark.parametrize(
    ("change", "rows", "expected"),
    [
        (from_first_to_last, [(0, 1, TWO, SIX), (0, 1, NINE, NOON)], [(1, NINE, SIX)]),
        (night_on_one_day, [(0, 4, TEN, 7200)], [(4, TEN, DAY_S), (4, 0, 7200)]),
        (
            missing_days_open,
            [(0, day, NINE, NOON) for day in range(6)],
            [*((day, NINE, NOON) for day in range(6)), (6, 0, DAY_S)],
        ),
    ],
)
def test_a_week_is_read_otherwise(
    change: Change, rows: list[tuple[int, int, int, int]], expected: list[tuple[int, int, int]]
) -> None:
    found, who = change(make_schedule(rows, ["UTC"]))
    week = found.week
    assert list(zip(week.day.tolist(), week.start.tolist(), week.end.tolist(), strict=True)) == expected
    assert who.tolist() == [True]


def test_the_layers_of_a_week_hold_each_row_once() -> None:
    rows = [(0, 1, NINE, TWO), (0, 1, NOON, SIX), (0, 2, NINE, NOON), (1, 1, NINE, NOON)]
    found = layers(make_schedule(rows, ["UTC", "UTC"]))
    assert [len(layer.week.store) for layer in found] == [3, 1]


def test_every_rule_has_words_of_its_own() -> None:
    rules: tuple[Rule, ...] = catalogue(("America/Chicago", "Asia/Beirut"), "nearest")
    assert len({rule.words for rule in rules}) == len(rules)
    assert {rule.speak.how for rule in rules if rule.speak} == set(How)
