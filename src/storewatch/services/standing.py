"""How each store stands at T, computed: its state by the engine, its figures from the days of history."""

from __future__ import annotations

from dataclasses import astuple
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from storewatch.domain.availability import segments
from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR
from storewatch.domain.cost import Lost, week_times
from storewatch.domain.history import Bools, Days, Sums, sums
from storewatch.domain.standing import LOOKED, SPANS, Costs, Standing, States, at_t, last_open
from storewatch.domain.windows import midnights
from storewatch.services import open_ahead, revenue, sources
from storewatch.services.following import Before, Due, follow
from storewatch.services.sight import Computed, Sight
from storewatch.storage import revenue as takings
from storewatch.storage import store_ahead, store_now

if TYPE_CHECKING:  # history stands above: its job keeps what is computed here
    from storewatch.services.history import Part

_STORES_AT_ONCE = 1_250  # times the days that are looked at: no more than a job computes anyway


def keep(part: Part, box: Computed | None = None) -> None:
    """Stores how the stores of a part stand; `part` holds the last 30 days of each, as they are stored. `box`
    are these days, if they were computed now.
    """
    seen = part.seen
    if box is None:
        states = _states(seen)
    else:
        states = seen.at_present(last_open(box.segments, seen.last_midnights(LOOKED), seen.as_of))
    _stage(part, states)
    store_now.keep(seen.session)


def keep_followers(part: Part, before: Before, box: Computed, due: Due) -> Bools:
    """Stores how those stores of a box stand that follow themselves. Returns bool[stores] which do."""
    seen = part.seen
    standing, follows = follow(part, before, box, due)
    store_now.stage(seen.session, seen.store_keys[follows], standing, seen.as_of)
    store_now.keep(seen.session)
    return follows


def differing(part: Part) -> int:
    """How many of them are not stored so."""
    _stage(part, _states(part.seen))
    ahead = store_ahead.differing(part.seen.session, *open_ahead.told(part.seen))
    return store_now.differing(part.seen.session) + ahead


def _stage(part: Part, states: States) -> None:
    seen = part.seen
    store_now.stage(seen.session, seen.store_keys, _standing(part, states), seen.as_of)


def _standing(part: Part, states: States) -> Standing:
    last = part.seen.last_days()
    stored = part.days[part.stored[part.days.store, part.days.day - part.frame.first_day]]
    ago = last[stored.store] - stored.day
    told = [_added_up(stored[ago < span], len(last)) for span in SPANS]
    within = ago < SPANS[-1]
    return Standing(
        states,
        totals=np.stack([each.totals for each in told], axis=1),
        down_min=np.stack([each.down_min for each in told], axis=1),
        down_max=np.stack([each.down_max for each in told], axis=1),
        outages=np.stack([each.outages for each in told], axis=1),
        lost=_lost(part, stored[within], ago[within]),
    )


def _added_up(days: Days, stores: int) -> Sums:
    return sums(days, days.store, stores)


# --- states ---------------------------------------------------------------------------------------


def _states(seen: Sight) -> States:
    """How the stores stand, some at a time."""
    last = seen.last_days()
    parts = [
        _states_of(seen, slice(start, start + _STORES_AT_ONCE), last)
        for start in range(0, len(last), _STORES_AT_ONCE)
    ]
    return States(*(np.concatenate(column) for column in zip(*map(astuple, parts), strict=True)))


def _states_of(seen: Sight, which: slice, last: Int64) -> States:
    schedule = seen.schedule[which]
    begin = midnights(last[which, None] - LOOKED + 1, schedule.zone, schedule.zone_names)[:, 0]
    begin = np.maximum(begin, min(seen.frozen_until, seen.as_of))  # what polls that are gone said is unknown
    start, until = int(begin.min()), seen.as_of
    given = sources.read(
        (seen.session,),
        seen.store_keys[which],
        schedule,
        seen.applied[which],
        start - seen.rules.max_gap,
        until,
    )
    found = segments(given.polls, given.opens, seen.rules, start, until, given.cover.decided)
    return at_t(last_open(found, begin, until), given.opens, until)


# --- lost -----------------------------------------------------------------------------------------


def _lost(part: Part, days: Days, ago: Int64) -> list[Costs | None]:
    """What the downtime costs, by store; `ago` int64[rows] says how many days before the last each is."""
    count = len(SPANS)
    place = days.store * count + np.searchsorted(SPANS, ago, side="right")
    costs, priced = revenue.lost(part.seen.session, part, days, place, len(part.seen.store_keys) * count)
    of = _denominators(part, days)
    return [
        _parts_of(costs[store * count : (store + 1) * count], of[store]) if has else None
        for store, has in enumerate(priced.tolist())
    ]


def _parts_of(by_age: list[Lost], of: int) -> Costs:
    """From what each age costs to what the spans do, as parts of a whole number."""
    whole = np.cumsum([int(each.whole * of) for each in by_age], dtype=object)
    seen = np.cumsum([int(each.seen * of) for each in by_age], dtype=object)
    return whole.tolist(), seen.tolist(), of


def _denominators(part: Part, days: Days) -> list[int]:
    """What every cost of a store is a whole number of parts of: an hour, or the open time of its weeks.
    So few differ among stores, that the costs of a fleet are soon added up.
    """
    known = takings.read(part.seen.session, part.seen.store_keys)
    rows = np.flatnonzero(known.weekly[days.store] >= 0)
    week_us = week_times(part.seen.schedule).of(days.store[rows], days.day[rows])
    of = [1] * len(part.seen.store_keys)
    for store in known.place.tolist():
        of[store] = HOUR
    pairs = np.unique(np.stack([days.store[rows], week_us], axis=1)[week_us > 0], axis=0)
    for store, open_us in pairs.tolist():
        of[store] = lcm(of[store], open_us)
    return of
