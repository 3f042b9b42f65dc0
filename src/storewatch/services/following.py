"""How stores stand at T, from how they stood before: what an hour of polls costs is its last day alone.

A store follows itself if its last day only went on: the row of before was of the same local day, no earlier
day changed since, and nothing but polls did. Then each figure is the one of before, less what the day was,
plus what it is; and a state that fills the open time computed anew began when it was said to have begun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.cost import Lost
from storewatch.domain.history import Bools, Days, Stretches
from storewatch.domain.standing import (
    LOOKED,
    NOTHING,
    UNTOLD,
    Costs,
    LastOpen,
    Standing,
    States,
    last_open,
)
from storewatch.domain.windows import local_days
from storewatch.services import revenue
from storewatch.services.sight import Computed, Sight
from storewatch.storage import store_now
from storewatch.storage.history import MAX_GAP, NEVER

if TYPE_CHECKING:  # history stands above: its job keeps what is computed here
    from storewatch.services.history import Part


@dataclass(frozen=True)
class Before:
    """What is known of stores before days are written anew: how they stood and their last days."""

    rows: store_now.Rows
    last_days: Days


@dataclass(frozen=True)
class Due:
    """What made stores due, and bool[stores] whose days `earlier` than the last one are others now."""

    claimed: Stretches
    earlier: Bools

    def __getitem__(self, stores: slice) -> Due:
        return Due(self.claimed, self.earlier[stores])


def stayed_closed(seen: Sight, there: Bools, before: Int64, claimed: Stretches) -> Bools:
    """bool[stores]: of which nothing is new but T: all changes are of polls later than the T `before`, and
    the store was open at no instant since. `there`: whether it has a T of before.
    """
    found = _polled(seen, there, before, claimed)
    found &= claimed.earliest(seen.store_keys) + MAX_GAP > before
    opens = seen.opens(int(before[found].min(initial=seen.as_of)), seen.as_of + 1)
    found[opens.store[opens.end > before[opens.store]]] = False
    return found


def only_last(seen: Sight, rows: store_now.Rows, claimed: Stretches) -> Bools:
    """bool[stores]: whose last day alone may have changed, whatever else is claimed.

    What changed at t and later reaches back to the poll before t and no further, for an instant before that
    one has it nearer. So a poll between midnight and t spares the days before, if it counts: one that was
    made while the store is closed decides nothing. If all changes are later than the T of before, t is that
    of the first poll which counts since, and without one nothing reaches back. T may not have gone back.
    """
    spared = np.zeros(len(seen.store_keys), np.bool_)
    if not rows.there.any():
        return spared
    found, midnight = seen.recent_in_hours(), seen.last_midnights()
    news, changed = np.full_like(midnight, NEVER), claimed.earliest(seen.store_keys) + MAX_GAP
    new = found.at > rows.as_of[found.store]
    np.minimum.at(news, found.store[new], found.at[new])
    changed = np.where(changed > rows.as_of, news, changed)
    between = (found.at >= midnight[found.store]) & (found.at < changed[found.store])
    spared[found.store[between]] = True
    spared |= (changed == NEVER) & (rows.as_of >= midnight)
    return spared & rows.there & (rows.as_of <= seen.as_of)


def follow(part: Part, before: Before, box: Computed, due: Due) -> tuple[Standing, Bools]:
    """How those of the stores of a box stand that follow themselves, and bool[stores] which do. `part` holds
    the last day of each, as it is stored now.
    """
    seen = part.seen
    old, new = (_by_store(days, len(seen.store_keys)) for days in (before.last_days, part.days))
    states, follows = _states(seen, before.rows, box)
    follows &= _went_on(seen, before.rows, box, due) & (old >= 0) & (new >= 0)
    some = np.flatnonzero(follows)
    one, other = before.last_days[old[some]], part.days[new[some]]
    same = one.starts_down == other.starts_down  # else an outage of before goes on, or no more
    some, one, other = some[same], one[same], other[same]
    costs = _costs(part, before.rows, some, other)
    told = np.array([each is not UNKNOWN for each in costs], np.bool_)
    some, one, other = some[told], one[told], other[told]
    follows[:] = False
    follows[some] = True
    stood = before.rows.stood
    return Standing(
        states[some],
        stood.totals[some] + (other.totals - one.totals)[:, None],
        stood.down_min[some] + (other.down_min - one.down_min)[:, None],
        stood.down_max[some] + (other.down_max - one.down_max)[:, None],
        stood.outages[some] + (other.outages - one.outages)[:, None],
        [each for each in costs if each is not UNKNOWN],
    ), follows


def _by_store(days: Days, stores: int) -> Int64:
    """int64[stores]: the row of each store; -1 without one."""
    row = np.full(stores, -1)
    row[days.store] = np.arange(len(days))
    return row


def _went_on(seen: Sight, rows: store_now.Rows, box: Computed, due: Due) -> Bools:
    """bool[stores]: of the same day as before, no other day changed, nor anything but polls and T."""
    frame = box.frame
    return np.asarray(
        _polled(seen, rows.there, rows.as_of, due.claimed) & ~due.earlier
        & (seen.last_days() < frame.first_day + frame.days) & (seen.frozen_until <= frame.edges[:, 0])
    )  # fmt: skip


def _polled(seen: Sight, there: Bools, before: Int64, claimed: Stretches) -> Bools:
    """bool[stores]: whose T `before` was of the same day, and nothing changed but polls and T."""
    last = seen.last_days()
    # hours, zones and rules change days for good; after T nothing is due but how stores stand
    anew = claimed[(claimed.first <= -NEVER) | (claimed.last >= NEVER) | (claimed.first > seen.as_of)]
    same_day = local_days(before - 1, seen.schedule.zone, seen.schedule.zone_names) == last
    return np.asarray(
        there & same_day & (before <= seen.as_of) & ~anew.reach(seen.store_keys)
        & (seen.record.archived > last)
    )  # fmt: skip


def _states(seen: Sight, rows: store_now.Rows, box: Computed) -> tuple[States, Bools]:
    """How stores stand, and bool[stores] of which it is known without looking further back."""
    looked = seen.last_midnights(LOOKED)
    begin = np.maximum(box.frame.edges[:, 0], looked)
    found = last_open(box.segments, begin, seen.as_of)
    alone = (found.since != UNTOLD) | (begin == looked)  # the box says all of it
    gone_on, known = _gone_on(found, rows)
    state = np.where(alone, found.state, gone_on.state)
    since = np.where(alone, found.since, gone_on.since)
    return seen.at_present(replace(found, state=state, since=since)), alone | known


def _gone_on(found: LastOpen, rows: store_now.Rows) -> tuple[LastOpen, Bools]:
    """The last open time of stores that are in one state, or closed, from where the box begins, by what was
    known of the time before; and bool[stores] of which it is known.

    Polls open no store: where the box has its first open instant it had it before. So a state that was said
    to begin at this one or earlier began there, and what was said before this one is of the time before.
    """
    was = rows.stood.states
    same = (found.state == NOTHING) | (found.state == was.last_state)
    same &= (was.last_since == UNTOLD) | (was.last_since <= found.first)
    opened = ~same & (found.state != was.last_state) & (found.first >= rows.as_of)
    state = np.where(found.state == NOTHING, was.last_state, found.state)
    turned = np.where(was.last_state == NOTHING, UNTOLD, found.first)
    since = np.where(same, was.last_since, turned)
    return replace(found, state=state, since=since), same | opened


UNKNOWN: Costs = [], [], 0


def _costs(part: Part, rows: store_now.Rows, some: Int64, today: Days) -> list[Costs | None]:
    """What the downtime of some stores costs, of which these are the last days; `UNKNOWN` where that does not
    follow.
    """
    now, priced = revenue.lost(part.seen.session, part, today, today.store, len(part.seen.store_keys))
    return [_cost(rows.stood.lost[store], now[store] if priced[store] else None) for store in some.tolist()]


def _cost(before: Costs | None, today: Lost | None) -> Costs | None:
    if before is None or today is None:
        return None if before is None and today is None else UNKNOWN
    whole, seen, of = before
    parts = [today.whole * of, today.seen * of]
    if any(each.denominator > 1 for each in parts):
        return UNKNOWN
    more, more_seen = (int(each) - was[0] for each, was in zip(parts, (whole, seen), strict=True))
    return [each + more for each in whole], [each + more_seen for each in seen], of
