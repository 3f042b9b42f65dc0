"""The engine's word on every store's local days, straight from polls and hours: what history must equal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from storewatch.domain.availability import Rules
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, to_us
from storewatch.domain.history import Days, joined, sums
from storewatch.domain.outages import Figures, figures_by_store
from storewatch.domain.windows import midnights
from storewatch.services import history, sources
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, polls, stores, weekly
from storewatch.storage.db import Database


@dataclass(frozen=True)
class Truth:
    """`counted` bool[stores, days]: which days there are; `days` and `whole` the engine's figures of each of
    them, and of all of a store's days together.
    """

    keys: NDArray[np.int32]
    counted: NDArray[np.bool_]
    days: Figures
    whole: Figures

    def __len__(self) -> int:
        return int(self.counted.sum())


def by_engine(database: Database, first_day: int, last_day: int, request: Request) -> Truth:
    """Each store's days from one to another, and its one window over all of them."""
    with database.snapshot() as session:
        as_of, keys = polls.newest(session) or 0, stores.polled(session, None)
        rows = session.execute(
            text("SELECT store_key, min(timestamp_utc) FROM store_status GROUP BY 1")
        ).all()
        first = {key: to_us(at) for key, at in rows}
        schedule = weekly.schedule(session, keys, request.default_zone)
        days = np.broadcast_to(np.arange(first_day, last_day + 2), (len(keys), last_day - first_day + 2))
        edges = midnights(days, schedule.zone, schedule.zone_names)
        speaks = np.array([first[key] - DAY for key in keys.tolist()], np.int64)[:, None]
        counted = (edges[:, 1:] > speaks) & (edges[:, :-1] < as_of)
        spans = np.minimum(np.stack([edges[:, :-1], edges[:, 1:]], axis=2), as_of)
        start = np.where(counted, spans[:, :, 0], as_of).min(axis=1)
        whole = np.stack([start, np.maximum(start, spans[:, -1, 1])], axis=1)[:, None]
        rules = Rules(request.policy, DAY, request.seen_within)
        reach = (first_day - 2) * DAY  # further back than any zone's midnight and the gap before it
        rulings = exceptions_in_force.read(session, keys)
        given = sources.read((session,), keys, schedule, rulings, reach, as_of)
        opens, found, decided = given.opens, given.polls, given.cover.decided
        figures = [
            figures_by_store(found, opens, rules, windows, as_of, decided) for windows in (spans, whole)
        ]
    return Truth(keys, counted, *figures)


def read(database: Database, first_day: int, last_day: int, request: Request) -> Days:
    """The same days as they are read, stored or not."""
    with database.snapshot() as session:
        keys = stores.polled(session, None)
        parts, stores_before = [], 0
        for part in history.parts(session, keys, request, first_day, last_day):
            parts.append(history.days_of(part).shifted(stores_before))
            stores_before += len(part.seen.store_keys)
    return joined(parts)


def assert_equal(database: Database, first_day: int, last_day: int, request: Request) -> Truth:
    """History, as it is read, is what the engine says, by day and as a whole."""
    truth = by_engine(database, first_day, last_day, request)
    if not len(truth.keys):  # all polls were deleted: there is no day to be read
        return truth
    days = read(database, first_day, last_day, request)
    store, day = np.nonzero(truth.counted)
    assert np.array_equal(np.stack([days.store, days.day - first_day]), np.stack([store, day]))
    assert np.array_equal(days.totals, truth.days.totals[store, day])
    assert np.array_equal(days.outages, truth.days.outages[store, day])
    assert np.array_equal(days.longest, truth.days.longest[store, day])
    assert np.array_equal(days.down_min, truth.days.down_min[store, day])
    assert np.array_equal(days.down_max, truth.days.down_max[store, day])
    assert_whole(days, truth)
    return truth


def assert_whole(days: Days, truth: Truth) -> None:
    """Days add up to the stretch of time that they make, and an outage over midnight is one there."""
    count = len(truth.keys)
    together = sums(days, days.store, count)
    some: Int64 = np.unique(days.store)
    assert np.array_equal(together.totals[some], truth.whole.totals[some, 0])
    assert np.array_equal(together.outages[some], truth.whole.outages[some, 0])
    assert np.array_equal(together.down_min[some], truth.whole.down_min[some, 0])
    assert np.array_equal(together.down_max[some], truth.whole.down_max[some, 0])
