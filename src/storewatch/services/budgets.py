"""Looks how much of the budgets of service levels is used, and tells who asked for it: once in a period.

It follows history and not the clock, for budgets change with it: some time after it was made, and by what is
kept of groups and of all stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import structlog
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.clock import DAY, HOUR, MINUTE
from storewatch.domain.service_levels import Measure, Status, Verdict
from storewatch.errors import NoPollsError, UsageError
from storewatch.services import level_status
from storewatch.services.budget_singles import standing
from storewatch.services.level_status import Looks, Standing
from storewatch.services.reporting import Request
from storewatch.storage import budgets, deliveries, incidents, service_levels
from storewatch.storage.budgets import Watched
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found

log = structlog.get_logger()

PAUSE = MINUTE
"""So long after history was made it is looked: however often polls come, it is not looked more often."""

_CLOCKS, _PATIENCE = 16 * HOUR, 2 * DAY
"""No clock is further from UTC. A period ends when its polls are there, or so long after it by the clock."""


@dataclass
class _Seen:
    """By level number: on which days periods begin of which so many per cent are reached; which are over."""

    day: dict[int, int] = field(default_factory=dict)
    reached: dict[int, list[int]] = field(default_factory=dict)
    over: list[tuple[int, int]] = field(default_factory=list)


def look_later(database: Database, now_us: int) -> None:
    """Has a job look, once history is made."""
    with database.transaction() as session:
        if budgets.is_any(session):
            budgets.look_at(session, now_us + PAUSE)


def look(database: Database, request: Request, now_us: int) -> int:
    """Begins and ends incidents. Returns how many deliveries were made ready. What is seen is written in one
    transaction: killed at any instant, nothing has happened.
    """
    with database.snapshot() as session:
        seen = _look(session, request, now_us)
    if not (seen.day or seen.over):
        return 0
    with database.transaction() as session:
        budgets.lock(session)
        sayings = budgets.begin(session, seen.day, seen.reached, now_us)
        sayings += budgets.end(session, seen.over, now_us)
        sent = deliveries.send_later(session, incidents.say(session, sayings))
    if sent:
        log.info("alerts of budgets", deliveries=len(sent))
    return len(sent)


def _look(session: Session, request: Request, now_us: int) -> _Seen:
    seen = _Seen()
    try:
        looks = Looks(session, request)
    except NoPollsError:
        return seen
    levels = _levels(session)
    ending = [(watched, found) for watched, found in levels if _may_end(watched, found, looks, now_us)]
    for watched, found in ending:
        for day in watched.going_on:
            with _too_much(found):
                if _is_over(level_status.within(looks, found, 1, until_day=day).items[0], day, now_us):
                    seen.over.append((watched.level_no, day))
    _look_at_running(seen, looks, levels, now_us)
    return seen


@contextmanager
def _too_much(found: Found | None = None) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        level = None if found is None else str(found.level.level_id)
        log.warning("budgets are too much to count at once", level=level, reason=str(error))


def _levels(session: Session) -> list[tuple[Watched, Found]]:
    watched = {each.level_no: each for each in budgets.watched(session)}
    found = service_levels.those(session, list(watched))
    return [(watched[each.level.level_no], each) for each in found]


def _look_at_running(seen: _Seen, looks: Looks, levels: list[tuple[Watched, Found]], now_us: int) -> None:
    """Notes what is reached in the periods that run, of levels of which somebody was not told yet."""
    running = _running(looks)
    left = {
        watched.level_no: (watched, found)
        for watched, found in levels
        if _is_open(watched, running[found.level.period])
    }
    by_itself = [number for number, (_, found) in left.items() if _is_of_many(found, looks)]
    with _too_much():
        singles = [found.level for _, found in left.values() if found.level.store_key is not None]
        for stands in standing(looks, singles):
            watched, found = left[stands.level_no]
            if not _is_reached(stands.verdict, min(watched.shares)):
                continue
            if _by_length(found):  # a guess, and never too low
                by_itself.append(watched.level_no)
            else:
                _note(seen, watched, stands.span.first_day, stands.span.end_day, stands.verdict, now_us)
    for number in by_itself:
        watched, found = left[number]
        with _too_much(found):
            runs = level_status.within(looks, found, 1).items[0]
            _note(seen, watched, runs.first_day, runs.last_day + 1, runs.verdict, now_us)


def _is_of_many(found: Found, looks: Looks) -> bool:
    """Whether it is of a group or all stores, and does not take long to count."""
    return found.level.store_key is None and not looks.takes_long(found.level)


def _by_length(found: Found) -> bool:
    return found.level.measure == Measure.OUTAGES and found.level.min_outage_s > 0


def _running(looks: Looks) -> dict[str, set[int]]:
    """By the kind of period, the first days of those that run somewhere at T."""
    days = np.arange(-1, 2) + looks.as_of // DAY
    return {period: set(periods.starts(period, days).tolist()) for period in ("week", "month", "quarter")}


def _is_open(watched: Watched, first_days: set[int]) -> bool:
    """Whether some share was not told yet of one of the periods."""
    return any(set(watched.shares) - watched.going_on.get(day, set()) for day in first_days)


def _may_end(watched: Watched, found: Found, looks: Looks, now_us: int) -> bool:
    """Whether a period of an incident may be over, or the level is by other periods now."""
    period = found.level.period
    for day in watched.going_on:
        end = int(periods.following(period, np.array([day]))[0]) * DAY
        other = int(periods.latest(period, day, 1)[0]) != day
        if other or looks.as_of >= end - _CLOCKS or now_us >= end + _PATIENCE:
            return True
    return False


def _is_over(period: Standing, day: int, now_us: int) -> bool:
    late = now_us >= (period.last_day + 1) * DAY + _PATIENCE
    return period.first_day != day or period.period.over or late


def _note(seen: _Seen, watched: Watched, first_day: int, end_day: int, verdict: Verdict, now_us: int) -> None:
    reached = [share for share in watched.shares if _is_reached(verdict, share)]
    if reached and now_us < end_day * DAY + _CLOCKS:
        seen.day[watched.level_no] = first_day
        seen.reached[watched.level_no] = reached


def _is_reached(verdict: Verdict, share: int) -> bool:
    """Whether so many per cent of a budget are used."""
    known = verdict.status is not Status.NO_DATA and verdict.used > 0
    return known and 100 * verdict.used >= share * verdict.budget
