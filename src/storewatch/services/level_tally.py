"""What the periods of a service level hold: read as it is kept where that is right, computed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.axis import Int64
from storewatch.domain.history import Bools, sums
from storewatch.domain.outages import outages
from storewatch.services import history, kept_days, open_ahead
from storewatch.services.chosen import check_size
from storewatch.services.history import Part
from storewatch.services.kept_periods import Look
from storewatch.storage import store_periods, stores
from storewatch.storage.store_periods import Keys, Span

_SIZE = len(store_periods.SUMS)
_OUTAGES = _SIZE - 1


@dataclass(frozen=True)
class Tally:
    """A period of all stores added up: `sums` int64[9] as in `store_periods.SUMS`, `whole` the open time of
    the whole period, that ahead too.
    """

    span: Span
    sums: Int64
    whole: int
    over: bool


@dataclass(frozen=True)
class Each:
    """A period of stores one by one, whose keys are in order: `sums` int64[stores, 9], the others
    int64 and bool[stores]. `counted` are those of which a day is.
    """

    store_keys: Keys
    sums: Int64
    counted: Bools
    whole: Int64
    over: Bools


class Tallies:
    """Of the stores of a level, `kept` if they are those of a group, or all: a store by itself is soon
    computed, and so it is told by the engine. `shortest` microseconds: outages must be so long. Without
    `ahead` the open time of the whole period is not asked for.
    """

    def __init__(
        self, look: Look, spans: Sequence[Span], *, kept: bool, shortest: int = 0, ahead: bool = True
    ) -> None:
        self.look, self.spans, self._ahead = look, spans, ahead
        self._kept, self._shortest = kept and not shortest, shortest
        self._each: dict[int, Each] = {}

    def tally(self, number: int, *, outages: bool) -> Tally:
        """One of the periods. Outages that are not asked for are not counted: -1."""
        span = self.spans[number]
        over = bool(self.look.over(span.end_day).all())
        if self._kept and self._is_settled(span, outages=outages):
            found = self.by_day(number).sum(axis=0)
            found[_OUTAGES] = self.look.counted(span)[1] if outages else -1
            return Tally(span, found, int(found[: len(Kind)].sum()) + self.look.ahead(span), over)
        each = self.each(number)
        return Tally(span, each.sums.sum(axis=0), int(each.whole.sum()), over)

    def _is_settled(self, span: Span, *, outages: bool) -> bool:
        """Whether the kept days tell it, all but how many outages run on over midnight, or these as well."""
        return self.look.settled(span) and (not outages or self.look.whole(span))

    def by_day(self, number: int) -> Int64:
        """int64[days, 9]: one of the periods, day by day, all stores added up."""
        span = self.spans[number]
        if not self._kept:
            return self._computed[number].by_day
        begin = self.spans[0].first_day
        return self._days[span.first_day - begin : span.end_day - begin]

    @cached_property
    def _days(self) -> Int64:
        return kept_days.read(self.look, self.spans[0].first_day, self.spans[-1].end_day)

    def each(self, number: int) -> Each:
        """One of the periods, store by store."""
        if number not in self._each:
            self._each[number] = self._kept_each(number) if self._kept else self._computed_each(number)
        return self._each[number]

    def _computed_each(self, number: int) -> Each:
        keys, computed = self.look.keys, self._computed[number]
        return Each(
            keys,
            computed.sums,
            computed.counted,
            computed.whole,
            self.look.each_over(self.spans[number], keys),
        )

    @cached_property
    def _computed(self) -> list[_Computed]:
        return _of(self.look, self.look.keys, self.spans, self._shortest)

    def _kept_each(self, number: int) -> Each:
        """What is kept, and in its place what is computed of stores of which it may not be right."""
        look, span = self.look, self.spans[number]
        keys = look.keys
        sums, counted = np.zeros((len(keys), _SIZE), np.int64), np.zeros(len(keys), np.bool_)
        there, found = store_periods.each(look.session, look.scope, span)
        asked = np.isin(there, keys)  # one whose polls all went has days still, until the job is there
        place = np.searchsorted(keys, there[asked])
        sums[place], counted[place] = found[asked], True
        gone = np.isin(keys, look.gone(span))
        sums[gone], counted[gone] = 0, False
        left, unsettled = self._left(number)
        whole = sums[:, : len(Kind)].sum(axis=1) + left
        if len(unsettled):
            [computed] = _of(look, unsettled, [span], 0)
            place = np.searchsorted(keys, unsettled)
            sums[place], whole[place], counted[place] = computed.sums, computed.whole, computed.counted
        return Each(keys, sums, counted, whole, look.each_over(span, keys))

    def _left(self, number: int) -> tuple[Int64, Keys]:
        """(int64[stores] the open time ahead of each, the keys of those to be computed)."""
        look, span = self.look, self.spans[number]
        unsettled = look.unsettled(span, with_ahead=self._ahead)
        found = np.zeros(len(look.keys), np.int64)
        if self._ahead:
            keys, ahead = look.each_ahead(span)
            asked = np.isin(keys, look.keys)
            found[np.searchsorted(look.keys, keys[asked])] = ahead[asked]
            unsettled = np.union1d(unsettled, np.setdiff1d(look.keys, keys))
        return found, unsettled


def most(session: Session, store_keys: Keys, values: Int64, count: int) -> list[tuple[str, int]]:
    """(id, row) of so many stores of which a value is greatest, and more than 0; alike ones by id."""
    if not values.any():
        return []
    least = max(1, int(np.sort(values)[-count:][0]))
    some = np.flatnonzero(values >= least)
    ids = stores.ids(session, store_keys[some])
    ranked = sorted(zip((-values[some]).tolist(), ids, some.tolist(), strict=True))[:count]
    return [(store_id, row) for _, store_id, row in ranked]


# --- computed -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Computed:
    """`sums` int64[stores, 9], `counted` bool[stores], `whole` int64[stores], `by_day` int64[days, 9]."""

    sums: Int64
    counted: Bools
    whole: Int64
    by_day: Int64


def _of(look: Look, keys: Keys, spans: Sequence[Span], shortest: int) -> list[_Computed]:
    """Periods that follow each other, of some stores. UsageError if that is too much."""
    first, end = spans[0].first_day, spans[-1].end_day
    check_size(len(keys), end - first, "periods")
    parts = [
        _summed(part, list(spans), shortest)
        for part in history.parts(look.session, keys, look.request, first, end - 1)
    ]
    if not parts:
        return [_nothing(span) for span in spans]
    return [_joined([part[place] for part in parts]) for place in range(len(spans))]


def _nothing(span: Span) -> _Computed:
    days = np.zeros((span.end_day - span.first_day, _SIZE), np.int64)
    return _Computed(days[:0], np.zeros(0, np.bool_), np.zeros(0, np.int64), days)


def _joined(parts: list[_Computed]) -> _Computed:
    return _Computed(
        np.concatenate([part.sums for part in parts]),
        np.concatenate([part.counted for part in parts]),
        np.concatenate([part.whole for part in parts]),
        np.sum([part.by_day for part in parts], axis=0),
    )


def _summed(part: Part, spans: list[Span], shortest: int) -> list[_Computed]:
    size, begin = len(part.seen.store_keys), part.frame.first_day
    first, end = (np.array([getattr(s, name) for s in spans]) for name in ("first_day", "end_day"))
    days = history.days_of(part)
    number = np.searchsorted(first, days.day, side="right") - 1
    told = sums(days, days.store * len(spans) + number, size * len(spans))
    columns = [told.totals, told.down_min[:, None], told.down_max[:, None], told.outages[:, None]]
    found = np.concatenate(columns, axis=1).reshape(size, len(spans), _SIZE)
    edges = _edges(part, first, end)
    if shortest:
        found[:, :, _OUTAGES] = _long_outages(part, found[:, :, _OUTAGES], edges, shortest)
    whole = found[:, :, : len(Kind)].sum(axis=2) + open_ahead.within(part.seen, edges)
    counted = told.days.reshape(size, len(spans)) > 0
    by_day = kept_days.by_day(days, begin, part.frame.days)
    return [
        _Computed(
            found[:, place],
            counted[:, place],
            whole[:, place],
            by_day[span.first_day - begin : span.end_day - begin],
        )
        for place, span in enumerate(spans)
    ]


def _edges(part: Part, first: Int64, end: Int64) -> Int64:
    """int64[stores, periods, 2]: the periods on each store's clock, up to its archiving."""
    edges, begin = part.frame.edges, part.frame.first_day
    gone = np.clip(part.seen.record.archived - begin, 0, part.frame.days)
    until = edges[np.arange(len(edges)), gone]
    spans = np.stack([edges[:, first - begin], edges[:, end - begin]], axis=2)
    return np.minimum(spans, until[:, None, None])


def _long_outages(part: Part, counts: Int64, spans: Int64, shortest: int) -> Int64:
    """int64[stores, periods]: outages whose open time within the period is so long at least."""
    found = np.zeros_like(counts)
    wanted: NDArray[np.bool_] = (part.stored | part.stale) & (counts.sum(axis=1) > 0)[:, None]
    for box in part.seen.computed(part.frame, wanted):
        edges = box.frame.edges
        last = np.minimum(edges[:, -1:, None], part.frame.as_of)
        windows = np.clip(spans[box.stores], np.minimum(edges[:, :1, None], last), last)
        found[box.stores] = outages(box.segments, windows, shortest)[0]
    return np.where(counts > 0, found, 0)
