"""Stores as people look them over: the last days of each, what they add up to, and the state now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.availability import Rules, segments, totals
from storewatch.domain.bounds import bounds
from storewatch.domain.hours import Intervals
from storewatch.domain.outages import outages
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import local_days, midnights
from storewatch.services import sources
from storewatch.services.picture import Run, runs_of, state_of
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, polls, store_pages, weekly
from storewatch.storage.db import Database
from storewatch.storage.store_pages import Filter, Found

DAYS = 7
AT_ONCE = 25


@dataclass(frozen=True)
class Line:
    """A store, and its last local days up to T, from `first` to `last`; `totals` by `Kind`, `bounds` of the
    downtime. `state` is that at T: up, down, closed, unseen, excluded; `since` when, if within these days.
    """

    store: Found
    zone: str
    first: int
    last: int
    opens: list[tuple[int, int]]
    runs: list[Run]
    totals: list[int]
    bounds: tuple[int, int]
    outages: int
    state: str
    since: int | None


@dataclass(frozen=True)
class Lines:
    """A page of stores; `more`: there are further ones. `as_of` None: there are no polls yet."""

    as_of: int | None
    lines: list[Line]
    more: bool


def page(database: Database, caller: Caller, q: str, after: str, request: Request) -> Lines:
    """The stores that the caller may see, by id in code point order, those after one; `q` is found in id,
    name or location.
    """
    with database.snapshot() as session:
        which = Filter(q=q or None, archived=False)
        found = store_pages.page(session, caller.seen_by, which, (after,) if after else None, AT_ONCE + 1)
        shown = sorted(found[:AT_ONCE], key=lambda each: each.store.store_key)
        as_of = polls.newest(session)
        lines = list(_lines(session, shown, request, as_of)) if shown and as_of is not None else []
        session.expunge_all()  # rows are read when the snapshot is over, which would expire them
    lines.sort(key=lambda line: line.store.store.store_id)
    return Lines(as_of, lines, len(found) > AT_ONCE)


def _lines(session: Session, shown: list[Found], request: Request, as_of: int) -> Iterator[Line]:
    keys = np.array([each.store.store_key for each in shown], np.int32)
    rules = Rules(request.policy, request.max_gap, request.seen_within)
    schedule = weekly.schedule(session, keys, request.default_zone)
    last = local_days(np.full(len(keys), as_of - 1), schedule.zone, schedule.zone_names)
    days = last[:, None] + np.array([1 - DAYS, 1])
    edges = midnights(days, schedule.zone, schedule.zone_names)
    start = int(edges.min())
    reach = start - rules.max_gap
    rulings = exceptions_in_force.read(session, keys, reach, as_of)
    given = sources.read((session,), keys, schedule, rulings, reach, as_of)
    found = segments(given.polls, given.opens, rules, start, as_of, given.cover.decided)
    windows = np.stack([edges[:, 0], np.full(len(keys), as_of)], axis=1)[:, None]
    told, count = totals(found, windows)[:, 0], outages(found, windows)[0][:, 0]
    least, most = (each[:, 0] for each in bounds(found, windows))
    for number, store in enumerate(shown):
        zone, begin = schedule.zone_names[int(schedule.zone[number])], int(edges[number, 0])
        runs = runs_of(found, given.polls, begin, as_of, number)
        state, since = _state(given.opens, number, runs, as_of)
        yield Line(
            store,
            zone,
            int(days[number, 0]),
            int(last[number]),
            _opens(given.opens, number, begin, as_of),
            runs,
            told[number].tolist(),
            (int(least[number]), int(most[number])),
            int(count[number]),
            state,
            since,
        )


def _opens(opens: Intervals, store: int, begin: int, as_of: int) -> list[tuple[int, int]]:
    own = slice(*np.searchsorted(opens.store, (store, store + 1)).tolist())
    pairs = zip(opens.start[own].tolist(), opens.end[own].tolist(), strict=True)
    return [(max(low, begin), min(high, as_of)) for low, high in pairs if high > begin and low < as_of]


def _state(opens: Intervals, store: int, runs: list[Run], as_of: int) -> tuple[str, int | None]:
    own = slice(*np.searchsorted(opens.store, (store, store + 1)).tolist())
    if not ((opens.start[own] <= as_of) & (as_of < opens.end[own])).any():
        return "closed", None
    return state_of(runs, as_of)
