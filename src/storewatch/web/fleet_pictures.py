"""The pictures of the fleet and of its cards: today, the trend, the hours of the week. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.lanes import Clock
from storewatch.services.cards import Card
from storewatch.web import times, words
from storewatch.web.shapes import LOOKS, Shape
from storewatch.web.strips import strip

_EPOCH = date(1970, 1, 1).toordinal()
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# --- today ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Today:
    """The local day of T, 24 hours of its clock across: shapes, where now is, and what is said of it."""

    shapes: list[Shape]
    now: str
    hours: str
    label: str


def today(card: Card, as_of: int) -> Today:
    """What is known of today, and its opening hours past T."""
    line = card.line
    clock = Clock(line.zone, *card.day)
    drawn = [("band", start, end) for start, end in card.opens]
    drawn += [(LOOKS[run.kind], run.start, run.end) for run in line.runs if run.end > card.day[0]]
    shapes = [
        _shape(look, bar.left, bar.right)
        for look, start, end in drawn
        if look != "blank"
        for bar in clock.bars(max(start, card.day[0]), end)
    ]
    day, place = clock.place(as_of)
    now = times.per_cent_of_day(place if day == line.last else DAY)
    down = card.today.totals[Kind.DOWN_SEEN] + card.today.totals[Kind.DOWN_INFERRED]
    said = f"down {times.length(down)}" if down else week_words(card)[-1][1]
    label = f"Today: {said}; it is {times.clock(as_of, line.zone)}"
    return Today(shapes, now, _hours(card), label)


def _shape(look: str, left: int, right: int) -> Shape:
    y, height = ("26", "12") if look in ("up", "line-up") else ("18", "28")
    return Shape(look, times.per_cent_of_day(left), times.per_cent_of_day(right - left), y, height)


def _hours(card: Card) -> str:
    start, end = card.day
    if not card.opens:
        return "closed"
    if card.opens == [(start, end)]:
        return "open day and night"
    spans = [
        f"{_time(low, card.line.zone)} to {'24:00' if high == end else _time(high, card.line.zone)}"
        for low, high in card.opens[:2]
    ]
    return "open " + ", ".join(spans)


def _time(at: int, zone: str) -> str:
    return f"{times.on_clock(at, zone):%H:%M}"


def week_words(card: Card) -> list[tuple[str, str]]:
    """(weekday, what it was) of the last seven days."""
    line = card.line
    label = strip(line.zone, (line.first, line.last), line.opens, line.runs).label
    said = [(part.split(" ", 1)[0], part.split(" ", 1)[1]) for part in label.split("; ")]
    if said[-1][1] == "closed" and card.opens:  # it opens later today
        said[-1] = (said[-1][0], "not open yet")
    return said


# --- trend ----------------------------------------------------------------------------------------

WELL_SEEN = 0.6
"""Of a day of which less was seen, the point is hollow."""

PLOT_HIGH, SEEN_HIGH, STEP = 120, 20, 10
_FLOORS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0.0)


@dataclass(frozen=True)
class TrendDay:
    """A day of the trend; shares are None where there is no figure."""

    day: int
    name: str
    up: float | None
    coverage: float | None
    down_us: int

    @property
    def well_seen(self) -> bool:
        """Whether enough of it was seen."""
        return self.coverage is not None and self.coverage >= WELL_SEEN

    @property
    def said(self) -> tuple[str, str, str]:
        """Its row: up, seen, hours down."""
        return words.share(self.up, 2), words.share(self.coverage, 0), hours(self.down_us)


@dataclass(frozen=True)
class Trend:
    """Days side by side, each `STEP` wide, the scale from `floor` to 1 over `PLOT_HIGH`: paths of lines and
    points, bars of coverage below; `grid` are (y, words), `names` (place in per cent, words).
    """

    days: list[TrendDay]
    floor: float
    width: int
    line: str
    faint: str
    dots: str
    hollow: str
    bars: str
    grid: list[tuple[float, str]]
    names: list[tuple[str, str]]
    lowest: TrendDay
    highest: TrendDay


def trend_days(days: Sequence[tuple[int, list[int]]]) -> list[TrendDay]:
    """Of (day, totals by `Kind`)."""
    return [_trend_day(day, totals) for day, totals in days]


def _trend_day(day: int, totals: list[int]) -> TrendDay:
    up = totals[Kind.UP_SEEN] + totals[Kind.UP_INFERRED]
    down = totals[Kind.DOWN_SEEN] + totals[Kind.DOWN_INFERRED]
    seen, whole = totals[Kind.UP_SEEN] + totals[Kind.DOWN_SEEN], sum(totals)
    return TrendDay(
        day, times.day(day), up / (up + down) if up + down else None, seen / whole if whole else None, down
    )


def trend(days: Sequence[tuple[int, list[int]]]) -> Trend | None:
    """The picture; None if nothing is known of any day. Days before the first known one are left out."""
    told = trend_days(days)
    known = [each for each in told if each.up is not None]
    if not known:
        return None
    told = told[told.index(known[0]) :]
    lowest, highest = min(known, key=_up), max(known, key=_up)
    floor = next(floor for floor in _FLOORS if _up(lowest) >= floor)
    places = {
        each.day: (STEP * number + STEP // 2, _y(_up(each), floor))
        for number, each in enumerate(told)
        if each.up is not None
    }
    lines, ends = {True: "", False: ""}, {True: -1, False: -1}
    for before, after in pairwise(told):
        if before.up is not None and after.up is not None:
            solid = before.well_seen and after.well_seen
            (x1, y1), (x2, y2) = places[before.day], places[after.day]
            lines[solid] += f"L{x2} {y2:g}" if ends[solid] == before.day else f"M{x1} {y1:g}L{x2} {y2:g}"
            ends[solid] = after.day
    dots = {
        solid: "".join(
            f"M{places[each.day][0]} {places[each.day][1]:g}h0" for each in known if each.well_seen is solid
        )
        for solid in (True, False)
    }
    return Trend(
        told, floor, STEP * len(told), lines[True], lines[False], dots[True], dots[False],
        _bars(told), _grid(floor), _names(told), lowest, highest,
    )  # fmt: skip


def _up(each: TrendDay) -> float:
    return 0.0 if each.up is None else each.up


def _y(share: float, floor: float) -> float:
    return round(PLOT_HIGH * (1 - share) / (1 - floor), 1)


def _bars(told: list[TrendDay]) -> str:
    tall = [(number, round(SEEN_HIGH * (each.coverage or 0), 1)) for number, each in enumerate(told)]
    return "".join(f"M{STEP * n + 1} {SEEN_HIGH}v-{high:g}h{STEP - 2}v{high:g}z" for n, high in tall if high)


def _grid(floor: float) -> list[tuple[float, str]]:
    shares = [floor + (1 - floor) * number / 4 for number in range(5)]
    digits = 0 if all(abs(100 * each - round(100 * each)) < 1e-9 for each in shares) else 1
    if digits and floor in (0.99, 0.98, 0.95):
        shares = [floor, (1 + floor) / 2, 1.0] if floor != 0.95 else [0.95, 0.96, 0.97, 0.98, 0.99, 1.0]
        digits = 1 if floor == 0.99 else 0
    return [(_y(each, floor), f"{100 * each:.{digits}f}%") for each in shares]


def _names(told: list[TrendDay]) -> list[tuple[str, str]]:
    every = max(1, -(-len(told) // 5))
    found = []
    for number in range(every // 2, len(told), every):
        day = date.fromordinal(_EPOCH + told[number].day)
        found.append((f"{100 * (number + 0.5) / len(told):.4g}%", f"{day.day} {day:%b}"))
    return found


# --- hours of the week ----------------------------------------------------------------------------

_BREAKS = (0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class HourCell:
    """An hour of the week on the clocks: the share of its known open time that was down, None: never open."""

    weekday: int
    hour: int
    down: int
    known: int
    look: str

    @property
    def share(self) -> float | None:
        """Down, of what is known."""
        return self.down / self.known if self.known else None

    @property
    def said(self) -> str:
        """`1.3%`."""
        return words.share(self.share, 1)

    @property
    def starts(self) -> str:
        """`07:00`."""
        return f"{self.hour:02}:00"

    @property
    def name(self) -> str:
        """`Fridays, 19:00 to 20:00`."""
        return f"{WEEKDAYS[self.weekday]}s, {self.starts} to {self.hour + 1:02}:00"


@dataclass(frozen=True)
class Heat:
    """The hours of the week: rows by weekday, the looks with what they mean, the hours that cost most."""

    rows: list[list[HourCell]]
    legend: list[tuple[str, str]]
    costliest: list[HourCell]


def heat(told: Int64) -> Heat | None:
    """Of int64[7, 24, 2]: down and known microseconds; None if nothing is known."""
    if not told[..., 1].any():
        return None
    pairs = told.tolist()
    highest = max(down / known for row in pairs for down, known in row if known)
    step = max((each for each in _BREAKS if 4 * each <= highest), default=_BREAKS[0])
    rows = [
        [HourCell(day, hour, down, known, _look(down, known, step)) for hour, (down, known) in enumerate(row)]
        for day, row in enumerate(pairs)
    ]
    cells = [cell for row in rows for cell in row if cell.down]
    cells.sort(key=lambda cell: (-cell.down, cell.weekday, cell.hour))
    return Heat(rows, _legend(step), cells[:5])


def _look(down: int, known: int, step: float) -> str:
    return f"h{min(4, int(down / known / step))}" if known else ""


def _legend(step: float) -> list[tuple[str, str]]:
    at = [f"{100 * step * number:g}" for number in range(1, 5)]
    return [
        ("h0", f"under {at[0]}%"),
        *((f"h{number}", f"{at[number - 1]} to {at[number]}") for number in range(1, 4)),
        ("h4", f"{at[3]}% or more"),
    ]


def hours(time_us: int) -> str:
    """`2,348`, `3.2`: where the head says h."""
    return f"{time_us / HOUR:,.{0 if time_us >= 100 * HOUR else 1}f}"
