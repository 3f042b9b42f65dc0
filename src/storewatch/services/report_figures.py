"""The fleet's figures in a report: summed up while it is made, and as a reader may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.outages import Figures
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import Elapsed
from storewatch.storage import report_rows
from storewatch.storage.db import Database
from storewatch.storage.tables import Report

_SUMS = (*report_rows.TOTALS, *report_rows.BOUNDS)


class Tally:
    """The fleet's figures and what was assumed, summed up part by part."""

    def __init__(self, windows: int) -> None:
        self._sums = np.zeros((windows, len(_SUMS)), np.int64)
        self._raw = np.zeros((windows, len(Kind)), np.int64)
        self._stores = self._always = self._default_zone = 0
        self._exceptions: set[int] = set()

    def add(self, figures: Figures, hours_given: NDArray[np.bool_], zone_given: NDArray[np.bool_]) -> None:
        """Adds some stores; bool[stores] twice."""
        self._sums[:, : len(Kind)] += figures.totals.sum(axis=0)
        self._sums[:, len(Kind)] += figures.down_min.sum(axis=0)
        self._sums[:, len(Kind) + 1] += figures.down_max.sum(axis=0)
        self._stores += len(figures.totals)
        self._always += int((~hours_given).sum())
        self._default_zone += int((~zone_given).sum())

    def add_exceptions(self, numbers: frozenset[int], raw: Int64 | None, totals: Int64) -> None:
        """Adds the exceptions that touched these stores, and what their totals would be without."""
        self._exceptions |= numbers
        self._raw += (totals if raw is None else raw).sum(axis=0)

    def summary(self, windows: tuple[Elapsed, ...]) -> dict[str, Any]:
        """As it is stored: microseconds by window and kind, and the counts of assumptions."""
        told: dict[str, Any] = {
            "stores": self._stores,
            "open_24x7": self._always,
            "default_zone": self._default_zone,
            "windows": _by_window(windows, self._sums),
        }
        if self._exceptions:
            told["exceptions"] = sorted(self._exceptions)
            told["raw_windows"] = _by_window(windows, self._raw)
        return told


def _by_window(windows: tuple[Elapsed, ...], sums: Int64) -> dict[str, dict[str, int]]:
    rows = zip(windows, sums.tolist(), strict=True)
    return {window.name: dict(zip(_SUMS, row, strict=False)) for window, row in rows}


@dataclass(frozen=True)
class WindowFigures:
    """The fleet in one window. Times in microseconds; shares are None where nothing is known, the bounds of
    downtime in reports of older versions.
    """

    name: str
    up: int
    down: int
    unknown: int
    seen: int
    excluded: int = 0
    down_min: int | None = None
    down_max: int | None = None

    @property
    def open(self) -> int:
        """Open time."""
        return self.up + self.down + self.unknown + self.excluded

    @property
    def inferred(self) -> int:
        """What of up and down was not seen."""
        return self.up + self.down - self.seen

    @property
    def availability(self) -> float | None:
        """Up of what is known."""
        return self.up / (self.up + self.down) if self.up + self.down else None

    @property
    def coverage(self) -> float | None:
        """Seen of what was open."""
        return self.seen / self.open if self.open else None


@dataclass(frozen=True)
class Summary:
    """How many stores, of how many hours and zone were assumed, and the fleet in each window; the same
    without the exceptions that had a part in it, and their numbers: empty if there were none.
    """

    stores: int
    open_24x7: int
    default_zone: int
    windows: list[WindowFigures]
    raw_windows: list[WindowFigures]
    exceptions: list[int]


def seen(database: Database, caller: Caller, report: Report) -> Summary | None:
    """The summary of a complete report over the rows that the caller may see now; None if it is not
    complete. What it said when it was made could tell of stores that are no longer theirs to see.
    """
    if report.status != "complete":
        return None
    if caller.seen_by is None:
        return of(report)
    with database.session() as session:
        return _read(report_rows.summary(session, report, caller.seen_by), report.window_names)


def of(report: Report) -> Summary:
    """The summary of a complete report as it was made, for who sees all."""
    return _read(report.summary or {}, report.window_names)


def stores(database: Database, caller: Caller, reports: list[Report]) -> dict[int, int]:
    """How many stores the caller may see in each of the complete reports, by report number."""
    complete = [report for report in reports if report.status == "complete"]
    if caller.seen_by is None:
        return {report.report_no: of(report).stores for report in complete}
    with database.session() as session:
        return report_rows.counts(session, [report.report_no for report in complete], caller.seen_by)


def _read(stored: dict[str, Any], names: list[str]) -> Summary:
    exceptions = stored.get("exceptions", [])
    windows = [_figures(name, stored["windows"][name]) for name in names]
    raw = [_figures(name, stored["raw_windows"][name]) for name in names if exceptions]
    return Summary(stored["stores"], stored["open_24x7"], stored["default_zone"], windows, raw, exceptions)


def _figures(name: str, totals: dict[str, int]) -> WindowFigures:
    return WindowFigures(
        name,
        up=totals["up_seen_us"] + totals["up_inferred_us"],
        down=totals["down_seen_us"] + totals["down_inferred_us"],
        unknown=totals["unknown_us"],
        seen=totals["up_seen_us"] + totals["down_seen_us"],
        excluded=totals.get("excluded_us", 0),  # reports of older versions have none of these
        down_min=totals.get("down_min_us"),
        down_max=totals.get("down_max_us"),
    )
