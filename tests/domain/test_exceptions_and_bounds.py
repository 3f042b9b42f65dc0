"""Exceptions in the engine, against the oracle: all effects, overlapping, over clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain import exceptions
from storewatch.domain.axis import Int64
from storewatch.domain.clock import to_us
from storewatch.domain.exceptions import Breadth, Effect, Rulings
from storewatch.domain.hours import open_intervals
from storewatch.domain.outages import Figures, figures_by_store
from tests import oracle
from tests.domain.arrays import polls_of, rules_of, schedule_of
from tests.oracle import DAY, MINUTE, HoursRow, Ruling
from tests.strategies import Fleet, fleets

EFFECTS: tuple[oracle.Effect, ...] = get_args(oracle.Effect)
BREADTHS: tuple[oracle.Breadth, ...] = get_args(oracle.Breadth)
RULES = (None, None, "FREQ=DAILY", "FREQ=DAILY;COUNT=3", "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=2")
OPENINGS = ((("09:00", "17:00"),), (("22:00", "02:30"),), (("00:00", "24:00"),), (("02:15", "02:45"),))


@st.composite
def rulings(draw: st.DrawFn, as_of_us: int, number: int) -> Ruling:
    """An exception near T, of any effect and scope, by the clock or by instants."""
    effect = draw(st.sampled_from(EFFECTS))
    breadth = draw(st.sampled_from(BREADTHS))
    start = datetime.fromtimestamp(as_of_us // 1_000_000, UTC) - timedelta(
        minutes=15 * draw(st.integers(-8, 10 * 96))
    )
    start = start.replace(second=0, microsecond=0)
    length = timedelta(minutes=draw(st.sampled_from((1, 15, 60, 90, 600, 1440, 2000))))
    if effect == "other_hours":
        start = start.replace(hour=0, minute=0, tzinfo=None)
        length = timedelta(days=draw(st.integers(1, 3)))
    elif draw(st.booleans()):
        start = start.replace(minute=start.minute // 15 * 15, tzinfo=None)
    rule = None if start.tzinfo else draw(st.sampled_from(RULES))
    openings = draw(st.sampled_from(OPENINGS)) if effect == "other_hours" else ()
    return Ruling(number, effect, start, start + length, breadth, rule, openings)


@st.composite
def ruled(draw: st.DrawFn) -> tuple[Fleet, dict[str, list[Ruling]]]:
    """A fleet, and the exceptions that concern each of its stores."""
    fleet = draw(fleets(max_stores=3))
    found: dict[str, list[Ruling]] = {store_id: [] for store_id in fleet.store_ids}
    for number in range(1, draw(st.integers(1, 6)) + 1):
        each = draw(rulings(fleet.as_of_us, number))
        chosen = set(found) if each.breadth == "all" else draw(st.sets(st.sampled_from(sorted(found))))
        for store_id in chosen:
            found[store_id].append(each)
    return fleet, found


def pairs_of(each: Ruling) -> tuple[tuple[int, int], ...]:
    """Openings in seconds of the local day, as they are stored."""
    walls = (oracle.wall_interval(HoursRow("", 0, *pair)) for pair in each.openings)
    return tuple((start, end - 86_400 if end > 86_400 else end) for start, end in walls)


def as_rulings(fleet: Fleet, given_: dict[str, list[Ruling]]) -> Rulings:
    """The same as the engine takes them."""
    all_ = sorted({each for found in given_.values() for each in found}, key=lambda each: each.number)
    each_ = tuple(
        exceptions.Ruling(
            each.number,
            Effect(each.effect),
            to_us(each.start.replace(tzinfo=UTC)),
            to_us(each.end.replace(tzinfo=UTC)),
            each.start.tzinfo is None,
            each.rule,
            pairs_of(each),
            Breadth[each.breadth.upper()],
        )
        for each in all_
    )
    everywhere = tuple(place for place, each in enumerate(all_) if each.breadth == "all")
    pairs = [
        (store, place)
        for store, store_id in enumerate(fleet.store_ids)
        for place, each in enumerate(all_)
        if each.breadth != "all" and each in given_[store_id]
    ]
    store, which = np.array(pairs, np.int64).reshape(-1, 2).T
    return Rulings(each_, everywhere, store.astype(np.int32), which)


def engine(fleet: Fleet, found: Rulings, windows: Int64) -> Figures:
    rules, schedule = rules_of(fleet), schedule_of(fleet)
    start, until = int(windows.min()) - rules.max_gap, fleet.as_of_us + 1
    cover = exceptions.cover(found, schedule, start, until)
    opens = open_intervals(schedule, start, until, cover.other, cover.closed)
    polls = exceptions.without(polls_of(fleet), cover.ignored)
    return figures_by_store(polls, opens, rules, windows, fleet.as_of_us, cover.decided)


def windows_of(fleet: Fleet, seed: int) -> Int64:
    choose, stores = np.random.default_rng(seed), len(fleet.store_ids)
    edges = np.sort(fleet.as_of_us - choose.integers(0, 9 * DAY // MINUTE, (stores, 4)) * MINUTE)
    return np.stack([edges[:, :-1], edges[:, 1:]], axis=2)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(both=ruled(), seed=st.integers(0, 999))
def test_figures_with_exceptions_agree_with_the_oracle(
    both: tuple[Fleet, dict[str, list[Ruling]]], seed: int
) -> None:
    fleet, given_ = both
    windows = windows_of(fleet, seed)
    found = engine(fleet, as_rulings(fleet, given_), windows)
    for store, store_id in enumerate(fleet.store_ids):
        asked = (fleet.polls_of(store_id), fleet.rows_of(store_id), fleet.zone_of(store_id))
        own, gap = given_[store_id], fleet.max_gap_us
        for number, (start, end) in enumerate(windows[store].tolist()):
            window = (start, end)
            total = oracle.totals(
                *asked, window, fleet.as_of_us, fleet.policy, gap, fleet.seen_within_us, own
            )
            six = (total.up_seen, total.up_inferred, total.down_seen, total.down_inferred)
            assert found.totals[store, number].tolist() == [*six, total.unknown, total.excluded]
            bounds = found.down_min[store, number], found.down_max[store, number]
            assert bounds == oracle.bounds(*asked, window, fleet.as_of_us, gap, own)
            assert bounds[0] <= total.down <= bounds[1]
            outages = oracle.outages(*asked, window, fleet.as_of_us, fleet.policy, gap, own)
            assert found.outages[store, number] == len(outages)
            assert found.longest[store, number] == max((each.length_us for each in outages), default=0)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(both=ruled(), seed=st.integers(0, 999))
def test_windows_asked_together_or_one_by_one_say_the_same(
    both: tuple[Fleet, dict[str, list[Ruling]]], seed: int
) -> None:
    fleet, given_ = both
    windows, found = windows_of(fleet, seed), as_rulings(fleet, given_)
    together = engine(fleet, found, windows)
    for number in range(windows.shape[1]):
        alone = engine(fleet, found, windows[:, [number]])
        assert together.totals[:, [number]].tolist() == alone.totals.tolist()
        assert together.down_max[:, [number]].tolist() == alone.down_max.tolist()
