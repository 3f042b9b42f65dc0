"""Who the stores are: ids, zones, habits, what each has on file; and the rows of two of the three files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from storewatch.domain.simulation.units import Bools, Ints
from storewatch.domain.simulation.weekly import _hours

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
