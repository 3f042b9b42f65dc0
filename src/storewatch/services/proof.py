"""Proof of what is kept: stored days, how stores stand and the days of groups against what makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from storewatch.domain import history as local
from storewatch.domain import periods
from storewatch.domain.history import Days
from storewatch.services import fleet_days, history, standing
from storewatch.services.reporting import Request
from storewatch.services.sight import Sight, rules_of, see
from storewatch.storage import history as marks
from storewatch.storage import polls, store_days, store_now, store_periods
from storewatch.storage.db import Database


@dataclass(frozen=True)
class Proof:
    """How many stored days are wrong, lack or are too many; how many were compared; how many could not be,
    for they are frozen.
    """

    wrong: int = 0
    compared: int = 0
    frozen: int = 0

    def __add__(self, other: Proof) -> Proof:
        return Proof(self.wrong + other.wrong, self.compared + other.compared, self.frozen + other.frozen)


def verify(
    database: Database, request: Request, progress: Callable[[int, int], None] = lambda *_: None
) -> Proof:
    """Compares every stored day that is neither due nor frozen with what the engine says. `progress` hears of
    stores.
    """
    proof = Proof()
    with database.steady() as session:
        as_of, keys = polls.newest(session), marks.next_stores(session, 0, marks.LAST_KEY)
        for start in range(0, len(keys), _PROVED_AT_ONCE):
            part = keys[start : start + _PROVED_AT_ONCE]
            proof += _verify(see(session, part, request, as_of or 0))
            progress(start + len(part), len(keys))
    return proof


def verify_standing(database: Database, request: Request) -> Proof:
    """Compares how every store stands that is not due, with what the engine and the stored days say."""
    proof = Proof()
    with database.steady() as session:
        as_of, keys = polls.newest(session), marks.next_stores(session, 0, marks.LAST_KEY)
        if as_of is None:  # then nothing may be told of those that are not due
            due = marks.due(session, keys) + marks.moved(session, None, rules_of(request))
            return Proof(store_now.count(session, keys[~due.reach(keys)]))
        for start in range(0, len(keys), _PROVED_AT_ONCE):
            part = keys[start : start + _PROVED_AT_ONCE]
            settled = part[~see(session, part, request, as_of).due.reach(part)]
            if len(settled):
                last_days = history.last_days_of(see(session, settled, request, as_of))
                proof += Proof(standing.differing(last_days), len(settled))
    return proof


def verify_groups(database: Database, request: Request) -> Proof:
    """Compares the days of groups and of all stores that are not due with what those of stores add up to."""
    with database.snapshot() as session:
        if marks.present(session)[1] != rules_of(request):
            return Proof()  # all are due
        return Proof(*fleet_days.verify(session, request.default_zone))


_PROVED_AT_ONCE = 500


def _verify(seen: Sight) -> Proof:
    last_day = int(seen.last_days().max())
    stored = store_days.bounds(seen.session, seen.store_keys, last_day)
    begin = min(int(stored[0].min()), int(seen.first_days().min()))
    frame = seen.frame(min(begin, last_day), max(last_day, int(stored[1].max())))
    found = store_days.read(seen.session, seen.store_keys, frame.first_day, frame.first_day + frame.days - 1)
    frozen, have = seen.frozen(frame), history.have(found, frame)
    settled = ~frame.touched(seen.store_keys, seen.due) & ~frozen
    counted = frame.counted(seen.record.first_instant)
    wrong = int((have & settled & ~counted).sum())
    for computed in seen.computed(frame, settled & counted):
        keys = seen.store_keys[computed.stores]
        store_days.stage(seen.session, keys, computed.days(), *computed.by_hour())
        wrong += store_days.differing(seen.session)
    wrong += _wrong_periods(seen, found)
    return Proof(wrong, int((settled & counted).sum()), int((have & frozen).sum()))


def _wrong_periods(seen: Sight, days: Days) -> int:
    """How many weeks and months of stores are not what all their stored days add up to."""
    wrong = 0
    for by in ("week", "month"):
        code = np.stack([days.store, periods.starts(by, days.day)], axis=1)
        places, number = np.unique(code, axis=0, return_inverse=True)
        told = local.sums(days, number.reshape(-1), len(places))
        columns = [
            told.totals,
            *(c[:, None] for c in (told.down_min, told.down_max, told.outages, told.days)),
        ]
        fresh = np.concatenate([seen.store_keys[places[:, :1]], places[:, 1:], *columns], axis=1)
        wrong += store_periods.differing(seen.session, by, seen.store_keys, fresh)
    return wrong
