"""Which poll speaks for an instant, and what it says."""

from collections.abc import Sequence
from itertools import pairwise

from tests.oracle.exceptions import times
from tests.oracle.hours import is_open
from tests.oracle.terms import (
    HoursRow,
    Policy,
    Poll,
    Ruling,
    State,
)


def standing(polls: Sequence[Poll]) -> list[Poll]:
    """The polls that stand, in order of store and time.

    "The same poll twice counts once. Two polls of one store at the same instant with different states: the
    one imported last stands."
    """
    last: dict[tuple[str, int], Poll] = {}
    for poll in polls:
        last[poll.store_id, poll.at_us] = poll
    return [last[key] for key in sorted(last)]


def in_hours(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    as_of_us: int,
    rulings: Sequence[Ruling] = (),
) -> list[Poll]:
    """The polls of one store that count.

    "Only polls made while the store is open count"; "Polls after T are not used"; "A poll at T itself counts
    if the store is open at T". And: "polls made in ignored time do not count, as if nobody had polled".
    """
    if len({poll.store_id for poll in polls}) > 1:
        raise ValueError("polls of one store, please")
    ignored = times(rulings, ("ignore_polls",), zone, as_of_us)
    return [
        poll
        for poll in standing(polls)
        if poll.at_us <= as_of_us
        and is_open(rows, zone, poll.at_us, rulings)
        and not any(start <= poll.at_us < end for start, end in ignored)
    ]


def covers(poll: Poll, instant_us: int, max_gap_us: int) -> bool:
    """Whether a poll can speak for an instant: it "covers [t - max_gap, t + max_gap) at most"."""
    return poll.at_us - max_gap_us <= instant_us < poll.at_us + max_gap_us


def nearest_poll(instant_us: int, polls: Sequence[Poll], max_gap_us: int) -> Poll | None:
    """By the policy "nearest": "the in-hours poll nearest in time, if that is within max_gap".

    "The state changes at the midpoint floor((t1 + t2) / 2) (whole microseconds), which belongs to the later
    poll."
    """
    if not polls:
        return None
    nearest = polls[0]
    for earlier, later in pairwise(polls):
        if instant_us >= (earlier.at_us + later.at_us) // 2:
            nearest = later
    return nearest if covers(nearest, instant_us, max_gap_us) else None


def previous_poll(instant_us: int, polls: Sequence[Poll], max_gap_us: int) -> Poll | None:
    """By the policy "previous": "the latest in-hours poll at or before the instant, less than max_gap old".

    "Failing that, the next one, at most max_gap ahead; failing that, unknown."
    """
    before = [poll for poll in polls if poll.at_us <= instant_us]
    if before and instant_us - before[-1].at_us < max_gap_us:
        return before[-1]
    after = [poll for poll in polls if poll.at_us > instant_us]
    if after and after[0].at_us - instant_us <= max_gap_us:
        return after[0]
    return None


def state_at(
    instant_us: int, in_hours_polls: Sequence[Poll], policy: Policy, max_gap_us: int
) -> tuple[State, Poll | None]:
    """The state of one open instant and the poll that decides it.

    `in_hours_polls` is what `in_hours` returns: one store's, in order of time, none after T.
    """
    choose = {"nearest": nearest_poll, "previous": previous_poll}[policy]
    poll = choose(instant_us, in_hours_polls, max_gap_us)
    if poll is None:
        return "unknown", None
    return ("up" if poll.active else "down"), poll


def is_seen(instant_us: int, poll: Poll | None, seen_within_us: int) -> bool:
    """Seen is "the part of up and down that lies within seen_within of the poll whose state it takes"."""
    return poll is not None and poll.at_us - seen_within_us <= instant_us < poll.at_us + seen_within_us
