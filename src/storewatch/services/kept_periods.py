"""Stores seen at one moment: their clocks, and what is due, so which of their kept figures may be read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.history import Bools, Stretches
from storewatch.domain.windows import local_days, midnights
from storewatch.services.open_ahead import PERIODS
from storewatch.services.reporting import Request
from storewatch.services.sight import rules_of
from storewatch.storage import fleet_days, store_ahead, store_periods, stores
from storewatch.storage import history as marks
from storewatch.storage.store_ahead import Zone
from storewatch.storage.store_periods import Keys, Scope, Span

_CLOCKS = 16 * HOUR
"""No clock is further from UTC."""

_EVERY = np.array([0, marks.LAST_KEY], np.int32)


@dataclass(frozen=True)
class Look:
    """Some stores in a snapshot. What is asked for more than once is read once."""

    session: Session
    scope: Scope
    request: Request
    as_of: int

    @cached_property
    def keys(self) -> Keys:
        """The keys, in order, of those that were ever polled, archived or not; of a single store always."""
        if self.scope.store_key is not None:
            return np.array([self.scope.store_key], np.int32)
        return stores.polled(self.session, self.scope.seen_by, self.scope.group_no)

    # --- clocks -----------------------------------------------------------------------------------

    @cached_property
    def zones(self) -> list[str]:
        """The zones that they are in."""
        if self.quiet:
            return [zone.name for zone in self.by_zone]
        return store_periods.zones(self.session, self.scope, self.request.default_zone)

    @cached_property
    def by_zone(self) -> list[Zone]:
        """The same with the open time ahead, as it is kept."""
        return store_ahead.by_zone(self.session, self.scope)

    @cached_property
    def today(self) -> Int64:
        """int64[zones]: the local day that T lies in, or ends."""
        at = np.full(len(self.zones), self.as_of - 1)
        return local_days(at, np.arange(len(self.zones), dtype=np.int32), self.zones)

    def over(self, end_day: int) -> Bools:
        """bool[zones]: where the days before one are over at T."""
        days = np.full((len(self.zones), 1), end_day)
        edges = midnights(days, np.arange(len(self.zones), dtype=np.int32), self.zones)
        return np.asarray(edges[:, 0] <= self.as_of)

    def each_over(self, span: Span, keys: Keys) -> Bools:
        """bool[keys]: of some of the stores, whether the period is over on their clocks."""
        over = self.over(span.end_day)
        if over.all() or not over.any():
            return np.full(len(keys), bool(over.all()))
        names = [name for name, has in zip(self.zones, over.tolist(), strict=True) if has]
        return np.isin(
            keys, store_periods.in_zones(self.session, self.scope, self.request.default_zone, names)
        )

    # --- ahead ------------------------------------------------------------------------------------

    def _places(self, span: Span) -> list[int]:
        """By zone, where in `store_now.ahead_us` the open time ahead of a period is told, from 1; 0: it is
        past there. Where the period before it runs still, it is the next one.
        """
        own = periods.starts(span.period, self.today)
        place = PERIODS.index(span.period) + 1
        late = np.where(own < span.first_day, place + len(PERIODS), place)
        return [int(each) for each in np.where(own > span.first_day, 0, late)]

    def ahead(self, span: Span) -> int:
        """The open time of all of them that lies ahead in a period; their kept figures must be settled."""
        if not self.runs(span):
            return 0
        places = zip(self.by_zone, self._places(span), strict=True)
        return sum(zone.ahead[place - 1] for zone, place in places if place)

    def each_ahead(self, span: Span) -> tuple[Keys, Int64]:
        """(keys in order, int64[stores]) the same of each, as far as it is kept."""
        places = dict(zip(self.zones, self._places(span), strict=True))
        if not any(places.values()):
            return self.keys, np.zeros(len(self.keys), np.int64)
        return store_ahead.each(self.session, self.scope, places)

    # --- due --------------------------------------------------------------------------------------

    @cached_property
    def due(self) -> Stretches:
        """What is due of any store: by marks, by another T, by other rules."""
        rules = rules_of(self.request)
        return marks.due(self.session, _EVERY) + marks.moved(self.session, self.as_of, rules)

    @cached_property
    def quiet(self) -> bool:
        """Whether nothing is due of them, and they are more than one: then all that is kept is right."""
        if self.request.raw or self.scope.store_key is not None:
            return False
        return not self._of(np.ones(len(self.due), np.bool_)).any()

    @cached_property
    def fleet_due(self) -> set[tuple[int | None, int]]:
        """(group or None for each and all, day) of the days of groups that are due."""
        return fleet_days.due(self.session)

    @cached_property
    def archived(self) -> tuple[Keys, Int64]:
        """(keys in order, from which day on) of those that are archived."""
        return store_periods.archived(self.session, self.scope)

    def due_before(self, end_day: int) -> Stretches:
        """What may be due of these stores on local days before one: all from the beginning of a stretch on.
        Where a first poll came late, the days between it and those that are stored lack.
        """
        near = self._of(self.due.first <= end_day * DAY + _CLOCKS)
        return Stretches(*(column[near] for column in vars(self.due).values()))

    def _of(self, near: Bools) -> Bools:
        """Those of the stretches that reach one of the stores."""
        if self.scope == Scope() or not near.any():
            return near
        return near & self.due.reach_any(store_periods.members(self.session, self.scope))

    def runs(self, span: Span) -> bool:
        """Whether a part of a period lies ahead somewhere."""
        return any(self._places(span))

    def settled(self, span: Span) -> bool:
        """Whether all that is kept of a period is right, the open time ahead too."""
        if self.quiet or self.request.raw:  # what is kept is adjusted
            return self.quiet
        return not self.runs(span) and not len(self.due_before(span.end_day))

    def whole(self, span: Span) -> bool:
        """Whether the kept rows of a period are right, but for the open time ahead, and all count or none."""
        if self.request.raw or len(self.due_before(span.end_day)):
            return False
        since = self.archived[1]
        return not ((since > span.first_day) & (since < span.end_day)).any()

    def unsettled(self, span: Span, *, with_ahead: bool) -> Keys:
        """The stores of which what is kept of a period may not be right, or more than is counted: those that
        are archived in it have days that count no more.
        """
        if self.request.raw:
            return self.keys
        running = with_ahead and self.runs(span)
        due = self.due if running else self.due_before(span.end_day)
        archived, since = self.archived
        archived = archived[(since > span.first_day) & (since < span.end_day)]
        if not len(due) and not len(archived):
            return archived
        return self.keys[due.reach(self.keys) | np.isin(self.keys, archived)]

    def counted(self, span: Span) -> tuple[int, int]:
        """(how many have a day in a period, how many outages they had), of a period that is `whole`."""
        if span not in self._counted:
            told = store_periods.counted(self.session, self.scope, span, self.gone(span))
            self._counted[span] = told
        return self._counted[span]

    @cached_property
    def _counted(self) -> dict[Span, tuple[int, int]]:
        return {}

    def gone(self, span: Span) -> Keys:
        """Those that were archived before a period."""
        archived, since = self.archived
        return archived[since <= span.first_day]
