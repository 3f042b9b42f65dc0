"""Hypothesis strategies of exceptions, around the T of a fleet and the clock changes near it."""

from datetime import datetime, timedelta
from functools import cache

from hypothesis import strategies as st

from tests.oracle import DAY, DEFAULT_ZONE, EPOCH, HOUR, MINUTE
from tests.oracle_exceptions import Effect, Exempt, utc
from tests.strategies import Fleet, Span, readable

EFFECTS: tuple[Effect, ...] = ("other_hours", "closed", "ignore_polls", "up", "down", "excluded")

Given = tuple[Exempt, frozenset[str] | None]
"""An exception and the stores that it concerns; None: all"""

TIMES = ("00:00", "02:30", "01:00", "09:00", "12:00", "22:00")
ENDS = (*TIMES, "23:59", "24:00", "03:00", "17:00")


@cache
def other_openings() -> st.SearchStrategy[tuple[Span, ...]]:
    span = st.builds(readable, st.sampled_from(TIMES), st.sampled_from(ENDS))
    return st.lists(span, min_size=1, max_size=2).map(tuple)


@st.composite
def exceptions(draw: st.DrawFn, fleet: Fleet, number: int) -> Given:
    """One, in the days before T as a rule."""
    effect = draw(st.sampled_from(EFFECTS))
    breadth = draw(st.integers(0, 2))
    ids = fleet.store_ids
    stores = {
        0: st.none(),
        1: st.frozensets(st.sampled_from(ids)),
        2: st.sampled_from(ids).map(lambda one: frozenset((one,))),
    }[breadth]
    start, end = draw(_days(fleet) if effect == "other_hours" else st.one_of(_walls(fleet), _instants(fleet)))
    again = start.tzinfo is None and draw(st.booleans())
    openings = draw(other_openings()) if effect == "other_hours" else ()
    every, times = draw(st.tuples(st.integers(1, 3), st.integers(2, 9))) if again else (1, 1)
    return Exempt(number, effect, breadth, start, end, every, times, openings), draw(stores)


def _near(fleet: Fleet) -> datetime:
    return (EPOCH + timedelta(microseconds=fleet.as_of_us)).replace(tzinfo=None, microsecond=0)


def _days(fleet: Fleet) -> st.SearchStrategy[tuple[datetime, datetime]]:
    """Local days."""
    today = _near(fleet).replace(hour=0, minute=0, second=0)
    return st.tuples(st.integers(-9, 1), st.integers(1, 3)).map(
        lambda pair: (today + timedelta(days=pair[0]), today + timedelta(days=sum(pair)))
    )


def _walls(fleet: Fleet) -> st.SearchStrategy[tuple[datetime, datetime]]:
    """Times of the clock, those that are skipped or repeated among them."""
    today = _near(fleet).replace(hour=0, minute=0, second=0)
    steps = st.tuples(st.integers(-9, 1), st.integers(0, 47), st.sampled_from((1, 2, 5, 30, 48, 100)))
    return steps.map(
        lambda s: (
            today + timedelta(days=s[0], minutes=30 * s[1]),
            today + timedelta(days=s[0], minutes=30 * (s[1] + s[2])),
        )
    )


def _instants(fleet: Fleet) -> st.SearchStrategy[tuple[datetime, datetime]]:
    """Instants: at polls, most often."""
    edge = st.sampled_from([poll.at_us for poll in fleet.polls] + [fleet.as_of_us, fleet.as_of_us - DAY])
    length = st.sampled_from((1, MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY))
    nudge = st.sampled_from((0, 0, 1, -1, -HOUR))
    return st.tuples(edge, nudge, length).map(lambda e: (utc(e[0] + e[1]), utc(e[0] + e[1] + e[2])))


@st.composite
def lists(draw: st.DrawFn, fleet: Fleet, most: int = 6) -> list[Given]:
    """Some, which overlap as they may."""
    return [draw(exceptions(fleet, number + 1)) for number in range(draw(st.integers(1, most)))]


def of(given: list[Given], store_id: str) -> list[Exempt]:
    """Those that concern a store."""
    return [one for one, stores in given if stores is None or store_id in stores]


def zones_of(fleet: Fleet) -> list[str]:
    return [fleet.zones.get(store_id, DEFAULT_ZONE) for store_id in fleet.store_ids]
