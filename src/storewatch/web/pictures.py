"""Time as shapes: the lanes of a store's days. Pure; the macros draw them.

    y   0  ..........  band: opening hours, 24 high
        2  ##########  down, excluded, unknown: over all of it
        9  ==========  up: 10 high in its middle
       30  ' ' , ' |   polls: ' up, | down, , while closed

An hour that occurs twice is drawn twice in its place: the first pass in the upper half, the second below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from storewatch.domain.clock import DAY, HOUR, MINUTE, SECOND, iso
from storewatch.domain.lanes import Bar, Clock, Pass
from storewatch.services.pieces import Dot, Picture, Run
from storewatch.web import times
from storewatch.web.shapes import HALVES, LOOKS, UP, WORDS, Shape, stroke

_EPOCH = date(1970, 1, 1).toordinal()
_STROKES = ("band", "up", "line-up", "down", "line-down")
_TOP = 2.0
_LABELLED, _LABELLED_NARROW, _LATE = 6 * HOUR, 12 * HOUR, 21 * HOUR
_LATE_Y = 32


@dataclass
class Lane:
    """A local day. `hours` are the first two of its `openings`. `pieces` can be chosen; `plain`, and the
    `strokes` by their look, can't: a long view has too many.

    Paths, as `ticks` by their look too, are in minutes of the day across; `spans` are in tenths of one.
    `late` and `text`: stretches in which nobody was polled, and what is said there: (place, words, whether
    they need a wide screen).
    """

    day: int
    name: str
    hours: str = ""
    openings: str = ""
    bands: list[Shape] = field(default_factory=list)
    pieces: list[Shape] = field(default_factory=list)
    plain: list[Shape] = field(default_factory=list)
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    skipped: list[Shape] = field(default_factory=list)
    ticks: dict[str, str] = field(default_factory=dict)
    late: list[tuple[str, str]] = field(default_factory=list)
    text: list[tuple[str, str, bool]] = field(default_factory=list)
    enters: bool = False
    leaves: bool = False
    now: str = ""
    now_text: str = ""
    now_left: bool = False
    totals: list[int] = field(default_factory=list)
    length: int = DAY

    @property
    def strokes(self) -> dict[str, str]:
        """Paths by their look."""
        return {look: stroke(spans, _LATE_Y if look == "late" else 12) for look, spans in self.spans.items()}

    @property
    def flat(self) -> bool:
        """Whether strokes are all there is to draw."""
        others = (self.bands, self.pieces, self.plain, self.skipped, self.ticks, self.late, self.text)
        return not any(others) and not (self.enters or self.leaves or self.now)

    @property
    def iso(self) -> str:
        """The date, for an address."""
        return date.fromordinal(_EPOCH + self.day).isoformat()


def lanes(
    of: Picture, silence_us: int, picked: int | None, *, every: bool = True, pieces: bool = True
) -> list[Lane]:
    """The days of a picture. Polls further apart than `silence_us` leave time in which nobody looked;
    `picked` is an instant of the piece that is explained. Without `every` those that are up can't be chosen,
    and polls are left out; without `pieces` only the one that is explained is more than drawn.
    """
    clock = Clock(of.zone, of.edges[0], of.edges[-1])
    found: dict[int, Lane] = {}
    for number, day in enumerate(range(of.first, of.last + 1)):
        length = of.edges[number + 1] - of.edges[number]
        found[day] = Lane(day, times.day(day), totals=of.by_day[number], length=length)
    _draw_bands(found, clock, of, every=every)
    for run in of.runs:
        for bar in clock.bars(run.start, run.end):
            is_picked = picked is not None and run.start <= picked < run.end
            chosen = is_picked or (pieces and (every or LOOKS[run.kind] not in UP))
            _draw(_lane(found, bar.day), run, bar, of.zone, chosen, is_picked)
    for gap in clock.skipped():
        if gap.day in found:
            found[gap.day].skipped.append(_rect("skip-hour", gap.left, gap.right))
    if every:
        _draw_polls(found, clock, of.polls)
    _draw_silences(found, clock, of, silence_us, every=every)
    day, place = clock.place(of.as_of)
    if day in found:
        lane = found[day]
        lane.now, lane.now_left = times.per_cent_of_day(place), place > _LATE
        lane.now_text = f"now {times.on_clock(of.as_of, of.zone):%H:%M}"
    return [found[day] for day in sorted(found)]


def _lane(found: dict[int, Lane], day: int) -> Lane:
    """The lane of a day. Where midnight is skipped or repeated, it may be the one before the first."""
    if day not in found:
        found[day] = Lane(day, times.day(day))
    return found[day]


def _draw(lane: Lane, run: Run, bar: Bar, zone: str, chosen: bool, is_picked: bool) -> None:
    look = LOOKS[run.kind]
    if chosen:
        lane.pieces.append(_piece(run, bar, zone, is_picked))
    elif look != "blank":
        _draw_plain(lane, look, bar)


def _draw_plain(lane: Lane, look: str, bar: Bar) -> None:
    """What is only to be seen, in as few letters as will do: in a long view there is much of it."""
    if look in _STROKES and bar.which is Pass.ONLY:
        _stretch(lane, look, bar)
    else:
        lane.plain.append(_rect(look, bar.left, bar.right, bar.which, digits=2))


def _stretch(lane: Lane, look: str, bar: Bar) -> None:
    """One more stretch of a look; what touches the one before is the same stroke."""
    spans = lane.spans.setdefault(look, [])
    left, right = (round(10 * place / MINUTE) for place in (bar.left, bar.right))
    if spans and spans[-1][1] == left:
        left = spans.pop()[0]
    spans.append((left, right))


def _rect(
    look: str, left: int, right: int, which: Pass = Pass.ONLY, digits: int = 4, **more: str | bool
) -> Shape:
    offset, height = HALVES[which]
    if look in UP:
        offset, height = offset + height * 7 / 24, height * 10 / 24
    x, width = (times.per_cent_of_day(place, digits) for place in (left, right - left))
    return Shape(look, x, width, f"{_TOP + offset:.4g}", f"{height:.4g}", **more)  # type: ignore[arg-type]


def _piece(run: Run, bar: Bar, zone: str, is_picked: bool) -> Shape:
    return _rect(
        LOOKS[run.kind], bar.left, bar.right, bar.which, title=title(run, zone), at=iso(within(run)),
        picked=is_picked,
    )  # fmt: skip


def within(run: Run) -> int:
    """The instant that stands for a run: one in it that is short to write."""
    whole = -(-run.start // SECOND) * SECOND
    return whole if whole < run.end else run.start


def title(run: Run, zone: str) -> str:
    """`Up, seen: Fri 6 Mar, 11:00 to 15:49 CST, 4 h 49 min`."""
    state, how = WORDS[run.kind]
    return f"{state}, {how}: {times.span(run.start, run.end, zone)}, {times.length(run.end - run.start)}"


def _draw_bands(found: dict[int, Lane], clock: Clock, of: Picture, *, every: bool) -> None:
    begun: dict[int, list[str]] = defaultdict(list)
    for start, end in of.opens:
        bars = list(clock.bars(start, end))
        for bar in bars:
            lane = _lane(found, bar.day)
            if every or bar.which is not Pass.ONLY:
                lane.bands.append(_rect("band", bar.left, bar.right, bar.which))
            else:
                _draw_plain(lane, "band", bar)
        if end - start < DAY:
            begun[bars[0].day].append(_hours(start, end, of.zone))
            for before, after in pairwise(bars):
                if before.day != after.day:
                    found[before.day].leaves = found[after.day].enters = every
    for day, lane in found.items():
        always = any(end - start >= DAY and _holds(clock, day, start, end) for start, end in of.opens)
        others = "day and night" if always else "closed"
        lane.openings = ", ".join(begun[day]) or others
        lane.hours = ", ".join(begun[day][:2]) or others
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


def _draw_silences(
    found: dict[int, Lane], clock: Clock, of: Picture, silence_us: int, *, every: bool
) -> None:
    edges = [of.edges[0], *(poll.at for poll in of.polls), min(of.as_of, of.edges[-1])]
    for start, end in pairwise(edges):
        if end - start <= silence_us:
            continue
        bars = list(clock.bars(start, end))
        if not every:
            for bar in bars:
                _stretch(_lane(found, bar.day), "late", bar)
            continue
        for bar in bars:
            ends = times.per_cent_of_day(bar.left), times.per_cent_of_day(bar.right)
            _lane(found, bar.day).late.append(ends)
        _label(found, max(bars, key=lambda bar: bar.right - bar.left), end - start)


def _label(found: dict[int, Lane], bar: Bar, length: int) -> None:
    """Says how long nobody was polled, if the widest part of it has room for that."""
    if bar.right - bar.left >= _LABELLED:
        middle = times.per_cent_of_day((bar.left + bar.right) // 2)
        wide = bar.right - bar.left < _LABELLED_NARROW
        found[bar.day].text.append((middle, f"no polls for {times.length(length)}", wide))
