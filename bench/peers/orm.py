"""The straightforward program: store by store, objects from the SQLAlchemy ORM, a loop in Python.

It is what people write for this exercise, written with care: an index serves every query, only the columns'
own objects are loaded, each store's polls once, sums are in whole microseconds. Only the figures are
counted, not the writing of a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import BigInteger, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.peers.given import KINDS, OPENS_TABLE, Given, Totals, answer, read

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


class Base(DeclarativeBase):
    """Models of this program's own."""


class StoreStatus(Base):
    __tablename__ = "store_status"
    store_key: Mapped[int] = mapped_column(primary_key=True)
    timestamp_utc: Mapped[datetime] = mapped_column(primary_key=True)
    active: Mapped[bool]


class OpenInterval(Base):
    __tablename__ = OPENS_TABLE
    store_key: Mapped[int] = mapped_column(primary_key=True)
    start_us: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    end_us: Mapped[int] = mapped_column(BigInteger)


Interval = tuple[int, int]
Stretch = tuple[int, int, int]
"""(start, end, index of the kind)"""


def main() -> None:
    given = read()
    keys = given.stores[np.linspace(0, len(given.stores) - 1, given.part).astype(int)].tolist()
    engine = create_engine(given.url.replace("postgresql://", "postgresql+psycopg://", 1))
    with Session(engine) as session:
        answer(given, "orm", lambda: _totals(session, given, keys), keys=keys)


def _totals(session: Session, given: Given, keys: list[int]) -> Totals:
    totals = []
    for key in keys:
        totals.append(_store(session, given, key))
        session.expunge_all()  # or every poll of every store would stay in memory
    return np.array(totals, np.int64)


def _store(session: Session, given: Given, key: int) -> list[list[int]]:
    opens = [
        (interval.start_us, interval.end_us)
        for interval in session.scalars(
            select(OpenInterval).where(OpenInterval.store_key == key).order_by(OpenInterval.start_us)
        )
    ]
    reach, as_of = (_EPOCH + us * _US for us in (given.reach, given.as_of))
    polls = session.scalars(
        select(StoreStatus)
        .where(StoreStatus.store_key == key, StoreStatus.timestamp_utc.between(reach, as_of))
        .order_by(StoreStatus.timestamp_utc)
    )
    found = [((poll.timestamp_utc - _EPOCH) // _US, poll.active) for poll in polls]
    stretches = _known([poll for poll in found if _is_open(opens, poll[0])], given)
    return [_sums(stretches, opens, given.as_of - length, given.as_of) for length in given.lengths]


def _is_open(opens: Sequence[Interval], at: int) -> bool:
    return any(start <= at < end for start, end in opens)


def _known(polls: list[tuple[int, bool]], given: Given) -> list[Stretch]:
    """What is up or down, seen or inferred, around each poll."""
    stretches = []
    for number, (at, active) in enumerate(polls):
        low, high = at - given.max_gap, at + given.max_gap
        if number:
            low = max(low, (polls[number - 1][0] + at) // 2)
        if number + 1 < len(polls):
            high = min(high, (at + polls[number + 1][0]) // 2)
        first, last = max(low, at - given.seen_within), min(high, at + given.seen_within)
        kind = 0 if active else 2
        stretches += [(low, first, kind + 1), (first, last, kind), (last, high, kind + 1)]
    return [stretch for stretch in stretches if stretch[0] < stretch[1]]


def _sums(stretches: list[Stretch], opens: Sequence[Interval], start: int, end: int) -> list[int]:
    """The five totals of a window."""
    sums = [0] * len(KINDS)
    for opening, closing in opens:
        low, high = max(opening, start), min(closing, end)
        if low >= high:
            continue
        sums[-1] += high - low
        for first, last, kind in stretches:
            length = min(last, high) - max(first, low)
            if length > 0:
                sums[kind] += length
                sums[-1] -= length
    return sums


if __name__ == "__main__":
    main()
