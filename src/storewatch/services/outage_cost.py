"""What each outage of a store costs, where what it takes is known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR
from storewatch.domain.cost import Lost, by_hours, spread, week_times
from storewatch.domain.hours import Schedule
from storewatch.domain.outage_words import Outage
from storewatch.domain.periods import week_hours
from storewatch.domain.windows import local_days, midnights
from storewatch.storage import revenue

Downs = Sequence[tuple[int, int, bool]]
"""Stretches of downtime in order, [start, end) in microseconds, and whether it was seen."""


def lost(
    session: Session,
    key: NDArray[np.int32],
    schedule: Schedule,
    downs: Downs,
    outages: Sequence[Outage],
) -> list[Lost] | None:
    """Of each outage of one store, whose `downs` reach over all of them; None if nobody knows what it takes.

    As history counts it: by the open time of the week in force, or by the hour, so that outages add up to
    their days.
    """
    known = revenue.read(session, key)
    if not known.given[0]:
        return None
    if not outages:
        return []
    zone = schedule.zone_names[int(schedule.zone[0])]
    begin, end = min(each.start for each in outages), max(each.end for each in outages)
    first, last = local_days(np.array([begin, end - 1]), np.repeat(schedule.zone, 2), schedule.zone_names)
    cells = _Hours(np.arange(first, last + 2), schedule)
    rows = np.array(list(_parts(cells, downs, outages)), np.int64).reshape(-1, 4)
    place, cell, down, seen = rows.T
    day = cells.day[cell]
    if len(known.place):
        hours = int(cells.hour.max()) + 1
        cents = known.by_hour[0, week_hours(day, hours, zone)[np.arange(len(day)), cells.hour[cell]]]
        return by_hours(cents, down, seen, place, len(outages))
    week_us = week_times(schedule).of(np.zeros(len(day), np.int64), day)
    return spread(np.full(len(day), known.weekly[0]), down, seen, week_us, place, len(outages))


class _Hours:
    """The elapsed hours of local days: when each begins, and its day and number; one more edge than hours."""

    def __init__(self, days: Int64, schedule: Schedule) -> None:
        edges = midnights(days[None], schedule.zone, schedule.zone_names)[0].tolist()
        begins = [list(range(low, high, HOUR)) for low, high in pairwise(edges)]
        self.edges: list[int] = [at for day in begins for at in day] + edges[-1:]
        self.day = np.repeat(days[:-1], [len(day) for day in begins])
        self.hour = np.array([number for day in begins for number in range(len(day))], np.int64)


def _parts(cells: _Hours, downs: Downs, outages: Sequence[Outage]) -> Iterator[tuple[int, int, int, int]]:
    """(outage, hour, downtime, that part of it which was seen)."""
    ends = [end for _, end, _ in downs]
    for place, outage in enumerate(outages):
        for start, end, seen in downs[bisect_right(ends, outage.start) :]:
            if start >= outage.end:
                break
            low, high = max(start, outage.start), min(end, outage.end)
            cell = bisect_right(cells.edges, low) - 1
            while low < high:
                until = min(high, cells.edges[cell + 1])
                yield place, cell, until - low, (until - low) * seen
                low, cell = until, cell + 1
