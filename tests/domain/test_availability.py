"""Polls and open intervals -> segments; segments and windows -> totals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain import availability
from storewatch.domain.availability import Kind, Policy, Rules
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.hours import open_intervals
from storewatch.domain.totals import totals, totals_by_store
from tests import oracle
from tests.domain.arrays import (
    int64,
    make_intervals,
    make_polls,
    make_schedule,
    polls_of,
    rules_of,
    schedule_of,
    standing_polls,
    week_row,
)
from tests.oracle import DAY, HOUR, MINUTE, SECOND, Interval, Segment
from tests.strategies import Fleet, fleets
from tests.worked_examples import WORKED_EXAMPLES, WorkedExample

UP_SEEN, UP_INFERRED, DOWN_SEEN, DOWN_INFERRED, UNKNOWN, EXCLUDED = Kind
YEAR = 365 * DAY

# Most of the time goes into drawing a fleet, so each that is drawn is asked many questions.
many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(many, max_examples=80)

Row = tuple[int, int, int, Kind, int]
"""store, start, end, kind, poll"""


def rows_of(found: availability.Segments) -> list[Row]:
    columns = (found.store, found.start, found.end, found.kind, found.poll)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(store, start, end, Kind(kind), poll) for store, start, end, kind, poll in rows]


def cut(
    polls: list[tuple[int, bool]],
    opens: list[tuple[int, int]],
    *,
    max_gap: int,
    seen_within: int,
    policy: Policy = Policy.NEAREST,
    frame: Interval = (0, 1000),
) -> list[tuple[int, int, Kind, int]]:
    """The segments of one store, in single microseconds."""
    found = availability.segments(
        make_polls([(0, at, active) for at, active in polls]),
        make_intervals([(0, start, end) for start, end in opens]),
        Rules(policy, max_gap, seen_within),
        *frame,
    )
    return [row[1:] for row in rows_of(found)]


# --- Arrays written out ---------------------------------------------------------------------------


def test_a_poll_is_seen_near_it_and_inferred_as_far_as_it_speaks() -> None:
    assert cut([(500, True)], [(0, 1000)], max_gap=300, seen_within=100) == [
        (0, 200, UNKNOWN, -1),
        (200, 400, UP_INFERRED, 0),
        (400, 600, UP_SEEN, 0),
        (600, 800, UP_INFERRED, 0),
        (800, 1000, UNKNOWN, -1),
    ]


def test_the_midpoint_of_two_polls_is_rounded_down_and_belongs_to_the_later() -> None:
    assert cut([(100, True), (205, False)], [(90, 210)], max_gap=900, seen_within=50) == [
        (90, 150, UP_SEEN, 0),
        (150, 152, UP_INFERRED, 0),
        (152, 155, DOWN_INFERRED, 1),
        (155, 210, DOWN_SEEN, 1),
    ]


def test_previous_holds_a_state_until_the_next_poll_or_its_age() -> None:
    polls = [(100, True), (400, False), (450, True)]
    assert cut(polls, [(0, 600)], max_gap=200, seen_within=60, policy=Policy.PREVIOUS) == [
        (0, 40, UP_INFERRED, 0),
        (40, 160, UP_SEEN, 0),
        (160, 300, UP_INFERRED, 0),
        (300, 340, DOWN_INFERRED, 1),
        (340, 450, DOWN_SEEN, 1),
        (450, 510, UP_SEEN, 2),
        (510, 600, UP_INFERRED, 2),
    ]


def test_closed_time_cuts_segments_and_is_in_none() -> None:
    polls = [(100, False), (300, True), (500, True)]  # the second: while it is closed
    assert cut(polls, [(50, 150), (420, 520)], max_gap=900, seen_within=40) == [
        (50, 60, DOWN_INFERRED, 0),
        (60, 140, DOWN_SEEN, 0),
        (140, 150, DOWN_INFERRED, 0),
        (420, 460, UP_INFERRED, 2),
        (460, 520, UP_SEEN, 2),
    ]


@pytest.mark.parametrize(("at", "counts"), [(399, False), (400, True), (599, True), (600, False)])
def test_a_poll_counts_at_the_opening_and_not_at_the_closing(at: int, counts: bool) -> None:
    found = cut([(at, True)], [(400, 600)], max_gap=900, seen_within=900)
    assert found == [(400, 600, UP_SEEN, 0) if counts else (400, 600, UNKNOWN, -1)]


@pytest.mark.parametrize(("closes", "counts"), [(1000, False), (1001, True), (1200, True)])
def test_a_poll_at_the_end_of_the_frame_counts_if_the_store_is_open_then(closes: int, counts: bool) -> None:
    found = cut([(1000, False)], [(800, closes)], max_gap=100, seen_within=50)
    blind, inferred, seen = (
        (800, 900, UNKNOWN, -1),
        (900, 950, DOWN_INFERRED, 0),
        (950, 1000, DOWN_SEEN, 0),
    )
    assert found == ([blind, inferred, seen] if counts else [(800, 1000, UNKNOWN, -1)])


def test_a_poll_before_the_frame_decides_within_it() -> None:
    assert cut([(950, True)], [(900, 2000)], max_gap=100, seen_within=70, frame=(1000, 1100)) == [
        (1000, 1020, UP_SEEN, 0),
        (1020, 1050, UP_INFERRED, 0),
        (1050, 1100, UNKNOWN, -1),
    ]


def test_open_time_without_a_poll_is_unknown_and_nothing_open_is_no_segment() -> None:
    assert cut([], [(100, 200), (300, 1100)], max_gap=10, seen_within=5) == [
        (100, 200, UNKNOWN, -1),
        (300, 1000, UNKNOWN, -1),
    ]
    assert cut([(100, True)], [], max_gap=10, seen_within=5) == []


def test_stores_do_not_meet_however_far_their_polls_speak() -> None:
    polls = make_polls([(0, 90, True), (1, 5, False), (3, 100, True)])
    opens = make_intervals([(0, 0, 101), (1, 0, 101), (2, 0, 101), (3, 0, 101)])
    assert rows_of(availability.segments(polls, opens, Rules(max_gap=40, seen_within=40), 0, 100)) == [
        (0, 0, 50, UNKNOWN, -1),
        (0, 50, 100, UP_SEEN, 0),
        (1, 0, 45, DOWN_SEEN, 1),
        (1, 45, 100, UNKNOWN, -1),
        (2, 0, 100, UNKNOWN, -1),
        (3, 0, 60, UNKNOWN, -1),
        (3, 60, 100, UP_SEEN, 2),
    ]


def test_totals_are_cut_at_the_edges_of_each_window_of_each_store() -> None:
    polls = make_polls([(0, 50, True), (2, 50, False)])
    opens = make_intervals([(0, 0, 101), (1, 20, 60), (2, 0, 40), (2, 45, 101)])
    found = availability.segments(polls, opens, Rules(max_gap=30, seen_within=10), 0, 100)
    windows = int64([0, 100, 45, 55, 10, 50, 70, 70, 0, 100, 38, 66]).reshape(3, 2, 2)
    assert totals(found, windows).tolist() == [
        [[20, 40, 0, 0, 40, 0], [10, 0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 30, 0], [0, 0, 0, 0, 0, 0]],
        [[0, 0, 15, 40, 40, 0], [0, 0, 15, 8, 0, 0]],
    ]


def test_totals_of_windows_in_order_are_those_of_the_same_in_any_order() -> None:
    polls = make_polls([(0, 5, True), (0, 50, False), (1, 50, False), (1, 90, True)])
    opens = make_intervals([(0, 0, 60), (0, 65, 101), (1, 20, 101)])
    found = availability.segments(polls, opens, Rules(max_gap=30, seen_within=10), 0, 100)
    hours = np.stack([np.arange(0, 100, 10), np.arange(10, 101, 10)], axis=1)
    in_order = np.broadcast_to(hours, (2, 10, 2))
    told = totals(found, in_order)
    assert told.sum(axis=2)[0].tolist() == [10, 10, 10, 10, 10, 10, 5, 10, 10, 10]
    assert totals(found, in_order[:, ::-1])[:, ::-1].tolist() == told.tolist()


def test_totals_of_no_segments_are_zero() -> None:
    found = availability.segments(make_polls([]), make_intervals([]), Rules(), 0, 100)
    assert totals(found, int64([0, 100] * 3).reshape(3, 1, 2)).tolist() == [[[0] * 6]] * 3
    nowhere = availability.segments(make_polls([]), make_intervals([]), Rules(), 0, 100)
    assert totals(nowhere, np.empty((0, 3, 2), np.int64)).shape == (0, 3, 6)
    no_stores = totals_by_store(make_polls([]), make_intervals([]), Rules(), np.empty((0, 3, 2), np.int64), 9)
    assert no_stores.shape == (0, 3, 6)


# --- The worked examples --------------------------------------------------------------------------


@pytest.mark.parametrize("example", WORKED_EXAMPLES, ids=lambda example: example.name)
def test_worked_example(example: WorkedExample) -> None:
    rules = Rules(Policy(example.policy), example.max_gap_us)
    start, until = example.window
    zone, always = example.zone or oracle.DEFAULT_ZONE, () if example.hours else (0,)
    schedule = make_schedule([week_row(0, row) for row in example.hours], [zone], always)
    opens = open_intervals(schedule, start - rules.max_gap, until + 1)
    polls = make_polls(
        [(0, poll.at_us, poll.active) for poll in sorted(example.polls, key=lambda p: p.at_us)]
    )
    found = totals_by_store(polls, opens, rules, int64([start, until]).reshape(1, 1, 2), until)
    up, down, unknown = found[0, 0, :2].sum(), found[0, 0, 2:4].sum(), found[0, 0, 4]
    assert (up, down, unknown) == tuple(s * SECOND for s in (example.up_s, example.down_s, example.unknown_s))


# --- Against the oracle ---------------------------------------------------------------------------


def engine_totals(fleet: Fleet, windows: Int64) -> Int64:
    rules = rules_of(fleet)
    opens = open_intervals(schedule_of(fleet), int(windows.min()) - rules.max_gap, fleet.as_of_us + 1)
    return totals_by_store(polls_of(fleet), opens, rules, windows, fleet.as_of_us)


def oracle_totals(fleet: Fleet, store_id: str, window: Interval) -> list[int]:
    total = oracle.totals(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
    )
    return [total.up_seen, total.up_inferred, total.down_seen, total.down_inferred, total.unknown, 0]


def back_from(fleet: Fleet, *lengths: int) -> Int64:
    """Windows that end at T, the same for every store."""
    windows = int64(edge for length in lengths for edge in (fleet.as_of_us - length, fleet.as_of_us))
    return np.broadcast_to(windows.reshape(-1, 2), (len(fleet.store_ids), len(lengths), 2))


def own_windows(fleet: Fleet, seed: int, count: int = 3) -> Int64:
    """Windows for each store, of its own: some end at polls, some are empty, none reaches beyond T."""
    choose = np.random.default_rng(seed)
    shape = len(fleet.store_ids), count, 2
    back = choose.choice(int64([0, 1, MINUTE, HOUR, DAY, 8 * DAY]), shape)
    back += choose.integers(0, 9 * DAY, shape) * choose.integers(0, 2, shape)
    polls = choose.choice(int64(poll.at_us for poll in fleet.polls), shape)
    edges = np.where(choose.random(shape) < 0.3, polls, fleet.as_of_us - back)
    return np.sort(np.clip(edges, fleet.as_of_us - 20 * DAY, fleet.as_of_us))


@many
@given(fleet=fleets(), seed=st.integers(0, 999))
def test_every_figure_agrees_with_the_oracle(fleet: Fleet, seed: int) -> None:
    windows = np.concatenate([back_from(fleet, HOUR, DAY, 7 * DAY), own_windows(fleet, seed)], axis=1)
    expected = [
        [oracle_totals(fleet, store_id, (start, end)) for start, end in own]
        for store_id, own in zip(fleet.store_ids, windows.tolist(), strict=True)
    ]
    assert engine_totals(fleet, windows).tolist() == expected
    assert_segments_agree_piece_by_piece(fleet)


def assert_segments_agree_piece_by_piece(fleet: Fleet) -> None:
    start, until, rules = fleet.as_of_us - 7 * DAY, fleet.as_of_us, rules_of(fleet)
    opens = open_intervals(schedule_of(fleet), start - rules.max_gap, until + 1)
    rows = rows_of(availability.segments(polls_of(fleet), opens, rules, start, until))
    for store, store_id in enumerate(fleet.store_ids):
        own = [as_oracle(fleet, row) for row in rows if row[0] == store]
        assert oracle.join(own) == oracle_segments(fleet, store_id, (start, until))
    assert all(end > begin for _, begin, end, _, _ in rows)


def as_oracle(fleet: Fleet, row: Row) -> Segment:
    _, start, end, kind, poll = row
    if kind == UNKNOWN:
        assert poll == -1
        return Segment(start, end, "unknown", False, None)
    state = standing_polls(fleet)[poll]
    assert state.active == (kind in (UP_SEEN, UP_INFERRED))
    return Segment(start, end, "up" if state.active else "down", kind in (UP_SEEN, DOWN_SEEN), state)


def oracle_segments(fleet: Fleet, store_id: str, window: Interval) -> list[Segment]:
    return oracle.segments(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
    )


@few
@given(fleet=fleets(), seed=st.integers(0, 999), pieces=st.sampled_from((7, 168, 11)))
def test_figures_do_not_depend_on_what_else_is_asked_or_known(fleet: Fleet, seed: int, pieces: int) -> None:
    assert_windows_together_say_what_each_says_alone(fleet, own_windows(fleet, seed))
    assert_pieces_add_up_to_the_week_and_to_the_open_time(fleet, pieces)
    assert_only_what_is_within_reach_decides(fleet)


def assert_windows_together_say_what_each_says_alone(fleet: Fleet, windows: Int64) -> None:
    alone = [engine_totals(fleet, windows[:, [window]]) for window in range(windows.shape[1])]
    assert engine_totals(fleet, windows).tolist() == np.concatenate(alone, axis=1).tolist()


def assert_pieces_add_up_to_the_week_and_to_the_open_time(fleet: Fleet, pieces: int) -> None:
    stores = len(fleet.store_ids)
    edges = fleet.as_of_us - 7 * DAY + np.arange(pieces + 1) * 7 * DAY // pieces
    found = engine_totals(fleet, np.stack([edges[:-1], edges[1:]], axis=1)[None].repeat(stores, axis=0))
    assert found.sum(axis=1).tolist() == engine_totals(fleet, back_from(fleet, 7 * DAY))[:, 0].tolist()
    opens = open_intervals(schedule_of(fleet), int(edges[0]), int(edges[-1]))
    open_us = np.bincount(opens.store, opens.end - opens.start, stores)
    assert found.sum(axis=(1, 2)).tolist() == open_us.tolist()
    assert found.min() >= 0


def assert_only_what_is_within_reach_decides(fleet: Fleet) -> None:
    """Polls and hours from before the reach change nothing: a report may leave them out."""
    rules, windows, until = rules_of(fleet), back_from(fleet, HOUR, DAY), fleet.as_of_us
    reach = int(windows.min()) - rules.max_gap
    polls, schedule = polls_of(fleet), schedule_of(fleet)
    near = polls.at >= reach
    needed = availability.Polls(polls.store[near], polls.at[near], polls.active[near])
    expected = totals_by_store(needed, open_intervals(schedule, reach, until + 1), rules, windows, until)
    much = open_intervals(schedule, reach - 40 * DAY, until + 2 * DAY)
    assert totals_by_store(polls, much, rules, windows, until).tolist() == expected.tolist()


# --- Many stores, long times ----------------------------------------------------------------------


def test_the_axis_says_when_stores_do_not_fit_beside_the_time() -> None:
    axis = Axis(0, 40 * YEAR)
    fits = np.array([axis.max_stores - 1], np.int32)
    assert axis.at(axis.pack(fits, int64([40 * YEAR]))).tolist() == [40 * YEAR]
    assert axis.store(axis.pack(fits, int64([40 * YEAR]))).tolist() == fits.tolist()
    with pytest.raises(OverflowError, match="stores do not fit"):
        axis.pack(fits + 1, int64([0]))


@pytest.mark.parametrize("years", [1, 40, 200])
def test_a_fleet_that_does_not_fit_on_one_axis_is_worked_through_in_parts(years: int) -> None:
    stores, until = 6_000, 250 * YEAR
    start = until - years * YEAR
    polls = make_polls([(store, start + store * SECOND + 10 * DAY, store % 3 > 0) for store in range(stores)])
    always = make_schedule([], ["UTC"] * stores, range(stores))
    opens = open_intervals(always, start - DAY, until + 1)
    windows = np.broadcast_to(int64([start, until]), (stores, 1, 2))
    found = totals_by_store(polls, opens, Rules(), windows, until)[:, 0]
    known, near = 2 * DAY, 2 * 45 * MINUTE
    down = [0, 0, near, known - near, years * YEAR - known, 0]
    assert found[::3].tolist() == [down] * 2000
    assert found[1::3].tolist() == [[*down[2:4], 0, 0, *down[4:]]] * 2000


def test_weeks_over_forty_years_are_united_though_the_stores_do_not_fit_on_one_axis() -> None:
    stores = Axis(0, 40 * YEAR).max_stores + 50
    with_hours = [0, 1, stores - 60, stores - 49, stores - 2, stores - 1]
    rows = [(store, 6, start, 86_400) for store in with_hours for start in (80_000, 80_009)]
    opens = open_intervals(make_schedule(rows, ["Etc/GMT+5"] * stores), 0, 40 * YEAR)
    assert np.unique(opens.store, return_counts=True)[1].tolist() == [2086] * len(with_hours)
    assert set((opens.end - opens.start).tolist()) == {6400 * SECOND}
