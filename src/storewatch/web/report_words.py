"""How pages say reports: their windows, their cells, how they were counted, what changed between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from storewatch.domain.clock import HOUR, MINUTE
from storewatch.domain.windows import CLASSIC
from storewatch.services.report_figures import WindowFigures
from storewatch.services.reporting import is_classic
from storewatch.storage.tables import Report
from storewatch.web import times
from storewatch.web.words import CHOSEN, instant, share

_MOST_SHOWN = 3


@dataclass(frozen=True)
class Column:
    """A window that rows show: its place in the report, its name, what its cells count in."""

    place: int
    name: str
    unit: int

    @property
    def words(self) -> str:
        """`week`; for windows of other names, these."""
        return self.name.removeprefix("last_").replace("_", " ")

    @property
    def unit_words(self) -> str:
        """`h` or `min`."""
        return "min" if self.unit == MINUTE else "h"


def columns(report: Report) -> list[Column]:
    """The windows that rows show: the classic ones, else the first three."""
    usual = [window.name for window in CLASSIC]
    shown = usual if is_classic(report) else report.window_names[:_MOST_SHOWN]
    lengths = dict(zip(report.window_names, report.window_us, strict=True))
    return [
        Column(report.window_names.index(name), name, MINUTE if lengths[name] <= HOUR else HOUR)
        for name in shown
    ]


@dataclass(frozen=True)
class Row:
    """A store in a report: a cell of up and of down for each column, None where it was open and nothing is
    known; coverage of the last column.
    """

    store_id: str
    name: str | None
    location: str | None
    up: list[str | None]
    down: list[str | None]
    coverage: str


def row(told: dict[str, Any], shown: Sequence[Column]) -> Row:
    """A row of `storage.report_pages.sheet`, in the words of the page; cells as in the classic CSV."""
    up = [_time(told, "up", column.place) for column in shown]
    down = [_time(told, "down", column.place) for column in shown]
    unknown = [told["unknown_us"][column.place] for column in shown]
    cells = [
        (None, None) if not u + d and k else (_cell(u, column.unit), _cell(d, column.unit))
        for u, d, k, column in zip(up, down, unknown, shown, strict=True)
    ]
    last = shown[-1].place
    seen = told["up_seen_us"][last] + told["down_seen_us"][last]
    opened = up[-1] + down[-1] + unknown[-1] + (told["excluded_us"] or [0] * (last + 1))[last]
    return Row(
        told["store_id"],
        told["name"],
        told["location"],
        [cell for cell, _ in cells],
        [cell for _, cell in cells],
        share(seen / opened if opened else None, 0),
    )


def _time(told: dict[str, Any], state: str, place: int) -> int:
    return int(told[f"{state}_seen_us"][place] + told[f"{state}_inferred_us"][place])


def _cell(time_us: int, unit: int) -> str:
    """Two decimals, half away from zero, as the CSV has them."""
    hundredths = (time_us * 100 + unit // 2) // unit
    return f"{hundredths // 100:,}.{hundredths % 100:02}"


# --- the report -----------------------------------------------------------------------------------


def subject(report: Report) -> str:
    """What a report is about."""
    return "All stores" if report.store_ids is None and report.group_ids is None else "Chosen stores"


def counted(report: Report, exceptions: int, email: str | None) -> list[tuple[str, str]]:
    """How it was counted: (term, what it is)."""
    rule = "nearest poll" if report.policy == "nearest" else "the poll before"
    as_of = instant(report.as_of) if report.as_of else ""
    return [
        *_chosen(report),
        ("As of", as_of + (", as asked" if report.as_of_asked else ", the newest poll")),
        ("Rule", f"{rule}, which speaks for {times.length(report.max_gap_us)} at most"),
        ("Seen", f"within {times.length(report.seen_within_us)} of a poll"),
        ("Exceptions", f"{exceptions:,} applied" if exceptions else "none applied"),
        ("Started", instant(report.created_at) + (f", by {email}" if email else "")),
    ]


def _chosen(report: Report) -> list[tuple[str, str]]:
    """When the window of one's own begins, if the report has it."""
    if report.as_of is None or CHOSEN not in report.window_names:
        return []
    length = report.window_us[report.window_names.index(CHOSEN)]
    return [("From", instant(report.as_of - timedelta(microseconds=length)))]


# --- two reports ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """A figure of a window in this report, in the earlier one, and the difference."""

    now: str
    before: str
    change: str


_COMPARED = ("availability", "coverage", "up", "down", "unknown", "open")


def changes(before: list[WindowFigures], now: list[WindowFigures]) -> list[tuple[str, list[Change]]]:
    """The change of each figure: (head, a change a window)."""
    pairs = list(zip(before, now, strict=True))
    return [(figure.capitalize(), [_change(figure, *pair) for pair in pairs]) for figure in _COMPARED]


def _change(figure: str, then: WindowFigures, this: WindowFigures) -> Change:
    was, is_ = getattr(then, figure), getattr(this, figure)
    if figure in ("availability", "coverage"):
        return _shares(was, is_)
    return Change(hours(is_), hours(was), signed_hours(is_ - was))


def _shares(was: float | None, is_: float | None) -> Change:
    if was is None or is_ is None:
        return Change(share(is_, 2), share(was, 2), "–")
    points = round(100 * (is_ - was), 2)
    told = f"{points:+.2f} points".replace("-", "−") if points else "no change"
    return Change(share(is_, 2), share(was, 2), told)


def hours(time_us: int) -> str:
    """`3.25 h`: with two decimals, so that changes add up before one's eyes."""
    return f"{_cell(time_us, HOUR)} h"


def signed_hours(time_us: int) -> str:
    """`+3.25 h`, `−3.25 h`, `no change`."""
    if not time_us:
        return "no change"
    return f"{'+' if time_us > 0 else '−'}{hours(abs(time_us))}"
