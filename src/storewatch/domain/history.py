"""Segments -> a store's local days: five totals, outages, and each kind of time by local hour.

    local midnight                                                next midnight
    day         [-------|-------|-------|-- ... --|-------|---)
    hour            0       1       2                23     24       elapsed, not the clock's

An hour is one of elapsed time since local midnight, the last one as long as the day leaves it. So a day
has 23 to 25, also where the clocks shift by half an hour (24 then, the last of 30 minutes), and
whatever is told by hour adds up to the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storewatch.domain.availability import Kind, Segments, totals
from storewatch.domain.axis import Int64
from storewatch.domain.clock import HOUR
from storewatch.domain.outages import outages

_DOWN = (Kind.DOWN_SEEN, Kind.DOWN_INFERRED)


@dataclass(frozen=True)
class Days:
    """Local days of stores, as columns of one length.

    `store` positions, `day` dates counted from 1970-01-01; `by_hour` int64[days, hours, 5] microseconds by
    `Kind`, zero from the day's own number of `hours` on; `starts_down` and `ends_down` say whether an
    outage runs at the first and at the last open instant.
    """

    store: NDArray[np.int64]
    day: Int64
    hours: Int64
    by_hour: Int64
    outages: Int64
    longest: Int64
    starts_down: NDArray[np.bool_]
    ends_down: NDArray[np.bool_]
    complete: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.store)

    @property
    def totals(self) -> Int64:
        """int64[days, 5]: microseconds by `Kind`."""
        result: Int64 = self.by_hour.sum(axis=1)
        return result

    def by_length(self) -> Iterator[Days]:
        """Parts whose days have the same number of hours, and no more in `by_hour`."""
        for hours in np.unique(self.hours).tolist():
            part = self._rows(self.hours == hours)
            yield Days(**(vars(part) | {"by_hour": part.by_hour[:, :hours]}))

    def _rows(self, which: NDArray[np.bool_]) -> Days:
        return Days(**{name: column[which] for name, column in vars(self).items()})


def days(found: Segments, edges: Int64, wanted: NDArray[np.bool_], first_day: int, as_of: int) -> Days:
    """The wanted days that begin before `as_of`.

    `edges` int64[stores, days + 1] are the midnights of the days from `first_day` on, `wanted`
    bool[stores, days]. The segments cover them up to `as_of`.
    """
    start, end = edges[:, :-1], np.minimum(edges[:, 1:], as_of)
    length = edges[:, 1:] - start
    store, day = np.nonzero(wanted & (start < end))
    spans = np.stack([start, np.maximum(start, end)], axis=2)
    number, longest = outages(found, spans)
    first_down, last_down = _down_at_ends(found, spans)
    hours = -(-length // HOUR)
    return Days(
        store=store,
        day=day + first_day,
        hours=hours[store, day],
        by_hour=_by_hour(found, spans, int(hours.max()))[store, day],
        outages=number[store, day],
        longest=longest[store, day],
        starts_down=first_down[store, day],
        ends_down=last_down[store, day],
        complete=(edges[:, 1:] <= as_of)[store, day],
    )


def _by_hour(found: Segments, spans: Int64, hours: int) -> Int64:
    """int64[stores, days, hours, 5]."""
    stores, count, _ = spans.shape
    start = spans[:, :, :1] + np.arange(hours) * HOUR
    edges = np.minimum(np.stack([start, start + HOUR], axis=3), spans[:, :, 1][:, :, None, None])
    return totals(found, edges.reshape(stores, count * hours, 2)).reshape(stores, count, hours, len(Kind))


def _down_at_ends(found: Segments, spans: Int64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """bool[stores, days]: whether the first and the last segment of each day are down."""
    stores, count, _ = spans.shape
    down = np.append(np.isin(found.kind, _DOWN), False)
    row = np.repeat(np.arange(stores), count)
    start, end = (found.axis.pack(row, spans[:, :, side].reshape(-1)) for side in (0, 1))
    first = np.searchsorted(found.place + found.length, start, side="right")
    last = np.searchsorted(found.place, end, side="left") - 1
    open_at_all = (first <= last) & (start < end)
    ends = (open_at_all & down[first], open_at_all & down[last])
    return ends[0].reshape(stores, count), ends[1].reshape(stores, count)
