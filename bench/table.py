"""Markdown: tables, figures with units, and bounds with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measure import Runs


@dataclass(frozen=True)
class Bound:
    """The most that the issue allows."""

    limit: float
    unit: str  # "s", "MB", "×", or empty for a count

    def verdict(self, value: float) -> str:
        """Judged on the value as measured, not as shown."""
        return "met" if value <= self.limit else "**NOT met**"

    def __str__(self) -> str:
        return f"≤ {self.limit:g} {self.unit}".rstrip()


def amount(value: float, unit: str) -> str:
    """A figure with three digits or so; short times in milliseconds."""
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms" if value < 0.0995 else f"{value * 1000:.0f} ms"
    if unit == "×":
        return f"{value:.2f} ×" if value < 9.95 else f"{value:,.0f} ×"
    return f"{value:,.0f} {unit}" if value >= 99.5 else f"{value:#.3g} {unit}"


def spread(runs: Runs) -> str:
    """The median, and between what the runs lay."""
    if len(runs.seconds) == 1:
        return amount(runs.median, "s")
    low, high = (amount(end(runs.seconds), "s") for end in (min, max))
    return f"{amount(runs.median, 's')} ({low} – {high}, {len(runs.seconds)} runs)"


@dataclass(frozen=True)
class Line:
    """A thing measured against a bound, or against none."""

    what: str
    value: float
    unit: str
    bound: float | None = None
    shown: str = ""

    def cells(self) -> list[str]:
        shown = self.shown or amount(self.value, self.unit)
        if self.bound is None:
            return [self.what, shown, "", ""]
        bound = Bound(self.bound, self.unit)
        return [self.what, shown, str(bound), bound.verdict(self.value)]


def of_runs(what: str, runs: Runs, bound: float | None = None) -> Line:
    """A line about the median of several runs."""
    return Line(what, runs.median, "s", bound, spread(runs))


def bounded(lines: Sequence[Line]) -> str:
    """A table of measured values beside their bounds."""
    return table(("", "measured", "bound", "verdict"), [line.cells() for line in lines])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
