"""The made-up fleet has the shares and the oddities of the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from storewatch.domain import simulation
from storewatch.domain.simulation import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Fleet, Span

END_US = int(datetime(2026, 7, 20, 18, tzinfo=UTC).timestamp()) * SECOND_US
STORES, DAYS = 4_000, 7


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return simulation.make_fleet(stores=STORES, seed=1)


@pytest.fixture(scope="module")
def span() -> Span:
    return simulation.make_span(days=DAYS, seed=1, end_us=END_US)


@pytest.fixture(scope="module")
def polls(fleet: Fleet, span: Span) -> pl.DataFrame:
    return pl.concat([batch for _, batch in simulation.poll_batches(fleet, span)])


@pytest.fixture(scope="module")
def hours(fleet: Fleet) -> pl.DataFrame:
    return simulation.hours_rows(fleet)


def polls_of(stores: int, days: int, seed: int, end_us: int = END_US) -> pl.DataFrame:
    fleet = simulation.make_fleet(stores=stores, seed=seed)
    span = simulation.make_span(days=days, seed=seed, end_us=end_us)
    return pl.concat([batch for _, batch in simulation.poll_batches(fleet, span)])


def polled_ids(fleet: Fleet) -> set[str]:
    return set(fleet.ids[: fleet.polled])


def a_store(hours: list[tuple[int, int, int]], zone: str = "America/New_York", count: int = 1) -> Fleet:
    """Stores that never fail and go dark when closed."""
    made = simulation.make_fleet(stores=count, seed=3)
    rows = [(store, *row) for store in range(count) for row in hours]
    return Fleet(
        seed=3,
        polled=count,
        ids=made.ids,
        zone=np.full(count, simulation._ZONE_NAMES.index(zone)),
        hours=np.array(rows, np.int64).reshape(-1, 4),
        per_hour=np.ones(count, np.int64),
        diligence=np.ones(count),
        outages_per_day=np.zeros(count),
        is_sparse=np.zeros(count, np.bool_),
        goes_dark=np.ones(count, np.bool_),
        is_hit=np.zeros(count, np.bool_),
    )


# ---- stores ----------------------------------------------------------------------------------------------


def test_ids_are_unique_and_nearly_all_too_long_for_a_float(fleet: Fleet) -> None:
    numbers = fleet.ids.cast(pl.Int64)
    assert fleet.ids.n_unique() == len(fleet.ids)
    assert fleet.ids.str.len_chars().is_between(15, 19).all()
    assert (numbers > 2**53).mean() > 0.98  # type: ignore[operator]


def test_stores_without_hours_or_zone_have_the_shares_of_the_field(fleet: Fleet, hours: pl.DataFrame) -> None:
    polled = polled_ids(fleet)
    no_hours = polled - set(hours["store_id"])
    no_zone = polled - set(simulation.timezone_rows(fleet)["store_id"])
    assert len(polled) == STORES
    assert 0.20 < len(no_hours) / STORES < 0.24
    assert 0.04 < len(no_zone) / STORES < 0.052
    assert len(no_zone & no_hours) / len(no_zone) > 0.98


def test_a_few_stores_have_hours_and_no_polls(fleet: Fleet, hours: pl.DataFrame) -> None:
    unpolled = set(hours["store_id"]) - polled_ids(fleet)
    assert 0.005 < len(unpolled) / STORES < 0.015


def test_most_stores_are_in_new_york_and_some_zones_have_one(fleet: Fleet) -> None:
    counts = dict(simulation.timezone_rows(fleet)["timezone_str"].value_counts().iter_rows())
    assert 0.57 < counts["America/New_York"] / STORES < 0.61
    assert counts["America/Los_Angeles"] > counts["America/Chicago"] > counts["America/Phoenix"]
    assert {counts[zone] for zone in ("Asia/Beirut", "Pacific/Honolulu", "America/Boise")} == {1}


# ---- hours -----------------------------------------------------------------------------------------------


def test_a_third_of_the_ends_stand_for_midnight(hours: pl.DataFrame) -> None:
    ends = hours["end_time_local"]
    assert 0.28 < ends.is_in(["23:59:00", "23:59:59"]).mean() < 0.37  # type: ignore[operator]


def test_some_stores_write_out_that_they_never_close(hours: pl.DataFrame) -> None:
    whole_day = (pl.col("start_time_local") == "00:00:00") & (pl.col("end_time_local") == "23:59:59")
    by_store = hours.group_by("store_id").agg(whole_day.sum().alias("whole"), pl.len())
    never_close = by_store.filter((pl.col("whole") == 7) & (pl.col("len") == 7))
    assert 0.11 < never_close.height / by_store.height < 0.15


def test_nights_are_split_at_midnight_and_a_few_are_one_row(hours: pl.DataFrame) -> None:
    stores = hours["store_id"].n_unique()
    one_row = hours.filter(pl.col("end_time_local") < pl.col("start_time_local"))
    after_midnight = hours.filter(
        (pl.col("start_time_local") == "00:00:00") & (pl.col("end_time_local") < "05")
    )
    assert 0.02 < one_row["store_id"].n_unique() / stores < 0.045
    assert 0.12 < after_midnight["store_id"].n_unique() / stores < 0.2


def test_days_have_up_to_three_intervals_and_some_have_none(hours: pl.DataFrame) -> None:
    by_day = hours.group_by("store_id", "day").len()
    days = by_day.group_by("store_id").len()["len"]
    assert set(by_day["len"].unique()) == {1, 2, 3}
    assert 0.14 < (days < 7).mean() < 0.23  # type: ignore[operator]


def test_intervals_touch_or_lie_a_moment_apart_and_some_last_59_seconds(fleet: Fleet) -> None:
    rows = fleet.hours[np.lexsort(fleet.hours[:, ::-1].T)]
    same_day = np.all(rows[1:, :2] == rows[:-1, :2], axis=1)
    gaps = (rows[1:, 2] - rows[:-1, 3])[same_day]
    assert {0, 1, 60} <= set(gaps.tolist())
    assert gaps.min() == 0, "intervals of a day do not overlap"
    assert 59 in (rows[:, 3] - rows[:, 2])


# ---- polls -----------------------------------------------------------------------------------------------


def test_a_quarter_of_the_polls_are_inactive(polls: pl.DataFrame) -> None:
    assert 0.2 < 1 - polls["active"].mean() < 0.28  # type: ignore[operator]


def test_open_stores_are_up_nine_times_in_ten(fleet: Fleet, span: Span, polls: pl.DataFrame) -> None:
    store, at_us = polls["store"].to_numpy().astype(np.int64), polls["at_us"].to_numpy()
    is_open = simulation._is_open(fleet, span, simulation._utc_offsets(span), store, at_us)
    active = polls["active"].to_numpy()
    assert 0.90 < active[is_open].mean() < 0.96
    assert active[~is_open].mean() < 0.5
    assert 0.5 < is_open[np.isin(store, fleet.hours[:, 0])].mean() < 0.65


def test_most_stores_are_polled_once_an_hour_and_few_hardly_ever(polls: pl.DataFrame) -> None:
    by_hour = polls.group_by("store", pl.col("at_us") // HOUR_US).len(name="n")
    by_store = by_hour.group_by("store").agg(pl.col("n").max().alias("most"), pl.col("n").sum())
    assert by_store.height == STORES
    assert 0.90 < (by_store["most"] == 1).mean() < 0.95  # type: ignore[operator]
    assert by_store["most"].max() == 3
    assert 0.01 < (by_store["n"] <= 5).mean() < 0.03  # type: ignore[operator]


def test_most_polls_come_in_the_first_quarter_of_the_hour(polls: pl.DataFrame) -> None:
    assert 0.8 < (polls["at_us"] % HOUR_US < 15 * MINUTE_US).mean() < 0.9  # type: ignore[operator]


def test_the_newest_poll_is_minutes_old_and_none_is_later(polls: pl.DataFrame) -> None:
    at_us = polls["at_us"].to_numpy()
    assert END_US - 2 * MINUTE_US <= at_us.max() <= END_US
    assert at_us.min() >= END_US - DAYS * DAY_US


def test_nobody_is_polled_in_a_hole(span: Span, polls: pl.DataFrame) -> None:
    at_us = polls["at_us"].to_numpy()
    assert not any(((start <= at_us) & (at_us < end)).any() for start, end in span.holes_us)


@pytest.mark.parametrize(
    ("days", "at_least_h", "at_most_h"),
    [(1, 0, 0), (3, 1, 1), (7, 8.5, 10), (13, 8.5, 10), (14, 38, 43), (30, 38, 43)],
)
def test_holes_grow_with_the_span_and_leave_its_end_alone(
    days: int, at_least_h: float, at_most_h: float
) -> None:
    for seed in range(20):
        span = simulation.make_span(days=days, seed=seed, end_us=END_US + 23 * MINUTE_US)
        longest_us = np.diff(span.holes_us, axis=1).max(initial=0)
        assert at_least_h * HOUR_US <= longest_us <= at_most_h * HOUR_US
        assert span.holes_us.max(initial=0) <= span.end_us - 6 * HOUR_US
        assert span.holes_us.min(initial=span.end_us) >= span.start_us


def test_a_bad_half_hour_takes_down_many_stores_at_once(
    fleet: Fleet, span: Span, polls: pl.DataFrame
) -> None:
    start_us, end_us = span.bad_us
    then = polls.filter(pl.col("at_us").is_between(start_us, end_us, closed="left"))
    assert end_us - start_us == 30 * MINUTE_US
    assert then["active"].mean() < 0.45  # type: ignore[operator]


def test_outages_last_from_ten_minutes_to_a_day(span: Span) -> None:
    """Seen by polling every five minutes stores that fail once in 20 days, so that outages seldom meet."""
    fleet = replace(a_store([], count=300), outages_per_day=np.full(300, 0.05))
    ticks_us = np.arange(span.start_us, span.end_us, 5 * MINUTE_US)
    stores = np.arange(300)
    store, at_us = np.repeat(stores, len(ticks_us)), np.tile(ticks_us, 300)
    down = simulation._in_outage(np.random.default_rng(4), fleet, span, stores, store, at_us)
    down = np.pad(down.reshape(300, -1)[:, 1:-1], ((0, 0), (1, 1)))
    lengths = np.diff(np.flatnonzero(np.diff(down.ravel())))[::2]
    assert 50 < len(lengths) < 200
    assert np.median(lengths) * 5 > 60
    assert 10 * 60 < lengths.max() * 5 < 36 * 60


# ---- open or not -----------------------------------------------------------------------------------------


# Monday 20 July 2026; New York is four hours behind UTC.
@pytest.mark.parametrize(
    ("hours", "utc", "expected"),
    [
        ([(0, 9 * 3600, 12 * 3600)], "2026-07-20 12:59:59", False),
        ([(0, 9 * 3600, 12 * 3600)], "2026-07-20 13:00:00", True),
        ([(0, 9 * 3600, 12 * 3600)], "2026-07-20 16:00:00", False),
        ([(0, 9 * 3600, 12 * 3600)], "2026-07-19 14:00:00", False),
        ([(6, 22 * 3600, 2 * 3600)], "2026-07-20 05:59:59", True),
        ([(6, 22 * 3600, 2 * 3600)], "2026-07-20 06:00:00", False),
        ([(6, 22 * 3600, 86_340)], "2026-07-20 03:59:59", True),
        ([(6, 22 * 3600, 86_340)], "2026-07-20 04:00:00", False),
    ],
)
def test_a_store_is_open_by_its_local_clock(
    hours: list[tuple[int, int, int]], utc: str, expected: bool
) -> None:
    span = simulation.make_span(days=7, seed=0, end_us=END_US)
    at_us = int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * SECOND_US
    offsets_us = simulation._utc_offsets(span)
    store, at = np.array([1]), np.array([at_us])
    assert simulation._is_open(a_store(hours, count=2), span, offsets_us, store, at).tolist() == [expected]


def test_a_store_without_hours_is_always_open_and_one_without_faults_always_up() -> None:
    fleet = a_store([], count=3)
    span = simulation.make_span(days=2, seed=0, end_us=END_US)
    ((done, polls),) = simulation.poll_batches(fleet, span)
    assert done == 3
    assert polls["active"].all()


def test_intervals_cover_points_half_open_in_any_order() -> None:
    starts, ends = np.array([10, 0, 4]), np.array([12, 8, 5])
    covered = simulation._covered(np.array([-1, 0, 4, 7, 8, 9, 10, 11, 12]), starts, ends)
    assert covered.astype(int).tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 0]


# ---- files -----------------------------------------------------------------------------------------------


def test_active_polls_come_first_shuffled_and_one_in_a_thousand_twice() -> None:
    active = np.arange(10_000) % 4 != 0
    order = simulation.file_order(1, active)
    written = active[order]
    assert len(order) == 10_010
    assert set(order.tolist()) == set(range(10_000))
    assert (np.diff(written.astype(int)) != 0).sum() == 1
    assert written[0]
    assert (np.diff(order[written]) < 0).any()


@pytest.mark.parametrize(
    ("fraction_us", "text"),
    [(388_884, ".388884"), (47_920, ".04792"), (500_000, ".5"), (0, ""), (10, ".00001")],
)
def test_times_are_written_without_trailing_zeros(fleet: Fleet, fraction_us: int, text: str) -> None:
    at_us = int(datetime(2023, 1, 22, 12, 9, 30, tzinfo=UTC).timestamp()) * SECOND_US + fraction_us
    polls = pl.DataFrame(
        {"store": [0], "at_us": [at_us], "active": [False]}, schema_overrides={"store": pl.UInt32}
    )
    assert simulation.poll_rows(fleet, polls).row(0) == (
        fleet.ids[0],
        "inactive",
        f"2023-01-22 12:09:30{text} UTC",
    )


# ---- small and repeated ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stores", [1, 3])
def test_the_smallest_fleets_have_ups_and_downs(stores: int) -> None:
    for seed in range(10):
        polls = polls_of(stores, 1, seed)
        assert polls["store"].n_unique() == stores
        assert polls.height > 15 * stores
        assert set(polls["active"].unique()) == {True, False}, f"seed {seed}"


def test_one_store_has_hours_and_a_zone() -> None:
    fleet = simulation.make_fleet(stores=1, seed=8)
    assert len(fleet.ids) == 1
    assert simulation.timezone_rows(fleet).height == 1
    assert simulation.hours_rows(fleet).height > 0


def test_the_same_arguments_give_the_same_polls_and_another_seed_others() -> None:
    first = polls_of(30, 2, seed=5)
    assert first.equals(polls_of(30, 2, seed=5))
    assert not first.equals(polls_of(30, 2, seed=6))
    assert simulation.make_fleet(stores=30, seed=5).ids[0] != simulation.make_fleet(stores=30, seed=6).ids[0]


def test_an_end_within_an_hour_is_kept() -> None:
    end_us = END_US + 23 * MINUTE_US + 1
    at_us = polls_of(200, 1, seed=5, end_us=end_us)["at_us"].to_numpy()
    assert end_us - DAY_US <= at_us.min()
    assert end_us - 2 * MINUTE_US <= at_us.max() <= end_us
