"""Outages one by one, against the oracle: when they began and ended, and who saw them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain.availability import Rules, segments
from storewatch.domain.hours import open_intervals
from storewatch.domain.outage_list import NONE, Outages, listed
from storewatch.domain.outages import figures_by_store
from tests import oracle
from tests.domain.arrays import int64, make_intervals, make_polls, polls_of, rules_of, schedule_of
from tests.oracle import DAY
from tests.strategies import Fleet, fleets

Row = tuple[int, int, bool]
UP, DOWN = True, False


def rows(found: Outages) -> list[dict[str, Any]]:
    columns = {each.name: getattr(found, each.name).tolist() for each in fields(found)}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def told(polls: list[Row], window: tuple[int, int], *, until: int = 1000) -> list[dict[str, Any]]:
    """Of store 0, open from 500 on; polls speak for 10."""
    given_polls, opens = make_polls(polls), make_intervals([(0, 500, until + 1)])
    found = segments(given_polls, opens, Rules(max_gap=10, seen_within=3), 500, until)
    outages, _ = listed(found, given_polls, int64(window).reshape(1, 2), until, to_present=True)
    return rows(outages)


POLLS = [(0, 600, UP), (0, 606, DOWN), (0, 612, DOWN), (0, 618, UP)]
WHOLE = {
    "counted_from": 603,
    "counted_until": 615,
    "last_seen_up": 600,
    "first_seen_down": 606,
    "last_seen_down": 612,
    "first_seen_up": 618,
    "ongoing": False,
}


def test_an_outage_says_what_was_seen_and_from_when_it_is_counted() -> None:
    figures = {"down": 12, "seen": 12, "down_min": 6, "down_max": 18, "polls": 2}
    assert told(POLLS, (500, 1000)) == [{"store": 0, "start": 603, "end": 615} | WHOLE | figures]


def test_in_a_window_its_figures_are_clipped_and_what_is_said_of_it_stays() -> None:
    figures = {"down": 5, "seen": 5, "down_min": 2, "down_max": 8, "polls": 1}
    assert told(POLLS, (610, 1000)) == [{"store": 0, "start": 610, "end": 615} | WHOLE | figures]


def test_before_and_after_unknown_time_nobody_saw_it_up() -> None:
    polls = [(0, 550, UP), (0, 606, DOWN), (0, 690, UP)]
    (found,) = told(polls, (500, 1000))
    assert (found["last_seen_up"], found["counted_from"]) == (NONE, 596)
    assert (found["first_seen_up"], found["counted_until"]) == (NONE, 616)


def test_what_runs_at_the_end_is_ongoing_and_what_ran_from_the_beginning_has_none() -> None:
    (found,) = told([(0, 505, DOWN), (0, 515, DOWN)], (500, 520), until=520)
    assert (found["counted_from"], found["first_seen_down"]) == (NONE, NONE)
    assert (found["counted_until"], found["last_seen_down"], found["ongoing"]) == (NONE, 515, True)


def test_without_outages_the_list_is_empty() -> None:
    assert told([(0, 600, UP)], (500, 1000)) == []
    assert told([], (500, 1000)) == []


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleet=fleets(), seed=st.integers(0, 999))
def test_every_outage_of_the_list_agrees_with_the_oracle(fleet: Fleet, seed: int) -> None:
    choose, stores = np.random.default_rng(seed), len(fleet.store_ids)
    windows = np.sort(fleet.as_of_us - choose.integers(0, 9 * DAY, (stores, 2)))
    rules, polls = rules_of(fleet), polls_of(fleet)
    start = int(windows.min()) - 2 * DAY
    opens = open_intervals(schedule_of(fleet), start - rules.max_gap, fleet.as_of_us + 1)
    found = segments(polls, opens, rules, start, fleet.as_of_us)
    outages, _ = listed(found, polls, windows, fleet.as_of_us, to_present=True)
    expected = [
        (number, window, outage)
        for number, (store_id, window) in enumerate(zip(fleet.store_ids, windows.tolist(), strict=True))
        for outage in of_oracle(fleet, store_id, tuple(window))
    ]
    assert len(outages) == len(expected)
    for row, (store, window, (whole, part)) in zip(rows(outages), expected, strict=True):
        assert (row["store"], row["start"], row["end"]) == (store, part.start_us, part.end_us)
        assert row["down"] == part.length_us
        assert row["counted_from"] in (NONE, whole.start_us)
        assert row["counted_until"] in (NONE, whole.end_us)
        assert_seen_as_by_the_oracle(fleet, fleet.store_ids[store], row, whole, part)
        assert 0 <= row["down_min"] <= row["down"] <= row["down_max"] <= window[1] - window[0]
    alone = figures_by_store(polls, opens, rules, windows[:, None], fleet.as_of_us)
    least = np.zeros(stores, np.int64)
    np.add.at(least, outages.store, outages.down_min)
    assert least.tolist() == alone.down_min[:, 0].tolist()


def assert_seen_as_by_the_oracle(
    fleet: Fleet, store_id: str, row: dict[str, Any], whole: oracle.Outage, part: oracle.Outage
) -> None:
    own = (fleet.polls_of(store_id), fleet.rows_of(store_id), fleet.zone_of(store_id))

    def pieces(of: oracle.Outage) -> list[oracle.Segment]:
        rules = fleet.policy, fleet.max_gap_us, fleet.seen_within_us
        return oracle.segments(*own, (of.start_us, of.end_us), fleet.as_of_us, *rules)

    within = pieces(part)
    assert row["polls"] == len({piece.poll for piece in within})
    assert row["seen"] == sum(piece.length_us for piece in within if piece.seen)
    saw = [piece.poll for piece in pieces(whole)]
    counting = oracle.in_hours(*own, fleet.as_of_us)
    assert saw[0] is not None
    assert saw[-1] is not None
    if row["counted_from"] != NONE:
        assert row["first_seen_down"] == saw[0].at_us
        before = counting[: counting.index(saw[0])][-1:]
        assert row["last_seen_up"] == seen_up(before, saw[0], fleet.max_gap_us)
    if row["counted_until"] != NONE:
        assert row["last_seen_down"] == saw[-1].at_us
        after = counting[counting.index(saw[-1]) + 1 :][:1]
        assert row["first_seen_up"] == seen_up(after, saw[-1], fleet.max_gap_us)


def seen_up(beside: list[oracle.Poll], poll: oracle.Poll, max_gap_us: int) -> int:
    """When the poll beside one that saw a store down saw it up, if all between them is known."""
    near = [each.at_us for each in beside if abs(each.at_us - poll.at_us) <= 2 * max_gap_us and each.active]
    return near[0] if near else NONE


Found = tuple[oracle.Outage, oracle.Outage]


def of_oracle(fleet: Fleet, store_id: str, window: tuple[int, int]) -> list[Found]:
    """(whole, clipped) of each outage with a part in the window."""
    whole = oracle.outages(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        None,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
    )
    clipped = [oracle.Outage(tuple(oracle.clip(each.parts, *window))) for each in whole]
    return [pair for pair in zip(whole, clipped, strict=True) if pair[1].parts]
