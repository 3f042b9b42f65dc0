"""Opening hours as other programs are known to read them: each a change of all stores' schedules.

A change returns the schedule as it would be then, and which stores it touches: bool[stores].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.hours import Schedule, Week

Bools = NDArray[np.bool_]
Change = Callable[[Schedule], tuple[Schedule, Bools]]

_MIDNIGHT, _ALMOST = 86_400, 86_340
_ALWAYS = (-(1 << 31), 1 << 31)  # local days: for all time


def _with(schedule: Schedule, week: Week, rows: Bools) -> tuple[Schedule, Bools]:
    """Another week in its place; touched are the stores of some rows of the old one."""
    return replace(schedule, week=week), _stores(schedule, schedule.week.store[rows])


def _stores(schedule: Schedule, store: NDArray[np.int32]) -> Bools:
    touched = np.zeros(schedule.stores, np.bool_)
    touched[store] = True
    return touched


def _overnight(week: Week) -> Bools:
    return np.asarray(week.end < week.start)


def _joined(one: Week, other: Week) -> Week:
    """Rows of both, in order of store."""
    store = np.concatenate([one.store, other.store])
    within = None
    if one.within is not None and other.within is not None:
        within = np.concatenate([one.within, other.within])
    day, start, end = (
        np.concatenate([getattr(one, name), getattr(other, name)]).astype(getattr(one, name).dtype)
        for name in ("day", "start", "end")
    )
    return Week(store, day, start, end, within)[np.argsort(store, kind="stable")]


# --- nights ---------------------------------------------------------------------------------------


def night_cut(schedule: Schedule) -> tuple[Schedule, Bools]:
    """What is open past midnight closes at midnight."""
    rows = _overnight(schedule.week)
    end = np.where(rows, _MIDNIGHT, schedule.week.end).astype(np.int32)
    return _with(schedule, replace(schedule.week, end=end), rows)


def night_dropped(schedule: Schedule) -> tuple[Schedule, Bools]:
    """What is open past midnight is not open at all: no time is after its start and before its end."""
    rows = _overnight(schedule.week)
    return _with(schedule, schedule.week[np.flatnonzero(~rows)], rows)


def night_turned_round(schedule: Schedule) -> tuple[Schedule, Bools]:
    """22:00 to 02:00 is read as 02:00 to 22:00."""
    rows, week = _overnight(schedule.week), schedule.week
    return _with(
        schedule,
        replace(week, start=np.minimum(week.start, week.end), end=np.maximum(week.start, week.end)),
        rows,
    )


def night_on_one_day(schedule: Schedule) -> tuple[Schedule, Bools]:
    """Friday 22:00 to 02:00 is open on Friday from 00:00 to 02:00 and from 22:00 to 24:00."""
    cut, touched = night_cut(schedule)
    rows = np.flatnonzero(_overnight(schedule.week) & (schedule.week.end > 0))
    early = schedule.week[rows]
    early = replace(early, start=np.zeros_like(early.start))
    return replace(schedule, week=_joined(cut.week, early)), touched


def minute_before_midnight(schedule: Schedule) -> tuple[Schedule, Bools]:
    """An end of 23:59 is taken at its word: a minute of every night is closed."""
    rows = np.asarray(schedule.week.end == _MIDNIGHT)
    end = np.where(rows, _ALMOST, schedule.week.end).astype(np.int32)
    return _with(schedule, replace(schedule.week, end=end), rows)


# --- several rows of a day ------------------------------------------------------------------------


def _ranks(week: Week) -> tuple[Int64, Int64]:
    """Of each row: which of its store and day it is, by start, and how many there are."""
    since = np.zeros(len(week.store), np.int64) if week.within is None else week.within[:, 0]
    order = np.lexsort((week.start, since, week.day, week.store))
    keys = np.stack([week.store, week.day, since])[:, order]
    head = np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0))[: len(order)]
    first = np.flatnonzero(head)
    count = np.diff(np.append(first, len(order)))
    rank, many = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(first, count)
    many[order] = np.repeat(count, count)
    return rank, many


def first_of_day(schedule: Schedule) -> tuple[Schedule, Bools]:
    """Of several intervals of a day only the first counts."""
    rank, many = _ranks(schedule.week)
    return _with(schedule, schedule.week[np.flatnonzero(rank == 0)], many > 1)


def last_of_day(schedule: Schedule) -> tuple[Schedule, Bools]:
    """Of several intervals of a day only the last counts."""
    rank, many = _ranks(schedule.week)
    return _with(schedule, schedule.week[np.flatnonzero(rank == many - 1)], many > 1)


def from_first_to_last(schedule: Schedule) -> tuple[Schedule, Bools]:
    """A day is open from its first start to its last end, pauses included."""
    week = schedule.week
    rank, many = _ranks(week)
    last = np.flatnonzero(rank == many - 1)
    order = np.lexsort((rank, week.day, week.store))
    start = np.empty_like(week.start)
    first = np.flatnonzero(rank[order] == 0)
    start[order] = np.repeat(week.start[order][first], np.diff(np.append(first, len(order))))
    return _with(schedule, replace(week, start=start)[last], many > 1)


def layers(schedule: Schedule) -> list[Schedule]:
    """Schedules that each have one row of a day at most: what two of them hold counts twice."""
    rank, _ = _ranks(schedule.week)
    never = replace(schedule, always=np.zeros_like(schedule.always))
    found = [
        replace(never, week=schedule.week[np.flatnonzero(rank == number)])
        for number in range(int(rank.max(initial=0)) + 1)
    ]
    return [replace(found[0], always=schedule.always), *found[1:]]


def overlapping(schedule: Schedule) -> tuple[Schedule, Bools]:
    """The same schedule; touched are stores of which two rows of a day overlap."""
    week = schedule.week
    rank, _ = _ranks(week)
    order = np.lexsort((rank, week.day, week.store))
    end = np.where(week.end < week.start, week.end + _MIDNIGHT, week.end)[order]
    later = np.zeros(len(order), np.bool_)
    later[1:] = (rank[order][1:] > 0) & (week.start[order][1:] < end[:-1])
    return schedule, _stores(schedule, week.store[order][later])


# --- whole days and weeks -------------------------------------------------------------------------


def missing_days_open(schedule: Schedule) -> tuple[Schedule, Bools]:
    """A day without hours is open from midnight to midnight, though others have hours."""
    week = schedule.week
    there = np.zeros((schedule.stores, 7), np.bool_)
    there[week.store, week.day] = True
    there[schedule.always] = True
    store, day = (
        column.astype(kind) for column, kind in zip(np.nonzero(~there), (np.int32, np.int16), strict=True)
    )
    within = None if week.within is None else np.tile(np.array(_ALWAYS, np.int64), (len(store), 1))
    start = np.zeros(len(store), np.int32)
    added = Week(store, day, start, start + np.int32(_MIDNIGHT), within)
    return replace(schedule, week=_joined(week, added)), _stores(schedule, store)


def without_hours_closed(schedule: Schedule) -> tuple[Schedule, Bools]:
    """A store to which no hours were given is closed."""
    return replace(schedule, always=np.zeros_like(schedule.always)), schedule.always


def all_open(schedule: Schedule) -> tuple[Schedule, Bools]:
    """Hours don't matter: every store is open at all times."""
    none = schedule.week[np.empty(0, np.intp)]
    return replace(schedule, week=none, always=np.ones_like(schedule.always)), ~schedule.always


def days_counted_on(by: int) -> Change:
    """Another weekday is day 0: hours of day 0 hold `by` days later."""

    def change(schedule: Schedule) -> tuple[Schedule, Bools]:
        day = ((schedule.week.day + by) % 7).astype(np.int16)
        return replace(schedule, week=replace(schedule.week, day=day)), ~schedule.always

    return change


# --- zones ----------------------------------------------------------------------------------------


def all_in(zone: str) -> Change:
    """Every store's hours are read in one zone."""

    def change(schedule: Schedule) -> tuple[Schedule, Bools]:
        names = tuple(zone for _ in schedule.zone_names)
        elsewhere = np.array([name != zone for name in schedule.zone_names])[schedule.zone]
        return replace(schedule, zone_names=names), elsewhere & ~schedule.always

    return change


def without_zone_in(zone: str) -> Change:
    """Stores to which no zone was given, the first of the names, are in another one."""

    def change(schedule: Schedule) -> tuple[Schedule, Bools]:
        names = (zone, *schedule.zone_names[1:])
        touched = (schedule.zone == 0) & ~schedule.always & (zone != schedule.zone_names[0])
        return replace(schedule, zone_names=names), touched

    return change
