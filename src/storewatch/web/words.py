"""How pages say instants, ages, shares and assumptions."""

from __future__ import annotations

from datetime import UTC, datetime

from storewatch.domain.clock import HOUR
from storewatch.domain.share_words import share as share
from storewatch.services.report_figures import Summary, WindowFigures

CHOSEN = "chosen_time"
"""The window that a person gave a report, by from and to."""

_WINDOWS = {
    CHOSEN: "From and to as chosen",
    "last_hour": "Last hour",
    "last_day": "Last day",
    "last_week": "Last week",
}


def instant(moment: datetime) -> str:
    """`Wed 25 Jan 2023, 18:13:22 UTC`."""
    return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def age(moment: datetime, now: datetime) -> str:
    """`12 min ago`, `3 h ago`, `5 days ago`."""
    minutes = max(0, int((now - moment).total_seconds())) // 60
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60):,} days ago"


def day(moment: datetime) -> str:
    """`25 Jan 2023`, in UTC."""
    return f"{moment.astimezone(UTC).day} {moment.astimezone(UTC):%b %Y}"


def figure_rows(figures: list[WindowFigures]) -> list[tuple[str, list[str]]]:
    """The fleet's table: (head, a cell a window)."""
    return [
        ("", [_WINDOWS.get(w.name, w.name) for w in figures]),
        ("Availability", [share(w.availability, 2) for w in figures]),
        ("Coverage", [share(w.coverage, 1) for w in figures]),
        ("Up, h", [_hours(w.up) for w in figures]),
        ("Down, h", [_hours(w.down) for w in figures]),
        ("Unknown, h", [_hours(w.unknown) for w in figures]),
        ("Open, h", [_hours(w.open) for w in figures]),
    ]


def _hours(time_us: int) -> str:
    digits = 0 if time_us >= 100 * HOUR else 1
    return f"{time_us / HOUR:,.{digits}f}"


def assumptions(summary: Summary, default_zone: str) -> list[str]:
    """What a complete report took for granted, in sentences."""
    said = []
    if summary.open_24x7:
        said.append(f"{stores(summary.open_24x7)} gave no opening hours: counted as open day and night.")
    if summary.default_zone:
        said.append(f"{stores(summary.default_zone)} gave no zone: counted in {default_zone}.")
    return said


def stores(count: int) -> str:
    """`1 store`, `14,092 stores`."""
    return "1 store" if count == 1 else f"{count:,} stores"
