"""What stores take: by week, or by hour of the week, which goes before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.periods import WEEK_HOURS
from storewatch.storage.arrays import key_bounds, positions, read_arrays
from storewatch.storage.store_periods import Scope
from storewatch.storage.truth_tables import RevenueHour


@dataclass(frozen=True)
class Revenue:
    """In cents: `weekly` int64[stores], -1 for none; `by_hour` int64[some, 168] of the stores at `place`."""

    weekly: Int64
    place: Int64
    by_hour: Int64

    @property
    def given(self) -> NDArray[np.bool_]:
        """bool[stores]: of which there is any."""
        found = self.weekly >= 0
        found[self.place] = True
        return found


def read(session: Session, store_keys: NDArray[np.int32]) -> Revenue:
    """The revenue of stores, whose keys are in order."""
    bounds, position = key_bounds(store_keys), positions(store_keys)
    key, cents = read_arrays(session, _WEEKLY, bounds, (">i4", ">i8"))
    weekly = np.full(len(store_keys), -1, np.int64)
    asked = position[key] >= 0
    weekly[position[key[asked]]] = cents[asked]
    key, hour, cents = read_arrays(session, _HOURLY, bounds, (">i4", ">i4", ">i8"))
    asked = position[key] >= 0
    place, number = np.unique(position[key[asked]].astype(np.int64), return_inverse=True)
    by_hour = np.zeros((len(place), WEEK_HOURS), np.int64)
    by_hour[number, hour[asked]] = cents[asked]
    weekly[place] = -1
    return Revenue(weekly, place, by_hour)


_WEEKLY = """
    SELECT array_agg(store_key), array_agg((revenue_per_week * 100)::bigint)
    FROM store WHERE revenue_per_week IS NOT NULL AND store_key BETWEEN :low AND :high
"""
_HOURLY = """
    SELECT array_agg(store_key), array_agg(day * 24 + hour), array_agg((amount * 100)::bigint)
    FROM revenue_hour WHERE store_key BETWEEN :low AND :high
"""


def is_given(session: Session, scope: Scope) -> bool:
    """Whether somebody said what one of some stores takes."""
    query = text(f"""
        SELECT EXISTS (SELECT FROM store WHERE revenue_per_week IS NOT NULL AND {scope.where})
            OR EXISTS (SELECT FROM revenue_hour WHERE {scope.where})
    """)
    return bool(session.execute(query).scalar())


def by_hour(session: Session, store_key: int) -> list[Decimal] | None:
    """168 amounts from Monday 0 on; None if none were given."""
    query = select(RevenueHour.day * 24 + RevenueHour.hour, RevenueHour.amount).where(
        RevenueHour.store_key == store_key
    )
    found = {int(hour): amount for hour, amount in session.execute(query)}
    return [found.get(hour, Decimal(0)) for hour in range(WEEK_HOURS)] if found else None


def set_by_hour(session: Session, store_key: int, amounts: Sequence[Decimal] | None) -> None:
    """Gives a store 168 amounts in place of those it has; None: none."""
    session.execute(delete(RevenueHour).where(RevenueHour.store_key == store_key))
    if amounts is not None:
        rows = [
            {"store_key": store_key, "day": hour // 24, "hour": hour % 24, "amount": amount}
            for hour, amount in enumerate(amounts)
        ]
        session.execute(insert(RevenueHour), rows)
