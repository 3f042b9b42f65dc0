"""From when on opening hours count, and what of the past that changes; for files and for single stores."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from storewatch.domain import zones
from storewatch.domain.week_days import changed_days
from storewatch.domain.weekly import NOT_SAID
from storewatch.storage import week_change


@dataclass(frozen=True)
class HoursFrom:
    """From which local day on hours hold that don't say it, as `weekly.read_hours` has it; and in which
    zone stores without one are.
    """

    since: int = NOT_SAID
    default_zone: str = zones.DEFAULT_ZONE


FROM_TODAY = HoursFrom()


def past_days(session: Session) -> int:
    """How many local days before today, since a store's first poll, have other hours after a change of
    weeks; of all stores together.
    """
    return sum(
        changed_days(store.before, store.after, store.first, store.today)
        for store in week_change.past(session)
    )
