"""A trend of local days, and the hours of the week, of a group or of all that somebody sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import periods
from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.services import fleet_days as adding
from storewatch.storage import fleet, fleet_days
from storewatch.storage.fleet_days import Added

TREND, HEAT = 90, 30
MOST_TWICE = 250
"""So many stores in several of somebody's groups are added up for a page; of more there is no trend."""


@dataclass(frozen=True)
class Trend:
    """`days` are 90 local days (counted from 1970, in order) with their totals by `Kind`; `heat`
    int64[7, 24, 2] down and known microseconds of the last 30; so many of the days are `due`.
    """

    days: list[tuple[int, list[int]]]
    heat: Int64
    due: int


def trend(
    session: Session, seen_by: int | None, group_no: int | None, as_of: int | None, default_zone: str
) -> Trend | None:
    """Of a group that may be seen, or (None) of all that may be; up to the newest day that there is. None if
    too many stores are in several groups.
    """
    ahead = 0 if as_of is None else (as_of - 1) // DAY + 1  # it may be tomorrow in the east
    numbers = _groups(session, seen_by, group_no)
    several = in_several(session, numbers)
    if sum(map(len, several.values())) > MOST_TWICE:
        return None
    found = added(session, numbers, several, ahead - TREND, ahead, default_zone)
    last = int(found.day.max()) if len(found) else ahead - 1
    first = last - TREND + 1
    found = found[found.day >= first]
    totals, heat = np.zeros((TREND, len(Kind)), np.int64), np.zeros((7, 24, 2), np.int64)
    np.add.at(totals, found.day - first, found.sums[:, : len(Kind)])
    late = found[found.day > last - HEAT]
    np.add.at(heat, periods.weekdays(late.day), late.heat)
    # what is due in part may be less than what is taken off
    days = list(zip(range(first, last + 1), np.maximum(totals, 0).tolist(), strict=True))
    return Trend(days, np.maximum(heat, 0), _due(session, numbers, first, last))


def _groups(session: Session, seen_by: int | None, group_no: int | None) -> list[int]:
    if group_no is not None:
        return [group_no]
    return [fleet_days.EVERY] if seen_by is None else fleet.groups_of(session, seen_by)


def in_several(session: Session, numbers: list[int]) -> dict[int, list[int]]:
    """The stores (keys) that are in several of these groups, by in how many."""
    return fleet.in_several(session, numbers) if len(numbers) > 1 else {}


def added(
    session: Session,
    numbers: list[int],
    several: dict[int, list[int]],
    first: int,
    last: int,
    default_zone: str,
) -> Added:
    """The stored days of groups; those of stores that are in several of them are taken off again."""
    found = [fleet_days.read(session, numbers, first, last)]
    for times, keys in several.items():
        twice = fleet_days.of_stores(session, range(first, last + 1), default_zone, keys)
        found.append(_times(adding.by_clock(twice), 1 - times))
    return _joined(found)


def _times(added: Added, factor: int) -> Added:
    return replace(added, stores=added.stores * factor, sums=added.sums * factor, heat=added.heat * factor)


def _joined(parts: list[Added]) -> Added:
    columns: list[Any] = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("group", "day", "stores", "sums", "heat")
    ]
    return Added(*columns)


def _due(session: Session, numbers: list[int], first: int, last: int) -> int:
    due = fleet_days.due(session)
    return len({day for number, day in due if first <= day <= last and (number is None or number in numbers)})
