"""Make up a fleet and its polls: the generator behind `storewatch simulate`. Pure: no files, no clock.

    seed ─┬─> fleet: ids, zones, weekly hours, habits ──────────────────┐
          ├─> span: start, end, holes, a bad half hour ─┐               │
          └─> for each batch of stores:                 v               v
                 instants of polls, sorted out by holes ──> open? in an outage? ──> active or inactive

The shares are those of a real fleet of 14,092 stores in 2023, and so are the oddities: ids above 2^53,
hours split at midnight, holes in which nobody is polled. Shares are met as exactly as the number of stores
allows, not drawn store by store, so that a fleet of three is not all exceptions.

Instants are int64 microseconds UTC; intervals are half-open; times of day are seconds since local midnight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

HOUR_S, DAY_S, WEEK_S = 3_600, 86_400, 604_800
LAST_MINUTE_S, LAST_SECOND_S = 23 * HOUR_S + 59 * 60, DAY_S - 1

_ZONES = {
    "America/New_York": 0.604,
    "America/Los_Angeles": 0.238,
    "America/Chicago": 0.112,
    "America/Phoenix": 0.031,
    "America/Denver": 0.009,
    "America/Detroit": 0.005,
    "America/Indiana/Indianapolis": 0.001,
}
_LONE_ZONES = ("America/Boise", "America/Edmonton", "Asia/Beirut", "Pacific/Honolulu")
_ZONE_NAMES = (*_ZONES, *_LONE_ZONES)
_DEFAULT_ZONE = _ZONE_NAMES.index("America/Chicago")
_LONE_ZONES_FROM = 50  # stores: in a smaller fleet a store in Beirut would be a strange share

# What a store has on file: hours and zone, zone alone, neither, hours alone.
_ON_FILE = (0.7805, 0.1738, 0.0455, 0.0002)
_UNPOLLED = 0.0084  # stores with hours that nobody polls, on top of those asked for

_POLLS_PER_HOUR: dict[float, float] = {1: 0.930, 2: 0.069, 3: 0.001}
_DILIGENCE = {1.0: 0.50, 0.97: 0.25, 0.90: 0.25}  # the share of a store's polls that arrive
_OUTAGES_PER_DAY = {0.1: 0.85, 0.8: 0.12, 4.0: 0.03}  # good, shaky and bad stores
_SHAKY = 0.8
_SPARSE = 0.02  # stores with one to five polls in all
_DARK = 0.58  # stores that go offline when they close; the others stay on
_HIT = 0.6  # stores that the bad half hour reaches
_OUTAGE_MIN_US, _OUTAGE_MAX_US = 10 * MINUTE_US, DAY_US
_PROMPT = 0.85  # polls that come soon after the full hour; the rest come anywhere in it
_WHOLE_SECOND = 0.0002  # polls without a fraction of a second
_DOUBLED = 1_000  # one row in so many is written twice

_QUIET_US = 6 * HOUR_US  # nothing is missing this shortly before the end
_LONG_HOLE_H, _LONGEST_HOLE_H = 9.2, 40.7
_BATCH_POLLS, _BATCH_STORES = 500_000, 4_096  # bounds of the memory that one batch takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Who the stores are. Arrays are by store; the first `polled` stores have polls, the few others none."""

    seed: int
    polled: int
    ids: pl.Series  # text, 15 to 19 digits
    zone: Ints  # index into the zone names, -1 for none
    hours: Ints  # (rows, 4): store, day 0 = Monday, start and end in seconds; sorted by store
    per_hour: Ints
    diligence: NDArray[np.float64]
    outages_per_day: NDArray[np.float64]
    is_sparse: Bools
    goes_dark: Bools
    is_hit: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When polls are made, `[start_us, end_us]`, and what befalls the whole fleet in that time."""

    start_us: int
    end_us: int
    holes_us: Ints  # (holes, 2): nobody is polled
    bad_us: tuple[int, int]  # many stores are down at once


# ---- the fleet -------------------------------------------------------------------------------------------


def make_fleet(*, stores: int, seed: int) -> Fleet:
    """Return a fleet of `stores` polled stores and a few unpolled ones, the same for the same arguments."""
    rng = np.random.default_rng([seed, 0])
    total = stores + int(stores * _UNPOLLED)
    on_file = np.append(_share_out(rng, _ON_FILE, stores), np.zeros(total - stores, np.int64))
    rates = _pick(rng, _OUTAGES_PER_DAY, total)
    rates[0] = max(rates[0], _SHAKY)  # so that a fleet of one has something to show
    is_sparse = _share_out(rng, (1 - _SPARSE, _SPARSE), total) == 1
    return Fleet(
        seed=seed,
        polled=stores,
        ids=_ids(rng, total),
        zone=_zones(rng, has_zone=on_file <= 1),
        hours=_hours(rng, np.flatnonzero(on_file % 3 == 0)),
        per_hour=np.where(is_sparse, 1, _pick(rng, _POLLS_PER_HOUR, total).astype(np.int64)),
        diligence=_pick(rng, _DILIGENCE, total),
        outages_per_day=rates,
        is_sparse=is_sparse,
        goes_dark=_share_out(rng, (_DARK, 1 - _DARK), total) == 0,
        is_hit=_share_out(rng, (_HIT, 1 - _HIT), total) == 0,
    )


def timezone_rows(fleet: Fleet) -> pl.DataFrame:
    """Return the rows of `store_timezone.csv`."""
    known = np.flatnonzero(fleet.zone >= 0)
    zones = pl.Series(_ZONE_NAMES).gather(fleet.zone[known])
    frame = pl.DataFrame({"store_id": fleet.ids.gather(known), "timezone_str": zones})
    return frame.sort("timezone_str", maintain_order=True)


def hours_rows(fleet: Fleet) -> pl.DataFrame:
    """Return the rows of `menu_hours.csv`, by end as in the field: a store's days lie far apart."""
    store, day, start_s, end_s = fleet.hours.T
    columns = {
        "store_id": fleet.ids.gather(store),
        "day": day,
        "start_time_local": _clock_text(start_s),
        "end_time_local": _clock_text(end_s),
    }
    return pl.DataFrame(columns).sort("end_time_local", maintain_order=True)


def _share_out(rng: np.random.Generator, shares: Sequence[float], stores: int) -> Ints:
    """Return the class (0, 1, ...) of each store, (stores,), in these shares and in random order."""
    bounds = np.cumsum(shares)[:-1]
    classes = np.searchsorted(bounds, (np.arange(stores) + 0.5) / stores)
    return rng.permutation(classes).astype(np.int64)


def _pick(rng: np.random.Generator, shares: dict[float, float], stores: int) -> NDArray[np.float64]:
    """Share out the values of `shares` (value to share) among the stores, (stores,)."""
    values = np.array(list(shares), np.float64)
    return values[_share_out(rng, list(shares.values()), stores)]


def _ids(rng: np.random.Generator, stores: int) -> pl.Series:
    """Return unique ids as text, even over 63 bits: so nine in ten have 19 digits, and few lie below 2^53."""
    numbers = np.empty(0, np.int64)
    while len(numbers) < stores:
        numbers = np.unique(np.append(numbers, rng.integers(10**14, 2**63 - 1, stores)))
    return pl.Series(rng.permutation(numbers)[:stores]).cast(pl.String)


def _zones(rng: np.random.Generator, *, has_zone: Bools) -> Ints:
    """Return the index of each store's zone, (stores,), -1 where it has none."""
    zone = np.where(has_zone, _share_out(rng, list(_ZONES.values()), len(has_zone)), -1)
    if len(has_zone) >= _LONE_ZONES_FROM:
        alone = rng.choice(np.flatnonzero(has_zone), len(_LONE_ZONES), replace=False)
        zone[alone] = len(_ZONES) + np.arange(len(_LONE_ZONES))
    return zone


def _clock_text(seconds: Ints) -> pl.Series:
    """Return `HH:MM:SS` for seconds since midnight, 0 to 86,399."""
    return pl.Series(seconds * 1_000_000_000).cast(pl.Time).dt.to_string("%H:%M:%S")


# ---- weekly hours ----------------------------------------------------------------------------------------


class _Day(NamedTuple):
    """The times of day, in seconds, from which a style makes the rows of a store's opening day."""

    opens: int
    closes: int
    late: int  # closing time after midnight
    midnight: int  # how this store writes 24:00
    pause: int  # between two sittings
    extra: int  # how much longer it is open on Fridays and Saturdays


_Row = tuple[int, int, int]  # weekday (in a style: days after the opening day), start, end


def _around_the_clock(_: _Day) -> list[_Row]:
    return [(0, 0, LAST_SECOND_S)]


def _daytime(day: _Day) -> list[_Row]:
    return [(0, day.opens, max(day.closes, day.opens + 4 * HOUR_S))]


def _until_midnight(day: _Day) -> list[_Row]:
    return [(0, day.opens, day.midnight)]


def _split_at_midnight(day: _Day) -> list[_Row]:
    return [(0, day.opens, day.midnight), (1, 0, day.late)]


def _past_midnight(day: _Day) -> list[_Row]:
    return [(0, day.opens, day.late)]


def _two_sittings(day: _Day) -> list[_Row]:
    lunch = min(day.opens, 11 * HOUR_S)
    dinner = lunch + 6 * HOUR_S
    return [(0, lunch, dinner - day.pause), (0, dinner, max(day.closes, 20 * HOUR_S))]


def _three_sittings(day: _Day) -> list[_Row]:
    lunch = 11 * HOUR_S
    return [(0, 7 * HOUR_S, lunch - min(day.pause, HOUR_S)), *_two_sittings(day._replace(opens=lunch))]


def _with_a_sliver(day: _Day) -> list[_Row]:
    (row,) = _daytime(day)
    return [row, (0, row[2] + 600, row[2] + 659)]  # 59 seconds: the field has them, nobody knows why


_STYLES: dict[Callable[[_Day], list[_Row]], float] = {
    _around_the_clock: 0.13,
    _daytime: 0.53,
    _until_midnight: 0.10,
    _split_at_midnight: 0.16,
    _past_midnight: 0.03,
    _two_sittings: 0.03,
    _three_sittings: 0.01,
    _with_a_sliver: 0.01,
}
# How many stores in a hundred choose which time of day, in hours.
_OPENS_H = {6: 9, 7: 7, 8: 5, 9: 4, 10: 16, 10.5: 5, 11: 38, 11.5: 6, 12: 6, 16: 2, 17: 2}
_CLOSES_H = {14.5: 3, 19: 7, 20: 9, 20.5: 9, 20.75: 5, 21: 16, 21.5: 10, 22: 17, 22.5: 7, 23: 13, 23.5: 4}
_LATE_H = {0.5: 4, 1: 32, 1.5: 7, 1.75: 5, 2: 28, 2.5: 6, 3: 12, 4: 6}
_MIDNIGHT_H = {LAST_MINUTE_S / HOUR_S: 50, LAST_SECOND_S / HOUR_S: 50}
_PAUSE_H = {0.0: 17, 1 / 3600: 17, 1 / 60: 16, 2.5: 50}  # touching, a moment apart, an afternoon
_EXTRA_H = {0.0: 70, 0.5: 15, 1.0: 15}
_DAY_TABLES = (_OPENS_H, _CLOSES_H, _LATE_H, _MIDNIGHT_H, _PAUSE_H, _EXTRA_H)  # in the order of _Day
_LATEST_S = 23 * HOUR_S + 30 * 60
_OPEN_DAYS = {7: 74, 6: 18, 5: 5, 4: 1, 1: 2}
_FRIDAY, _SATURDAY = 4, 5


def _hours(rng: np.random.Generator, stores: NDArray[np.intp]) -> Ints:
    """Return the weekly hours of these stores as rows (store, day, start, end)."""
    styles, chances = list(_STYLES), list(_STYLES.values())
    columns = (
        stores.tolist(),
        rng.choice(len(styles), len(stores), p=chances).tolist(),
        np.column_stack([_draw(rng, table, len(stores), HOUR_S) for table in _DAY_TABLES]).tolist(),
        _open_days(rng, len(stores)),
    )
    rows = [
        (store, *row)
        for store, style, day, weekdays in zip(*columns, strict=True)
        for row in _week(styles[style], _Day(*day), weekdays)
    ]
    return np.array(rows, np.int64).reshape(-1, 4)


def _week(style: Callable[[_Day], list[_Row]], day: _Day, weekdays: list[int]) -> list[_Row]:
    """Return the (weekday, start, end) of one store's week; a store that never closes opens every day."""
    usual = style(day)
    weekend = style(day._replace(closes=min(day.closes + day.extra, _LATEST_S)))
    return [
        ((weekday + later) % 7, start_s, end_s)
        for weekday in (range(7) if style is _around_the_clock else weekdays)
        for later, start_s, end_s in (weekend if weekday in (_FRIDAY, _SATURDAY) else usual)
    ]


def _open_days(rng: np.random.Generator, stores: int) -> list[list[int]]:
    """Return for each store the weekdays on which it opens, in random order."""
    counts = _draw(rng, _OPEN_DAYS, stores).tolist()
    orders = rng.permuted(np.tile(np.arange(7), (stores, 1)), axis=1).tolist()
    return [order[:count] for order, count in zip(orders, counts, strict=True)]


def _draw(rng: np.random.Generator, percent: Mapping[Any, int], stores: int, unit: int = 1) -> Ints:
    """Draw one of the values in `percent` for each store, (stores,), in whole numbers after `unit`."""
    values = np.rint(np.array(list(percent)) * unit).astype(np.int64)
    return np.asarray(rng.choice(values, stores, p=np.array(list(percent.values())) / 100))


# ---- the span --------------------------------------------------------------------------------------------


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


# ---- the polls -------------------------------------------------------------------------------------------


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


def _covered(points: Ints, starts: Ints, ends: Ints) -> Bools:
    """Tell which points lie in at least one of the intervals `[start, end)`, in any order or overlap."""
    order = np.argsort(starts)
    latest = np.append(np.iinfo(np.int64).min, np.maximum.accumulate(ends[order]))
    begun = np.searchsorted(starts[order], points, side="right")
    is_covered: Bools = points < latest[begun]
    return is_covered
