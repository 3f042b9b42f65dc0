"""The polls of a fleet over a span, active or not; their order and their rows in the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from storewatch.domain.simulation.fleet import _DEFAULT_ZONE, _ZONE_NAMES, Fleet
from storewatch.domain.simulation.span import Span, _covered
from storewatch.domain.simulation.units import (
    DAY_S,
    DAY_US,
    HOUR_S,
    HOUR_US,
    LAST_MINUTE_S,
    MINUTE_US,
    SECOND_US,
    WEEK_S,
    Bools,
    Ints,
)

_OUTAGE_MIN_US, _OUTAGE_MAX_US = 10 * MINUTE_US, DAY_US
_PROMPT = 0.85  # polls that come soon after the full hour; the rest come anywhere in it
_WHOLE_SECOND = 0.0002  # polls without a fraction of a second
_DOUBLED = 1_000  # one row in so many is written twice
_BATCH_POLLS, _BATCH_STORES = 500_000, 4_096  # bounds of the memory that one batch takes


def poll_batches(fleet: Fleet, span: Span) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield, batch by batch, the number of stores done and polls: `store` (index), `at_us`, `active`."""
    slots = max(1, (span.end_us - span.start_us) // HOUR_US)
    size = max(1, min(_BATCH_STORES, _BATCH_POLLS // slots))
    offsets_us = _utc_offsets(span)
    for first in range(0, fleet.polled, size):
        rng = np.random.default_rng([fleet.seed, 2, first])
        stores = np.arange(first, min(first + size, fleet.polled))
        store, at_us = _instants(rng, fleet, span, stores)
        down = _in_outage(rng, fleet, span, stores, store, at_us)
        down |= ~_is_open(fleet, span, offsets_us, store, at_us) & fleet.goes_dark[store]
        batch = {"store": store.astype(np.uint32), "at_us": at_us, "active": ~down}
        yield int(stores[-1]) + 1, pl.DataFrame(batch)


def file_order(seed: int, active: Bools) -> Ints:
    """Return the order in which polls are written: active ones first, shuffled within; a few come twice."""
    rng = np.random.default_rng([seed, 3])
    twice = rng.integers(0, max(1, len(active)), len(active) // _DOUBLED)
    order = rng.permutation(np.append(np.arange(len(active)), twice))
    return np.append(order[active[order]], order[~active[order]])


def poll_rows(fleet: Fleet, polls: pl.DataFrame) -> pl.DataFrame:
    """Return these polls as rows of `store_status.csv`; a fraction's trailing zeros are dropped."""
    text = pl.col("at_us").cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    return polls.select(
        fleet.ids.gather(polls["store"]).alias("store_id"),
        pl.when("active").then(pl.lit("active")).otherwise(pl.lit("inactive")).alias("status"),
        (text.str.strip_chars_end("0").str.strip_chars_end(".") + " UTC").alias("timestamp_utc"),
    )


def _instants(rng: np.random.Generator, fleet: Fleet, span: Span, stores: Ints) -> tuple[Ints, Ints]:
    """Return the store and the instant of every poll of these stores, in no promised order.

    A lane is one poll an hour of one store; the grid is (lanes, hours).
    """
    hours_us = np.arange(span.start_us // HOUR_US, span.end_us // HOUR_US + 1) * HOUR_US
    lanes = np.repeat(stores, fleet.per_hour[stores])
    grid_us = hours_us + _into_the_hour(rng, (len(lanes), len(hours_us)))
    kept = (span.start_us <= grid_us) & (grid_us <= span.end_us) & ~_covered(grid_us, *span.holes_us.T)
    kept &= rng.random(grid_us.shape, np.float32) < fleet.diligence[lanes, None]
    _keep_few(rng, kept, np.flatnonzero(fleet.is_sparse[lanes]))
    # The newest poll is minutes old, however small the fleet.
    newest = stores[stores == 0]
    newest_us = span.end_us - rng.integers(SECOND_US, 2 * MINUTE_US, len(newest))
    store = np.broadcast_to(lanes[:, None], kept.shape)[kept]
    return np.append(store, newest), np.append(grid_us[kept], newest_us)


def _keep_few(rng: np.random.Generator, kept: Bools, lanes: NDArray[np.intp]) -> None:
    """Leave one to five of the polls in each of these lanes of `kept`, (lanes, hours)."""
    for lane in lanes:
        few = rng.choice(np.flatnonzero(kept[lane]), rng.integers(1, 6))
        kept[lane] = False
        kept[lane, few] = True


def _into_the_hour(rng: np.random.Generator, shape: tuple[int, int]) -> Ints:
    """Return how long after the full hour polls are made: mostly five minutes, up to an hour."""
    minutes = rng.standard_gamma(2.0, shape, np.float32) * np.float32(3)
    late = rng.random(shape, np.float32) > _PROMPT
    minutes[late] = rng.uniform(0, 60, np.count_nonzero(late))
    # float32 has too few digits for microseconds: they are drawn apart.
    seconds = (minutes * 60).astype(np.int64) % HOUR_S
    fraction_us = rng.integers(0, SECOND_US, shape)
    fraction_us[rng.random(shape, np.float32) < _WHOLE_SECOND] = 0
    return seconds * SECOND_US + fraction_us


def _in_outage(
    rng: np.random.Generator, fleet: Fleet, span: Span, stores: Ints, store: Ints, at_us: Ints
) -> Bools:
    """Tell for each poll whether its store is in an outage of its own or in the bad half hour.

    Outages are laid end to end on one axis, a stretch of `width_us` a store, and begin up to a day early.
    """
    width_us = span.end_us - span.start_us + 2 * DAY_US
    days = (span.end_us - span.start_us) / DAY_US + 1
    owner = np.repeat(stores, rng.poisson(fleet.outages_per_day[stores] * days))
    starts_us = owner * width_us + rng.integers(0, int(days * DAY_US), len(owner))
    length_us = _OUTAGE_MIN_US * (_OUTAGE_MAX_US / _OUTAGE_MIN_US) ** rng.random(len(owner))
    axis_us = store * width_us + at_us - span.start_us + DAY_US
    is_bad = (span.bad_us[0] <= at_us) & (at_us < span.bad_us[1]) & fleet.is_hit[store]
    return is_bad | _covered(axis_us, starts_us, starts_us + length_us.astype(np.int64))


def _is_open(fleet: Fleet, span: Span, offsets_us: Ints, store: Ints, at_us: Ints) -> Bools:
    """Tell for each poll whether its store is open: a store without hours always is.

    Hours are laid on one axis, a week of seconds a store; what runs past Sunday goes on on Monday.
    """
    zone = np.where(fleet.zone < 0, _DEFAULT_ZONE, fleet.zone)[store]
    local_us = at_us + offsets_us[zone, at_us // HOUR_US - span.start_us // HOUR_US]
    second = (local_us // SECOND_US + 3 * DAY_S) % WEEK_S  # 1970 began on a Thursday
    first, last = np.searchsorted(fleet.hours[:, 0], [store.min(), store.max() + 1])
    owner, day, start_s, end_s = fleet.hours[first:last].T
    closing_s = np.where(end_s >= LAST_MINUTE_S, DAY_S, end_s + DAY_S * (end_s < start_s))
    closes = day * DAY_S + closing_s
    starts = np.append(owner * WEEK_S + day * DAY_S + start_s, owner * WEEK_S)
    ends = owner * WEEK_S + np.stack([np.minimum(closes, WEEK_S), closes - WEEK_S])
    never_closes = np.bincount(owner, minlength=len(fleet.zone)) == 0
    is_open: Bools = _covered(store * WEEK_S + second, starts, ends.ravel()) | never_closes[store]
    return is_open


def _utc_offsets(span: Span) -> Ints:
    """Return what to add to UTC, (zones, hours of the span), in microseconds."""
    hours_us = range(span.start_us // HOUR_US * HOUR_US, span.end_us + 1, HOUR_US)
    instants = [datetime.fromtimestamp(hour_us // SECOND_US, UTC) for hour_us in hours_us]
    return np.array([[_offset_us(instant, ZoneInfo(name)) for instant in instants] for name in _ZONE_NAMES])


def _offset_us(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * SECOND_US
