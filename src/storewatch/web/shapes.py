"""The picture language that lanes, strips, cards and close-ups share: looks, words, boxes, strokes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storewatch.domain.availability import Kind
from storewatch.domain.lanes import Pass

LOOKS = {
    Kind.UP_SEEN: "up",
    Kind.UP_INFERRED: "line-up",
    Kind.DOWN_SEEN: "down",
    Kind.DOWN_INFERRED: "line-down",
    Kind.UNKNOWN: "blank",
    Kind.EXCLUDED: "out",
}
WORDS = {
    Kind.UP_SEEN: ("Up", "seen"),
    Kind.UP_INFERRED: ("Up", "inferred"),
    Kind.DOWN_SEEN: ("Down", "seen"),
    Kind.DOWN_INFERRED: ("Down", "inferred"),
    Kind.UNKNOWN: ("Unknown", "no poll near"),
    Kind.EXCLUDED: ("Excluded", "by an exception"),
}
"""What is said of a kind, and how it is known."""

UP = ("up", "line-up")
HIGH = 24.0
HALVES = {Pass.ONLY: (0.0, HIGH), Pass.FIRST: (0.0, 11.5), Pass.SECOND: (12.5, 11.5)}


@dataclass(frozen=True)
class Shape:
    """A rectangle of a lane: `x` and `width` in per cent of it, `y` and `height` in pixels."""

    look: str
    x: str
    width: str
    y: str
    height: str
    title: str = ""
    at: str = ""
    picked: bool = False


def stroke(spans: Sequence[tuple[int, int]], y: int) -> str:
    """A path along stretches, which are in order and in tenths of its unit."""
    path, at = "", None
    for left, right in spans:
        if right > left:
            path += f"M{tenths(left)} {y}" if at is None else f"m{tenths(left - at)} 0" if left > at else ""
            path += f"h{tenths(right - left)}"
            at = right
    return path


def tenths(number: int) -> str:
    """As short as can be: `7`, `.5`, `12.3`."""
    whole, rest = divmod(number, 10)
    return f"{whole or ''}.{rest}" if rest else str(whole)
