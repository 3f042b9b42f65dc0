"""What a target allows, what is used of it, and how that stands."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.clock import HOUR, MINUTE
from storewatch.domain.service_levels import (
    Measure,
    Period,
    Status,
    Target,
    UnknownAs,
    Verdict,
    availability,
    judge,
)

NINETY_NINE = Target(Measure.AVAILABILITY, Decimal("99"))
WHOLE = 300 * HOUR  # 99 % of it leave 180 minutes


def period(
    down: int = 0, unknown: int = 0, excluded: int = 0, outages: int = 0, days: int = 30, **more: Any
) -> Period:
    """A month of 30 days with 10 open hours each, of which so many days are over; the rest of them is up."""
    open_us = days * 10 * HOUR
    values = {"up": open_us - down - unknown - excluded, "over": days == 30, "whole": WHOLE} | more
    return Period(open=open_us, down=down, unknown=unknown, excluded=excluded, outages=outages, **values)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (period(), Verdict(Status.MET, 180 * MINUTE, 0)),
        (period(down=180 * MINUTE), Verdict(Status.MET, 180 * MINUTE, 180 * MINUTE)),
        (period(down=180 * MINUTE + 1), Verdict(Status.MISSED, 180 * MINUTE, 180 * MINUTE + 1)),
        (period(down=60 * MINUTE, days=10), Verdict(Status.MET, 180 * MINUTE, 60 * MINUTE)),
        (period(down=61 * MINUTE, days=10), Verdict(Status.AT_RISK, 180 * MINUTE, 61 * MINUTE)),
        (period(down=181 * MINUTE, days=10), Verdict(Status.MISSED, 180 * MINUTE, 181 * MINUTE)),
        (period(excluded=100 * HOUR), Verdict(Status.MET, 120 * MINUTE, 0)),
        (period(down=60 * MINUTE, excluded=100 * HOUR, days=20), Verdict(Status.MET, 120 * MINUTE, HOUR)),
        (period(unknown=290 * HOUR, down=180 * MINUTE), Verdict(Status.MET, 180 * MINUTE, 180 * MINUTE)),
        (period(unknown=WHOLE, up=0), Verdict(Status.NO_DATA, 180 * MINUTE, 0)),
        (period(days=0), Verdict(Status.NO_DATA, 180 * MINUTE, 0)),
    ],
)
def test_ninety_nine_per_cent_of_300_hours(of: Period, expected: Verdict) -> None:
    assert judge(NINETY_NINE, of) == expected


@pytest.mark.parametrize(
    ("unknown_as", "used", "available"),
    [("ignored", 2, 288 / 290), ("up", 2, 298 / 300), ("down", 12, 288 / 300)],
)
def test_unknown_time_counts_as_the_target_says(unknown_as: str, used: int, available: float) -> None:
    target = Target(Measure.AVAILABILITY, Decimal(95), UnknownAs(unknown_as))
    of = period(down=2 * HOUR, unknown=10 * HOUR)
    assert judge(target, of).used == used * HOUR
    assert judge(target, of).budget == 15 * HOUR
    assert availability(target, of) == available


@pytest.mark.parametrize(
    ("outages", "days", "status"),
    [(3, 30, "met"), (4, 30, "missed"), (1, 10, "met"), (2, 10, "at_risk"), (4, 10, "missed")],
)
def test_three_outages_a_month(outages: int, days: int, status: str) -> None:
    found = judge(Target(Measure.OUTAGES, Decimal(3)), period(down=HOUR, outages=outages, days=days))
    assert (found.status, found.budget, found.used, found.left) == (status, 3, outages, 3 - outages)


def test_a_target_of_all_the_time_is_missed_by_a_microsecond_and_one_of_none_never() -> None:
    assert judge(Target(Measure.AVAILABILITY, Decimal(100)), period(down=1)).status is Status.MISSED
    assert judge(Target(Measure.AVAILABILITY, Decimal(0)), period(down=WHOLE)).status is Status.MET


TIMES = st.integers(0, 1 << 62)


@given(*[TIMES] * 5, st.integers(0, 1_000_000), st.booleans(), st.sampled_from(UnknownAs))
def test_a_verdict_is_what_exact_fractions_say(
    up: int, down: int, unknown: int, excluded: int, ahead: int, ppm: int, over: bool, unknown_as: UnknownAs
) -> None:
    target = Target(Measure.AVAILABILITY, Decimal(ppm) / 10_000, unknown_as)
    open_us = up + down + unknown + excluded
    whole = open_us if over else open_us + ahead
    of = Period(
        open=open_us, whole=whole, up=up, down=down, unknown=unknown, excluded=excluded, outages=0, over=over
    )
    found = judge(target, of)
    share = 1 - Fraction(target.amount) / 100
    budget, used = share * (whole - excluded), down + unknown * (unknown_as is UnknownAs.DOWN)
    assert (found.used, found.budget, found.left) == (used, int(budget), int(budget) - used)
    if not up + down:
        expected = Status.NO_DATA
    elif used > budget:
        expected = Status.MISSED
    else:
        at_this_pace = Fraction(used * (whole - excluded), max(1, open_us - excluded))
        expected = Status.AT_RISK if not over and at_this_pace > budget else Status.MET
    assert found.status is expected
