"""History as people ask for it: by day, week, month, or hour of the week; of a store, a group or all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.cost import Lost
from storewatch.domain.history import Sums, sums
from storewatch.domain.permissions import Caller
from storewatch.errors import NoPollsError, UsageError
from storewatch.services import history, revenue
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.history import Part
from storewatch.services.reporting import Request
from storewatch.storage import polls, store_days
from storewatch.storage.db import Database


@dataclass(frozen=True)
class Asked:
    """Local days, both included, counted from 1970-01-01. None: up to T's day in UTC, and 30 in all."""

    first_day: int | None = None
    last_day: int | None = None

    def range(self, as_of: int) -> tuple[int, int]:
        """(first, last). UsageError if they make no sense."""
        last = as_of // DAY if self.last_day is None else self.last_day
        first = last - _USUAL_DAYS + 1 if self.first_day is None else self.first_day
        if first > last:
            raise UsageError("last_day lies before first_day", field="last_day")
        if last - first >= MOST_DAYS:
            raise UsageError(f"At most {MOST_DAYS:,} days can be asked for at once", field="first_day")
        return first, last


_USUAL_DAYS = 30
MOST_DAYS = 3_660


@dataclass(frozen=True)
class ByPeriod:
    """`first` and `last` int64[periods] are the days of each that were asked for, `complete` bool[periods]
    says whether the last of them was over at T for every store; `stores` had a day counted, of `unpriced`
    of which the revenue is not known: `lost` leaves them out.
    """

    as_of: int
    stores: int
    first: Int64
    last: Int64
    complete: np.ndarray[tuple[int], np.dtype[np.bool_]]
    sums: Sums
    lost: list[Lost]
    unpriced: int


@dataclass(frozen=True)
class ByHour:
    """`told` int64[168, 6] by hour of the week, as `store_days.HOURS` has it."""

    as_of: int
    stores: int
    first_day: int
    last_day: int
    complete: bool
    told: Int64


def by_period(
    database: Database, caller: Caller, chosen: Chosen, by: str, asked: Asked, request: Request
) -> ByPeriod:
    """Days, weeks, months, quarters. NotFoundError for what may not be seen, UsageError if it is too much."""
    with database.snapshot() as session:
        return within(session, caller, chosen, by, asked, request)


def within(
    session: Session, caller: Caller, chosen: Chosen, by: str, asked: Asked, request: Request
) -> ByPeriod:
    """The same in a snapshot that is there already."""
    as_of = _as_of(session)
    begin, end = asked.range(as_of)
    period = periods.starts(by, np.arange(begin, end + 1))
    first = np.flatnonzero(np.diff(period, prepend=period[0] - 1))
    last = np.append(first[1:], len(period)) - 1
    number = np.searchsorted(period[first], period)
    total, complete, stores = _nothing(len(first)), np.ones(len(first), np.bool_), 0
    lost, unpriced = [Lost()] * len(first), 0
    for part in _parts(session, caller, chosen, begin, end, request):
        days = history.days_of(part)
        total = total + sums(days, number[days.day - begin], len(first))
        complete &= (part.frame.edges[:, last + 1] <= as_of).all(axis=0)
        counted = np.unique(days.store)
        stores += len(counted)
        costs, priced = revenue.lost(session, part, days, number[days.day - begin], len(first))
        lost = [one + other for one, other in zip(lost, costs, strict=True)]
        unpriced += int((~priced[counted]).sum())
    return ByPeriod(as_of, stores, begin + first, begin + last, complete, total, lost, unpriced)


def _nothing(count: int) -> Sums:
    zeros = [np.zeros(count, np.int64) for _ in range(5)]
    return Sums(np.zeros((count, len(Kind)), np.int64), *zeros)


def by_week_hour(
    database: Database, caller: Caller, chosen: Chosen, asked: Asked, request: Request
) -> ByHour:
    """Weekday x hour, on the clocks of each store. Errors as for `by_period`."""
    with database.snapshot() as session:
        return hours_within(session, caller, chosen, asked, request)


def hours_within(session: Session, caller: Caller, chosen: Chosen, asked: Asked, request: Request) -> ByHour:
    """The same in a snapshot that is there already."""
    told = np.zeros((periods.WEEK_HOURS, len(store_days.HOURS)), np.int64)
    stores, complete = 0, True
    as_of = _as_of(session)
    begin, end = asked.range(as_of)
    for part in _parts(session, caller, chosen, begin, end, request):
        for zone, day, by_hour in _hours_of(session, part):
            place = periods.week_hours(day, by_hour.shape[1], part.seen.schedule.zone_names[zone])
            np.add.at(told, place, by_hour)
        stores += int((part.stored | part.stale).any(axis=1).sum())
        complete &= bool((part.frame.edges[:, -1] <= as_of).all())
    return ByHour(as_of, stores, begin, end, complete, told)


def _hours_of(session: Session, part: Part) -> Iterator[tuple[int, Int64, Int64]]:
    """(zone, days, int64[days, hours, 6]) of the stored days, added up by zone, and of the computed ones."""
    zone, day, by_hour = store_days.sums_by_hour(session, _runs(part))
    for number in np.unique(zone).tolist():
        yield number, day[zone == number], by_hour[zone == number]
    for computed in part.seen.computed(part.frame, part.stale):
        told = store_days.hours_of(computed.by_hour()[0])
        store, column = np.nonzero(computed.wanted)
        zones_of = part.seen.schedule.zone[computed.stores][store]
        for number in np.unique(zones_of).tolist():
            own = zones_of == number
            yield number, column[own] + computed.frame.first_day, told[own]


def _runs(part: Part) -> store_days.Runs:
    """The stored days as runs of days that follow each other, by zone."""
    padded = np.pad(part.stored, ((0, 0), (1, 1))).astype(np.int8)
    step = np.diff(padded, axis=1)
    store, first = np.nonzero(step == 1)
    _, end = np.nonzero(step == -1)
    begin = part.frame.first_day
    keys, zone = part.seen.store_keys[store], part.seen.schedule.zone[store].astype(np.int64)
    return store_days.Runs(keys, zone, first + begin, end - 1 + begin)


def _parts(
    session: Session, caller: Caller, chosen: Chosen, first_day: int, last_day: int, request: Request
) -> Iterator[Part]:
    keys = chosen.keys(session, caller)
    check_size(len(keys), last_day - first_day + 1, "first_day")
    return history.parts(session, keys, request, first_day, last_day)


def _as_of(session: Session) -> int:
    as_of = polls.newest(session)
    if as_of is None:
        raise NoPollsError("There are no polls yet, so there is no history: import store_status first")
    return as_of
