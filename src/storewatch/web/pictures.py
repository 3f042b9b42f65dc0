"""Time as shapes: the lanes of a store's days, and the small strip of a week. Pure; the macros draw them.

    y   0  ..........  band: opening hours, 24 high
        2  ##########  down, excluded, unknown: over all of it
        9  ==========  up: 10 high in its middle
       30  ' ' , ' |   polls: ' up, | down, , while closed

An hour that occurs twice is drawn twice in its place: the first pass in the upper half, the second below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, HOUR, MINUTE, SECOND, iso
from storewatch.domain.lanes import Bar, Clock, Pass
from storewatch.domain.outage_words import Outage
from storewatch.services.picture import Dot, Picture, Run
from storewatch.web import times

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

_EPOCH = date(1970, 1, 1).toordinal()
_UP = ("up", "line-up")
_TOP, _HIGH = 2.0, 24.0
_HALVES = {Pass.ONLY: (0.0, _HIGH), Pass.FIRST: (0.0, 11.5), Pass.SECOND: (12.5, 11.5)}
_LABELLED, _LATE = 6 * HOUR, 21 * HOUR
_STRIP_DAY, _STRIP_HIGH = 28, 18


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


@dataclass
class Lane:
    """A local day. `pieces` can be chosen, `plain` and the path `up` can't: a long view has too many.

    Paths, as `ticks` by their look too, are in minutes of the day across. `late` and `text`: stretches in
    which nobody was polled, and what is said there: (place, words).
    """

    day: int
    name: str
    hours: str = ""
    bands: list[Shape] = field(default_factory=list)
    pieces: list[Shape] = field(default_factory=list)
    plain: list[Shape] = field(default_factory=list)
    up: str = ""
    skipped: list[Shape] = field(default_factory=list)
    ticks: dict[str, str] = field(default_factory=dict)
    late: list[tuple[str, str]] = field(default_factory=list)
    text: list[tuple[str, str]] = field(default_factory=list)
    enters: bool = False
    leaves: bool = False
    now: str = ""
    now_text: str = ""
    now_left: bool = False
    totals: list[int] = field(default_factory=list)
    length: int = DAY

    @property
    def iso(self) -> str:
        """The date, for an address."""
        return date.fromordinal(_EPOCH + self.day).isoformat()


def lanes(of: Picture, silence_us: int, picked: int | None, *, every: bool = True) -> list[Lane]:
    """The days of a picture. Polls further apart than `silence_us` leave time in which nobody looked;
    `picked` is an instant of the piece that is explained. Without `every` those that are up can't be chosen,
    and polls are left out.
    """
    clock = Clock(of.zone, of.edges[0], of.edges[-1])
    found: dict[int, Lane] = {}
    for number, day in enumerate(range(of.first, of.last + 1)):
        length = of.edges[number + 1] - of.edges[number]
        found[day] = Lane(day, times.day(day), totals=of.by_day[number], length=length)
    _draw_bands(found, clock, of)
    for run in of.runs:
        for bar in clock.bars(run.start, run.end):
            _draw(_lane(found, bar.day), run, bar, of.zone, picked, every)
    for gap in clock.skipped():
        if gap.day in found:
            found[gap.day].skipped.append(_rect("skip-hour", gap.left, gap.right))
    if every:
        _draw_polls(found, clock, of.polls)
    _draw_silences(found, clock, of, silence_us)
    day, place = clock.place(of.as_of)
    if day in found:
        lane = found[day]
        lane.now, lane.now_left = times.per_cent_of_day(place), place > _LATE
        lane.now_text = f"now {times.on_clock(of.as_of, of.zone):%H:%M}"
    return [found[day] for day in sorted(found)]


def _lane(found: dict[int, Lane], day: int) -> Lane:
    """The lane of a day. Where midnight is skipped or repeated, it may be the one before the first."""
    return found.setdefault(day, Lane(day, times.day(day)))


def _draw(lane: Lane, run: Run, bar: Bar, zone: str, picked: int | None, every: bool) -> None:
    look = LOOKS[run.kind]
    if every or look not in _UP:
        lane.pieces.append(_piece(run, bar, zone, picked))
    elif look == "up" and bar.which is Pass.ONLY:
        lane.up += (
            f"M{bar.left / MINUTE:.1f} 7h{(bar.right - bar.left) / MINUTE:.1f}v10H{bar.left / MINUTE:.1f}z"
        )
    else:
        lane.plain.append(_rect(look, bar.left, bar.right, bar.which))


def _rect(look: str, left: int, right: int, which: Pass = Pass.ONLY, **more: str | bool) -> Shape:
    offset, height = _HALVES[which]
    if look in _UP:
        offset, height = offset + height * 7 / 24, height * 10 / 24
    x, width = times.per_cent_of_day(left), times.per_cent_of_day(right - left)
    return Shape(look, x, width, f"{_TOP + offset:.4g}", f"{height:.4g}", **more)  # type: ignore[arg-type]


def _piece(run: Run, bar: Bar, zone: str, picked: int | None) -> Shape:
    is_picked = picked is not None and run.start <= picked < run.end
    return _rect(
        LOOKS[run.kind], bar.left, bar.right, bar.which, title=title(run, zone), at=iso(_within(run)),
        picked=is_picked,
    )  # fmt: skip


def _within(run: Run) -> int:
    """An instant of a run that is short to write."""
    whole = -(-run.start // SECOND) * SECOND
    return whole if whole < run.end else run.start


def title(run: Run, zone: str) -> str:
    """`Up, seen: Fri 6 Mar, 11:00 to 15:49 CST, 4 h 49 min`."""
    state, how = WORDS[run.kind]
    return f"{state}, {how}: {times.span(run.start, run.end, zone)}, {times.length(run.end - run.start)}"


def _draw_bands(found: dict[int, Lane], clock: Clock, of: Picture) -> None:
    begun: dict[int, list[str]] = defaultdict(list)
    for start, end in of.opens:
        bars = list(clock.bars(start, end))
        for bar in bars:
            _lane(found, bar.day).bands.append(_rect("band", bar.left, bar.right, bar.which))
        if end - start < DAY:
            begun[bars[0].day].append(_hours(start, end, of.zone))
            for before, after in pairwise(bars):
                if before.day != after.day:
                    found[before.day].leaves = found[after.day].enters = True
    for day, lane in found.items():
        always = any(end - start >= DAY and _holds(clock, day, start, end) for start, end in of.opens)
        lane.hours = ", ".join(begun[day][:2]) or ("day and night" if always else "closed")
        if lane.length != DAY:
            lane.hours += f", {lane.length / HOUR:g} h day"


def _holds(clock: Clock, day: int, start: int, end: int) -> bool:
    return clock.place(start)[0] <= day <= clock.place(end - 1)[0]


def _hours(start: int, end: int, zone: str) -> str:
    low, high = times.on_clock(start, zone), times.on_clock(end, zone)
    until = "24:00" if high.date() != low.date() and f"{high:%H:%M}" == "00:00" else f"{high:%H:%M}"
    return f"{low:%H:%M} to {until}"


def _draw_polls(found: dict[int, Lane], clock: Clock, polls: Iterable[Dot]) -> None:
    paths: dict[tuple[int, str], list[str]] = defaultdict(list)
    for poll in polls:
        day, place = clock.place(poll.at)
        look = "closed" if not poll.counts else "up" if poll.active else "bad"
        mark = {"closed": "4v2", "up": "1v6", "bad": "0v9"}[look]
        paths[day, look].append(f"M{place / MINUTE:.1f} {mark}".replace(".0 ", " "))
    for (day, look), path in paths.items():
        if day in found:
            found[day].ticks[look] = "".join(path)


def _draw_silences(found: dict[int, Lane], clock: Clock, of: Picture, silence_us: int) -> None:
    edges = [of.edges[0], *(poll.at for poll in of.polls), min(of.as_of, of.edges[-1])]
    for start, end in pairwise(edges):
        if end - start <= silence_us:
            continue
        bars = list(clock.bars(start, end))
        for bar in bars:
            ends = times.per_cent_of_day(bar.left), times.per_cent_of_day(bar.right)
            _lane(found, bar.day).late.append(ends)
        widest = max(bars, key=lambda bar: bar.right - bar.left)
        if widest.right - widest.left >= _LABELLED:
            middle = times.per_cent_of_day((widest.left + widest.right) // 2)
            found[widest.day].text.append((middle, f"no polls for {times.length(end - start)}"))


# --- strip ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strip:
    """Days side by side, each 28 wide and 18 high: paths by their look, and what is said of the days."""

    width: int
    paths: dict[str, str]
    label: str


def strip(zone: str, days: tuple[int, int], opens: Sequence[tuple[int, int]], runs: Sequence[Run]) -> Strip:
    """Local days, first and last, with their opening hours and what is known of them."""
    edges = [*(start for start, _ in opens), *(run.end for run in runs), (days[0] - 1) * DAY]
    clock = Clock(zone, min(edges), max([end for _, end in opens] + edges))
    shapes = [("band", each) for start, end in opens for each in clock.bars(start, end)]
    shapes += [(LOOKS[run.kind], each) for run in runs for each in clock.bars(run.start, run.end)]
    paths: dict[str, list[str]] = {}
    for look, bar in shapes:
        if days[0] <= bar.day <= days[1] and look != "blank":
            paths.setdefault(look, []).append(_box(look, bar, bar.day - days[0]))
    down: dict[int, int] = defaultdict(int)
    for run in runs:
        if run.kind in (Kind.DOWN_SEEN, Kind.DOWN_INFERRED):
            for bar in clock.bars(run.start, run.end):
                down[bar.day] += bar.end - bar.start
    known = {bar.day for look, bar in shapes if look not in ("band", "blank", "out")}
    opened = {bar.day for look, bar in shapes if look == "band"}
    label = "; ".join(_said(day, down, known, opened) for day in range(days[0], days[1] + 1))
    return Strip(_STRIP_DAY * (days[1] - days[0] + 1), {k: "".join(v) for k, v in paths.items()}, label)


def _box(look: str, bar: Bar, column: int) -> str:
    offset, height = _HALVES[bar.which]
    scale = _STRIP_HIGH / _HIGH
    y, high = offset * scale, height * scale
    if look in _UP:
        y, high = y + high / 3, high / 3
    left = (column + bar.left / DAY) * _STRIP_DAY
    width = (bar.right - bar.left) / DAY * _STRIP_DAY
    return f"M{left:.2f} {y:g}h{width:.2f}v{high:g}h-{width:.2f}z"


def _said(day: int, down: dict[int, int], known: set[int], opened: set[int]) -> str:
    name = times.day(day)[:3]
    if down[day]:
        return f"{name} down {times.length(down[day])}"
    return f"{name} " + ("up" if day in known else "not seen" if day in opened else "closed")


# --- close-up -------------------------------------------------------------------------------------


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
        y, height = (7, 10) if look in _UP else (0, 24)
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
