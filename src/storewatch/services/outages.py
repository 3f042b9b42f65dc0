"""Outages one by one: of a store, a group or all, newest or longest first; and what they add up to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY
from storewatch.domain.outage_list import Outages, joined
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Caller
from storewatch.domain.totals import totals
from storewatch.domain.windows import Elapsed
from storewatch.services import kept
from storewatch.services.availability import Between, as_of_asked, keys_asked, span_asked
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.outage_pass import AROUND, run, told
from storewatch.services.reporting import Request
from storewatch.storage import outage_notes, stores
from storewatch.storage.db import Database
from storewatch.storage.outage_notes import Note

_STORES_AT_ONCE = 5_000  # bounds the memory


@dataclass(frozen=True)
class Which:
    """Which outages, and in which order: those of `min_us` open time at least; `ongoing` only those that run
    at T; `longest` first in place of the newest.
    """

    min_us: int = 0
    ongoing: bool = False
    longest: bool = False


@dataclass(frozen=True)
class After:
    """The last outage of the page before: what it is sorted by, its store and start."""

    value: int
    store_id: str
    start: int


@dataclass(frozen=True)
class Summary:
    """What outages add up to; microseconds. None stands for "no outage"."""

    count: int
    open: int
    down: int
    longest: int | None
    intended: int
    intended_down: int

    @property
    def mean(self) -> float | None:
        """MTTR: how long one takes."""
        return self.down / self.count if self.count else None

    @property
    def mtbf(self) -> float | None:
        """The open time between them."""
        return (self.open - self.down) / self.count if self.count else None


@dataclass(frozen=True)
class Listed:
    """An outage, and what people know of it."""

    outage: Outage
    notes: list[Note]


@dataclass(frozen=True)
class Found:
    """A page of outages in [start, end), one more than was asked for if there are more; what all of them
    add up to, and those that were chosen.
    """

    as_of: int
    start: int
    end: int
    stores: int
    every: Summary
    chosen: Summary
    items: list[Listed]


def intended(setting: str) -> frozenset[str]:
    """The reasons that a setting lists, with commas between."""
    return frozenset(text.strip() for text in setting.split(",") if text.strip())


def outages(
    database: Database,
    caller: Caller,
    chosen: Chosen,
    request: Request,
    asked: Elapsed | Between,
    which: Which,
    meant: frozenset[str],
    now_us: int,
    after: After | None = None,
    count: int = 100,
) -> Found:
    """A page of the outages with a part in a stretch of time, as far as it lies before T.

    Each is clipped to it. `meant` are the reasons of intended ones. NotFoundError for what the caller may not
    see, UsageError for what makes no sense or is too much.
    """
    with database.snapshot() as session:
        request = request.checked(now_us)
        return within(session, caller, chosen, request, asked, which, meant, after, count)


def within(
    session: Session,
    caller: Caller,
    chosen: Chosen,
    request: Request,
    asked: Elapsed | Between,
    which: Which,
    meant: frozenset[str],
    after: After | None = None,
    count: int = 100,
) -> Found:
    """The same in a snapshot that is there already, of a request that was checked."""
    as_of = as_of_asked(session, request)
    keys = keys_asked(session, caller, chosen, as_of)
    return of_stores(session, keys, request, span_asked(asked, as_of), as_of, which, meant, after, count)


def of_stores(
    session: Session,
    keys: NDArray[np.int32],
    request: Request,
    span: tuple[int, int],
    as_of: int,
    which: Which,
    meant: frozenset[str],
    after: After | None = None,
    count: int = 100,
) -> Found:
    """Of stores that the caller may see, in [start, end), which does not reach past T."""
    start, end = span
    reach = end - start + 2 * AROUND + 4 * request.max_gap
    check_size(len(keys), -(-reach // DAY), "start")
    kept.check_reach(session, start - request.max_gap, "start")
    whole = _all(session, keys, request, (start, end), as_of, meant)
    shown = whole.chosen(which)
    ids = stores.ids(session, keys)
    page = _page(whole, shown, ids, which, after, count)
    items = [whole.told(row, ids) for row in page]
    notes = outage_notes.of_stores(session, keys[np.unique(whole.rows.store[page])])
    return Found(
        as_of,
        start,
        end,
        len(keys),
        whole.summary(np.arange(len(whole.rows))),
        whole.summary(shown),
        [
            Listed(item, [note for note in notes.get(item.store_id, []) if item.holds(note.at)])
            for item in items
        ],
    )


# --- the engine -----------------------------------------------------------------------------------


@dataclass
class _All:
    """All outages of a question: `reasons` by their number, `open` what the stores were open altogether."""

    rows: Outages
    meant: NDArray[np.bool_]
    reasons: dict[int, dict[str, int]]
    zones: list[str]
    open: int

    def chosen(self, which: Which) -> Int64:
        """Which are chosen."""
        some = self.rows.down >= which.min_us
        if which.ongoing:
            some &= self.rows.ongoing
        return np.flatnonzero(some)

    def told(self, row: int, ids: Sequence[str]) -> Outage:
        """One of them, in plain values."""
        store = int(self.rows.store[row])
        reasons, meant = self.reasons.get(row, {}), bool(self.meant[row])
        return told(self.rows, row, ids[store], self.zones[store], reasons, intended=meant)

    def summary(self, rows: Int64) -> Summary:
        """What some add up to."""
        down, meant = self.rows.down[rows], self.meant[rows]
        longest = int(down.max()) if len(rows) else None
        return Summary(
            len(rows), self.open, int(down.sum()), longest, int(meant.sum()), int(down[meant].sum())
        )


@dataclass
class _Parts:
    """What is gathered, some stores at a time."""

    lists: list[Outages] = field(default_factory=list)
    meant: list[NDArray[np.bool_]] = field(default_factory=list)
    reasons: dict[int, dict[str, int]] = field(default_factory=dict)
    zones: list[str] = field(default_factory=list)
    open: int = 0
    count: int = 0


def _all(
    session: Session,
    keys: NDArray[np.int32],
    request: Request,
    span: tuple[int, int],
    as_of: int,
    meant: frozenset[str],
) -> _All:
    parts = _Parts()
    for first in range(0, max(1, len(keys)), _STORES_AT_ONCE):
        _add(parts, session, keys[first : first + _STORES_AT_ONCE], request, span, as_of, meant)
    return _All(joined(parts.lists), np.concatenate(parts.meant), parts.reasons, parts.zones, parts.open)


def _add(
    parts: _Parts,
    session: Session,
    keys: NDArray[np.int32],
    request: Request,
    span: tuple[int, int],
    as_of: int,
    meant: frozenset[str],
) -> None:
    done = run(session, keys, request, np.full(len(keys), span[0]), span[1], as_of)
    schedule, some, by_outage = done.schedule, done.rows, done.reasons
    parts.meant.append(np.array([_is_meant(by_outage.get(row), meant) for row in range(len(some))], np.bool_))
    parts.reasons |= {row + parts.count: texts for row, texts in by_outage.items()}
    parts.lists.append(some.shifted(len(parts.zones)))
    parts.zones += [schedule.zone_names[number] for number in schedule.zone.tolist()]
    parts.open += int(totals(done.found, done.windows[:, None]).sum())
    parts.count += len(some)


def _is_meant(reasons: dict[str, int] | None, meant: frozenset[str]) -> bool:
    """Whether there are reasons, and all of them are those of intended outages."""
    return bool(reasons) and meant.issuperset(reasons or ())


# --- a page ---------------------------------------------------------------------------------------


def _page(
    whole: _All, rows: Int64, ids: Sequence[str], which: Which, after: After | None, count: int
) -> Int64:
    """The next rows in order: by what they are sorted by, the highest first, then by store and start."""
    in_order = sorted(ids)
    rank = np.searchsorted(np.array(in_order, object), np.array(ids, object))
    value = (whole.rows.down if which.longest else whole.rows.start)[rows]
    store, start = rank[whole.rows.store[rows]], whole.rows.start[rows]
    order = np.lexsort((start, store, -value))
    if after is not None:
        place = bisect_left(in_order, after.store_id)
        beyond = (value < after.value) | (value == after.value) & (
            (store > place) | (store == place) & (start > after.start)
        )
        order = order[beyond[order]]
    return rows[order[:count]]
