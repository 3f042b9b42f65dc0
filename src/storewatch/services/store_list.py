"""Stores as people look them over: the last days of each, hour by hour, and the state now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.availability import Rules, segments
from storewatch.domain.hours import Intervals
from storewatch.domain.windows import local_days, midnights
from storewatch.services import sources
from storewatch.services.pieces import Run, runs_of, state_of
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, weekly

DAYS = 7


@dataclass(frozen=True)
class Line:
    """A store's last local days up to T, from `first` to `last`; `opens` and `runs` end at T.

    `state` is that at T: up, down, closed, unseen, excluded; `since` when, if within these days. `last_poll`
    is the newest poll up to T, if within these days.
    """

    store_key: int
    zone: str
    first: int
    last: int
    opens: list[tuple[int, int]]
    runs: list[Run]
    state: str
    since: int | None
    last_poll: int | None


def lines(session: Session, store_keys: Sequence[int], request: Request, as_of: int) -> list[Line]:
    """The last days of stores, in the order of their keys."""
    if not store_keys:
        return []
    keys = np.sort(np.array(store_keys, np.int32))
    rules = Rules(request.policy, request.max_gap, request.seen_within)
    schedule = weekly.schedule(session, keys, request.default_zone)
    last = local_days(np.full(len(keys), as_of - 1), schedule.zone, schedule.zone_names)
    first = last - DAYS + 1
    begins = midnights(first[:, None], schedule.zone, schedule.zone_names)[:, 0]
    start = int(begins.min())
    reach = start - rules.max_gap
    rulings = exceptions_in_force.read(session, keys, reach, as_of)
    given = sources.read((session,), keys, schedule, rulings, reach, as_of)
    found = segments(given.polls, given.opens, rules, start, as_of, given.cover.decided)
    told = []
    for number, (store_key, begin) in enumerate(zip(keys.tolist(), begins.tolist(), strict=True)):
        runs = runs_of(found, given.polls, begin, as_of, number)
        own = given.all_polls.at[given.all_polls.store == number]
        told.append(
            Line(
                store_key,
                schedule.zone_names[int(schedule.zone[number])],
                int(first[number]),
                int(last[number]),
                opens_of(given.opens, number, begin, as_of),
                runs,
                *_state(given.opens, number, runs, as_of),
                int(own[-1]) if len(own) else None,
            )
        )
    return told


def opens_of(opens: Intervals, store: int, begin: int, end: int) -> list[tuple[int, int]]:
    """The open time of a store within [begin, end)."""
    own = slice(*np.searchsorted(opens.store, (store, store + 1)).tolist())
    pairs = zip(opens.start[own].tolist(), opens.end[own].tolist(), strict=True)
    return [(max(low, begin), min(high, end)) for low, high in pairs if high > begin and low < end]


def _state(opens: Intervals, store: int, runs: list[Run], as_of: int) -> tuple[str, int | None]:
    own = slice(*np.searchsorted(opens.store, (store, store + 1)).tolist())
    if not ((opens.start[own] <= as_of) & (as_of < opens.end[own])).any():
        return "closed", None
    return state_of(runs, as_of)
