"""Service levels: what a target allows over a period, what of it is used, and how that stands.

Of a period there are, in microseconds: open time so far and of the whole period, up, down, unknown and
excluded so far; and outages so far. The rules:

    budget    availability: (100 % - target) of the open time of the whole period, but for excluded time
              outages: so many as the target says
    used      availability: down, and unknown too if it counts as down; outages: how many there were
    missed    used is more than the budget
    at risk   the period runs, and what is used, carried on at the pace so far, would be more
    no data   nothing is known: neither up nor down
    met       else; while the period runs: so far

Unknown time that is ignored makes the budget no smaller and uses nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.history import Bools


class Measure(StrEnum):
    """What a target is about: per cent of the open time at least, or so many outages at most."""

    AVAILABILITY = "availability"
    OUTAGES = "outages"


class UnknownAs(StrEnum):
    """How unknown time counts."""

    IGNORED = "ignored"
    UP = "up"
    DOWN = "down"


class Status(StrEnum):
    """How a period stands."""

    MET = "met"
    AT_RISK = "at_risk"
    MISSED = "missed"
    NO_DATA = "no_data"


@dataclass(frozen=True)
class Target:
    """`amount` is per cent with up to four decimals, or a whole number of outages."""

    measure: Measure
    amount: Decimal
    unknown_as: UnknownAs = UnknownAs.IGNORED


@dataclass(frozen=True, kw_only=True)
class Period:
    """What a period holds, of a store or of several added up; microseconds. up + down + unknown + excluded
    = open, the open time so far; `whole` is that of the whole period.
    """

    open: int
    whole: int
    up: int
    down: int
    unknown: int
    excluded: int
    outages: int
    over: bool


@dataclass(frozen=True)
class Verdict:
    """`budget` and `used` are microseconds, or outages."""

    status: Status
    budget: int
    used: int

    @property
    def left(self) -> int:
        """What is left of the budget; less than nothing once it is missed."""
        return self.budget - self.used


_PARTS = 1_000_000  # a target has four decimals of a per cent


def judge(target: Target, period: Period) -> Verdict:
    """How a period stands against a target. All in whole numbers: a budget is rounded down, which changes
    nothing, for what is used is whole.
    """
    counted, counted_so_far = period.whole - period.excluded, period.open - period.excluded
    if target.measure is Measure.OUTAGES:
        used, allowed, parts = period.outages, int(target.amount), counted
        budget = allowed
    else:
        used, parts = _used(target, period), _PARTS
        allowed = int((100 - target.amount) * (_PARTS // 100))
        budget = allowed * counted // _PARTS
    too_fast = used * parts > allowed * counted_so_far
    return Verdict(_status(period, used > budget, too_fast), budget, used)


def _status(period: Period, missed: bool, too_fast: bool) -> Status:
    if not period.up + period.down:
        return Status.NO_DATA
    if missed:
        return Status.MISSED
    return Status.AT_RISK if too_fast and not period.over else Status.MET


STATUSES = tuple(Status)
"""What `judge_each` counts by."""


def judge_each(
    target: Target, *, open_us: Int64, whole: Int64, up: Int64, down: Int64, unknown: Int64, excluded: Int64,
    outages: Int64, over: Bools,
) -> tuple[Int64, Int64]:  # fmt: skip
    """`judge` of many stores, each by itself: int64[stores] each, which of `STATUSES`, and what is used. Of
    periods of 100 days at most, whose microseconds times `_PARTS` fit 64 bits.
    """
    counted, counted_so_far = whole - excluded, open_us - excluded
    if target.measure is Measure.OUTAGES:
        used, allowed, parts = outages, int(target.amount), counted
        budget = np.full(len(whole), allowed)
    else:
        used = down + (unknown if target.unknown_as is UnknownAs.DOWN else 0)
        allowed, parts = int((100 - target.amount) * (_PARTS // 100)), np.full(len(whole), _PARTS)
        budget = allowed * counted // _PARTS
    too_fast = used * parts > allowed * counted_so_far
    says = [up + down == 0, used > budget, too_fast & ~over]
    told = [Status.NO_DATA, Status.MISSED, Status.AT_RISK]
    return np.select(says, [STATUSES.index(each) for each in told], STATUSES.index(Status.MET)), used


def _used(target: Target, period: Period) -> int:
    return period.down + (period.unknown if target.unknown_as is UnknownAs.DOWN else 0)


def availability(target: Target, period: Period) -> float | None:
    """Up of what counts, as the target counts unknown time; None if nothing is known."""
    if not period.up + period.down:
        return None
    up = period.up + (period.unknown if target.unknown_as is UnknownAs.UP else 0)
    down = period.down + (period.unknown if target.unknown_as is UnknownAs.DOWN else 0)
    return up / (up + down)
