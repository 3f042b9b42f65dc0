"""What came out of a day: problems, the paragraph with its figures, and the picture."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.load import part
from bench.measure import ROOT
from bench.soak.day import SCHEDULES, Reports
from bench.soak.feed import HOURS
from bench.soak.people import Clicks
from bench.soak.picture import Curve, Panel, svg
from bench.soak.sample import PROCESSES, Growth, Sample, growth
from bench.table import table

PAGE, PICTURE = ROOT / "docs/explanation/soak.md", ROOT / "docs/pictures/soak.svg"
_SHOWN = "![By the hour: memory of each process, times of pages, jobs in the queue](../pictures/soak.svg)"
_MEASURED = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Outcome:
    """`due` and `missing`: alerts that were to be told, and those that were not; `differing`: rows of the
    report that are not the oracle's, of so many.
    """

    began: float
    ended: float
    samples: list[Sample]
    clicks: Clicks
    reports: Reports
    due: int
    missing: int
    scheduled: int
    to_do: int
    differing: tuple[int, int]
    verified: str
    errors: list[str]

    def growths(self) -> list[Growth]:
        return [growth(self.samples, name) for name in PROCESSES]

    def problems(self) -> list[str]:
        """All that should not be."""
        return list(self._problems())

    def _problems(self) -> Iterator[str]:
        for each in self.growths():
            if not each.flat:
                yield f"the memory of {each.process} grew: {each.second_mb:.0f} MB to {each.last_mb:.0f} MB"
        if self.missing:
            yield f"{self.missing} of {self.due} alerts did not come"
        if self.scheduled != SCHEDULES:
            yield f"{self.scheduled} of {SCHEDULES} scheduled reports came"
        if self.to_do:
            yield f"{self.to_do} things are still to be done"
        if self.differing[0]:
            yield "{} of {} rows are not the oracle's".format(*self.differing)
        yield from (line for line in self.verified.splitlines() if line.startswith("WRONG"))
        yield from (f"a page: {each}" for each in self.clicks.wrong[:20])
        yield from (f"a report: {each}" for each in self.reports.wrong)
        yield from (f"the log: {each[:2000]}" for each in self.errors[:20])


def keep(outcome: Outcome, asked: argparse.Namespace) -> None:
    """Writes the picture and the figures, where they are shown."""
    PICTURE.write_text(drawn(outcome))
    text = PAGE.read_text()
    PAGE.write_text(_MEASURED.sub(lambda _: written(outcome, asked), text))


def written(outcome: Outcome, asked: argparse.Namespace) -> str:
    """The section of the page."""
    lines = [*_pages(outcome), *_told(outcome), *_proved(outcome)]
    rows = [
        [each.process, f"{each.second_mb:.0f} MB", f"{each.last_mb:.0f} MB", "flat" if each.flat else "grew"]
        for each in outcome.growths()
    ]
    head = ("process", "memory in the second quarter", "in the last quarter", "")
    problems = [f"- **{each.splitlines()[0][:300]}**" for each in outcome.problems()]
    return (
        f"\n`make soak` of {time.strftime('%Y-%m-%d')}: {asked.stores:,} stores, {HOURS} hours in "
        f"{(outcome.ended - outcome.began) / 60:.0f} minutes on {os.cpu_count()} cores"
        f"{asked.note and '; ' + asked.note}.\n\n"
        + "\n".join(f"- {line}." for line in lines)
        + f"\n\n{table(head, rows)}\n\n"
        + "".join(f"{line}\n" for line in problems)
        + f"\n{_SHOWN}\n\n"
    )


def _pages(outcome: Outcome) -> Iterator[str]:
    took = [seconds * 1000 for _, seconds in outcome.clicks.took]
    halves = f"half of them within {part(took, 0.5):.0f} ms, 95 % within {part(took, 0.95):.0f} ms"
    yield f"Pages: {len(took):,} read, {halves}; {len(outcome.clicks.wrong)} not answered as they should be"
    queue = [each.queue for each in outcome.samples]
    yield f"Jobs waiting or at work: {max(queue, default=0)} at most, {outcome.to_do} at the end"


def _told(outcome: Outcome) -> Iterator[str]:
    slowest = max(outcome.reports.took, default=0)
    yield (
        f"Reports by hand: {len(outcome.reports.took)}, the slowest {slowest:.1f} s from request to file; "
        f"by themselves, by mail: {outcome.scheduled} of {SCHEDULES}"
    )
    yield f"Alerts by mail and webhook: {outcome.due} due, {outcome.missing} of them did not come"


def _proved(outcome: Outcome) -> Iterator[str]:
    wrong, of = outcome.differing
    yield (
        f"The report as of the end of the day: {of - wrong} of {of} stores, chosen by dice, have the figures "
        "of the slow second engine"
    )
    yield "`storewatch db verify`: " + ("**WRONG**" if "WRONG" in outcome.verified else "nothing wrong")
    yield f"Errors in the log: {len(outcome.errors)}"


def drawn(outcome: Outcome) -> str:
    """The picture."""
    memory = [*PROCESSES, "PostgreSQL"]
    panels = [
        Panel("Memory, MB", [_curve(outcome, name, _memory(name)) for name in memory]),
        Panel(
            "Time of a page in ms, over half a minute",
            [
                _curve(outcome, "half of them", lambda each: each.p50_ms),
                _curve(outcome, "95 % of them", lambda each: each.p95_ms),
            ],
        ),
        Panel("Jobs waiting or at work", [_curve(outcome, "jobs", lambda each: each.queue)]),
    ]
    return svg("A day of the fleet in fast time: memory, pages and the queue, by the hour", panels, HOURS)


def _memory(name: str) -> Callable[[Sample], float | None]:
    return lambda each: each.memory_mb.get(name)


def _curve(outcome: Outcome, name: str, value: Callable[[Sample], float | None]) -> Curve:
    scale = HOURS / (outcome.ended - outcome.began)
    return Curve(name, [((each.at - outcome.began) * scale, value(each)) for each in outcome.samples])
