"""Stores side by side: ranked over a range of local days, and two ranges compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.cost import Lost
from storewatch.domain.history import sums
from storewatch.domain.permissions import Caller
from storewatch.errors import NoPollsError, UsageError
from storewatch.services import history, revenue
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.periods import Asked
from storewatch.services.reporting import Request
from storewatch.storage import polls, stores
from storewatch.storage.db import Database

SORTS = ("down", "availability", "outages", "lost")


@dataclass(frozen=True)
class Row:
    """A store over some days; `totals` microseconds by `Kind`, `bounds` those of the downtime.

    `lost` None: its revenue is not known.
    """

    store_id: str
    totals: list[int]
    bounds: tuple[int, int]
    outages: int
    lost: Lost | None

    @property
    def down(self) -> int:
        """Microseconds."""
        return self.totals[Kind.DOWN_SEEN] + self.totals[Kind.DOWN_INFERRED]

    def rank(self, sort: str) -> tuple[float, str]:
        """Sorts the worst first, where nothing is known last, and alike ones by id."""
        up = self.totals[Kind.UP_SEEN] + self.totals[Kind.UP_INFERRED]
        if sort == "availability":
            return (up / (up + self.down) if up + self.down else 2.0), self.store_id
        if sort == "lost":
            return (1.0 if self.lost is None else -float(self.lost.whole)), self.store_id
        return -float(self.outages if sort == "outages" else self.down), self.store_id


@dataclass(frozen=True)
class Range:
    """Local days, both included, and the stores of which one is counted in it."""

    first_day: int
    last_day: int
    rows: list[Row]

    @property
    def together(self) -> Row:
        """Added up, by open time. `lost` leaves out the stores whose revenue is not known."""
        totals = np.array([row.totals for row in self.rows], np.int64).reshape(-1, len(Kind)).sum(axis=0)
        least, most = (sum(row.bounds[side] for row in self.rows) for side in (0, 1))
        lost = sum((row.lost for row in self.rows if row.lost is not None), Lost())
        return Row("", totals.tolist(), (least, most), sum(row.outages for row in self.rows), lost)

    @property
    def unpriced(self) -> int:
        """Of how many stores the revenue is not known."""
        return sum(row.lost is None for row in self.rows)


def ranking(
    database: Database, caller: Caller, chosen: Chosen, asked: Asked, request: Request
) -> tuple[int, Range]:
    """(T, the stores). NotFoundError for what may not be seen, UsageError if it is too much."""
    with database.snapshot() as session:
        as_of = _as_of(session)
        return as_of, within(session, chosen.keys(session, caller), *asked.range(as_of), request)


def comparison(
    database: Database, caller: Caller, chosen: Chosen, asked: Asked, other: Asked, request: Request
) -> tuple[int, Range, Range]:
    """(T, one range, the other), by default as many days right before it. Errors as for `ranking`."""
    with database.snapshot() as session:
        as_of = _as_of(session)
        first, last = asked.range(as_of)
        if (other.first_day is None) != (other.last_day is None):
            raise UsageError("Give both days of the other range, or neither", field="other_last_day")
        before = other.range(as_of) if other.first_day is not None else (2 * first - last - 1, first - 1)
        keys = chosen.keys(session, caller)
        one, two = (within(session, keys, *days, request) for days in ((first, last), before))
        return as_of, one, two


def _as_of(session: Session) -> int:
    as_of = polls.newest(session)
    if as_of is None:
        raise NoPollsError("There are no polls yet, so there is no history: import store_status first")
    return as_of


def within(session: Session, keys: NDArray[np.int32], first: int, last: int, request: Request) -> Range:
    """The stores over some days, in a snapshot that is there already. UsageError if it is too much."""
    check_size(len(keys), last - first + 1, "first_day")
    ids, rows = stores.ids(session, keys), list[Row]()
    for part in history.parts(session, keys, request, first, last):
        days, count = history.days_of(part), len(part.seen.store_keys)
        told = sums(days, days.store, count)
        lost, priced = revenue.lost(session, part, days, days.store, count)
        columns = (told.totals, told.down_min, told.down_max, told.outages, told.days, priced)
        of_part = ids[len(ids) - len(keys) :][:count]
        rows += [
            Row(store_id, totals, (least, most), outages, cost if has else None)
            for store_id, cost, totals, least, most, outages, number, has in zip(
                of_part, lost, *(column.tolist() for column in columns), strict=True
            )
            if number
        ]
        keys = keys[count:]
    return Range(first, last, rows)
