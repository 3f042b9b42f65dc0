"""Local days of many stores added up: as they are kept of groups and of all, computed where they are due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR
from storewatch.domain.history import Days
from storewatch.services import fleet_trend, history
from storewatch.services.chosen import check_size
from storewatch.services.kept_periods import Look
from storewatch.storage import fleet, fleet_days, store_periods

_SIZE = len(store_periods.SUMS)
_CLOCKS = 16 * HOUR


def read(look: Look, first_day: int, end_day: int) -> Int64:
    """int64[days, 9] as in `store_periods.SUMS`: of a group, or of all that somebody may see."""
    groups = _groups(look)
    found = np.zeros((end_day - first_day, _SIZE), np.int64)
    if len(groups) == 1:
        day, sums = fleet_days.read_sums(look.session, groups[0], first_day, end_day - 1)
    else:
        several = fleet_trend.in_several(look.session, groups)
        zone = look.request.default_zone
        kept = fleet_trend.added(look.session, groups, several, first_day, end_day - 1, zone)
        day, sums = kept.day, kept.sums
    np.add.at(found, day - first_day, sums)
    low, high = _due(look, groups, first_day, end_day)
    if low < high:
        check_size(len(look.keys), high - low, "first_day")
        found[low - first_day : high - first_day] = 0
        for part in history.parts(look.session, look.keys, look.request, low, high - 1):
            found[low - first_day : high - first_day] += by_day(history.days_of(part), low, high - low)
    return found


def _groups(look: Look) -> list[int]:
    """The groups whose stores, each counted once, are those that are looked at."""
    if look.scope.group_no is not None:
        return [look.scope.group_no]
    seen_by = look.scope.seen_by
    return [fleet_days.EVERY] if seen_by is None else fleet.groups_of(look.session, seen_by)


def by_day(days: Days, first_day: int, count: int) -> Int64:
    """int64[days, 9]: days of stores, added up."""
    columns = [days.totals, days.down_min[:, None], days.down_max[:, None], days.outages[:, None]]
    found = np.zeros((count, _SIZE), np.int64)
    np.add.at(found, days.day - first_day, np.concatenate(columns, axis=1))
    return found


def _due(look: Look, groups: Sequence[int], first_day: int, end_day: int) -> tuple[int, int]:
    """From the first to the last of the days that are not to be read as they are kept."""
    if look.request.raw:
        return first_day, end_day
    due = look.due_before(end_day)
    low = [(at - _CLOCKS) // DAY for at in due.first.tolist()]
    high = [end_day] * len(low)
    marked = [day for number, day in look.fleet_due if number is None or number in groups]
    marked = [day for day in marked if first_day <= day < end_day]
    low, high = low + marked, high + [day + 1 for day in marked]
    if not low:
        return first_day, first_day
    return max(first_day, min(low)), min(end_day, max(high))
