"""Hour after hour of polls: how stores stand follows from how they stood, and is what it would be anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from storewatch.domain import touched
from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, HOUR, MINUTE
from storewatch.domain.history import Days
from storewatch.errors import NotFoundError
from storewatch.services import following, history, proof, revenue
from storewatch.services.sight import see
from storewatch.storage import history as marks
from storewatch.storage import polls, store_days, store_now
from storewatch.storage.db import Database
from tests.services.kept_against_engine import assert_periods_equal
from tests.services.test_history_changes import (
    FIRST,
    STORES,
    USUAL,
    assert_fleet_is_right,
    begin,
    changes,
    make,
)

NOON = (FIRST + 8) * DAY + 12 * HOUR
REVENUE = [("takes", ("a", 70_000, False)), ("takes", ("b", 900, True))]
heard = st.lists(st.sampled_from((None, True, True, False)), min_size=3, max_size=3)
late = st.lists(
    st.tuples(st.sampled_from(STORES), st.booleans(), st.integers(1, 40 * 60) | st.integers(1, 12 * 24 * 60)),
    max_size=2,
)
hours = st.tuples(heard, late, st.none() | st.none() | changes)


def hour(states: list[bool | None], before: list[tuple[str, bool, int]], number: int) -> list[object]:
    """The polls of an hour, and some that come late by so many minutes."""
    at = NOON + number * HOUR
    told = zip(STORES, states, strict=True)
    now = [(store, up, at + 5 * MINUTE) for store, up in told if up is not None]
    return [*now, *((store, up, at - minutes * MINUTE) for store, up, minutes in before)]


@pytest.fixture(autouse=True)
def as_of_a_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an import touched is told to the instant, as it is where it touches many stores."""
    monkeypatch.setattr(touched, "MANY", 0)


def past(database: Database) -> None:
    """Four stores of which two have revenue, polled for a week; one is closed at midnight and on two days."""
    begin(database)
    make(database, "import", [(store, True, FIRST * DAY) for store in STORES])
    make(database, "hours", ("c", [(day, 9 * 3600, 2 * 3600) for day in range(7)], FIRST))
    twice = [(day, *opening) for day in (0, 1, 2, 4, 5) for opening in ((10, 14), (16, 20))]
    make(database, "hours", ("b", [(day, one * 3600, other * 3600) for day, one, other in twice], FIRST))
    for change in REVENUE:
        make(database, *change)
    draw = np.random.default_rng(5)
    each = [(s, draw.random() > 0.2, NOON - n * 3 * HOUR) for s in STORES for n in range(1, 60)]
    make(database, "import", each)
    while history.update(database, USUAL):
        pass


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(run=[([True, False, True], [("a", False, 12 * 24 * 60)], None)])
@given(run=st.lists(hours, min_size=2, max_size=16))
def test_every_hour_is_what_it_would_be_anew(
    database: Database, run: list[tuple[list[bool | None], list[tuple[str, bool, int]], tuple[str, object]]]
) -> None:
    past(database)
    for number, (states, before, change) in enumerate(run):
        if came := hour(states, before, number):
            make(database, "import", came)
        if change is not None:
            with suppress(NotFoundError):
                make(database, *change)
        while history.update(database, USUAL):
            pass
        assert proof.verify_standing(database, USUAL).wrong == 0
    assert proof.verify(database, USUAL).wrong == 0
    assert_periods_equal(database, USUAL)
    assert_fleet_is_right(database)


@pytest.mark.parametrize("seed", range(4))
def test_stores_that_open_go_on_from_how_they_were_last_open(database: Database, seed: int) -> None:
    past(database)
    make(database, "import", [("d", True, NOON - HOUR)])
    make(
        database, "hours", ("d", [((FIRST + 14) % 7, 10 * 3600, 14 * 3600)], FIRST)
    )  # but for one day closed
    draw = np.random.default_rng(seed)
    states: list[bool | None] = [True] * len(STORES)
    for number in range(0, 150, 3):
        other = [(True, True, False, None)[each] for each in draw.integers(0, 4, len(STORES))]
        states = [fresh if draw.random() < 0.3 else old for fresh, old in zip(other, states, strict=True)]
        back = range(int(draw.choice([0, 0, 0, 1, 3])) + 1)  # some hours before are corrected, too
        told = [each for ago in back for each in hour(states, [], number - 3 * ago)]
        make(database, "import", [*told, ("d", True, NOON + number * HOUR)])
        while history.update(database, USUAL):
            pass
        assert proof.verify_standing(database, USUAL).wrong == 0
        if number % 15 == 0:
            assert proof.verify(database, USUAL).wrong == 0
        assert_periods_equal(database, USUAL)


def test_a_poll_while_it_is_closed_does_not_spare_the_day_before(database: Database) -> None:
    """At 3 it is closed, so the first poll of the day that counts is that at 10:30: with it the evening
    before may have been down, too.
    """
    begin(database)
    make(database, "hours", ("a", [(day, 10 * 3600, 22 * 3600) for day in range(7)], FIRST))
    evening = (FIRST + 3) * DAY + HOUR  # 21:00 in New York
    for at, up in ((evening, True), (evening + 6 * HOUR, True), (evening + 13 * HOUR + 30 * MINUTE, False)):
        make(database, "import", [("a", up, at)])
        while history.update(database, USUAL):
            pass
        assert proof.verify(database, USUAL).wrong == 0


def test_a_state_that_began_today_begins_earlier_once_the_poll_before_is_corrected(
    database: Database,
) -> None:
    past(database)
    for number, up in ((0, True), (3, True), (6, False), (9, True), (6, True)):
        make(database, "import", hour([up] * 3, [], number))
        while history.update(database, USUAL):
            pass
        assert proof.verify_standing(database, USUAL).wrong == 0


def test_what_a_day_costs_falls_on_no_other_store(database: Database) -> None:
    past(database)
    make(database, "takes", ("c", 1700, True))
    with database.session() as session:
        keys = marks.next_stores(session, 0, marks.LAST_KEY)
        part = history.last_days_of(see(session, keys, USUAL, polls.newest(session) or 0))
        by_hour = np.flatnonzero(part.days.store > 0).tolist()
        for row in by_hour:
            day = part.days[np.array([row])]
            told, _ = revenue.lost(session, part, day, np.zeros(1, np.int64), 1)
            down = int(day.totals[0, [Kind.DOWN_SEEN, Kind.DOWN_INFERRED]].sum())
            assert told[0].whole == Fraction([900, 1700][int(day.store[0]) - 1] * down, HOUR)
    assert len(by_hour) > 10


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many stores followed in each job, those that stayed closed included."""
    counts: list[int] = []
    stay = store_now.stay

    def stayed(session: Session, store_keys: np.ndarray[tuple[int], np.dtype[np.int32]], as_of: int) -> None:
        counts.append(len(store_keys))
        stay(session, store_keys, as_of)

    monkeypatch.setattr(store_now, "stay", stayed)
    real: Callable[..., tuple[object, np.ndarray[tuple[int], np.dtype[np.bool_]]]] = following.follow

    def counted(*given: object) -> object:
        standing, follows = real(*given)
        counts.append(int(follows.sum()))
        return standing, follows

    monkeypatch.setattr("storewatch.services.standing.follow", counted)
    return counts


def test_stores_that_are_only_polled_follow_until_their_day_ends(
    database: Database, followed: list[int]
) -> None:
    past(database)
    by_hour = []
    for number in range(24):
        followed.clear()
        make(database, "import", hour([True] * 3, [], number))
        history.update(database, USUAL)
        by_hour.append(sum(followed))
    assert by_hour.count(3) >= 12
    assert 24 * 3 - sum(by_hour) >= 3  # each has one midnight


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many days were computed in each job."""
    counts, stage = [], store_days.stage

    def counted(session: Session, keys: object, days: Days, *rest: object) -> None:
        counts.append(len(days))
        stage(session, keys, days, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store_days, "stage", counted)
    return counts


def test_an_hour_of_polls_is_the_work_of_one_day_but_twice_a_day(
    database: Database, computed: list[int]
) -> None:
    past(database)
    for store in STORES:
        make(database, "hours", (store, [(day, 60, 0) for day in range(7)], FIRST))
    while history.update(database, USUAL):
        pass
    by_hour = []
    for number in range(24):
        computed.clear()
        make(database, "import", hour([True] * 3, [], number))
        history.update(database, USUAL)
        by_hour.append(sum(computed))
    # as its day ends, and with the first poll while it is open, a store's day before is looked at, too
    assert min(by_hour) == 3
    assert 24 * 3 < sum(by_hour) <= (24 + 2) * 3


def test_a_store_that_stayed_closed_costs_no_day(database: Database, computed: list[int]) -> None:
    """From 14:00 to 16:00 in New York: at 16:00 it is open again, and a poll of then counts."""
    begin(database)
    twice = [
        (day, *opening) for day in range(7) for opening in ((10 * 3600, 14 * 3600), (16 * 3600, 20 * 3600))
    ]
    make(database, "hours", ("a", twice, FIRST))
    make(database, "import", [("a", True, NOON - n * HOUR) for n in range(48)])
    while history.update(database, USUAL):
        pass
    two = NOON + 6 * HOUR
    steps = [
        (two, True, 1),  # it was open until now
        (two + 30 * MINUTE, False, 0),
        (two + 2 * HOUR - MINUTE, False, 0),
        (two + 2 * HOUR, False, 2),  # the first one of the day that counts: it speaks of the evening before
    ]
    for at, up, days in steps:
        computed.clear()
        make(database, "import", [("a", up, at)])
        while history.update(database, USUAL):
            pass
        assert sum(computed) == days
        assert proof.verify(database, USUAL).wrong == proof.verify_standing(database, USUAL).wrong == 0


@pytest.mark.parametrize(
    "change",
    [
        ("import", [("a", False, NOON + 5 * HOUR)]),
        ("hours", ("a", [(day, 14 * 3600, 15 * 3600) for day in range(7)], FIRST)),
        ("delete", ("a", NOON, 3)),
        ("zone", ("a", "America/Chicago")),
        ("except", ("a", "other_hours", (8, 0, 0, False))),
        ("takes", ("a", 5_000, False)),
        ("archive", ("a", FIRST + 8)),
        ("import", [("a", True, NOON + 17 * HOUR)]),
    ],
)
def test_a_store_that_stayed_closed_is_looked_at_when_more_than_its_polls_changes(
    database: Database, change: tuple[str, object]
) -> None:
    begin(database)
    open_at = [(day, 6 * 3600, 14 * 3600) for day in range(7)]
    make(database, "hours", ("a", open_at, FIRST))
    make(database, "import", [("a", True, NOON + 6 * HOUR + 20 * MINUTE - n * HOUR) for n in range(48)])
    while history.update(database, USUAL):
        pass
    make(database, *change)
    make(database, "import", [("a", False, NOON + 7 * HOUR + 20 * MINUTE)])
    while history.update(database, USUAL):
        pass
    assert proof.verify(database, USUAL).wrong == proof.verify_standing(database, USUAL).wrong == 0


def test_a_day_that_has_not_begun_after_all_is_taken_away(database: Database) -> None:
    past(database)
    midnight = (FIRST + 9) * DAY + 4 * HOUR  # of store a
    make(database, "import", [(s, True, midnight + n * HOUR) for s in STORES for n in range(-20, 2)])
    while history.update(database, USUAL):
        pass
    for store in STORES:
        make(database, "delete", (store, midnight, 1))
    while history.update(database, USUAL):
        pass
    assert proof.verify(database, USUAL).wrong == 0


def test_a_store_whose_hours_or_revenue_change_does_not_follow(
    database: Database, followed: list[int]
) -> None:
    past(database)
    make(database, "import", hour([True] * 3, [], 0))
    history.update(database, USUAL)
    for number, change in enumerate(
        [("takes", ("a", 80_000, False)), ("hours", ("a", [(0, 0, 3600)], FIRST + 1))], 1
    ):
        followed.clear()
        make(database, *change)
        make(database, "import", hour([True] * 3, [], number))
        while history.update(database, USUAL):
            pass
        assert sum(followed) <= 2
        assert proof.verify_standing(database, USUAL).wrong == 0


def test_a_late_poll_from_long_ago_does_not_lengthen_what_is_looked_at(database: Database) -> None:
    begin(database)
    make(database, "import", [("a", n > 3, NOON - 14 * DAY + n * 3 * HOUR) for n in range(8)])
    make(database, "import", [(s, False, NOON - n * 3 * HOUR) for s in STORES for n in range(1, 72)])
    while history.update(database, USUAL):
        pass
    make(database, "import", hour([False] * 3, [("a", False, 12 * 24 * 60)], 0))
    while history.update(database, USUAL):
        pass
    assert proof.verify_standing(database, USUAL).wrong == 0
