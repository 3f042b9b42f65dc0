"""How the levels of single stores stand in the periods that run: of all of them at once.

There may be as many of them as stores, so what is kept of all stores is read once in place of each by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from storewatch.domain import periods
from storewatch.domain.service_levels import Verdict, judge
from storewatch.services.kept_periods import Look
from storewatch.services.level_status import Looks, period_of, target_of
from storewatch.services.level_tally import Each, Tallies
from storewatch.storage.store_periods import Scope, Span
from storewatch.storage.truth_tables import ServiceLevel


class Stands(NamedTuple):
    """How a level stands in a period that runs on the clock of its store. Short outages are counted too."""

    level_no: int
    span: Span
    verdict: Verdict


def standing(looks: Looks, levels: Iterable[ServiceLevel]) -> Iterator[Stands]:
    """Of stores that were ever polled. UsageError if it is too much at once."""
    in_order = sorted(levels, key=lambda level: (level.period, level.level_no))
    for period, some in groupby(in_order, lambda level: level.period):
        look, of = looks.look(Scope()), list(some)
        spans = _spans(look, period)
        tallies = Tallies(look, spans, kept=True)
        for number, span in enumerate(spans):
            yield from _stand(tallies.each(number), span, of)


def _spans(look: Look, period: str) -> list[Span]:
    """The periods that run somewhere at T: one, or two that follow each other."""
    if not len(look.today):
        return []
    first = np.unique(periods.starts(period, look.today))
    end = periods.following(period, first)
    return [Span(period, *days) for days in zip(first.tolist(), end.tolist(), strict=True)]


def _stand(each: Each, span: Span, levels: Sequence[ServiceLevel]) -> Iterator[Stands]:
    keys = np.array([level.store_key for level in levels])
    place = np.searchsorted(each.store_keys, keys)
    there = np.append(each.store_keys, -1)[place] == keys
    there[there] &= ~each.over[place[there]]
    for number in np.flatnonzero(there).tolist():
        level, row = levels[number], place[number]
        period = period_of(each.sums[row].tolist(), int(each.whole[row]), over=False)
        yield Stands(level.level_no, span, judge(target_of(level), period))
