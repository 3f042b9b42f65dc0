"""Make up a fleet and its polls: the generator behind `storewatch simulate`. Pure: no files, no clock.

    seed ─┬─> fleet: ids, zones, weekly hours, habits ──────────────────┐
          ├─> span: start, end, holes, a bad half hour ─┐               │
          └─> for each batch of stores:                 v               v
                 instants of polls, sorted out by holes ──> open? in an outage? ──> active or inactive

    fleet.py     who the stores are: ids, zones, habits; the rows of two of the files
    weekly.py    their weekly opening hours, in the styles of the field
    span.py      start and end, holes, the bad half hour; which instants an interval covers
    polls.py     who is polled when and with what answer; the rows of the third file
    units.py     lengths of time and kinds of arrays, for all of them

The shares are those of a real fleet of 14,092 stores in 2023, and so are the oddities: ids above 2^53,
hours split at midnight, holes in which nobody is polled. Shares are met as exactly as the number of stores
allows, not drawn store by store, so that a fleet of three is not all exceptions.

Instants are int64 microseconds UTC; intervals are half-open; times of day are seconds since local midnight.
"""

from storewatch.domain.simulation.fleet import _ZONE_NAMES, Fleet, hours_rows, make_fleet, timezone_rows
from storewatch.domain.simulation.polls import (
    _in_outage,
    _is_open,
    _utc_offsets,
    file_order,
    poll_batches,
    poll_rows,
)
from storewatch.domain.simulation.span import Span, _covered, make_span
from storewatch.domain.simulation.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MINUTE_US",
    "SECOND_US",
    "_ZONE_NAMES",
    "Fleet",
    "Span",
    "_covered",
    "_in_outage",
    "_is_open",
    "_utc_offsets",
    "file_order",
    "hours_rows",
    "make_fleet",
    "make_span",
    "poll_batches",
    "poll_rows",
    "timezone_rows",
]
