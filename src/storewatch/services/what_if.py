"""What a change would do to the figures of a store: it is made, the engine is asked, and all is undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import EARLIEST
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import local_days, midnights
from storewatch.errors import NoPollsError
from storewatch.services import stores
from storewatch.services.availability import as_of_asked, figures_of
from storewatch.services.reporting import Request
from storewatch.storage import history, retention, weekly
from storewatch.storage.db import Database

Made = TypeVar("Made")

_MOST_DAYS = 3_660


@dataclass(frozen=True)
class Day:
    """A local day, counted from 1970, whose figures would change: its totals by `Kind`, in microseconds."""

    day: int
    before: list[int]
    after: list[int]


@dataclass(frozen=True)
class Side:
    """What the days that would change add up to, before or after: totals by `Kind`, and the downtime's
    bounds; microseconds.
    """

    totals: list[int]
    down_min: int
    down_max: int


@dataclass(frozen=True)
class Preview(Generic[Made]):
    """What would change: the days, newest last, their sums, and what the change itself returned.

    `zone` is that of the store afterwards.
    """

    zone: str
    days: list[Day]
    before: Side
    after: Side
    made: Made


def preview(
    database: Database,
    caller: Caller,
    store_id: str,
    request: Request,
    change: Callable[[], Made],
    now_us: int,
) -> Preview[Made]:
    """Calls `change`, a service that has a transaction, as a part of one that is never committed.

    NotFoundError for a store that the caller may not see, and whatever `change` raises.
    """
    request = request.checked(now_us)
    with database.rehearsal() as session:
        key = stores.found(session, caller, store_id).store.store_key
        before = _figures(session, key, request)
        made = change()
        return _compared(before, _figures(session, key, request), made)


@dataclass(frozen=True)
class _Figures:
    """Of a store: `first` is a local day, `totals` int64[days, 6], `bounds` int64[days, 2]."""

    zone: str
    first: int
    totals: Int64
    bounds: Int64

    def of(self, days: Int64) -> tuple[Int64, Int64]:
        """Totals and bounds of days; nothing where there is none."""
        place = days - self.first
        held = ((place >= 0) & (place < len(self.totals)))[:, None]
        place = np.clip(place, 0, len(self.totals) - 1)
        return np.where(held, self.totals[place], 0), np.where(held, self.bounds[place], 0)


def _figures(session: Session, store_key: int, request: Request) -> _Figures:
    """Each day from the first that a poll says something of up to that of T."""
    keys = np.array([store_key], np.int32)
    schedule = weekly.schedule(session, keys, request.default_zone)
    zone = schedule.zone_names[int(schedule.zone[0])]
    try:
        as_of = as_of_asked(session, request)
    except NoPollsError:
        return _none(zone)
    first_us = int(history.record(session, keys).first_instant[0])
    if first_us >= as_of:
        return _none(zone)
    instants = np.array([first_us, max(retention.frozen_until(session), EARLIEST) - 1, as_of - 1])
    begun, frozen, last = local_days(instants, np.repeat(schedule.zone, 3), schedule.zone_names).tolist()
    first = max(begun, frozen + 1, last - _MOST_DAYS + 1)
    if first > last:
        return _none(zone)
    edges = midnights(np.arange(first, last + 2)[None], schedule.zone, schedule.zone_names)[0]
    spans = np.minimum(np.stack([edges[:-1], edges[1:]], axis=1), as_of)
    found = figures_of(session, keys, request, spans, as_of)
    return _Figures(zone, first, found.totals[0], np.stack([found.down_min[0], found.down_max[0]], axis=1))


def _none(zone: str) -> _Figures:
    return _Figures(zone, 0, np.zeros((1, 6), np.int64), np.zeros((1, 2), np.int64))


def _compared(before: _Figures, after: _Figures, made: Made) -> Preview[Made]:
    begin = min(before.first, after.first)
    end = max(each.first + len(each.totals) for each in (before, after))
    days = np.arange(begin, end)
    (old, old_bounds), (new, new_bounds) = before.of(days), after.of(days)
    changed = np.flatnonzero((old != new).any(axis=1) | (old_bounds != new_bounds).any(axis=1))
    columns = (days[changed], old[changed], new[changed])
    return Preview(
        after.zone,
        [Day(*row) for row in zip(*(column.tolist() for column in columns), strict=True)],
        _side(old[changed], old_bounds[changed]),
        _side(new[changed], new_bounds[changed]),
        made,
    )


def _side(totals: Int64, bounds: Int64) -> Side:
    return Side(totals.sum(axis=0).tolist(), *bounds.sum(axis=0).tolist())
