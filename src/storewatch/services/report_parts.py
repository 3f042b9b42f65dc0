"""A report part by part: what the engine is given of some stores, and what it makes of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain.availability import Policy, Rules, totals_by_store
from storewatch.domain.axis import Int64
from storewatch.domain.hours import Schedule
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.windows import Elapsed, before
from storewatch.services import sources
from storewatch.services.sources import Sources
from storewatch.storage import exceptions_in_force, weekly
from storewatch.storage.report_rows import Given
from storewatch.storage.tables import Report


def windows_of(report: Report) -> tuple[Elapsed, ...]:
    """The windows that a report was asked for."""
    return tuple(Elapsed(*pair) for pair in zip(report.window_names, report.window_us, strict=True))


@dataclass(frozen=True)
class Part:
    """Some stores, and what the engine is given of them. `windows` as for `totals`."""

    keys: NDArray[np.int32]
    schedule: Schedule
    sources: Sources
    windows: Int64

    @property
    def given(self) -> Given:
        """What the stores gave of themselves."""
        return Given(~self.schedule.always, self.schedule.zone != 0)


def read(snapshots: tuple[Session, Session], report: Report, as_of: int, keys: NDArray[np.int32]) -> Part:
    """Reads what the next stores' rows are made of, while those of the last are made."""
    windows = before(as_of, windows_of(report), len(keys))
    reach = int(windows.min()) - report.max_gap_us
    schedule = weekly.schedule(snapshots[0], keys, report.default_zone)
    rulings = exceptions_in_force.read(snapshots[0], keys, reach, as_of)
    return Part(keys, schedule, sources.read(snapshots, keys, schedule, rulings, reach, as_of), windows)


@dataclass(frozen=True)
class Made:
    """Some stores' figures, and what the totals would be without exceptions, if any had a part in them."""

    figures: Figures
    raw: Int64 | None


def figures(part: Part, report: Report, as_of: int) -> Made:
    """Asks the engine."""
    rules = Rules(Policy(report.policy), report.max_gap_us, report.seen_within_us)
    given = part.sources
    made = figures_by_store(given.polls, given.opens, rules, part.windows, as_of, given.cover.decided)
    raw = None
    if given.cover.numbers:
        reach = int(part.windows.min()) - rules.max_gap
        plain = sources.adjusted(given.all_polls, part.schedule, exceptions.NONE, reach, as_of)
        raw = totals_by_store(plain.polls, plain.opens, rules, part.windows, as_of)
    return Made(made, raw)
