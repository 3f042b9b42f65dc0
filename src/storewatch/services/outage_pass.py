"""One pass of the engine over some stores: the outages in a window of each, and why."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain.availability import Polls, Rules, Segments, segments
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.clock import DAY
from storewatch.domain.hours import Schedule
from storewatch.domain.outage_list import NONE, Outages, Seen, listed
from storewatch.domain.outage_words import Outage
from storewatch.services import sources
from storewatch.services.availability import archived
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, polls, retention, weekly

AROUND = 3 * DAY
"""So far before and after the range is looked, and max_gap further, for where an outage began and ended."""


class Pass(NamedTuple):
    """The engine on some stores, and their outages in windows int64[stores, 2], with their reasons by row."""

    schedule: Schedule
    given: sources.Sources
    found: Segments
    windows: Int64
    rows: Outages
    reasons: dict[int, dict[str, int]]


def run(
    session: Session, keys: NDArray[np.int32], request: Request, since: Int64, end: int, as_of: int
) -> Pass:
    """From an instant of each store's own, int64[stores], to the same end."""
    rules = Rules(request.policy, request.max_gap, request.seen_within)
    schedule = weekly.schedule(session, keys, request.default_zone)
    until_archived = archived(session, keys, schedule)
    windows = np.minimum(np.stack([since, np.full(len(keys), end)], axis=1), until_archived[:, None])
    first = int(since.min(initial=end))
    start = max(first - AROUND - rules.max_gap, retention.polls_from(session) + rules.max_gap)
    reach, until = start - rules.max_gap, min(as_of, end + AROUND + rules.max_gap)
    rulings = exceptions.NONE if request.raw else exceptions_in_force.read(session, keys, reach, until)
    given = sources.read((session,), keys, schedule, rulings, reach, until)
    found = segments(given.polls, given.opens, rules, start, until, given.cover.decided)
    some, seen = listed(found, given.polls, windows, until - rules.max_gap, to_present=until == as_of)
    some.ongoing[until_archived[some.store] <= as_of] = False
    by_outage = _reasons(session, keys, given.polls, some, seen, reach, until)
    return Pass(schedule, given, found, windows, some, by_outage)


def _reasons(
    session: Session,
    keys: NDArray[np.int32],
    polled: Polls,
    some: Outages,
    seen: Seen,
    start: int,
    until: int,
) -> dict[int, dict[str, int]]:
    """How often each reason was given, by outage; those without any are left out."""
    down = np.unique(some.store)
    said = polls.reasons_between(session, keys[down], start, until)
    axis = Axis(start, until)
    place = axis.pack(polled.store[seen.poll], polled.at[seen.poll])
    order = np.argsort(place, kind="stable")
    asked = axis.pack(down[said.store], said.at)
    at = np.minimum(np.searchsorted(place, asked, sorter=order), max(0, len(order) - 1))
    hit = np.flatnonzero(place[order[at]] == asked) if len(order) else np.empty(0, np.int64)
    pair = seen.outage[order[at[hit]]] * max(1, len(said.text)) + said.code[hit]
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for each, count in zip(*(column.tolist() for column in np.unique(pair, return_counts=True)), strict=True):
        outage, code = divmod(each, max(1, len(said.text)))
        found[outage][said.text[code]] = count
    return dict(found)


# --- in plain values -------------------------------------------------------------------------------


_INSTANTS = (
    *("counted_from", "counted_until", "last_seen_up"),
    *("first_seen_down", "last_seen_down", "first_seen_up"),
)
_TOLD = ("start", "end", *_INSTANTS, "down", "seen", "down_min", "down_max", "polls", "ongoing")


def told(
    rows: Outages, row: int, store_id: str, zone: str, reasons: dict[str, int], *, intended: bool
) -> Outage:
    """One of some, in plain values."""
    one = rows[np.array([row])]
    values = {name: getattr(one, name).tolist()[0] for name in _TOLD}
    instants = {name: None if values[name] == NONE else values[name] for name in _INSTANTS}
    if instants["counted_until"] is None and not values["ongoing"]:
        values["ongoing"] = None
    return Outage(store_id=store_id, zone=zone, reasons=reasons, intended=intended, **(values | instants))
