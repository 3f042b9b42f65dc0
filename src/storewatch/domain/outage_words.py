"""An outage as people are told of it, on the clock of its store: the one place that words it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from storewatch.domain.clock import MINUTE, SECOND, from_us, to_us
from storewatch.domain.windows import wall_clock


@dataclass(frozen=True)
class Outage:
    """An outage with its part in a window, as `outage_list` has it; instants are None where not known.

    So is `ongoing`, where its end lies too far after the window. `reasons` are those that its polls gave,
    with how many did; `intended`: all of them are meant so.
    """

    store_id: str
    zone: str
    start: int
    end: int
    counted_from: int | None
    counted_until: int | None
    last_seen_up: int | None
    first_seen_down: int | None
    last_seen_down: int | None
    first_seen_up: int | None
    down: int
    seen: int
    down_min: int
    down_max: int
    polls: int
    ongoing: bool | None
    reasons: dict[str, int] = field(default_factory=dict)
    intended: bool = False

    def holds(self, moment: datetime) -> bool:
        """Whether an instant lies in it, in closed time within it too."""
        at = to_us(moment)
        begins = self.start if self.counted_from is None else self.counted_from
        ends = self.end if self.counted_until is None else self.counted_until
        return begins <= at and (at < ends or bool(self.ongoing))


def worded(outage: Outage) -> str:
    """`2023-01-23: last seen up 11:04, first seen down 12:05, counted from 11:34 …`."""
    parts = [_beginning(outage), _ending(outage), _length(outage), _why(outage)]
    return "; ".join(part for part in parts if part)


def length_in_words(length_us: float) -> str:
    """`3 h 9 min`, `5 min`, `12 s`: in sentences and lists; rounded down to what is told."""
    if 0 < length_us < MINUTE:
        return f"{max(1, int(length_us // SECOND))} s"
    hours, minutes = divmod(int(length_us // MINUTE), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def _beginning(outage: Outage) -> str:
    """The day is told once, and again where another one comes."""
    if outage.counted_from is None:
        return f"began before {_at(outage.start, outage.zone)}"
    known = [
        ("last seen up", outage.last_seen_up),
        ("first seen down", outage.first_seen_down),
        ("counted from", outage.counted_from),
    ]
    return _told(known, outage.zone)


def _ending(outage: Outage) -> str:
    if outage.ongoing:
        return _told([("last seen down", outage.last_seen_down)], outage.zone) + ", and it goes on"
    if outage.counted_until is None:
        return f"went on after {_at(outage.end, outage.zone)}"
    known = [
        ("last seen down", outage.last_seen_down),
        ("first seen up", outage.first_seen_up),
        ("counted until", outage.counted_until),
    ]
    return _told(known, outage.zone)


def _told(known: list[tuple[str, int | None]], zone: str) -> str:
    day, told = "", []
    for words, at in known:
        if at is not None:
            date, time = _at(at, zone).split()
            told.append(f"{words} {time}" if date == day else f"{words} {date} {time}")
            day = date
    return ", ".join(told)


def _length(outage: Outage) -> str:
    down, least, most = (
        length_in_words(length) for length in (outage.down, outage.down_min, outage.down_max)
    )
    return f"{down} down, between {least} and {most}"


def _why(outage: Outage) -> str:
    saw = f"seen by {outage.polls:,} poll{'' if outage.polls == 1 else 's'}"
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(outage.reasons.items()))
    return saw + (f" ({reasons})" if reasons else "") + (", intended" if outage.intended else "")


def _at(at: int, zone: str) -> str:
    """`2023-01-23 11:04` on the store's clock."""
    shown = from_us(int(wall_clock(np.array([at], np.int64), zone)[0]))
    return shown.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
