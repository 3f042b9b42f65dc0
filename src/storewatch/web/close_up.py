"""The close-up: an outage with what lies beside it. Pure; a macro draws it."""

from __future__ import annotations

from dataclasses import dataclass

from storewatch.domain.clock import MINUTE
from storewatch.domain.outage_words import Outage
from storewatch.services.pieces import Picture
from storewatch.web import times
from storewatch.web.shapes import LOOKS, UP, Shape


@dataclass(frozen=True)
class Leader:
    """A line from an instant up to words: `x` in per cent, `left` where they stand to its left."""

    x: str
    y: int
    words: str
    strong: bool
    left: bool


@dataclass(frozen=True)
class CloseUp:
    """An outage with what lies beside it, from one poll before to one after; and what is said aloud of it."""

    shapes: list[Shape]
    polls: list[tuple[str, bool]]
    leaders: list[Leader]
    label: str


_CLOSE_Y, _ROW = 74, 20


def close_up(outage: Outage, of: Picture) -> CloseUp:
    """The pieces and polls around an outage, on an axis of elapsed time of its own."""
    known = [
        (outage.last_seen_up, "last seen up", False),
        (outage.counted_from, "counted from here", True),
        (outage.first_seen_down, "first seen down", False),
        (outage.counted_until, "counted to here", True),
        (outage.first_seen_up, "seen up again", False),
    ]
    marks = [(at, words, strong) for at, words, strong in known if at is not None]
    ends = [outage.start, outage.end, *(at for at, _, _ in marks)]
    margin = max((max(ends) - min(ends)) // 20, MINUTE)
    start, end = min(ends) - margin, max(ends) + margin

    def place(at: int) -> str:
        return f"{100 * (min(max(at, start), end) - start) / (end - start):.2f}%"

    def shape(look: str, low: int, high: int) -> Shape:
        low, high = max(low, start), min(high, end)
        y, height = (7, 10) if look in UP else (0, 24)
        return Shape(
            look, place(low), f"{100 * (high - low) / (end - start):.2f}%", str(_CLOSE_Y + y), str(height)
        )

    shapes = [shape("band", low, high) for low, high in of.opens if low < end and high > start]
    shapes += [
        shape(LOOKS[run.kind], run.start, run.end) for run in of.runs if run.start < end and run.end > start
    ]
    polls = [(place(poll.at), not poll.active) for poll in of.polls if start <= poll.at <= end]
    marks.sort(key=lambda mark: mark[0])
    leaders = [
        Leader(
            place(at),
            12 + _ROW * min(number, 3),
            f"{times.on_clock(at, of.zone):%H:%M:%S} {words}",
            strong,
            at - start > (end - start) // 2,
        )
        for number, (at, words, strong) in enumerate(marks[:4])
    ]
    return CloseUp(shapes, polls, leaders, ", ".join(leader.words for leader in leaders))
