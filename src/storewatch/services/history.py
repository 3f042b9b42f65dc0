"""History by local day: kept up by a job, read so that it is never stale, proved.

Stored days are right but for those that are due: by a mark that a change left, by a newest poll that moved,
by other rules. The job computes these and takes the marks away; whoever reads computes them for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, zones
from storewatch.domain import history as local
from storewatch.domain.availability import Rules, Segments, segments
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.exceptions import Rulings
from storewatch.domain.history import Bools, Days, Frame, Stretches
from storewatch.domain.hours import Schedule
from storewatch.domain.windows import local_days
from storewatch.services import sources
from storewatch.services.reporting import Request
from storewatch.storage import (
    exceptions_in_force,
    history,
    polls,
    queue,
    retention,
    store_days,
    stores,
    weekly,
)
from storewatch.storage.db import Database

log = structlog.get_logger()

ENGINE = 2
"""To be raised when the engine changes so that it says other figures: all history is due then."""

_STORES_AT_ONCE = 2_000
_BOX = 10_000
"""So many days of stores are computed in one go, which bounds the memory. A job does so much, which takes it
less than half a second: a report never waits longer.
"""


def rules_of(request: Request) -> dict[str, Any]:
    """All that the figures of a day depend on, beside what is in the database."""
    return {
        "policy": request.policy.value,
        "max_gap_us": history.MAX_GAP,
        "seen_within_us": request.seen_within,
        "default_zone": request.default_zone,
        "zone_data_version": zones.version(),
        "engine": ENGINE,
    }


# --- what there is, and what of it is due ---------------------------------------------------------


@dataclass(frozen=True)
class Sight:
    """Some stores, seen at one moment: what their days are to be computed from, and what is due."""

    session: Session
    store_keys: NDArray[np.int32]
    rules: Rules
    as_of: int
    schedule: Schedule
    record: history.Record
    due: Stretches
    frozen_until: int
    rulings: Rulings
    raw: bool

    @property
    def applied(self) -> Rulings:
        """The exceptions that the figures are made with."""
        return exceptions.NONE if self.raw else self.rulings

    def first_days(self) -> Int64:
        """int64[stores]: the first day of each; `NEVER` without polls."""
        found = np.full(len(self.store_keys), history.NEVER)
        polled = self.record.first_instant < history.NEVER
        found[polled] = local_days(
            self.record.first_instant[polled], self.schedule.zone[polled], self.schedule.zone_names
        )
        return found

    def last_days(self) -> Int64:
        """int64[stores]: the day that T lies in, or ends."""
        at = np.full(len(self.store_keys), self.as_of - 1)
        return local_days(at, self.schedule.zone, self.schedule.zone_names)

    def frozen(self, frame: Frame) -> Bools:
        """bool[stores, days]: days that polls which are gone had a part in: they stay as they are stored."""
        return np.asarray(frame.edges[:, :-1] < self.frozen_until)

    def frame(self, first_day: int, last_day: int) -> Frame:
        """The days of these stores."""
        return local.frame(first_day, last_day, self.schedule.zone, self.schedule.zone_names, self.as_of)

    def computed(self, frame: Frame, wanted: Bools) -> Iterator[Computed]:
        """The wanted days of a frame, by the engine, in boxes that bound the memory."""
        for stores_, days in local.batches(wanted, _BOX):
            box = frame[stores_, days]
            yield Computed(self, box, wanted[stores_, days], stores_)

    def segments(self, box: Frame, which: slice) -> Segments:
        """The engine on some stores: from the first midnight to T, or so far that what comes later can't
        reach into the last day.
        """
        gap = self.rules.max_gap
        start, until = int(box.edges.min()), min(self.as_of, int(box.edges.max()) + gap)
        given = sources.read(
            (self.session,),
            self.store_keys[which],
            self.schedule[which],
            self.applied[which],
            start - gap,
            until,
        )
        return segments(given.polls, given.opens, self.rules, start, until, given.cover.decided)

    def adjusted(self, frame: Frame) -> Bools:
        """bool[stores, days]: days that exceptions in force may have changed."""
        gap = self.rules.max_gap
        low, high = int(frame.edges.min()) - gap, int(frame.edges.max()) + gap
        touched = exceptions.cover(self.rulings, self.schedule, low, high).touched
        if touched is None:
            return np.zeros((len(frame.edges), frame.days), np.bool_)
        return frame.within(touched.store, touched.start - gap, touched.end + gap)


@dataclass(frozen=True)
class Computed:
    """A box of days, of which some are wanted; `stores` says where its stores stand among all."""

    seen: Sight
    frame: Frame
    wanted: Bools
    stores: slice

    @cached_property
    def segments(self) -> Segments:
        """The engine's, made when they are asked for."""
        return self.seen.segments(self.frame, self.stores)

    def days(self) -> Days:
        """The wanted ones."""
        return local.days(self.segments, self.frame, self.wanted)

    def by_hour(self) -> tuple[Int64, Int64]:
        """The wanted ones by hour, and how many hours each has."""
        return local.by_hour(self.segments, self.frame, self.wanted)


def sight(session: Session, store_keys: NDArray[np.int32], request: Request, as_of: int) -> Sight:
    """See `Sight`. In a snapshot all of it is of one moment."""
    due, moved = history.due(session, store_keys), history.moved(session, as_of, rules_of(request))
    return Sight(
        session,
        store_keys,
        Rules(request.policy, history.MAX_GAP, request.seen_within),
        as_of,
        weekly.schedule(session, store_keys, request.default_zone),
        history.record(session, store_keys),
        due + moved,
        retention.frozen_until(session),
        exceptions_in_force.read(session, store_keys),
        request.raw,
    )


# --- the job --------------------------------------------------------------------------------------


def update(database: Database, request: Request) -> bool:
    """Computes a part of what is due, and defers the next job if that was not all; tells whether.

    One transaction: killed at any instant, nothing has happened. One at a time, for the next job begins
    where this one ends.
    """
    with database.transaction() as session:
        history.lock(session)
        stores.stay(session)
        as_of = polls.newest(session)
        history.set_present(session, as_of, rules_of(request))
        numbers, claimed = history.claim(session)
        if not len(claimed):
            return False
        last_key = _work_off(session, request, as_of or 0, claimed)
        more = history.done(session, numbers, last_key)
        if more:
            queue.defer_once(session, history.QUEUE, history.TASK, history.PRIORITY)
        return more


def _work_off(session: Session, request: Request, as_of: int, claimed: Stretches) -> int:
    """Computes what is due, store by store in the order of their keys. Returns the last key that is done."""
    found = history.next_stores(session, int(claimed.first_key.min()), _STORES_AT_ONCE)
    last_key = int(found[-1]) if len(found) == _STORES_AT_ONCE else history.LAST_KEY
    keys = found[claimed.reach(found)]
    if not len(keys):
        return last_key
    seen = sight(session, keys, request, as_of)
    first, last = seen.first_days(), seen.last_days()
    store_days.remove_outside(session, keys, first, last)
    frame, wanted = _wanted(seen, first, int(last.max()), claimed)
    for number, box in enumerate(seen.computed(frame, wanted)):
        if number:
            return int(keys[box.stores.start]) - 1
        store_days.stage(session, keys[box.stores], box.days(), *box.by_hour())
        store_days.keep(session)
    return last_key


def _wanted(seen: Sight, first: Int64, last_day: int, claimed: Stretches) -> tuple[Frame, Bools]:
    """The days that are due, and those before the first stored one: a first poll may have come later."""
    stored, _ = store_days.bounds(seen.session, seen.store_keys, last_day + 1)
    lacking = stored > first
    begin = int(first[lacking].min()) if lacking.any() else last_day
    earliest = int(claimed.first.min())
    begin = min(begin, max(int(first.min()), earliest // DAY - 1))
    frame = seen.frame(min(begin, last_day), last_day)
    days = np.arange(frame.days) + frame.first_day
    wanted = frame.touched(seen.store_keys, claimed) | (days < stored[:, None])
    return frame, wanted & frame.counted(seen.record.first_instant) & ~seen.frozen(frame)


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Some stores' days between two: `stored` those that may be read, `stale` those to be computed."""

    seen: Sight
    frame: Frame
    days: Days
    stored: Bools
    stale: Bools


def parts(
    session: Session, store_keys: NDArray[np.int32], request: Request, first_day: int, last_day: int
) -> Iterator[Part]:
    """The days of stores from one to another, both included, some stores at a time to bound the memory."""
    as_of = polls.newest(session)
    at_once = max(1, _ROWS_AT_ONCE // (last_day - first_day + 1))
    for start in range(0, len(store_keys) if as_of is not None else 0, at_once):
        seen = sight(session, store_keys[start : start + at_once], request, as_of or 0)
        yield _part(seen, first_day, last_day)


_ROWS_AT_ONCE = 100_000


def _part(seen: Sight, first_day: int, last_day: int) -> Part:
    frame = seen.frame(first_day, last_day)
    found = store_days.read(seen.session, seen.store_keys, first_day, last_day)
    have = _have(found, frame)
    counted = frame.counted(seen.record.first_instant)
    counted &= np.arange(frame.days) + first_day < seen.record.archived[:, None]
    frozen = seen.frozen(frame)
    due = frame.touched(seen.store_keys, seen.due)
    if seen.raw:  # what is stored is adjusted
        due |= seen.adjusted(frame)
    stored = have & counted & (frozen | ~due)
    return Part(seen, frame, found, stored, counted & ~stored & ~frozen)


def _have(found: Days, frame: Frame) -> Bools:
    have = np.zeros((len(frame.edges), frame.days), np.bool_)
    have[found.store, found.day - frame.first_day] = True
    return have


def days_of(part: Part) -> Days:
    """All days of a part, stored or computed, by store and day."""
    first = part.frame.first_day
    pieces = [part.days[part.stored[part.days.store, part.days.day - first]]]
    fresh = part.seen.computed(part.frame, part.stale)
    return local.joined([*pieces, *(each.days().shifted(each.stores.start) for each in fresh)])


# --- proof ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """How many stored days are wrong, lack or are too many; how many were compared; how many could not be,
    for they are frozen.
    """

    wrong: int = 0
    compared: int = 0
    frozen: int = 0

    def __add__(self, other: Proof) -> Proof:
        return Proof(self.wrong + other.wrong, self.compared + other.compared, self.frozen + other.frozen)


def verify(
    database: Database, request: Request, progress: Callable[[int, int], None] = lambda *_: None
) -> Proof:
    """Compares every stored day that is neither due nor frozen with what the engine says. `progress` hears of
    stores.
    """
    proof = Proof()
    with database.steady() as session:
        as_of, keys = polls.newest(session), history.next_stores(session, 0, history.LAST_KEY)
        for start in range(0, len(keys), _PROVED_AT_ONCE):
            part = keys[start : start + _PROVED_AT_ONCE]
            proof += _verify(sight(session, part, request, as_of or 0))
            progress(start + len(part), len(keys))
    return proof


_PROVED_AT_ONCE = 500


def _verify(seen: Sight) -> Proof:
    last_day = int(seen.last_days().max())
    stored = store_days.bounds(seen.session, seen.store_keys, last_day)
    begin = min(int(stored[0].min()), int(seen.first_days().min()))
    frame = seen.frame(min(begin, last_day), max(last_day, int(stored[1].max())))
    found = store_days.read(seen.session, seen.store_keys, frame.first_day, frame.first_day + frame.days - 1)
    frozen, have = seen.frozen(frame), _have(found, frame)
    settled = ~frame.touched(seen.store_keys, seen.due) & ~frozen
    counted = frame.counted(seen.record.first_instant)
    wrong = int((have & settled & ~counted).sum())
    for computed in seen.computed(frame, settled & counted):
        keys = seen.store_keys[computed.stores]
        store_days.stage(seen.session, keys, computed.days(), *computed.by_hour())
        wrong += store_days.differing(seen.session)
    return Proof(wrong, int((settled & counted).sum()), int((have & frozen).sum()))
