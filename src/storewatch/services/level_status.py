"""How a service level stands, period by period: from history, so it follows every change by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.permissions import Caller
from storewatch.domain.service_levels import (
    STATUSES,
    Measure,
    Period,
    Status,
    Target,
    UnknownAs,
    Verdict,
    availability,
    judge,
    judge_each,
)
from storewatch.domain.windows import local_days
from storewatch.errors import NoPollsError
from storewatch.services import service_levels
from storewatch.services.kept_periods import Look
from storewatch.services.level_tally import Each, Tallies, Tally, most
from storewatch.services.reporting import Request
from storewatch.storage import polls
from storewatch.storage.db import Database
from storewatch.storage.service_levels import Found
from storewatch.storage.store_periods import Scope, Span
from storewatch.storage.truth_tables import ServiceLevel

_MOST_SHOWN = 5
_MANY = 50


@dataclass(frozen=True)
class Used:
    """What used a period's budget up: `stores` counts its stores by how they stand themselves, `days` and
    `worst` are the days (counted from 1970) and the stores that used most, with what they used.
    """

    stores: Counter[Status] = field(default_factory=Counter)
    days: list[tuple[int, int]] = field(default_factory=list)
    worst: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """How one period stands. `bounds` are those of the downtime; `used` is told where it was asked for, so
    are the outages of `period`, and where the target is about them: else they are -1.
    """

    first_day: int
    last_day: int
    period: Period
    verdict: Verdict
    availability: float | None
    totals: list[int]
    bounds: tuple[int, int]
    used: Used = Used()


@dataclass(frozen=True)
class Standings:
    """Of one service level, the periods in order."""

    as_of: int
    found: Found
    items: list[Standing]


Wanted = Callable[[list[int]], list[int]]
"""Of the first days of periods, those of which what used their budgets up is wanted."""


def status(database: Database, caller: Caller, level_id: UUID, count: int, request: Request) -> Standings:
    """The last so many periods, up to the one that runs at T. NotFoundError for what may not be seen."""
    with database.snapshot() as session:
        found = service_levels.found(session, caller, level_id)
        session.expunge(found.level)  # it outlives the session
        return within(Looks(session, request), found, count, lambda every: every, outages=True)


class Looks:
    """The stores of levels in a snapshot: looked at once, however many levels are of the same."""

    def __init__(self, session: Session, request: Request) -> None:
        as_of = polls.newest(session)
        if as_of is None:
            raise NoPollsError("There are no polls yet, so nothing is known: import store_status first")
        self.session, self.request, self.as_of = session, request, as_of
        self._looks: dict[Scope, Look] = {}
        self._tallies: dict[tuple[Scope, int, tuple[Span, ...]], Tallies] = {}

    def look(self, scope: Scope) -> Look:
        """Some stores."""
        if scope not in self._looks:
            self._looks[scope] = Look(self.session, scope, self.request, self.as_of)
        return self._looks[scope]

    def takes_long(self, level: ServiceLevel) -> bool:
        """Whether it is to be computed from many polls: no days tell how long outages are."""
        by_length = level.measure == Measure.OUTAGES and level.min_outage_s > 0
        return by_length and len(self.look(_scope(level)).keys) > _MANY

    def tallies(self, level: ServiceLevel, spans: list[Span]) -> Tallies:
        """The periods of a level."""
        shortest = level.min_outage_s * 1_000_000 if level.measure == Measure.OUTAGES else 0
        look = self.look(_scope(level))
        of = (look.scope, shortest, tuple(spans))
        if of not in self._tallies:
            kept = level.store_key is None
            self._tallies[of] = Tallies(look, spans, kept=kept, shortest=shortest)
        return self._tallies[of]


def within(
    looks: Looks,
    found: Found,
    count: int,
    wanted: Wanted = lambda _: [],
    until_day: int | None = None,
    *,
    outages: bool = False,
) -> Standings:
    """The same in a snapshot that is there already, of a level that the caller may see; up to the period
    that holds `until_day`, if that comes before T. UsageError if it is too much.
    """
    level = found.level
    today = _today(looks.look(_scope(level)))
    last = today if until_day is None else min(today, until_day)
    first = periods.latest(level.period, last, count)
    end = periods.following(level.period, first)
    spans = [Span(level.period, *days) for days in zip(first.tolist(), end.tolist(), strict=True)]
    target = target_of(level)
    tallies = looks.tallies(level, spans)
    detailed = wanted(first.tolist())
    items = []
    for number, span in enumerate(spans):
        used = _used(tallies, number, level, target) if span.first_day in detailed else None
        counted = outages or target.measure is Measure.OUTAGES
        items.append(_standing(tallies.tally(number, outages=counted), target, used or Used()))
    return Standings(looks.as_of, found, items)


def target_of(level: ServiceLevel) -> Target:
    """What a level asks for."""
    return Target(Measure(level.measure), level.target, UnknownAs(level.unknown_as))


def _scope(level: ServiceLevel) -> Scope:
    return Scope(level.store_key, level.group_no)


def _today(look: Look) -> int:
    """The latest local day that T lies in, or ends, of the stores."""
    if len(look.today):
        return int(look.today.max())
    zone = (look.request.default_zone,)
    return int(local_days(np.array([look.as_of - 1]), np.zeros(1, np.int32), zone)[0])


# --- verdicts -------------------------------------------------------------------------------------


def _standing(tally: Tally, target: Target, used: Used) -> Standing:
    *totals, least, most, _ = sums = tally.sums.tolist()
    period = period_of(sums, tally.whole, over=tally.over)
    return Standing(
        tally.span.first_day,
        tally.span.end_day - 1,
        period,
        judge(target, period),
        availability(target, period),
        totals,
        (least, most),
        used,
    )


def period_of(sums: list[int], whole: int, *, over: bool) -> Period:
    """What a period holds, by its sums as in `store_periods.SUMS`."""
    *totals, _, _, number = sums
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded = (totals[kind] for kind in Kind)
    return Period(
        open=sum(totals),
        whole=whole,
        up=up_seen + up_inferred,
        down=down_seen + down_inferred,
        unknown=unknown,
        excluded=excluded,
        outages=number,
        over=over,
    )


# --- what used most -------------------------------------------------------------------------------


def _used(tallies: Tallies, number: int, level: ServiceLevel, target: Target) -> Used:
    each = tallies.each(number)
    status, used = _judged(each, target)
    counted = np.bincount(status, minlength=len(STATUSES)).tolist()
    by_day = np.zeros(0, np.int64)
    if not (level.min_outage_s and target.measure is Measure.OUTAGES):  # days don't tell how long outages are
        by_day = _spent(tallies.by_day(number), target)
    longest = np.argsort(-by_day, kind="stable")[:_MOST_SHOWN].tolist()
    begin = tallies.spans[number].first_day
    return Used(
        Counter(dict(zip(STATUSES, counted, strict=True))),
        [(begin + day, int(by_day[day])) for day in longest if by_day[day]],
        [
            (store_id, int(used[row]))
            for store_id, row in most(tallies.look.session, each.store_keys, used, _MOST_SHOWN)
        ],
    )


def _judged(each: Each, target: Target) -> tuple[Int64, Int64]:
    columns = each.sums.T
    return judge_each(
        target,
        open_us=columns[: len(Kind)].sum(axis=0),
        whole=each.whole,
        up=columns[Kind.UP_SEEN] + columns[Kind.UP_INFERRED],
        down=columns[Kind.DOWN_SEEN] + columns[Kind.DOWN_INFERRED],
        unknown=columns[Kind.UNKNOWN],
        excluded=columns[Kind.EXCLUDED],
        outages=columns[-1],
        over=each.over,
    )


def _spent(days: Int64, target: Target) -> Int64:
    """int64[days]: what each used."""
    if target.measure is Measure.OUTAGES:
        return days[:, -1]
    kinds = [Kind.DOWN_SEEN, Kind.DOWN_INFERRED]
    kinds += [Kind.UNKNOWN] if target.unknown_as is UnknownAs.DOWN else []
    return np.asarray(days[:, kinds].sum(axis=1))
