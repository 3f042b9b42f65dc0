"""Looks at stores by the clock: how they stand now, which incidents begin and end, and who is to hear of it.

Alerts are about now: the clock decides here, and nowhere in the figures of reports.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import hours
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.incidents import changes
from storewatch.domain.watch import Patience, State, Watch, watch
from storewatch.services import sources
from storewatch.services.reporting import Request
from storewatch.storage import deliveries, exceptions_in_force, incidents, polls, watches, weekly
from storewatch.storage.db import Database
from storewatch.storage.incidents import Saying

log = structlog.get_logger()

_LOOKED_BACK, _AHEAD = 2 * DAY, 8 * DAY
_STORES_AT_ONCE = 20_000


@dataclass(frozen=True)
class Watching:
    """By which rules it is looked. `within`: what is learned from polls older than that is not told;
    `silence`: how long nobody was seen before that is told. Microseconds. `meant`: reasons of polls with
    which a downtime is meant to be.
    """

    usual: Request = field(default_factory=Request)
    patience: Patience = field(default_factory=Patience)
    within: int = 2 * HOUR
    silence: int = 2 * HOUR
    meant: frozenset[str] = frozenset()


def look(database: Database, rules: Watching, now_us: int) -> int:
    """Looks at the stores of which something changed or for which it is time. Returns how many deliveries
    were made ready. One transaction: killed at any instant, nothing has happened.
    """
    with database.transaction() as session:
        watches.lock(session)
        keys = watches.claim(session, now_us)
        sayings: list[Saying] = []
        for first in range(0, len(keys), _STORES_AT_ONCE):
            sayings += _look(session, keys[first : first + _STORES_AT_ONCE], rules, now_us)
        sayings += _together(session, rules, now_us)
        sent = deliveries.send_later(session, incidents.say(session, sayings))
    if sent:
        log.info("alerts", stores=len(keys), notices=len(sayings), deliveries=len(sent))
    return len(sent)


def _together(session: Session, rules: Watching, now_us: int) -> list[Saying]:
    """What is to be said of more than one store, and what it is time for."""
    watches.forget_archived(session)
    incidents.end_of_archived(session, now_us)
    incidents.join_masses(session)
    return [
        *incidents.begin_masses(session, now_us),
        *incidents.end_masses(session, now_us),
        *incidents.begin_silence(session, rules.silence, now_us),
        *incidents.end_silence(session, now_us),
        *incidents.still(session, now_us),
    ]


# --- stores ---------------------------------------------------------------------------------------


def _look(session: Session, keys: NDArray[np.int32], rules: Watching, now_us: int) -> list[Saying]:
    seen = _seen(session, keys, rules, now_us)
    watches.keep(session, keys, seen, now_us, rules.within)
    ongoing = incidents.ongoing(session, keys.tolist())
    going_on = np.isin(keys, np.fromiter(ongoing, np.int32, len(ongoing)))
    change = changes(seen, going_on, now_us, rules.within)
    begun = dict(zip(keys[change.begun].tolist(), seen.down_from[change.begun].tolist(), strict=True))
    down = np.flatnonzero((seen.state == State.DOWN) & going_on)
    doubtful = [row for row in down.tolist() if ongoing[int(keys[row])][1]]
    why = _reasons(session, keys, [*change.begun.tolist(), *doubtful], seen, now_us)
    meant = {key for key, reasons in why.items() if reasons and rules.meant.issuperset(reasons)}
    late = {ongoing[int(keys[row])][0]: int(seen.down_from[row]) for row in down.tolist()}
    horizon = now_us - _LOOKED_BACK + rules.patience.max_gap
    incidents.correct(session, {number: at for number, at in late.items() if at > horizon})
    return [
        *incidents.end(session, [ongoing[int(key)][0] for key in keys[change.ended].tolist()], now_us),
        *incidents.begin(session, begun, {k: ", ".join(r) for k, r in why.items() if r}, meant, now_us),
        *incidents.no_longer_meant(
            session, [ongoing[int(keys[row])][0] for row in doubtful if int(keys[row]) not in meant]
        ),
    ]


def _seen(session: Session, keys: NDArray[np.int32], rules: Watching, now_us: int) -> Watch:
    """How stores stand, by the polls of the last two days. Time of which people said what it was counts as
    closed: nobody is told what they said themselves.
    """
    schedule = weekly.schedule(session, keys, rules.usual.default_zone)
    rulings = exceptions_in_force.read(session, keys)
    given = sources.read((session,), keys, schedule, rulings, now_us - _LOOKED_BACK, now_us + _AHEAD)
    opens = given.opens if given.cover.decided is None else hours.minus(given.opens, given.cover.decided)
    return watch(given.polls, opens, len(keys), now_us, rules.patience)


def _reasons(
    session: Session, keys: NDArray[np.int32], rows: list[int], seen: Watch, now_us: int
) -> dict[int, list[str]]:
    """By store, what its polls said since it is down; of those at these positions."""
    if not rows:
        return {}
    some = np.array(sorted(rows))
    since = seen.down_from[some]
    told = polls.reasons_between(session, keys[some], int(since.min()), now_us)
    reasons: dict[int, list[str]] = {int(key): [] for key in keys[some].tolist()}
    for store, at, code in zip(told.store.tolist(), told.at.tolist(), told.code.tolist(), strict=True):
        text, key = told.text[code], int(keys[some[store]])
        if at >= since[store] and text not in reasons[key]:
            reasons[key].append(text)
    return reasons
