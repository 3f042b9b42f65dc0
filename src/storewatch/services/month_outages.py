"""The outages of stores in a month, each on its own clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from storewatch.domain.windows import midnights
from storewatch.errors import UsageError
from storewatch.services import outages
from storewatch.services.kept_periods import Look
from storewatch.services.outages import Listed, Which
from storewatch.storage import store_pages, weekly
from storewatch.storage.store_periods import Keys

_MOST_OF_ONE, _MOST_OF_SEVERAL = 100, 20
_MOST = 2_000


@dataclass(frozen=True)
class Outages:
    """Of a store in order, of several longest first; those shown of `count`. `items` None: polls of that time
    are not kept any more. `names` of stores by id, `zones` theirs.
    """

    count: int
    items: list[Listed] | None
    names: dict[str, str]


def outages_of(look: Look, keys: Keys, first: int, last: int, meant: frozenset[str]) -> Outages:
    """Of stores (keys in order) that are looked at; `meant` are the reasons of intended ones."""
    try:
        found = _outages(look, keys, first, last, meant)
    except UsageError:  # it reaches back behind the polls that are kept
        return Outages(0, None, {})
    found.sort(key=lambda each: (-each.outage.down, each.outage.store_id, each.outage.start))
    of_one = look.scope.store_key is not None
    shown = found[: _MOST_OF_ONE if of_one else _MOST_OF_SEVERAL]
    if of_one:
        shown.sort(key=lambda each: each.outage.start)
    names = store_pages.names(look.session, [each.outage.store_id for each in shown])
    return Outages(len(found), shown, names)


def _outages(look: Look, keys: Keys, first: int, last: int, meant: frozenset[str]) -> list[Listed]:
    """By zone, for each has its own midnights."""
    schedule, found = weekly.schedule(look.session, keys, look.request.default_zone), list[Listed]()
    for zone in np.unique(schedule.zone).tolist():
        days = np.array([[first, last + 1]])
        start, end = midnights(days, np.array([zone], np.int32), schedule.zone_names)[0].tolist()
        span = (min(start, look.as_of), min(end, look.as_of))
        own = keys[schedule.zone == zone]
        found += outages.of_stores(
            look.session, own, look.request, span, look.as_of, Which(), meant, None, _MOST
        ).items
    return found
