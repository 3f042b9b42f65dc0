"""What outages incidents are about, by the engine, and what they cost: all of a message in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, to_us
from storewatch.domain.cost import Lost
from storewatch.domain.outage_words import Outage
from storewatch.services import outage_cost
from storewatch.services.chosen import check_size
from storewatch.services.outage_pass import AROUND, run, told
from storewatch.services.pieces import downs_of, runs_of
from storewatch.services.reporting import Request
from storewatch.storage import polls, retention, stores
from storewatch.storage.alert_tables import Incident

_MOST_OUTAGES = 20

Said = tuple[list[Outage], Lost | None]
"""Outages, the oldest first; what they cost, None if nobody knows or it was not asked for."""


def engine_says(
    session: Session, incidents: Sequence[Incident], request: Request, *, money: bool
) -> dict[int, Said]:
    """By its number, what each incident of a store is about; whoever asks may see them."""
    said: dict[int, Said] = {each.incident_no: ([], None) for each in incidents}
    as_of = polls.newest(session)
    if as_of is None:
        return said
    oldest = retention.polls_from(session) + request.max_gap
    left = [each for each in incidents if max(to_us(each.began_at) - AROUND, oldest) < as_of]
    while left:
        some = {each.store_key: each for each in left if each.store_key is not None}
        said |= _said(session, [some[key] for key in sorted(some)], request, oldest, as_of, money=money)
        left = [each for each in left if each not in some.values()]  # further ones of the same stores
    return said


def _said(
    session: Session, incidents: list[Incident], request: Request, oldest: int, as_of: int, *, money: bool
) -> dict[int, Said]:
    """The same of different stores, in the order of their keys."""
    keys = np.array([each.store_key for each in incidents], np.int32)
    since = np.array([max(to_us(each.began_at) - AROUND, oldest) for each in incidents], np.int64)
    found = _Since(session, keys, since, request, as_of)
    said: dict[int, Said] = {}
    for store, incident in enumerate(incidents):
        own = [each for each in found.outages(store) if _is_of(each, incident)][-_MOST_OUTAGES:]
        costs = found.costs(store, own) if money and own else None
        said[incident.incident_no] = own, None if costs is None else sum(costs, Lost())
    return said


def _is_of(outage: Outage, incident: Incident) -> bool:
    ends = None if incident.ended_at is None else to_us(incident.ended_at)
    return outage.end > to_us(incident.began_at) and (ends is None or outage.start < ends)


class _Since:
    """The outages of some stores, whose keys are in order, each from an instant of its own, `since`
    int64[stores], up to T. It is looked as far back as the earliest of these asks for: of an outage that has
    run for a week, its beginning may be known here and not by itself.
    """

    def __init__(
        self, session: Session, keys: NDArray[np.int32], since: Int64, request: Request, as_of: int
    ) -> None:
        check_size(len(keys), -(-(as_of - int(since.min()) + 2 * AROUND) // DAY), "start")
        self._session, self._keys, self._as_of = session, keys, as_of
        self._pass = run(session, keys, request, since, as_of, as_of)
        self._ids = stores.ids(session, keys)

    def outages(self, store: int) -> list[Outage]:
        """Those of a store, by its position, the oldest first."""
        rows, schedule = self._pass.rows, self._pass.schedule
        zone = schedule.zone_names[int(schedule.zone[store])]
        own = np.flatnonzero(rows.store == store)
        return [
            told(rows, row, self._ids[store], zone, self._pass.reasons.get(row, {}), intended=False)
            for row in own[np.argsort(rows.start[own], kind="stable")].tolist()
        ]

    def costs(self, store: int, of: Sequence[Outage]) -> list[Lost] | None:
        """What each of some of them costs; None if nobody knows what the store takes."""
        done, begin = self._pass, int(self._pass.windows[store, 0])
        runs = runs_of(done.found, done.given.polls, begin, self._as_of, store)
        own = slice(store, store + 1)
        return outage_cost.lost(self._session, self._keys[own], done.schedule[own], downs_of(runs), of)
