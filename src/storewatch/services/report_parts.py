"""A report part by part: what the engine is given of some stores, and what it makes of that."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.ahead import ahead
from storewatch.domain import exceptions
from storewatch.domain.availability import Policy, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.hours import Schedule
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.totals import totals_by_store
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
    """Some stores' rows, the numbers of the exceptions that had a part in them, and what the totals would be
    without these.
    """

    keys: NDArray[np.int32]
    figures: Figures
    given: Given
    exceptions: frozenset[int]
    raw: Int64 | None


def made(
    snapshots: Sequence[Session], report: Report, as_of: int, keys: Iterable[NDArray[np.int32]]
) -> Generator[Part, None, None]:
    """The parts of a report, of some stores each. While the caller writes one, the next is computed, and what
    the one after that is made of is read.
    """
    with closing(ahead(partial(_read, snapshots, report, as_of), keys)) as read:
        yield from ahead(partial(_figures, report, as_of), read)


@dataclass(frozen=True)
class _Read:
    """Some stores, and what the engine is given of them. `windows` as for `totals`."""

    keys: NDArray[np.int32]
    schedule: Schedule
    sources: Sources
    windows: Int64


def _read(snapshots: Sequence[Session], report: Report, as_of: int, keys: NDArray[np.int32]) -> _Read:
    windows = before(as_of, windows_of(report), len(keys))
    reach = int(windows.min()) - report.max_gap_us
    schedule = weekly.schedule(snapshots[0], keys, report.default_zone)
    rulings = exceptions_in_force.read(snapshots[0], keys, reach, as_of)
    return _Read(keys, schedule, sources.read(snapshots, keys, schedule, rulings, reach, as_of), windows)


def _figures(report: Report, as_of: int, read: _Read) -> Part:
    rules = Rules(Policy(report.policy), report.max_gap_us, report.seen_within_us)
    given, schedule, windows = read.sources, read.schedule, read.windows
    figures = figures_by_store(given.polls, given.opens, rules, windows, as_of, given.cover.decided)
    raw = None
    if given.cover.numbers:
        reach = int(windows.min()) - rules.max_gap
        plain = sources.adjusted(given.all_polls, schedule, exceptions.NONE, reach, as_of)
        raw = totals_by_store(plain.polls, plain.opens, rules, windows, as_of)
    told = Given(~schedule.always, schedule.zone != 0)
    return Part(read.keys, figures, told, given.cover.numbers, raw)
