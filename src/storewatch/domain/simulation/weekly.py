"""Weekly opening hours: the styles that stores keep, and how many stores keep each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.simulation.units import HOUR_S, LAST_MINUTE_S, LAST_SECOND_S, Ints


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
