"""A few stores, each as its owner wants to know of it: how it is, today, the week, what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain import history as history_days
from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY
from storewatch.domain.cost import Lost
from storewatch.domain.history import sums
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import midnights
from storewatch.services import history, outages, revenue, store_list
from storewatch.services.availability import Between
from storewatch.services.chosen import Chosen
from storewatch.services.outages import Which
from storewatch.services.pieces import Now
from storewatch.services.reporting import Request
from storewatch.services.store_list import DAYS, Line
from storewatch.storage import exceptions_in_force, polls, store_pages, weekly
from storewatch.storage.db import Database
from storewatch.storage.store_pages import Filter, Found
from storewatch.storage.tables import Store

MOST = 10
"""So many stores are shown as cards."""

_AHEAD = 8 * DAY


@dataclass(frozen=True)
class Sums:
    """What days add up to: `totals` by `Kind` and `bounds` of the downtime in microseconds; `lost` is None
    if nobody knows what the stores take.
    """

    totals: list[int]
    bounds: tuple[int, int]
    outages: int
    lost: Lost | None

    def __add__(self, other: Sums) -> Sums:
        """Both; the money of those whose is known."""
        lost = [each.lost for each in (self, other) if each.lost is not None]
        return Sums(
            list(map(add, self.totals, other.totals)),
            (self.bounds[0] + other.bounds[0], self.bounds[1] + other.bounds[1]),
            self.outages + other.outages,
            sum(lost, Lost()) if lost else None,
        )


NOTHING = Sums([0] * len(Kind), (0, 0), 0, None)


@dataclass(frozen=True)
class Card:
    """A store: its week, how it is, the opening hours of today (past T as well) from midnight to midnight,
    and what today and the week add up to.
    """

    store: Store
    line: Line
    now: Now
    day: tuple[int, int]
    opens: list[tuple[int, int]]
    today: Sums
    week: Sums


@dataclass(frozen=True)
class Cards:
    """`as_of` None: there are no polls, and so no cards; `stores` counts those that may be seen."""

    as_of: int | None
    stores: int
    cards: list[Card]


def cards(database: Database, caller: Caller, request: Request, meant: frozenset[str]) -> Cards:
    """The stores that the caller may see, archived ones left out: those that are down first, then by name."""
    with database.snapshot() as session:
        which = Filter(archived=False, by_name=True)
        found = store_pages.page(session, caller.seen_by, which, None, MOST)
        as_of = polls.newest(session)
        made = [] if as_of is None or not found else _cards(session, caller, found, request, as_of, meant)
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
    place = {each.store.store_key: number for number, each in enumerate(found)}
    made.sort(key=lambda card: (card.now.state != "down", place[card.line.store_key]))
    return Cards(as_of, len(found), made)


def _cards(
    session: Session, caller: Caller, found: list[Found], request: Request, as_of: int, meant: frozenset[str]
) -> list[Card]:
    by_key = {each.store.store_key: each.store for each in found}
    lines = store_list.lines(session, list(by_key), request, as_of)
    edges, ahead = _ahead(session, lines, request, as_of)
    figures = _figures(session, lines, request)
    made = []
    for line, day, later, (today, week) in zip(lines, edges, ahead, figures, strict=True):
        store = by_key[line.store_key]
        now = _now(session, caller, store, line, later, request, as_of, meant)
        opens = _joined([each for each in line.opens if each[1] > day[0]], later)
        within = [(max(low, day[0]), min(high, day[1])) for low, high in opens if low < day[1]]
        made.append(Card(store, line, now, day, within, today, week))
    return made


def _joined(past: list[tuple[int, int]], later: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Open time up to T and from T on; what T cuts in two is one again."""
    if past and later and past[-1][1] == later[0][0]:
        return [*past[:-1], (past[-1][0], later[0][1]), *later[1:]]
    return [*past, *later]


def _ahead(
    session: Session, lines: list[Line], request: Request, as_of: int
) -> tuple[list[tuple[int, int]], list[list[tuple[int, int]]]]:
    """(today from midnight to midnight, the open time from T on), by store."""
    keys = np.array([line.store_key for line in lines], np.int32)
    schedule = weekly.schedule(session, keys, request.default_zone)
    last = np.array([line.last for line in lines])
    edges = midnights(last[:, None] + np.array([0, 1]), schedule.zone, schedule.zone_names)
    rulings = exceptions_in_force.read(session, keys, as_of, as_of + _AHEAD)
    found = exceptions.opens(rulings, schedule, as_of, as_of + _AHEAD)
    ahead = [store_list.opens_of(found, number, as_of, as_of + _AHEAD) for number in range(len(lines))]
    return [(low, high) for low, high in edges.tolist()], ahead


def _now(
    session: Session,
    caller: Caller,
    store: Store,
    line: Line,
    later: list[tuple[int, int]],
    request: Request,
    as_of: int,
    meant: frozenset[str],
) -> Now:
    if line.state == "closed":
        return Now("closed", None, None, later[0][0] if later else None, line.last_poll)
    outage = _running(session, caller, store, request, as_of, meant) if line.state == "down" else None
    return Now(line.state, line.since, outage, None, line.last_poll)


def _running(
    session: Session, caller: Caller, store: Store, request: Request, as_of: int, meant: frozenset[str]
) -> Outage | None:
    """The outage that runs at T."""
    chosen, span = Chosen(store.store_id), Between("", as_of - DAYS * DAY, as_of)
    which = Which(ongoing=True)
    found = outages.within(session, caller, chosen, request, span, which, meant, count=1)
    return found.items[0].outage if found.items else None


# --- figures --------------------------------------------------------------------------------------


def _figures(session: Session, lines: list[Line], request: Request) -> list[tuple[Sums, Sums]]:
    """(today, the week) of each, from the days of history: the same numbers as everywhere."""
    keys = np.array([line.store_key for line in lines], np.int32)
    last = np.array([line.last for line in lines])
    [part] = history.parts(session, keys, request, int(last.min()) - DAYS + 1, int(last.max()))
    days = history.days_of(part)
    ago = last[days.store] - days.day
    days, ago = days[(ago >= 0) & (ago < DAYS)], ago[(ago >= 0) & (ago < DAYS)]
    costs, priced = revenue.lost(session, part, days, 2 * days.store + (ago > 0), 2 * len(keys))
    today, week = (sums(days[ago < span], days.store[ago < span], len(keys)) for span in (1, DAYS))
    told = []
    for number, known in enumerate(priced.tolist()):
        now, before = costs[2 * number : 2 * number + 2]
        told.append(
            (_of(today, number, now if known else None), _of(week, number, now + before if known else None))
        )
    return told


def _of(added: history_days.Sums, number: int, lost: Lost | None) -> Sums:
    bounds = (int(added.down_min[number]), int(added.down_max[number]))
    return Sums(added.totals[number].tolist(), bounds, int(added.outages[number]), lost)
