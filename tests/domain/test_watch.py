"""The state of stores for alerting, against a plain model that is told of polls and minutes one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.availability import Polls
from storewatch.domain.clock import MINUTE
from storewatch.domain.hours import Intervals
from storewatch.domain.watch import NEVER, Patience, State, Watch, watch

USUAL = Patience()
BEGIN = 1_674_000_000_000_000 // MINUTE * MINUTE
"""Minute 0"""


def look(
    polls: list[tuple[int, int, bool]],
    opens: list[tuple[int, int, int]],
    now: int,
    patience: Patience = USUAL,
    stores: int = 1,
) -> Watch:
    """`polls` (store, minute, active) and `opens` (store, start, end) in minutes, `now` in microseconds."""
    store, minute, active = (
        (list(column) for column in zip(*sorted(polls), strict=True)) if polls else ([],) * 3
    )
    of, start, end = (list(column) for column in zip(*sorted(opens), strict=True)) if opens else ([],) * 3
    return watch(
        Polls(np.array(store, np.int32), minutes(minute), np.array(active, np.bool_)),
        Intervals(np.array(of, np.int32), minutes(start), minutes(end)),
        stores,
        now,
        patience,
    )


def minutes(numbers: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return BEGIN + np.array(numbers, np.int64) * MINUTE


def at(minute: int) -> int:
    return BEGIN + minute * MINUTE


# --- the table of the rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("polls", "now", "state", "down_from"),
    [
        ("", 60, State.NOT_SEEN, None),
        ("0+", 60, State.UP, None),
        ("0+ 50-", 60, State.SUSPECTED, 50),
        ("0+ 50-", 65, State.DOWN, 50),
        ("0+ 50- 51-", 52, State.DOWN, 50),
        ("0+ 50- 51- 60+", 61, State.RECOVERING, 50),
        ("0+ 50- 51- 60+", 75, State.UP, None),
        ("0+ 50- 51- 60+ 61+", 62, State.UP, None),
        ("0+ 50- 51- 60+ 65-", 66, State.DOWN, 50),
        ("0+ 50- 55+ 60-", 61, State.SUSPECTED, 60),
        ("0+ 50- 55+ 60- 61-", 61, State.DOWN, 60),
        ("0+ 50- 51-", 171, State.NOT_SEEN, 50),
        ("0+ 50- 51-", 300, State.CLOSED, 50),
        ("0+ 190- 195- 205- 250+", 402, State.DOWN, 190),
        ("0+ 190- 195- 250+ 401+", 402, State.RECOVERING, 190),
        ("0+ 50- 30-", 52, State.DOWN, 30),
        ("0+ 50- 55+", 66, State.UP, None),
    ],
)
def test_the_state_follows_from_the_last_runs(
    polls: str, now: int, state: State, down_from: int | None
) -> None:
    """Open from minute 0 to 200 and from 400 on: a poll at 250 says nothing."""
    told = [(0, int(each[:-1]), each[-1] == "+") for each in polls.split()]
    found = look(told, [(0, 0, 200), (0, 400, 900)], at(now))
    assert State(found.state[0]) is state
    assert found.down_from.tolist() == [NEVER if down_from is None else at(down_from)]


# --- a plain model --------------------------------------------------------------------------------


@dataclass
class Model:
    """One store, minute by minute."""

    patience: Patience
    up: bool = True
    run: bool | None = None
    count: int = 0
    lasted: int = 0
    silent: int = 0
    newest: int = 0
    begun: int = 0
    from_: int | None = None

    def minute(self, minute: int, is_open: bool, poll: bool | None) -> State:
        """The state at a minute, after the poll of that minute; then the minute goes by."""
        self._judge()
        if is_open and poll is not None:
            self._poll(minute, poll)
        state = self._state(minute, is_open)
        if is_open:
            self.silent += MINUTE
            self.lasted += MINUTE
        return state

    def _poll(self, minute: int, poll: bool) -> None:
        if self.run is None or (minute - self.newest) * MINUTE > self.patience.max_gap:
            self.up, self.run, self.from_ = True, None, None
        if poll is not self.run:
            self.run, self.count, self.lasted, self.begun = poll, 0, 0, minute
        self.count, self.newest, self.silent = self.count + 1, minute, 0
        self._judge()

    def _judge(self) -> None:
        """Believes a run that is sure."""
        sure = self.count >= self.patience.polls or self.lasted >= self.patience.open_time
        if self.run is None or not sure:
            return
        if not self.run and self.up:
            self.from_ = self.begun
        self.up = self.run

    def _state(self, minute: int, is_open: bool) -> State:
        if not is_open:
            return State.CLOSED
        gone = (minute - self.newest) * MINUTE > self.patience.max_gap
        if self.run is None or gone or self.silent >= self.patience.silence:
            return State.NOT_SEEN
        if self.up:
            return State.UP if self.run else State.SUSPECTED
        return State.RECOVERING if self.run else State.DOWN

    def down_from(self) -> int:
        """Where the downtime that counts or is suspected began."""
        if not self.up and self.from_ is not None:
            return at(self.from_)
        return at(self.begun) if self.run is False else NEVER


STORES, LAST = 30, 80
patiences = st.builds(
    Patience,
    polls=st.integers(1, 4),
    open_time=st.integers(1, 20).map(MINUTE.__mul__),
    silence=st.integers(5, 60).map(MINUTE.__mul__),
    max_gap=st.integers(5, 60).map(MINUTE.__mul__),
)


class Fleet:
    """Stores with hours and polls by chance, polled often or seldom."""

    def __init__(self, seed: int) -> None:
        choose = np.random.default_rng(seed)
        self.polls: list[tuple[int, int, bool]] = []
        self.opens: list[tuple[int, int, int]] = []
        for store in range(STORES):
            polled = np.flatnonzero(choose.random(LAST + 1) < choose.choice([0.02, 0.1, 0.4])).tolist()
            same = choose.random() < 0.5  # then states come in long runs
            states = np.repeat(choose.random(LAST + 1) < 0.5, 4 if same else 1)[: LAST + 1].tolist()
            self.polls += [(store, minute, states[minute]) for minute in polled]
            count = choose.integers(0, 4)
            edges = sorted(choose.choice(np.arange(-30, LAST + 60), 2 * count, replace=False).tolist())
            edges = edges or [-30, LAST + 60]
            self.opens += [(store, *pair) for pair in zip(edges[::2], edges[1::2], strict=True)]


fleets = st.integers(0, 2**32).map(Fleet)


@given(fleet=fleets, now=st.integers(0, LAST), patience=patiences)
def test_the_state_is_that_of_a_model_which_hears_of_polls_in_their_order(
    fleet: Fleet, now: int, patience: Patience
) -> None:
    found = look(fleet.polls, fleet.opens, at(now), patience, STORES)
    polls = {(store, minute): active for store, minute, active in fleet.polls}
    open_in = {(store, minute) for store, start, end in fleet.opens for minute in range(start, end)}
    for store in range(STORES):
        model = Model(patience)
        for minute in range(-30, now + 1):
            state = model.minute(minute, (store, minute) in open_in, polls.get((store, minute)))
        assert State(found.state[store]) is state
        assert found.down_from[store] == model.down_from()


@given(fleet=fleets, now=st.integers(0, LAST), patience=patiences)
def test_no_state_changes_before_it_is_said_to_be_looked_at_again(
    fleet: Fleet, now: int, patience: Patience
) -> None:
    found = look(fleet.polls, fleet.opens, at(now), patience, STORES)  # some say when they will be, too
    assert (found.next > at(now)).all()
    for store, following in enumerate(found.next.tolist()):
        then = look(fleet.polls, fleet.opens, min(following - 1, at(LAST * 3)), patience, STORES)
        assert then.state[store] == found.state[store]
