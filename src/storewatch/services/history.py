"""History by local day: kept up by a job, read so that it is never stale.

Stored days are right but for those that are due: by a mark that a change left, by a newest poll that moved,
by other rules. The job computes these and takes the marks away; whoever reads computes them for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import history as local
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.history import Bools, Days, Frame, Stretches
from storewatch.domain.standing import LOOKED, SPANS
from storewatch.services import fleet_days, open_ahead, standing
from storewatch.services.following import Before, Due, only_last, stayed_closed
from storewatch.services.reporting import Request
from storewatch.services.sight import Computed, Sight, rules_of, see
from storewatch.storage import (
    history,
    polls,
    queue,
    store_ahead,
    store_days,
    store_now,
    stores,
)
from storewatch.storage.db import Database

log = structlog.get_logger()

_STORES_AT_ONCE = 16_000
_SIDE_BY_SIDE = 3
"""Some compute while the server writes for the others."""


# --- the job --------------------------------------------------------------------------------------


def update(database: Database, request: Request) -> bool:
    """Computes a part of what is due, and defers the next job if that was not all; tells whether.

    Killed at any instant, what was due is due: it is taken away in one transaction, after the days are
    written. One at a time, for the next job begins where this one ends.
    """
    with database.transaction() as session:
        history.lock(session)
        stores.stay(session)
        as_of, numbers, claimed = _claim(database, session, request)
        more = False
        if len(claimed):
            shares = _shares(session, claimed)
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                done = pool.map(lambda share: _work_off(database, request, as_of, claimed, share), shares)
                more = history.done(session, numbers, [*done])
        if not more:  # the days of groups are added up once those of stores are made
            more = fleet_days.work_off(session, request.default_zone)
        if more:
            queue.defer_once(session, history.QUEUE, history.TASK, history.PRIORITY)
        return more


def _claim(database: Database, session: Session, request: Request) -> tuple[int | None, Int64, Stretches]:
    """T, and what is due for it. T is looked at after the marks are taken: a poll may come at any time, and
    one that is later than T has a mark that is left for the next job.
    """
    numbers, claimed = history.claim(session)
    as_of = polls.newest(session)
    with database.transaction() as at_once:  # days of this present are committed before this job is
        moved = history.set_present(at_once, as_of, rules_of(request))
    others, more = history.claim(session, moved)
    return as_of, np.append(numbers, others), claimed + more


@dataclass(frozen=True)
class _Share:
    """Stores of which something is due: all such from one key to another, `until` excluded."""

    store_keys: NDArray[np.int32]
    first: int
    until: int


def _shares(session: Session, claimed: Stretches) -> list[_Share]:
    """The next stores, to be computed side by side."""
    found = history.next_stores(session, int(claimed.first_key.min()), _STORES_AT_ONCE)
    until = int(found[-1]) + 1 if len(found) == _STORES_AT_ONCE else history.LAST_KEY + 1
    due = found[claimed.reach(found)]
    if not len(due):
        return [_Share(due, 0, until)]
    keys = np.array_split(due, min(_SIDE_BY_SIDE, len(due)))
    edges = [0, *(int(part[0]) for part in keys[1:]), until]
    return [_Share(*each) for each in zip(keys, edges[:-1], edges[1:], strict=True)]


def _work_off(
    database: Database, request: Request, as_of: int | None, claimed: Stretches, share: _Share
) -> tuple[int, int]:
    """Computes what is due of the first stores of a share. Returns from which key to which that is done, the
    second one excluded.

    In a transaction of its own: whoever reads meanwhile holds these days to be due still, and they are right.
    """
    if not len(share.store_keys):
        return share.first, share.until
    with database.transaction() as session:
        seen = _others(see(session, share.store_keys, request, as_of or 0), claimed)
        keys = seen.store_keys
        if not len(keys):
            return share.first, share.until
        before = _before(seen)
        settled = only_last(seen, before.rows, claimed)
        stored, cut = _cut(seen, ~settled)
        frame, wanted = _wanted(seen, claimed, stored, settled)
        boxes = seen.computed(frame, wanted)
        box, after = next(boxes, None), next(boxes, None)
        if after is not None:
            seen = seen[slice(0, after.stores.start)]
        own = slice(0, len(seen.store_keys))
        some = bool((stored[own] <= seen.last_days()).any())
        _keep(seen, request, as_of, box, before, Due(claimed, cut[own]), stored=some)
    return share.first, share.until if after is None else int(keys[after.stores.start])


def _others(seen: Sight, claimed: Stretches) -> Sight:
    """The stores without those of which nothing is new but T, and of which just that is kept."""
    stayed = stayed_closed(seen, *store_now.times(seen.session, seen.store_keys), claimed)
    store_now.stay(seen.session, seen.store_keys[stayed], seen.as_of)
    return seen[~stayed] if stayed.any() else seen


def _before(seen: Sight) -> Before:
    return Before(store_now.read(seen.session, seen.store_keys), _last_days(seen))


def _cut(seen: Sight, some: Bools) -> tuple[Int64, Bools]:
    """Removes the days before the first and after the last one of some stores. Returns the first day that is
    stored then of each store, int64[stores], and bool[stores] of which some were removed.
    """
    session, low, cut = seen.session, seen.first_days(), np.zeros(len(some), np.bool_)
    first, last, keys = low[some], seen.last_days()[some], seen.store_keys[some]
    if len(keys):
        none = int(last.max()) + 1
        low[some], high = store_days.bounds(session, keys, none)
        cut[some] = (low[some] <= high) & ((low[some] < first) | (high > last))
    if cut.any():
        gone = cut[some]
        store_days.remove_outside(session, keys[gone], first[gone], last[gone])
        low[some], _ = store_days.bounds(session, keys, none)
    return low, cut


def _keep(
    seen: Sight,
    request: Request,
    as_of: int | None,
    box: Computed | None,
    before: Before,
    due: Due,
    *,
    stored: bool,
) -> None:
    """Stores the days of a box, and how the stores stand, of which then all days are computed. `stored` says
    whether there are any days of these stores already.
    """
    session, keys = seen.session, seen.store_keys
    told, gone_on = np.zeros(len(keys), np.bool_), np.zeros(len(keys), np.bool_)
    if box is not None:
        own, due = seen[box.stores], due[box.stores]
        if len(own.store_keys) < len(before.rows.there):
            before = _before(own)
        fresh = box.days()
        changed = _write(own, box, fresh, before) if stored else _add(own, box, fresh)
        if _reaches_back(own, box):
            standing.keep(_last_days_in(own, box, fresh), box)
            told[box.stores] = True
        else:
            part, due = _last_day_now(own, before, fresh), Due(due.claimed, due.earlier | changed)
            follows = standing.keep_followers(part, before, box, due)
            since = np.where(follows, before.rows.as_of, seen.as_of)
            store_ahead.pass_time(session, own.store_keys, open_ahead.passed(own, since))
            told[box.stores] = gone_on[box.stores] = follows
    if as_of is None:
        store_now.remove(session, keys)
        store_ahead.remove(session, keys)
        return
    if not told.all():
        standing.keep(last_days_of(_some(seen, ~told, request)))
    if not gone_on.all():
        store_ahead.keep(session, *open_ahead.told(_some(seen, ~gone_on, request)))


def _add(seen: Sight, box: Computed, fresh: Days) -> Bools:
    """Stores the first days of stores. Returns bool[stores] whose days earlier than the last one are others
    now: all, for what is known of one without days does not matter.
    """
    store_days.add(seen.session, seen.store_keys, fresh, *box.by_hour())
    return np.ones(len(seen.store_keys), np.bool_)


def _write(seen: Sight, box: Computed, fresh: Days, before: Before) -> Bools:
    """Makes days of stores, some of which have days, the stored ones. Returns the same."""
    store_days.stage(seen.session, seen.store_keys, fresh, *box.by_hour())
    lacking = not np.isin(_which(fresh), _which(before.last_days)).all()
    key, day = store_days.keep(seen.session, lacking=lacking)
    store = np.searchsorted(seen.store_keys, key)
    return np.isin(np.arange(len(seen.store_keys)), store[day < seen.last_days()[store]])


def _which(days: Days) -> Int64:
    """int64[days]: a store and a day as one number."""
    return (days.store << 32) + days.day


def _some(seen: Sight, which: Bools, request: Request) -> Sight:
    return seen if which.all() else see(seen.session, seen.store_keys[which], request, seen.as_of)


def _last_days(seen: Sight) -> Days:
    """The last day of each store, as it is stored."""
    days = _stored(seen, 1).days
    return days[days.day == seen.last_days()[days.store]]


def _last_day_now(seen: Sight, before: Before, fresh: Days) -> Part:
    """The last day of each store, now that these days are stored."""
    last = seen.last_days()
    today = fresh[fresh.day == last[fresh.store]]
    other = before.last_days[~np.isin(before.last_days.store, today.store)]
    days, frame = local.joined([today, other]), seen.frame(int(last.min()), int(last.max()))
    stored = have(days, frame)
    return Part(seen, frame, days, stored, np.zeros_like(stored))


def _reaches_back(seen: Sight, box: Computed) -> bool:
    """Whether a box has all days that tell how its stores stand: as many as are told, or all there are."""
    frame, last = box.frame, seen.last_days()
    days = np.arange(frame.days) + frame.first_day
    told = frame.counted(seen.record.first_instant) & (days > last[:, None] - SPANS[-1])
    return bool(
        (box.wanted | ~told).all()
        and (frame.edges[:, 0] <= seen.last_midnights(LOOKED)).all()
        and (np.maximum(seen.first_days(), last - SPANS[-1] + 1) >= frame.first_day).all()
        and (last < frame.first_day + frame.days).all()
        and (seen.record.archived > last).all()
    )


def _last_days_in(seen: Sight, box: Computed, fresh: Days) -> Part:
    """The days of the last span that is told of each store, as they are in a box that has them all."""
    days = fresh[fresh.day > seen.last_days()[fresh.store] - SPANS[-1]]
    stored = have(days, box.frame)
    return Part(seen, box.frame, days, stored, np.zeros_like(stored))


def last_days_of(seen: Sight) -> Part:
    """The days of the last span that is told of each store, as they are stored."""
    part = _stored(seen, SPANS[-1])
    before = np.arange(part.frame.days) + part.frame.first_day < seen.record.archived[:, None]
    return replace(part, stored=part.stored & before)


def _stored(seen: Sight, days: int) -> Part:
    """So many days up to the last one of each store, as they are stored; of some stores one more."""
    last = seen.last_days()
    frame = seen.frame(int(last.min()) - days + 1, int(last.max()))
    found = store_days.read(seen.session, seen.store_keys, frame.first_day, int(last.max()))
    stored = have(found, frame)
    return Part(seen, frame, found, stored, np.zeros_like(stored))


def _wanted(seen: Sight, claimed: Stretches, stored: Int64, settled: Bools) -> tuple[Frame, Bools]:
    """The days that are due, and those before the first stored one: a first poll may have come later. Of
    stores that are settled but for it, the last one alone.
    """
    first, last = seen.first_days(), seen.last_days()
    last_day, lacking = int(last.max()), stored > first
    begin = int(first[lacking].min()) if lacking.any() else last_day
    earliest = int(claimed.first.min())
    begin = min(begin, max(int(first.min()), earliest // DAY - 1))
    frame = seen.frame(min(begin, last_day), last_day)
    days = np.arange(frame.days) + frame.first_day
    wanted = frame.touched(seen.store_keys, claimed) & ~(settled[:, None] & (days < last[:, None]))
    wanted |= days < stored[:, None]
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
        seen = see(session, store_keys[start : start + at_once], request, as_of or 0)
        yield _part(seen, first_day, last_day)


_ROWS_AT_ONCE = 100_000


def _part(seen: Sight, first_day: int, last_day: int) -> Part:
    frame = seen.frame(first_day, last_day)
    found = store_days.read(seen.session, seen.store_keys, first_day, last_day)
    there = have(found, frame)
    counted = frame.counted(seen.record.first_instant)
    counted &= np.arange(frame.days) + first_day < seen.record.archived[:, None]
    frozen = seen.frozen(frame)
    due = frame.touched(seen.store_keys, seen.due)
    if seen.raw:  # what is stored is adjusted
        due |= seen.adjusted(frame)
    stored = there & counted & (frozen | ~due)
    return Part(seen, frame, found, stored, counted & ~stored & ~frozen)


def have(found: Days, frame: Frame) -> Bools:
    """bool[stores, days]: which of the days of a frame there are."""
    there = np.zeros((len(frame.edges), frame.days), np.bool_)
    there[found.store, found.day - frame.first_day] = True
    return there


def days_of(part: Part) -> Days:
    """All days of a part, stored or computed, by store and day."""
    first = part.frame.first_day
    pieces = [part.days[part.stored[part.days.store, part.days.day - first]]]
    fresh = part.seen.computed(part.frame, part.stale)
    return local.joined([*pieces, *(each.days().shifted(each.stores.start) for each in fresh)])
