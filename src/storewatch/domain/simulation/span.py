"""When polls are made, and what befalls the whole fleet: holes, a bad half hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from storewatch.domain.simulation.units import DAY_US, HOUR_US, MINUTE_US, Bools, Ints

_QUIET_US = 6 * HOUR_US  # nothing is missing this shortly before the end
_LONG_HOLE_H, _LONGEST_HOLE_H = 9.2, 40.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When polls are made, `[start_us, end_us]`, and what befalls the whole fleet in that time."""

    start_us: int
    end_us: int
    holes_us: Ints  # (holes, 2): nobody is polled
    bad_us: tuple[int, int]  # many stores are down at once


def make_span(*, days: int, seed: int, end_us: int) -> Span:
    """Return the `days` days up to `end_us`, with their holes and their bad half hour."""
    rng = np.random.default_rng([seed, 1])
    start_us = end_us - days * DAY_US
    hours_us = np.arange(-(-start_us // HOUR_US), (end_us - _QUIET_US) // HOUR_US) * HOUR_US
    holes_us = _holes(rng, days, start_us, hours_us)
    return Span(
        start_us=start_us, end_us=end_us, holes_us=holes_us, bad_us=_bad_half_hour(rng, hours_us, holes_us)
    )


def _holes(rng: np.random.Generator, days: int, start_us: int, hours_us: Ints) -> Ints:
    """Return the holes, (k, 2): nine hours a week, forty in a fortnight, and about an hour a day."""
    hours = [_LONG_HOLE_H] * (days // 7) + [_LONGEST_HOLE_H] * (days >= 14)
    length_us = (np.array(hours) * rng.uniform(0.95, 1.05, len(hours)) * HOUR_US).astype(np.int64)
    # Long ones stay out of the last day: it is the first that anyone looks at.
    latest_us = start_us + (days - 1) * DAY_US - length_us
    long_us = rng.integers(start_us, np.maximum(latest_us, start_us + 1))
    single_us = rng.choice(hours_us, days - 1, replace=False)
    starts_us = np.append(long_us, single_us)
    ends_us = np.append(long_us + length_us, single_us + HOUR_US)
    return np.column_stack([starts_us, ends_us])


def _bad_half_hour(rng: np.random.Generator, hours_us: Ints, holes_us: Ints) -> tuple[int, int]:
    """Return half an hour around a full one that is polled, in the American daytime if there is such."""
    polled_us = hours_us[~_covered(hours_us + 5 * MINUTE_US, *holes_us.T)]
    daytime_us = polled_us[polled_us // HOUR_US % 24 >= 16]
    start_us = int(rng.choice(daytime_us if len(daytime_us) else polled_us)) - 2 * MINUTE_US
    return start_us, start_us + 30 * MINUTE_US


def _covered(points: Ints, starts: Ints, ends: Ints) -> Bools:
    """Tell which points lie in at least one of the intervals `[start, end)`, in any order or overlap."""
    order = np.argsort(starts)
    latest = np.append(np.iinfo(np.int64).min, np.maximum.accumulate(ends[order]))
    begun = np.searchsorted(starts[order], points, side="right")
    is_covered: Bools = points < latest[begun]
    return is_covered
