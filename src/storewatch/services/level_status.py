"""How a service level stands, period by period: from history, so it follows every change by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, hours, periods
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.history import Bools, sums
from storewatch.domain.outages import outages
from storewatch.domain.permissions import Caller
from storewatch.domain.service_levels import (
    Measure,
    Period,
    Status,
    Target,
    UnknownAs,
    Verdict,
    availability,
    judge,
)
from storewatch.domain.windows import local_days
from storewatch.errors import NoPollsError
from storewatch.services import history, service_levels
from storewatch.services.chosen import check_size
from storewatch.services.history import Part, Sight
from storewatch.services.reporting import Request
from storewatch.storage import polls, stores, weekly
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found

_MOST_SHOWN = 5


@dataclass(frozen=True)
class Standing:
    """How one period stands. `bounds` are those of the downtime.

    `stores` counts its stores by how they stand themselves, `days` and `worst`
    are the days (counted from 1970) and the stores that used most, with what they used.
    """

    first_day: int
    last_day: int
    period: Period
    verdict: Verdict
    availability: float | None
    totals: list[int]
    bounds: tuple[int, int]
    stores: Counter[Status]
    days: list[tuple[int, int]]
    worst: list[tuple[str, int]]


@dataclass(frozen=True)
class Standings:
    """Of one service level, the periods in order."""

    as_of: int
    found: Found
    items: list[Standing]


@dataclass(frozen=True)
class _Sums:
    """Of stores and periods: `totals` int64[stores, periods, 6], `bounds` int64[stores, periods, 2] those of
    the downtime, the others int64 or bool[stores, periods];
    `by_day` int64[days] what each local day used.
    """

    totals: Int64
    bounds: Int64
    outages: Int64
    whole: Int64
    over: Bools
    by_day: Int64


def status(database: Database, caller: Caller, level_id: UUID, count: int, request: Request) -> Standings:
    """The last so many periods, up to the one that runs at T. NotFoundError for what may not be seen."""
    with database.snapshot() as session:
        found = service_levels.found(session, caller, level_id)
        session.expunge(found.level)  # it outlives the session
        as_of = polls.newest(session)
        if as_of is None:
            raise NoPollsError("There are no polls yet, so nothing is known: import store_status first")
        keys = _keys(session, found)
        level = found.level
        first = periods.latest(level.period, _today(session, keys, request, as_of), count)
        end = periods.following(level.period, first)
        check_size(len(keys), int(end[-1] - first[0]), "periods")
        target = Target(Measure(level.measure), level.target, UnknownAs(level.unknown_as))
        parts = [
            _summed(part, first, end, target, level.min_outage_s * 1_000_000)
            for part in history.parts(session, keys, request, int(first[0]), int(end[-1]) - 1)
        ]
        ids = stores.ids(session, keys)
    items = [_standing(number, first, end, parts, ids, target) for number in range(count)]
    return Standings(as_of, found, items)


def _keys(session: Session, found: Found) -> NDArray[np.int32]:
    if found.level.store_key is not None:
        return np.array([found.level.store_key], np.int32)
    return stores.polled(session, None, found.level.group_no)


def _today(session: Session, keys: NDArray[np.int32], request: Request, as_of: int) -> int:
    """The latest local day that T lies in, or ends, of the stores."""
    schedule = weekly.schedule(session, keys, request.default_zone)
    zone = np.unique(schedule.zone) if len(keys) else np.zeros(1, np.int32)
    return int(local_days(np.full(len(zone), as_of - 1), zone, schedule.zone_names).max())


# --- figures --------------------------------------------------------------------------------------


def _summed(part: Part, first: Int64, end: Int64, target: Target, shortest: int) -> _Sums:
    shape = (len(part.seen.store_keys), len(first))
    days = history.days_of(part)
    number = np.searchsorted(first, days.day, side="right") - 1
    told = sums(days, days.store * len(first) + number, shape[0] * shape[1])
    totals = told.totals.reshape(*shape, len(Kind))
    counts = told.outages.reshape(shape)
    if shortest and target.measure is Measure.OUTAGES:
        counts = _long_outages(part, counts, first, end, shortest)
    kinds = [Kind.DOWN_SEEN, Kind.DOWN_INFERRED]
    kinds += [Kind.UNKNOWN] if target.unknown_as is UnknownAs.DOWN else []
    used = days.outages if target.measure is Measure.OUTAGES else days.totals[:, kinds].sum(axis=1)
    by_day = np.zeros(part.frame.days, np.int64)
    if not (shortest and target.measure is Measure.OUTAGES):
        np.add.at(by_day, days.day - part.frame.first_day, used)
    edges = part.frame.edges
    over = edges[:, end - part.frame.first_day] <= part.frame.as_of
    bounds = np.stack([told.down_min, told.down_max], axis=1).reshape(*shape, 2)
    return _Sums(totals, bounds, counts, totals.sum(axis=2) + _ahead(part, first, end), over, by_day)


def _spans(part: Part, first: Int64, end: Int64) -> Int64:
    """int64[stores, periods, 2]: the periods on each store's clock, up to its archiving."""
    edges, begin = part.frame.edges, part.frame.first_day
    gone = np.clip(part.seen.record.archived - begin, 0, part.frame.days)
    until = edges[np.arange(len(edges)), gone]
    spans = np.stack([edges[:, first - begin], edges[:, end - begin]], axis=2)
    return np.minimum(spans, until[:, None, None])


def _ahead(part: Part, first: Int64, end: Int64) -> Int64:
    """int64[stores, periods]: open time after T, by the weekly hours in force and the exceptions to them."""
    spans = np.maximum(_spans(part, first, end), part.frame.as_of)
    found = np.zeros(spans.shape[:2], np.int64)
    running = np.flatnonzero((spans[:, :, 0] < spans[:, :, 1]).any(axis=0)).tolist()
    if running:
        opens = _opens(part.seen, part.frame.as_of, int(spans.max()))
    for number in running:
        low, high = spans[opens.store, number].T
        within = np.maximum(np.minimum(opens.end, high) - np.maximum(opens.start, low), 0)
        np.add.at(found[:, number], opens.store, within)
    return found


def _opens(seen: Sight, start: int, until: int) -> hours.Intervals:
    cover = exceptions.cover(seen.applied, seen.schedule, start, until)
    return hours.open_intervals(seen.schedule, start, until, cover.other, cover.closed)


def _long_outages(part: Part, counts: Int64, first: Int64, end: Int64, shortest: int) -> Int64:
    """int64[stores, periods]: outages whose open time within the period is so long at least."""
    spans, found = _spans(part, first, end), np.zeros_like(counts)
    wanted = (part.stored | part.stale) & (counts.sum(axis=1) > 0)[:, None]
    for box in part.seen.computed(part.frame, wanted):
        edges = box.frame.edges
        last = np.minimum(edges[:, -1:, None], part.frame.as_of)
        windows = np.clip(spans[box.stores], np.minimum(edges[:, :1, None], last), last)
        found[box.stores] = outages(box.segments, windows, shortest)[0]
    return np.where(counts > 0, found, 0)


# --- verdicts -------------------------------------------------------------------------------------


def _standing(
    number: int, first: Int64, end: Int64, parts: list[_Sums], ids: list[str], target: Target
) -> Standing:
    own = [each for part in parts for each in _own(part, number)]
    whole = _together(own)
    verdicts = [judge(target, each) for each in own]
    used = sorted(zip([-each.used for each in verdicts], ids, strict=True))[:_MOST_SHOWN]
    low, high = int(first[number] - first[0]), int(end[number] - first[0])
    by_day = sum((part.by_day[low:high] for part in parts), np.zeros(high - low, np.int64))
    least, most = sum((part.bounds[:, number].sum(axis=0) for part in parts), np.zeros(2, np.int64)).tolist()
    longest = np.argsort(-by_day, kind="stable")[:_MOST_SHOWN].tolist()
    return Standing(
        int(first[number]),
        int(end[number]) - 1,
        whole,
        judge(target, whole),
        availability(target, whole),
        sum((part.totals[:, number].sum(axis=0) for part in parts), np.zeros(len(Kind), np.int64)).tolist(),
        (least, most),
        Counter(each.status for each in verdicts),
        [(int(first[number]) + day, int(by_day[day])) for day in longest if by_day[day]],
        [(store_id, -minus) for minus, store_id in used if minus],
    )


def _own(part: _Sums, number: int) -> list[Period]:
    """The period of each store."""
    columns = (part.totals, part.whole, part.outages, part.over)
    rows = zip(*(column[:, number].tolist() for column in columns), strict=True)
    return [_period(totals, whole, number_, over) for totals, whole, number_, over in rows]


def _period(totals: list[int], whole: int, number: int, over: bool) -> Period:
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded = (totals[kind] for kind in Kind)
    return Period(
        open=sum(totals),
        whole=whole,
        up=up_seen + up_inferred,
        down=down_seen + down_inferred,
        unknown=unknown,
        excluded=excluded,
        outages=number,
        over=over,
    )


def _together(own: list[Period]) -> Period:
    """By open time: everything added up; over when it is for every store."""
    names = ("open", "whole", "up", "down", "unknown", "excluded", "outages")
    added = {name: sum(getattr(each, name) for each in own) for name in names}
    return Period(**added, over=all(each.over for each in own))
