"""What the engine takes, made from what the oracle takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from storewatch.domain.availability import Policy, Polls, Rules
from storewatch.domain.axis import Int64
from storewatch.domain.hours import Intervals, Schedule, Week
from tests.oracle import COUNTS_AS_MIDNIGHT, MIDNIGHT_AT_THE_END, HoursRow, Poll, parse_time, standing
from tests.strategies import Fleet

WeekRow = tuple[int, int, int, int]
"""store, day, start and end in seconds of the local day"""


def int64(values: Iterable[int]) -> Int64:
    return np.array(list(values), np.int64)


def make_week(rows: Sequence[WeekRow]) -> Week:
    store, day, start, end = np.array(rows, np.int32).reshape(-1, 4).T
    return Week(store, day.astype(np.int16), start, end)


def make_schedule(rows: Sequence[WeekRow], zones: Sequence[str], always: Sequence[int] = ()) -> Schedule:
    """A store a zone; `always` lists the stores that are open 24 x 7."""
    names = tuple(dict.fromkeys(zones))
    zone = np.array([names.index(name) for name in zones], np.int32)
    return Schedule(make_week(rows), zone, names, np.isin(np.arange(len(zones)), always))


def make_polls(rows: Sequence[tuple[int, int, bool]]) -> Polls:
    """Rows (store, instant, active), sorted."""
    store, at, active = zip(*rows, strict=True) if rows else ((), (), ())
    return Polls(np.array(store, np.int32), int64(at), np.array(active, np.bool_))


def make_intervals(rows: Sequence[tuple[int, int, int]]) -> Intervals:
    """Rows (store, start, end), sorted."""
    store, start, end = np.array(rows, np.int64).reshape(-1, 3).T
    return Intervals(store.astype(np.int32), start, end)


def week_row(store: int, row: HoursRow) -> WeekRow:
    end = parse_time(row.end)
    end = MIDNIGHT_AT_THE_END if end >= COUNTS_AS_MIDNIGHT else end
    return store, row.day, parse_time(row.start), end


def schedule_of(fleet: Fleet) -> Schedule:
    """The stores in the order of `fleet.store_ids`."""
    weeks = {store: fleet.rows_of(store_id) for store, store_id in enumerate(fleet.store_ids)}
    rows = [week_row(store, row) for store, week in weeks.items() for row in week or ()]
    zones = [fleet.zone_of(store_id) for store_id in fleet.store_ids]
    schedule = make_schedule(rows, zones, [store for store, week in weeks.items() if week is None])
    within = [days_of(row, week or ()) for week in weeks.values() for row in week or ()]
    held = replace(schedule.week, within=np.array(within, np.int64).reshape(-1, 2))
    return replace(schedule, week=held)


def days_of(row: HoursRow, week: Sequence[HoursRow]) -> tuple[int, int]:
    """The local days [first, until) of a row among those of its store, counted from 1970."""
    starts = sorted({other.valid_from or date.min for other in week})
    own = row.valid_from or date.min
    until = next((start for start in starts if start > own), date.max)
    return tuple((day - date(1970, 1, 1)).days for day in (own, until))  # type: ignore[return-value]


def standing_polls(fleet: Fleet) -> list[Poll]:
    """The polls that stand, none after T, in the order in which the engine gets them."""
    return [poll for poll in standing(fleet.polls) if poll.at_us <= fleet.as_of_us]


def polls_of(fleet: Fleet) -> Polls:
    ids = fleet.store_ids
    return make_polls([(ids.index(p.store_id), p.at_us, p.active) for p in standing_polls(fleet)])


def rules_of(fleet: Fleet) -> Rules:
    return Rules(Policy(fleet.policy), fleet.max_gap_us, fleet.seen_within_us)
