"""A month of the stores that one may see, of a group or a store: all that its page shows, as of one T."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain.availability import Kind
from storewatch.domain.clock import DAY, from_us
from storewatch.domain.cost import Lost
from storewatch.domain.permissions import Caller
from storewatch.services import kept_days, level_pages, periods, ranking
from storewatch.services.chosen import Chosen
from storewatch.services.kept_periods import Look
from storewatch.services.level_pages import Line
from storewatch.services.level_status import Looks
from storewatch.services.level_tally import Tallies, most
from storewatch.services.month_outages import Outages, outages_of
from storewatch.services.periods import Asked
from storewatch.services.ranking import Row
from storewatch.services.reporting import Request
from storewatch.storage import exceptions, groups, revenue, store_pages, store_periods
from storewatch.storage.db import Database
from storewatch.storage.exceptions import Filter
from storewatch.storage.history import MAX_GAP
from storewatch.storage.store_periods import Keys, Span

_MOST_LEVELS, _MOST_EXCEPTIONS = 20, 50
_WITH_COSTS = 1_000
"""So many stores times days are soon computed, with what they cost; of more that is told apart."""


@dataclass(frozen=True)
class Day:
    """A local day of all the stores; `lost` None: it is not told here, or nobody knows what they take."""

    day: int
    totals: list[int]
    bounds: tuple[int, int]
    outages: int
    lost: Lost | None = None


@dataclass(frozen=True)
class Sums:
    """`whole` all of them over the month, of so many `stores`, `worst` those that were down longest.

    `priced`: somebody knows what one of them takes; of `unpriced` stores nobody does, None: it is told apart
    what the downtime costs.
    """

    whole: Row
    stores: int
    worst: list[Row]
    days: list[Day]
    priced: bool
    unpriced: int | None


@dataclass(frozen=True)
class Month:
    """`complete`: it was over at T on all clocks. `first_us` is the earliest instant that a poll speaks of,
    `names` are those of stores by id, `of` what the store or group is called (empty: all that may be seen),
    `zones` those of the stores. `outages` are those of a store; of several they are told apart.
    """

    as_of: int
    first_us: int | None
    first_day: int
    last_day: int
    complete: bool
    sums: Sums
    names: dict[str, str]
    levels: list[Line]
    exceptions: list[exceptions.Found]
    outages: Outages | None
    of: str
    zones: list[str]


def month(
    database: Database,
    caller: Caller,
    chosen: Chosen,
    first: int,
    last: int,
    count: int,
    request: Request,
    meant: frozenset[str],
) -> Month:
    """Of the local days from first to last, so many of those that were down longest; `meant` are the reasons
    of intended outages. NotFoundError for what
    may not be seen, NoPollsError without polls, UsageError if it is too much.
    """
    with database.snapshot() as session:
        looks = Looks(session, request)
        look = looks.look(chosen.scope(session, caller))
        sums = _sums(look, caller, chosen, first, last, count)
        wanted = [row.store_id for row in sums.worst] + [chosen.store_id or ""]
        names = store_pages.names(session, wanted)
        found = Month(
            look.as_of,
            store_periods.first_poll(session, look.scope, MAX_GAP),
            first,
            last,
            bool(look.over(last + 1).all()),
            sums,
            names,
            level_pages.of_month(looks, caller, chosen, first, _MOST_LEVELS),
            _exceptions(look, caller, first, last),
            None if chosen.store_id is None else outages_of(look, look.keys, first, last, meant),
            _called(session, caller, chosen, names),
            look.zones,
        )
        session.expunge_all()  # what it tells of outlives the session
        return found


def _called(session: Session, caller: Caller, chosen: Chosen, names: dict[str, str]) -> str:
    if chosen.store_id is not None:
        return names.get(chosen.store_id, chosen.store_id)
    group = None if chosen.group_id is None else groups.find(session, chosen.group_id, caller.seen_by)
    return group.name if group else ""


def _exceptions(look: Look, caller: Caller, first: int, last: int) -> list[exceptions.Found]:
    """Those in force that may lie in the month: what concerns a store, a group's own and those of all stores,
    or what concerns any.
    """
    start, end = from_us(first * DAY), from_us((last + 1) * DAY)
    of = look.scope
    which = Filter(of.store_key, of.group_no, in_force=True, start=start, end=end, or_all=True)
    rows = exceptions.page(look.session, caller.seen_by, which, None, _MOST_EXCEPTIONS)
    found = exceptions.shown(look.session, rows, caller.seen_by)
    return found


# --- figures --------------------------------------------------------------------------------------


def _sums(look: Look, caller: Caller, chosen: Chosen, first: int, last: int, count: int) -> Sums:
    priced = revenue.is_given(look.session, look.scope)
    of_one = look.scope.store_key is not None
    if of_one or (priced and len(look.keys) * (last - first + 1) <= _WITH_COSTS):
        return _computed(look, caller, chosen, first, last, count)
    return _kept(look, first, last, count, priced=priced)


def _computed(look: Look, caller: Caller, chosen: Chosen, first: int, last: int, count: int) -> Sums:
    """With what the downtime costs."""
    days = periods.within(look.session, caller, chosen, "day", Asked(first, last), look.request)
    found = ranking.within(look.session, look.keys, first, last, look.request)
    priced = any(row.lost is not None for row in found.rows)
    worst = sorted((row for row in found.rows if row.down), key=lambda row: row.rank("down"))[:count]
    told = days.sums
    columns = (days.first, told.totals, told.down_min, told.down_max, told.outages)
    by_day = [
        Day(day, totals, (least, most_), outages, lost if priced else None)
        for day, totals, least, most_, outages, lost in zip(
            *(column.tolist() for column in columns), days.lost, strict=True
        )
    ]
    return Sums(found.together, len(found.rows), worst, by_day, priced, found.unpriced if priced else 0)


def _kept(look: Look, first: int, last: int, count: int, *, priced: bool) -> Sums:
    """From what is kept, where it is right."""
    days = kept_days.read(look, first, last + 1)
    by_day = [
        Day(first + number, totals, (least, most_), outages)
        for number, (*totals, least, most_, outages) in enumerate(days.tolist())
    ]
    stores, outages, worst = _stores(look, first, last, count)
    whole = np.append(days.sum(axis=0)[:-1], outages)
    rows = [_row(store_id, sums) for _, store_id, sums in worst]
    return Sums(_row("", whole.tolist()), stores, rows, by_day, priced, None if priced else 0)


_Longest = list[tuple[int, str, list[int]]]
"""Key, id, sums."""


def _stores(look: Look, first: int, last: int, count: int) -> tuple[int, int, _Longest]:
    """(how many have a day in it, how many outages they had, those down longest)."""
    span = Span("month", first, last + 1)
    session, scope, gone = look.session, look.scope, look.gone(span)
    if look.whole(span):
        stores, outages = look.counted(span)
        return stores, outages, store_periods.longest_down(session, scope, span, gone, count)
    each = Tallies(look, [span], kept=True, ahead=False).each(0)
    down = each.sums[:, Kind.DOWN_SEEN] + each.sums[:, Kind.DOWN_INFERRED]
    worst = [
        (int(each.store_keys[row]), store_id, each.sums[row].tolist())
        for store_id, row in most(session, each.store_keys, down, count)
    ]
    return int(each.counted.sum()), int(each.sums[:, -1].sum()), worst


def longest_down(look: Look, first: int, last: int, count: int) -> Keys:
    """The keys, in order, of so many stores that were down longest in a month."""
    return np.array(sorted(key for key, _, _ in _stores(look, first, last, count)[2]), np.int32)


def _row(store_id: str, sums: list[int]) -> Row:
    *totals, least, most_, outages = sums
    return Row(store_id, totals, (least, most_), outages, None)


def months_before(found: Month) -> bool:
    """Whether a poll speaks of the time before the month, on any clock."""
    return found.first_us is not None and found.first_us < (found.first_day - 1) * DAY
