"""The fleet at a glance: how the stores stand, today, 7 and 30 local days, a trend, the hours of the week.

All of it is read from what the job of history keeps (`store_now`, `fleet_day`), so it is as of the newest
poll once the job is done; `stale` and `days_due` say how far it is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import from_us
from storewatch.domain.cost import Lost
from storewatch.domain.permissions import Caller
from storewatch.domain.standing import SPANS
from storewatch.errors import NotFoundError
from storewatch.services import fleet_trend, store_list
from storewatch.services.fleet_ask import STATES, Ask
from storewatch.services.reporting import Request
from storewatch.services.sight import rules_of
from storewatch.storage import fleet as storage
from storewatch.storage import groups, history, polls
from storewatch.storage.access_tables import StoreGroup
from storewatch.storage.db import Database
from storewatch.storage.fleet import Line, Named, Which
from storewatch.storage.store_now import MEASURES

AT_ONCE = 25
DOWN_SHOWN = 10
_MOST_GROUPS = 1_000


@dataclass(frozen=True)
class Sums:
    """Figures added up: `totals` by `Kind` and `bounds` of the downtime in microseconds. `lost` is in cents;
    None: nobody knows what any of these stores takes. Sums of nothing hold zeros, hence no availability.
    """

    totals: list[int]
    bounds: tuple[int, int]
    outages: int
    lost: Lost | None


@dataclass(frozen=True)
class Row:
    """A store, its zone, its state at T and since when (None: closed, or longer than was looked), and its
    figures by how many days they are of; `known`: it has figures yet.
    """

    store: Named
    zone: str
    state: str
    since: int | None
    spans: dict[int, Sums]
    known: bool = True


@dataclass(frozen=True)
class Fleet:
    """All that the page of the fleet shows, for what the caller may see.

    `as_of` is T, None without polls. `stale` counts the stores whose figures are not of T yet, or due.
    `stores` and `states` count by the filters other than the state; `spans` adds up the found ones. `down`
    are the ten stores that are down and lost most today. `days` are 90 local days (counted from 1970, in
    order) with their totals by `Kind`, and `heat` int64[7, 24, 2] the down and the known microseconds of 30,
    by weekday and hour on the clocks: of all that is seen, or of the group that was chosen, with archived
    stores up to their day. Both are None if other filters are set, or if too many stores are in several
    groups; `days_due` of the days are being added up. `weeks` are the last days of the `rows`, by store key.
    `groups`, `platforms` and `zones` are the options to choose from.
    """

    as_of: int | None
    stale: int
    stores: int
    states: dict[str, int]
    spans: dict[int, Sums]
    down: list[Row]
    days: list[tuple[int, list[int]]] | None
    heat: Int64 | None
    found: int
    rows: list[Row]
    page: int
    pages: int
    weeks: dict[int, store_list.Line] = field(default_factory=dict)
    days_due: int = 0
    groups: list[StoreGroup] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)

    @property
    def priced(self) -> bool:
        """Whether it is known of any of them what it takes."""
        return self.spans[1].lost is not None


@dataclass(frozen=True)
class Standing:
    """How the stores stand, as on the page: the part of `Fleet` that follows what happens."""

    as_of: int | None
    stores: int
    states: dict[str, int]
    down: list[Row]
    priced: bool


# --- the page -------------------------------------------------------------------------------------


def fleet(database: Database, caller: Caller, ask: Ask, request: Request) -> Fleet:
    """See `Fleet`. A page after the last one is the last one. NotFoundError for a group that the caller may
    not see.
    """
    with database.snapshot() as session:
        group = _chosen(session, caller, ask)
        made = _page(session, caller, ask, request, group)
        result = made.fleet(group, settled=not _rules_moved(session, request))
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
        return result


def standing(database: Database, caller: Caller, ask: Ask, request: Request) -> Standing:
    """See `Standing`. NotFoundError for a group that the caller may not see."""
    with database.snapshot() as session:
        return _page(session, caller, ask, request, _chosen(session, caller, ask)).standing()


def _page(session: Session, caller: Caller, ask: Ask, request: Request, group: StoreGroup | None) -> _Page:
    group_id = None if group is None else group.group_id
    asked = (ask.q, group_id, ask.platform, ask.zone, ask.state)
    which = Which(caller.seen_by, request.default_zone, *asked)
    return _Page(session, caller, ask, request, which, polls.newest(session))


def small(database: Database, caller: Caller, most: int) -> bool:
    """Whether the caller sees so many stores at most, archived ones left out."""
    with database.session() as session:
        return storage.count(session, caller.seen_by, most + 1) <= most


def _chosen(session: Session, caller: Caller, ask: Ask) -> StoreGroup | None:
    if ask.group is None:
        return None
    group = groups.find(session, UUID(ask.group), caller.seen_by)
    if group is None:
        raise NotFoundError(f"There is no group '{ask.group}'")
    return group


def _rules_moved(session: Session, request: Request) -> bool:
    """Whether what is stored was made by other rules, as other settings ask for."""
    return history.present(session)[1] != rules_of(request)


@dataclass(frozen=True)
class _Page:
    """A page that is being made, in one snapshot."""

    session: Session
    caller: Caller
    ask: Ask
    request: Request
    which: Which
    as_of: int | None

    def fleet(self, group: StoreGroup | None, *, settled: bool) -> Fleet:
        """All of it. `settled`: what is stored was made by the rules of now."""
        by_state, states = self._by_state()
        stores = sum(states.values())
        found = stores if self.ask.state is None else states[self.ask.state]
        pages = max(1, -(-found // AT_ONCE))
        page = min(self.ask.page, pages)
        lines = self._lines(page)
        trend = self._trend(group)
        platforms, zones = storage.options(self.session, self.caller.seen_by, self.which.default_zone)
        return Fleet(
            self.as_of,
            sum(each.stale for each in by_state) if settled else stores,
            stores,
            states,
            self._sums(by_state),
            self._down(states),
            None if trend is None else trend.days,
            None if trend is None else trend.heat,
            found,
            [_row(line) for line in lines],
            page,
            pages,
            self._weeks(lines),
            trend.due if trend else 0,
            groups.page(self.session, self.caller.seen_by, "", _MOST_GROUPS),
            platforms,
            zones,
        )

    def standing(self) -> Standing:
        """How they stand, alone."""
        by_state, states = self._by_state()
        priced = any(each.priced for each in by_state if self.ask.state in (None, each.state))
        return Standing(self.as_of, sum(states.values()), states, self._down(states), priced)

    def _by_state(self) -> tuple[list[storage.ByState], dict[str, int]]:
        moment = None if self.as_of is None else from_us(self.as_of)
        found = storage.by_state(self.session, self.which, moment)
        return found, dict.fromkeys(STATES, 0) | {each.state: each.stores for each in found}

    def _down(self, states: dict[str, int]) -> list[Row]:
        """Those that are down and lost most today."""
        lines = storage.worst_down(self.session, self.which, DOWN_SHOWN) if states["down"] else []
        return [_row(line) for line in lines]

    def _trend(self, group: StoreGroup | None) -> fleet_trend.Trend | None:
        """None if the stores are narrowed down by more than a group, or too many are in several."""
        filtered = (self.ask.q, self.ask.platform, self.ask.zone, self.ask.state)
        if any(each is not None for each in filtered):
            return None
        zone = self.which.default_zone
        return fleet_trend.trend(
            self.session, self.caller.seen_by, None if group is None else group.group_no, self.as_of, zone
        )

    def _lines(self, page: int) -> list[Line]:
        ask, first = self.ask, (page - 1) * AT_ONCE
        return storage.page(self.session, self.which, ask.sort, ask.days, ask.descending, first, AT_ONCE)

    def _weeks(self, lines: list[Line]) -> dict[int, store_list.Line]:
        keys = [] if self.as_of is None else [line.store.store_key for line in lines]
        found = store_list.lines(self.session, keys, self.request, self.as_of or 0)
        return {week.store_key: week for week in found}

    def _sums(self, by_state: list[storage.ByState]) -> dict[int, Sums]:
        """Of all found stores, by span."""
        wanted = [each for each in by_state if self.ask.state in (None, each.state)]
        sums = np.array([each.sums for each in wanted], np.int64)
        told = sums.reshape(-1, len(SPANS), len(MEASURES)).sum(axis=0).tolist()
        lost = storage.lost(self.session, self.which) if any(each.priced for each in wanted) else None
        return _by_span(told, lost)


def _by_span(told: list[list[int]], lost: list[Lost] | None) -> dict[int, Sums]:
    """Sums by span, from figures as in `store_now.MEASURES`."""
    kinds = len(Kind)
    return {
        span: Sums(
            each[:kinds], (each[kinds], each[kinds + 1]), each[kinds + 2], None if lost is None else lost[at]
        )
        for at, (span, each) in enumerate(zip(SPANS, told, strict=True))
    }


def _row(line: Line) -> Row:
    return Row(line.store, line.zone, line.state, line.since, _by_span(line.sums, line.lost), line.known)
