"""The local days of groups and of all stores: added up again by the job where they are due, and proved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.storage import fleet_days
from storewatch.storage.fleet_days import CLOCK_HOURS, Added, ByZone

_STORE_DAYS = 30_000
"""So many local days of stores are added up in one go, which takes a fraction of a second."""


def work_off(session: Session, default_zone: str) -> bool:
    """Adds up a part of what is due, the newest days first; whether there is more.

    The marks go first: a change of which a mark is not seen yet is added up by the next job.
    """
    if not fleet_days.is_due(session):
        return False
    days = fleet_days.newest_due(session, _at_once(session, None))
    groups: list[int] | None = None
    if not days:
        days, groups = fleet_days.newest_due_of_groups(session, _MOST_DAYS)
        days = days[: _at_once(session, groups)]
    if days:
        fleet_days.claim(session, days, groups)
        fleet_days.remove(session, days, groups)
        fleet_days.keep(session, _fresh(session, days, groups, default_zone))
    return fleet_days.is_due(session)


_MOST_DAYS = 400


def _at_once(session: Session, groups: Sequence[int] | None) -> int:
    """How many days of groups may be added up in one go."""
    return max(1, min(_MOST_DAYS, _STORE_DAYS // max(1, fleet_days.stores_of(session, groups))))


def _fresh(session: Session, days: Sequence[int], groups: Sequence[int] | None, default_zone: str) -> Added:
    found = fleet_days.of_groups(session, days, default_zone, groups)
    if groups is None:
        found = fleet_days.of_all(session, days, default_zone) + found
    return by_clock(found)


def by_clock(found: list[ByZone]) -> Added:
    """Sums of zones as those of groups and days: elapsed hours are told by what the clocks there show."""
    codes = np.array([(each.group, each.day) for each in found], np.int64).reshape(-1, 2)
    keys, row = np.unique(codes, axis=0, return_inverse=True)
    row = row.reshape(-1)
    stores = np.zeros(len(keys), np.int64)
    sums = np.zeros((len(keys), 9), np.int64)
    heat = np.zeros((len(keys), CLOCK_HOURS, 2), np.int64)
    shown: dict[tuple[str, int], np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = {}
    for number, each in zip(row.tolist(), found, strict=True):
        at = (each.zone, each.day)
        if at not in shown:
            shown[at] = (
                periods.week_hours(np.array([each.day]), each.by_hour.shape[1], each.zone)[0] % CLOCK_HOURS
            )
        stores[number] += each.stores
        sums[number] += np.array(each.sums, np.int64)
        np.add.at(heat[number], shown[at], each.by_hour.T)
    return Added(keys[:, 0], keys[:, 1], stores, sums, heat)


# --- proof ----------------------------------------------------------------------------------------


def verify(session: Session, default_zone: str) -> tuple[int, int]:
    """(how many stored days of groups differ from what stores' days add up to, how many were compared): of
    those that are not due.
    """
    span = fleet_days.bounds(session)
    if span is None:
        return 0, 0
    due, wrong, compared = fleet_days.due(session), 0, 0
    for first in range(span[0], span[1] + 1, _PROVED_AT_ONCE):
        days = [
            day for day in range(first, min(first + _PROVED_AT_ONCE, span[1] + 1)) if (None, day) not in due
        ]
        fresh = _told(_fresh(session, days, None, default_zone))
        stored = _told(fleet_days.read(session, None, first, first + _PROVED_AT_ONCE - 1))
        settled = {at for at in fresh.keys() | stored.keys() if at not in due and (None, at[1]) not in due}
        wrong += sum(fresh.get(at) != stored.get(at) for at in settled)
        compared += len(settled)
    return wrong, compared


_PROVED_AT_ONCE = 10


def _told(added: Added) -> dict[tuple[int, int], bytes]:
    """All that is said of each group and day."""
    return {
        (group, day): added.stores[row].tobytes() + added.sums[row].tobytes() + added.heat[row].tobytes()
        for row, (group, day) in enumerate(zip(added.group.tolist(), added.day.tolist(), strict=True))
    }
