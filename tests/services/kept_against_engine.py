"""Weeks, months and quarters as they are kept, against the engine's: of all stores, and of each group."""

from __future__ import annotations

import numpy as np
from sqlalchemy import text

from storewatch.domain import periods
from storewatch.domain.availability import Kind
from storewatch.services import month
from storewatch.services.kept_periods import Look
from storewatch.services.level_tally import Tallies, most
from storewatch.services.reporting import Request
from storewatch.storage import polls
from storewatch.storage.db import Database
from storewatch.storage.store_periods import Scope, Span


def assert_periods_equal(database: Database, request: Request) -> int:
    """How many periods could be told by what is kept alone."""
    settled = 0
    with database.snapshot() as session:
        as_of = polls.newest(session)
        groups = session.execute(text("SELECT group_no FROM store_group")).scalars()
        scopes = [Scope(), *(Scope(group_no=number) for number in groups)]
        for look in [Look(session, scope, request, as_of) for scope in scopes if as_of is not None]:
            for period in ("week", "month", "quarter"):
                settled += _equal(look, _spans(look, period))
            _months_equal(look)
    return settled


def _spans(look: Look, period: str) -> list[Span]:
    today = int(look.today.max()) if len(look.today) else look.as_of // 86_400_000_000
    first = periods.latest(period, today, 3)
    end = periods.following(period, first)
    return [Span(period, *days) for days in zip(first.tolist(), end.tolist(), strict=True)]


def _equal(look: Look, spans: list[Span]) -> int:
    kept, told = Tallies(look, spans, kept=True), Tallies(look, spans, kept=False)
    for number in range(len(spans)):
        assert kept.by_day(number).tolist() == told.by_day(number).tolist()
        for outages in (True, False):
            mine, engine = (each.tally(number, outages=outages) for each in (kept, told))
            until = None if outages or mine.sums[-1] >= 0 else -1
            assert mine.sums[:until].tolist() == engine.sums[:until].tolist()
            assert (mine.whole, mine.over) == (engine.whole, engine.over)
        mine_each, engine_each = kept.each(number), told.each(number)
        for name in ("store_keys", "sums", "counted", "whole", "over"):
            assert getattr(mine_each, name).tolist() == getattr(engine_each, name).tolist(), name
    return sum(look.settled(span) for span in spans)


def _months_equal(look: Look) -> None:
    for span in _spans(look, "month"):
        each = Tallies(look, [span], kept=False).each(0)
        down = each.sums[:, Kind.DOWN_SEEN] + each.sums[:, Kind.DOWN_INFERRED]
        worst = [
            (name, each.sums[row].tolist()) for name, row in most(look.session, each.store_keys, down, 2)
        ]
        stores, outages, longest = month._stores(look, span.first_day, span.end_day - 1, 2)
        assert (stores, outages) == (each.counted.sum(), each.sums[:, -1].sum())
        assert [(name, sums) for _, name, sums in longest] == worst
        assert np.array(down).sum() >= sum(sum(sums[2:4]) for _, sums in worst)
