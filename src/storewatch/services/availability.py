"""Availability of a store, a group or all, in any stretch of time: by the engine, exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions, hours
from storewatch.domain.availability import Kind, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import Elapsed, midnights
from storewatch.errors import NoPollsError
from storewatch.services import kept, sources
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, history, polls, weekly
from storewatch.storage.db import Database

_STORES_AT_ONCE = 5_000  # bounds the memory


@dataclass(frozen=True)
class Between:
    """The stretch from an instant to another, or to T."""

    name: str
    start: int
    end: int | None = None


@dataclass(frozen=True)
class Window:
    """What is known of some stores together between two instants; microseconds, `totals` by `Kind`."""

    name: str
    start: int
    end: int
    totals: list[int]
    outages: int
    longest: int
    down_min: int
    down_max: int


@dataclass(frozen=True)
class Found:
    """The windows that were asked for, and of how many stores."""

    as_of: int
    stores: int
    windows: list[Window]


def availability(
    database: Database,
    caller: Caller,
    chosen: Chosen,
    request: Request,
    asked: Sequence[Elapsed | Between],
    now_us: int,
) -> Found:
    """Windows that end at T, and stretches as far as they lie before it.

    A store that is archived counts up to that day. NotFoundError for what the caller may not see, UsageError
    for what makes no sense or is too much.
    """
    with database.snapshot() as session:
        as_of = as_of_asked(session, request.checked(now_us))
        keys = keys_asked(session, caller, chosen, as_of)
        spans = np.array([span_asked(each, as_of) for each in asked], np.int64)
        reach = int(spans.max() - spans.min()) + 2 * request.max_gap
        check_size(len(keys), -(-reach // DAY), "start")
        kept.check_reach(session, int(spans.min()) - request.max_gap, "start")
        totals = np.zeros((len(spans), len(Kind)), np.int64)
        number, longest, down_min, down_max = np.zeros((4, len(spans)), np.int64)
        for start in range(0, len(keys), _STORES_AT_ONCE):
            part = figures_of(session, keys[start : start + _STORES_AT_ONCE], request, spans, as_of)
            totals += part.totals.sum(axis=0)
            number += part.outages.sum(axis=0)
            np.maximum(longest, part.longest.max(axis=0), out=longest)
            down_min += part.down_min.sum(axis=0)
            down_max += part.down_max.sum(axis=0)
    columns = (spans[:, 0], spans[:, 1], totals, number, longest, down_min, down_max)
    rows = zip([each.name for each in asked], *(column.tolist() for column in columns), strict=True)
    return Found(as_of, len(keys), [Window(*row) for row in rows])


def as_of_asked(session: Session, request: Request) -> int:
    """T. NoPollsError if the database has no poll."""
    newest = polls.newest(session)
    if newest is None:
        raise NoPollsError("There are no polls yet, so nothing is known: import store_status first")
    return newest if request.as_of is None else request.as_of


def keys_asked(session: Session, caller: Caller, chosen: Chosen, as_of: int) -> NDArray[np.int32]:
    """Keys of the stores that were chosen; of several those that were polled by T."""
    keys = chosen.keys(session, caller)
    if chosen.store_id is not None:
        return keys
    return keys[history.record(session, keys).first_instant + history.MAX_GAP <= as_of]


def span_asked(asked: Elapsed | Between, as_of: int) -> tuple[int, int]:
    """Start and end, as far as they lie before T."""
    if isinstance(asked, Elapsed):
        return as_of - asked.length_us, as_of
    end = as_of if asked.end is None else min(asked.end, as_of)
    return min(asked.start, end), end


def figures_of(
    session: Session, keys: NDArray[np.int32], request: Request, spans: Int64, as_of: int
) -> Figures:
    """What stores were in `spans`, int64[spans, 2], none of which reaches past T."""
    rules = Rules(request.policy, request.max_gap, request.seen_within)
    schedule = weekly.schedule(session, keys, request.default_zone)
    windows = np.minimum(spans, archived(session, keys, schedule)[:, None, None])
    start, until = int(windows.min()), min(as_of, int(windows.max()) + rules.max_gap)
    reach = start - rules.max_gap
    rulings = exceptions.NONE if request.raw else exceptions_in_force.read(session, keys, reach, until)
    given = sources.read((session,), keys, schedule, rulings, reach, until)
    return figures_by_store(given.polls, given.opens, rules, windows, until, given.cover.decided)


def archived(session: Session, keys: NDArray[np.int32], schedule: hours.Schedule) -> Int64:
    """int64[stores]: the midnight from which each is archived."""
    day = history.record(session, keys).archived
    found = np.full(len(keys), history.NEVER)
    gone = day < history.NEVER
    found[gone] = midnights(day[gone, None], schedule.zone[gone], schedule.zone_names)[:, 0]
    return found
