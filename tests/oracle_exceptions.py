"""The reference oracle with exceptions: slow and obvious, it shares no code with the package.

In this order: other hours of a day, closed time, ignored polls, the rules of `oracle`, up and down, excluded.
Where two of a kind overlap the narrower scope decides, then the one made later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

from tests import oracle
from tests.oracle import EPOCH, HoursRow, Interval, Policy, Poll

Effect = Literal["other_hours", "closed", "ignore_polls", "up", "down", "excluded"]
KINDS = ("up seen", "up", "down seen", "down", "unknown", "excluded")


@dataclass(frozen=True)
class Exempt:
    """An exception. `breadth` 0 of all stores, 1 of a group, 2 of a store; later ones have higher numbers.

    Naive times are those of the store's clock and come again every `every` days, `times` times in all; times
    with UTC are instants. `openings` as rows of hours have them.
    """

    number: int
    effect: Effect
    breadth: int
    start: datetime
    end: datetime
    every: int = 1
    times: int = 1
    openings: tuple[tuple[str, str], ...] = ()

    def walls(self) -> list[tuple[datetime, datetime]]:
        """Its times, as it says them."""
        steps = [timedelta(days=self.every * number) for number in range(self.times)]
        return [(self.start + step, self.end + step) for step in steps]

    def intervals(self, zone: str) -> list[Interval]:
        """Its times as instants: what a change of clocks empties or turns round does not occur."""
        found = [(instant(start, zone), instant(end, zone)) for start, end in self.walls()]
        return [(start, end) for start, end in found if start < end]

    def is_on(self, day: datetime) -> bool:
        """Whether a local day, by its midnight, is one of its days."""
        return any(start <= day < end for start, end in self.walls())


def instant(time: datetime, zone: str) -> int:
    """The instant of a time of the clock, or of one with UTC."""
    return oracle.to_us(time if time.tzinfo else time.replace(tzinfo=oracle.load_zone(zone), fold=0))


def strongest(found: Sequence[Exempt]) -> Exempt | None:
    """The one that decides."""
    return max(found, key=lambda one: (one.breadth, one.number), default=None)


def at(exempts: Sequence[Exempt], effects: Sequence[Effect], zone: str, moment: int) -> Exempt | None:
    """The one of these effects that decides at an instant."""
    holds = [one for one in exempts if one.effect in effects]
    return strongest(
        [one for one in holds if any(start <= moment < end for start, end in one.intervals(zone))]
    )


def openings(
    rows: Sequence[HoursRow] | None, zone: str, exempts: Sequence[Exempt], window: Interval
) -> list[Interval]:
    """Open time before anything is closed: every day has its week's openings or others."""
    others = [one for one in exempts if one.effect == "other_hours"]
    if rows is None and not others:
        return oracle.clip([window], *window)
    info = oracle.load_zone(zone)
    day = oracle.local_date(window[0], info) - timedelta(days=4)
    last = oracle.local_date(window[1], info) + timedelta(days=2)
    starts = {row.valid_from for row in rows or () if row.valid_from}
    found: list[Interval] = []
    while day <= last:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
        other = strongest([one for one in others if one.is_on(midnight)])
        if other is not None:
            spans = [(start, end) for start, end in other.openings]
        elif rows is None:
            spans = [("0:00", "24:00")]
        else:
            force = max((since for since in starts if since <= day), default=None)
            spans = [(r.start, r.end) for r in rows if r.day == day.weekday() and r.valid_from == force]
        for start, end in spans:
            low, high = oracle.wall_interval(HoursRow("", 0, start, end))
            found.append((oracle.wall_to_us(day, low, info), oracle.wall_to_us(day, high, info)))
        day += timedelta(days=1)
    return oracle.clip(oracle.unite([(start, end) for start, end in found if start < end]), *window)


@dataclass(frozen=True)
class Piece:
    """A stretch of open time that is all of one kind, and the exception that decided it."""

    start: int
    end: int
    kind: str
    exception: int | None


def pieces(
    polls: Sequence[Poll],
    rows: Sequence[HoursRow] | None,
    zone: str,
    exempts: Sequence[Exempt],
    window: Interval,
    as_of: int,
    policy: Policy,
    max_gap: int,
    seen_within: int,
) -> list[Piece]:
    """The open time of one store in a window, cut wherever anything may change."""
    wide = (window[0] - max_gap - 1, as_of + 1)
    opens = openings(rows, zone, exempts, wide)
    counting = [
        poll
        for poll in oracle.standing(polls)
        if poll.at_us <= as_of
        and any(start <= poll.at_us < end for start, end in opens)
        and at(exempts, ("closed", "ignore_polls"), zone, poll.at_us) is None
    ]
    edges = {edge for one in exempts for span in one.intervals(zone) for edge in span}
    cuts = edges | oracle.breakpoints(counting, max_gap, seen_within)
    found = []
    for low, high in oracle.clip(opens, *window):
        for start, end in pairwise(sorted({low, high} | {cut for cut in cuts if low < cut < high})):
            if at(exempts, ("closed",), zone, start) is None:
                kind, number = _kind(start, counting, exempts, zone, policy, max_gap, seen_within)
                found.append(Piece(start, end, kind, number))
    return found


def _kind(
    moment: int,
    counting: Sequence[Poll],
    exempts: Sequence[Exempt],
    zone: str,
    policy: Policy,
    max_gap: int,
    seen_within: int,
) -> tuple[str, int | None]:
    for effects in (("excluded",), ("up", "down")):
        one = at(exempts, effects, zone, moment)
        if one is not None:
            return one.effect, one.number
    state, poll = oracle.state_at(moment, counting, policy, max_gap)
    seen = oracle.is_seen(moment, poll, seen_within)
    return (f"{state} seen" if seen else state), None


def totals(found: Sequence[Piece]) -> list[int]:
    """Microseconds of each of `KINDS`."""
    return [sum(piece.end - piece.start for piece in found if piece.kind == kind) for kind in KINDS]


def outages(found: Sequence[Piece]) -> int:
    """How many runs of down there are: closed time does not end one, all else does."""
    downs = [piece.kind.startswith("down") for piece in found]
    return sum(down and not before for before, down in pairwise([False, *downs]))


def utc(moment: int) -> datetime:
    """An instant as exceptions say it."""
    return (EPOCH + timedelta(microseconds=moment)).astimezone(UTC)
