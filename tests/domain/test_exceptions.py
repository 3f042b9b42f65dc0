"""Exceptions and the engine: against the oracle, and what must hold of any of them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storewatch.domain import availability, exceptions, hours
from storewatch.domain.availability import Kind, Polls, Segments
from storewatch.domain.axis import Int64
from storewatch.domain.clock import SECOND, to_us
from storewatch.domain.exceptions import Breadth, Effect, Ruling, Rulings
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.spans import Spans, painted
from tests import exception_strategies, oracle_exceptions
from tests.domain.arrays import (
    int64,
    make_intervals,
    make_polls,
    make_schedule,
    polls_of,
    rules_of,
    schedule_of,
)
from tests.domain.test_availability import own_windows, rows_of
from tests.exception_strategies import Given
from tests.oracle import COUNTS_AS_MIDNIGHT, DAY, HOUR, MIDNIGHT_AT_THE_END, Interval, parse_time
from tests.oracle_exceptions import KINDS, Exempt, Piece
from tests.strategies import Fleet, fleets

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(many, max_examples=60)

UP_SEEN, UP_INFERRED, DOWN_SEEN, DOWN_INFERRED, UNKNOWN, EXCLUDED = Kind


# --- from what the oracle takes to what the engine takes ------------------------------------------


def ruling_of(one: Exempt) -> Ruling:
    local = one.start.tzinfo is None
    start, end = (to_us(time.replace(tzinfo=UTC) if local else time) for time in (one.start, one.end))
    rule = f"FREQ=DAILY;INTERVAL={one.every};COUNT={one.times}" if one.times > 1 else None
    spans = tuple((parse_time(opens), closing(closes)) for opens, closes in one.openings)
    return Ruling(one.number, Effect(one.effect), start, end, local, rule, spans, Breadth(one.breadth))


def closing(text: str) -> int:
    end = parse_time(text)
    return MIDNIGHT_AT_THE_END if end >= COUNTS_AS_MIDNIGHT else end


def rulings_of(fleet: Fleet, made: list[Given]) -> Rulings:
    everywhere = tuple(number for number, (_, stores) in enumerate(made) if stores is None)
    pairs = sorted(
        (fleet.store_ids.index(store_id), number)
        for number, (_, stores) in enumerate(made)
        for store_id in stores or ()
    )
    store, which = np.array(pairs, np.int64).reshape(-1, 2).T
    return Rulings(tuple(ruling_of(one) for one, _ in made), everywhere, store.astype(np.int32), which)


def engine(fleet: Fleet, made: list[Given], windows: Int64) -> Figures:
    rules, until = rules_of(fleet), fleet.as_of_us
    reach, schedule = int(windows.min()) - rules.max_gap, schedule_of(fleet)
    cover = exceptions.cover(rulings_of(fleet, made), schedule, reach, until + 1)
    opens = hours.open_intervals(schedule, reach, until + 1, cover.other, cover.closed)
    polls = exceptions.without(polls_of(fleet), cover.ignored)
    return figures_by_store(polls, opens, rules, windows, until, cover.decided)


def cut(fleet: Fleet, made: list[Given], window: Interval) -> Segments:
    rules, (start, until), schedule = rules_of(fleet), window, schedule_of(fleet)
    cover = exceptions.cover(rulings_of(fleet, made), schedule, start - rules.max_gap, until + 1)
    opens = hours.open_intervals(schedule, start - rules.max_gap, until + 1, cover.other, cover.closed)
    polls = exceptions.without(polls_of(fleet), cover.ignored)
    return availability.segments(polls, opens, rules, start, until, cover.decided)


def slow(fleet: Fleet, made: list[Given], store_id: str, window: Interval) -> list[Piece]:
    return oracle_exceptions.pieces(
        fleet.polls_of(store_id),
        fleet.rows_of(store_id),
        fleet.zone_of(store_id),
        exception_strategies.of(made, store_id),
        window,
        fleet.as_of_us,
        fleet.policy,
        fleet.max_gap_us,
        fleet.seen_within_us,
    )


@st.composite
def asked(draw: st.DrawFn) -> tuple[Fleet, list[Given], int]:
    fleet = draw(fleets(max_stores=3, changing=True))
    return fleet, draw(exception_strategies.lists(fleet)), draw(st.integers(0, 999))


# --- against the oracle ---------------------------------------------------------------------------


@many
@given(asked())
def test_every_figure_agrees_with_the_oracle(case: tuple[Fleet, list[Given], int]) -> None:
    fleet, made, seed = case
    windows = own_windows(fleet, seed)
    found = engine(fleet, made, windows)
    for store, store_id in enumerate(fleet.store_ids):
        for number, (start, end) in enumerate(windows[store].tolist()):
            expected = slow(fleet, made, store_id, (start, end))
            assert found.totals[store, number].tolist() == oracle_exceptions.totals(expected)
            assert found.outages[store, number] == oracle_exceptions.outages(expected)


@many
@given(asked())
def test_every_segment_says_which_exception_decided_it(case: tuple[Fleet, list[Given], int]) -> None:
    fleet, made, _ = case
    window = (fleet.as_of_us - 7 * DAY, fleet.as_of_us)
    found = cut(fleet, made, window)
    rows, numbers = rows_of(found), found.exception.tolist()
    for store, store_id in enumerate(fleet.store_ids):
        own = [
            Piece(start, end, KINDS[kind], number if number >= 0 else None)
            for (of, start, end, kind, _), number in zip(rows, numbers, strict=True)
            if of == store
        ]
        assert joined(own) == joined(slow(fleet, made, store_id, window))
    assert all(end > start for _, start, end, _, _ in rows)
    assert all(
        poll == -1 for row, number in zip(rows, numbers, strict=True) for poll in row[4:] if number > 0
    )


def joined(pieces: list[Piece]) -> list[Piece]:
    """Touching pieces that are alike become one."""
    result: list[Piece] = []
    for piece in pieces:
        last = result[-1] if result else None
        if last and (last.end, last.kind, last.exception) == (piece.start, piece.kind, piece.exception):
            result[-1] = Piece(last.start, piece.end, piece.kind, piece.exception)
        else:
            result.append(piece)
    return result


# --- what must hold -------------------------------------------------------------------------------


@few
@given(asked(), st.integers(0, 7))
def test_some_stores_are_open_as_they_are_among_all(
    case: tuple[Fleet, list[Given], int], chosen: int
) -> None:
    fleet, made, _ = case
    rulings, schedule, until = rulings_of(fleet, made), schedule_of(fleet), fleet.as_of_us
    whole = exceptions.opens(rulings, schedule, until - 7 * DAY, until)
    numbers = np.arange(len(fleet.store_ids))
    for some in ((chosen >> numbers) % 2 > 0, slice(chosen % 2, len(numbers))):
        part = exceptions.opens(rulings[some], schedule[some], until - 7 * DAY, until)
        own = np.isin(whole.store, numbers[some])
        assert numbers[some][part.store].tolist() == whole.store[own].tolist()
        assert (part.start.tolist(), part.end.tolist()) == (
            whole.start[own].tolist(),
            whole.end[own].tolist(),
        )


@few
@given(asked(), st.sampled_from((7, 168, 11)))
def test_pieces_of_time_add_up_to_the_open_time_whatever_else_is_asked(
    case: tuple[Fleet, list[Given], int], pieces: int
) -> None:
    fleet, made, seed = case
    stores = len(fleet.store_ids)
    edges = fleet.as_of_us - 7 * DAY + np.arange(pieces + 1) * 7 * DAY // pieces
    parts = engine(fleet, made, np.stack([edges[:-1], edges[1:]], axis=1)[None].repeat(stores, axis=0))
    whole = engine(fleet, made, np.broadcast_to(edges[[0, -1]], (stores, 1, 2)))
    assert parts.totals.sum(axis=1).tolist() == whole.totals[:, 0].tolist()
    cover = exceptions.cover(rulings_of(fleet, made), schedule_of(fleet), int(edges[0]), int(edges[-1]))
    opens = hours.open_intervals(schedule_of(fleet), int(edges[0]), int(edges[-1]), cover.other, cover.closed)
    open_us = np.bincount(opens.store, opens.end - opens.start, stores)
    assert whole.totals.sum(axis=(1, 2)).tolist() == open_us.tolist()
    windows = own_windows(fleet, seed)
    alone = [engine(fleet, made, windows[:, [number]]).totals for number in range(windows.shape[1])]
    assert engine(fleet, made, windows).totals.tolist() == np.concatenate(alone, axis=1).tolist()


@few
@given(asked())
def test_nothing_changes_further_off_than_a_poll_speaks(case: tuple[Fleet, list[Given], int]) -> None:
    fleet, made, _ = case
    start, until, gap = fleet.as_of_us - 12 * DAY, fleet.as_of_us, fleet.max_gap_us
    cover = exceptions.cover(rulings_of(fleet, made), schedule_of(fleet), start - gap, until + gap)
    edges = start + np.arange(12 * 4 + 1) * 6 * HOUR
    windows = np.stack([edges[:-1], edges[1:]], axis=1)[None].repeat(len(fleet.store_ids), axis=0)
    differs = (engine(fleet, made, windows).totals != engine(fleet, [], windows).totals).any(axis=2)
    near = np.zeros_like(differs)
    if cover.touched is not None:
        spans = cover.touched
        for store, low, high in zip(spans.store, spans.start - gap, spans.end + gap, strict=True):
            near[store] |= (windows[store, :, 0] < high) & (windows[store, :, 1] > low)
    assert not (differs & ~near).any()


@few
@given(asked())
def test_what_is_due_holds_every_day_that_changes(case: tuple[Fleet, list[Given], int]) -> None:
    fleet, made, _ = case
    edges = fleet.as_of_us - 12 * DAY + np.arange(12 * 4 + 1) * 6 * HOUR
    windows = np.stack([edges[:-1], edges[1:]], axis=1)[None].repeat(len(fleet.store_ids), axis=0)
    for number in range(len(made)):
        before, after = engine(fleet, made[:number], windows), engine(fleet, made[: number + 1], windows)
        differs = (before.totals != after.totals).any(axis=(0, 2))
        for most in (1, 100):
            first, last = exceptions.stretches(ruling_of(made[number][0]), fleet.as_of_us + 1, most)
            due = np.zeros(len(differs), np.bool_)
            for low, high in zip(first - fleet.max_gap_us, last + fleet.max_gap_us, strict=True):
                due |= (edges[:-1] <= high) & (edges[1:] > low)
            assert not (differs & ~due).any()


# --- written out ----------------------------------------------------------------------------------


def spans(*rows: tuple[int, int, int, int, int]) -> Spans:
    store, start, end, number, kind = np.array(rows, np.int64).reshape(-1, 5).T
    return Spans(store.astype(np.int32), start, end, number, kind.astype(np.int8))


def told(found: Spans) -> list[tuple[int, ...]]:
    columns = (found.store, found.start, found.end, found.number)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_where_spans_overlap_the_last_and_strongest_is_told() -> None:
    rows = spans((0, 10, 50, 1, 0), (1, 10, 50, 2, 0), (0, 20, 30, 3, 0), (0, 40, 60, 4, 0))
    assert told(painted(rows)) == [
        (0, 10, 20, 1),
        (0, 20, 30, 3),
        (0, 30, 40, 1),
        (0, 40, 60, 4),
        (1, 10, 50, 2),
    ]


def test_closed_time_is_cut_out_of_the_open() -> None:
    opens = make_intervals([(0, 0, 10), (0, 20, 30), (1, 0, 10), (2, 5, 6)])
    cuts = spans((0, 2, 4, 1, 0), (0, 4, 5, 2, 0), (0, 8, 25, 1, 0), (1, 0, 10, 1, 0), (2, 7, 9, 1, 0))
    found = hours.minus(opens, cuts)
    rows = zip(found.store.tolist(), found.start.tolist(), found.end.tolist(), strict=True)
    assert list(rows) == [(0, 0, 2), (0, 5, 8), (0, 25, 30), (2, 5, 6)]


def test_a_decided_span_cuts_segments_and_is_one_as_far_as_the_open_time_goes() -> None:
    polls, opens = make_polls([(0, 50, False)]), make_intervals([(0, 0, 60), (0, 70, 101)])
    decided = spans((0, 40, 55, 7, UP_INFERRED), (0, 58, 80, 8, EXCLUDED))
    found = availability.segments(
        polls, opens, availability.Rules(max_gap=40, seen_within=5), 0, 100, decided
    )
    assert [row[1:] for row in rows_of(found)] == [
        (0, 10, UNKNOWN, -1),
        (10, 40, DOWN_INFERRED, 0),
        (40, 55, UP_INFERRED, -1),
        (55, 58, DOWN_INFERRED, 0),
        (58, 60, EXCLUDED, -1),
        (70, 80, EXCLUDED, -1),
        (80, 90, DOWN_INFERRED, 0),
        (90, 100, UNKNOWN, -1),
    ]


@pytest.mark.parametrize(("at", "counts"), [(19, True), (20, False), (29, False), (30, True)])
def test_polls_of_a_span_are_ignored(at: int, counts: bool) -> None:
    polls = make_polls([(0, 25, True), (1, at, True)])
    left: Polls = exceptions.without(polls, spans((1, 20, 30, 1, -1)))
    assert left.at.tolist() == ([25, at] if counts else [25])


def test_a_rule_comes_again_at_the_same_time_of_the_clock_over_a_change() -> None:
    start = to_us(datetime(2023, 3, 11, 2, 30, tzinfo=UTC))
    daily = Ruling(1, Effect.CLOSED, start, start + HOUR, True, "FREQ=DAILY;COUNT=3")
    everywhere = Rulings((daily,), (0,), np.empty(0, np.int32), int64([]))
    schedule = make_schedule([], ["America/New_York"], (0,))
    cover = exceptions.cover(everywhere, schedule, start - DAY, start + 5 * DAY)
    assert cover.closed is not None
    begins = [(at - start) / SECOND / 3600 for at in cover.closed.start.tolist()]
    assert begins == [5, 52]  # on the 12th 2:30 and 3:30 are one instant
