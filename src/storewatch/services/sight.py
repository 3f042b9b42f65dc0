"""Some stores as they are seen at one moment: what their days are made from, and which of them are due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, zones
from storewatch.domain import history as local
from storewatch.domain.availability import Polls, Rules, Segments, in_hours, segments
from storewatch.domain.axis import Int64
from storewatch.domain.exceptions import Rulings
from storewatch.domain.history import Bools, Days, Frame, Stretches
from storewatch.domain.hours import Intervals, Schedule
from storewatch.domain.standing import LastOpen, States, at_t
from storewatch.domain.windows import local_days, midnights
from storewatch.services import sources
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, history, polls, retention, weekly

ENGINE = 3
"""To be raised when the engine changes so that it says other figures: all history is due then."""

_BOX = 10_000
"""So many days of stores are computed in one go, which bounds the memory. A job does so much, which takes it
less than half a second: what shares its queue never waits longer.
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

    def __getitem__(self, which: slice | Bools) -> Sight:
        """Some of the stores."""
        record = history.Record(self.record.first_instant[which], self.record.archived[which])
        return replace(
            self,
            store_keys=self.store_keys[which],
            schedule=self.schedule[which],
            record=record,
            rulings=self.rulings[which],
        )

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
        found: Int64 = self._last_days[self.schedule.zone]
        return found

    def last_midnights(self, days: int = 1) -> Int64:
        """int64[stores]: the instants at which so many last days begin."""
        each = np.arange(len(self._last_days), dtype=np.int32)
        first = self._last_days[:, None] - days + 1
        found: Int64 = midnights(first, each, self.schedule.zone_names)[self.schedule.zone, 0]
        return found

    @cached_property
    def _last_days(self) -> Int64:
        """int64[zones]: of a store in each of the zones."""
        zones_ = np.arange(len(self.schedule.zone_names), dtype=np.int32)
        return local_days(np.full(len(zones_), self.as_of - 1), zones_, self.schedule.zone_names)

    def at_present(self, last: LastOpen) -> States:
        """How the stores stand that had this open time up to T."""
        return at_t(last, self.opens(self.as_of, self.as_of + 1), self.as_of)

    def opens(self, start: int, until: int) -> Intervals:
        """The open time within [start, until)."""
        return exceptions.opens(self.applied, self.schedule, start, until)

    @cached_property
    def _recent(self) -> tuple[int, Polls]:
        """From when on, and the polls since then: those that speak in the last days."""
        start = int(self.last_midnights().min()) - self.rules.max_gap
        return start, polls.read((self.session,), self.store_keys, start, self.as_of)

    def recent_in_hours(self) -> Polls:
        """Those of the last day that count: made while the store was open, and that no exception ignores."""
        found, start = self._recent[1], int(self.last_midnights().min())
        since = found.at >= start
        found = Polls(found.store[since], found.at[since], found.active[since])
        given = sources.adjusted(found, self.schedule, self.applied, start, self.as_of)
        return in_hours(given.polls, given.opens, start, self.as_of)

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
        given = sources.adjusted(
            self._polls(which, start - gap, until),
            self.schedule[which],
            self.applied[which],
            start - gap,
            until,
        )
        return segments(given.polls, given.opens, self.rules, start, until, given.cover.decided)

    def _polls(self, which: slice, start: int, until: int) -> Polls:
        """Polls of some stores in [start, until]; those that were read already are not read again."""
        if "_recent" not in vars(self) or start < self._recent[0]:
            return polls.read((self.session,), self.store_keys[which], start, until)
        found, (low, high, _) = self._recent[1], which.indices(len(self.store_keys))
        own = (found.store >= low) & (found.store < high) & (found.at >= start) & (found.at <= until)
        return Polls(found.store[own] - low, found.at[own], found.active[own])

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


def see(session: Session, store_keys: NDArray[np.int32], request: Request, as_of: int) -> Sight:
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
