"""Laws that the oracle keeps for any fleet."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import (
    DAY,
    MINUTE,
    Interval,
    Segment,
    Totals,
    in_hours,
    is_seen,
    length,
    open_intervals,
    outages,
    report_csv,
    segments,
    state_at,
    totals,
)
from tests.strategies import Fleet, fleets

LAWS = settings(max_examples=60, deadline=None)


def segments_of(fleet: Fleet, store_id: str, window: Interval) -> list[Segment]:
    return segments(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
    )


def totals_of(fleet: Fleet, store_id: str, window: Interval) -> Totals:
    return totals(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
    )


@LAWS
@given(fleets(max_stores=2), st.lists(st.integers(0, 8 * 24 * 60), max_size=3))
def test_nothing_is_lost_and_windows_add_up(fleet: Fleet, minutes_back: list[int]) -> None:
    bounds = sorted({fleet.as_of_us - minutes * MINUTE for minutes in (*minutes_back, 8 * 24 * 60, 0)})
    for store_id in fleet.store_ids:
        total = totals_of(fleet, store_id, (bounds[0], bounds[-1]))
        rows, zone = fleet.rows_of(store_id), fleet.zone_of(store_id)
        assert total.open == length(open_intervals(rows, zone, bounds[0], bounds[-1]))
        parts = [totals_of(fleet, store_id, window) for window in pairwise(bounds)]
        assert total == Totals(
            sum(part.up_seen for part in parts),
            sum(part.up_inferred for part in parts),
            sum(part.down_seen for part in parts),
            sum(part.down_inferred for part in parts),
            sum(part.unknown for part in parts),
        )


@LAWS
@given(fleets(max_stores=2))
def test_a_segment_says_what_each_of_its_instants_says(fleet: Fleet) -> None:
    for store_id in fleet.store_ids:
        rows, zone = fleet.rows_of(store_id), fleet.zone_of(store_id)
        counting = in_hours(fleet.polls_of(store_id), rows, zone, fleet.as_of_us)
        found = segments_of(fleet, store_id, (fleet.as_of_us - 7 * DAY, fleet.as_of_us))
        assert all(one.end_us <= other.start_us for one, other in pairwise(found))
        for piece in found:
            for instant in (piece.start_us, (piece.start_us + piece.end_us) // 2, piece.end_us - 1):
                state, decider = state_at(instant, counting, fleet.policy, fleet.max_gap_us)
                assert (state, decider) == (piece.state, piece.poll)
                assert is_seen(instant, decider, fleet.seen_within_us) == piece.seen


@LAWS
@given(fleets(max_stores=2))
def test_outages_are_all_that_is_down(fleet: Fleet) -> None:
    window = (fleet.as_of_us - 7 * DAY, fleet.as_of_us)
    for store_id in fleet.store_ids:
        found = outages(
            fleet.polls_of(store_id),
            fleet.rows_of(store_id),
            fleet.zone_of(store_id),
            window,
            fleet.as_of_us,
            fleet.policy,
            fleet.max_gap_us,
        )
        assert sum(outage.length_us for outage in found) == totals_of(fleet, store_id, window).down
        assert all(one.end_us <= other.start_us for one, other in pairwise(found))


@LAWS
@given(fleets())
def test_the_report_has_a_row_for_each_store_polled_until_t(fleet: Fleet) -> None:
    report = report_csv(
        fleet.polls,
        fleet.hours,
        fleet.zones,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
        closed=fleet.closed,
    )
    polled = {poll.store_id for poll in fleet.polls if poll.at_us <= fleet.as_of_us}
    assert report.endswith("\n")
    assert len(report.splitlines()) == 1 + len(polled)
