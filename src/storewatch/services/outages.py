"""Outages one by one: of a store, a group or all, newest or longest first; and what they add up to."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain.availability import Polls, Rules, segments, totals
from storewatch.domain.axis import Axis, Int64
from storewatch.domain.clock import DAY
from storewatch.domain.outage_list import NONE, Outages, Seen, joined, listed
from storewatch.domain.outage_words import Outage
from storewatch.domain.permissions import Caller
from storewatch.domain.windows import Elapsed
from storewatch.services import kept, sources
from storewatch.services.availability import Between, archived, as_of_asked, keys_asked, span_asked
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.reporting import Request
from storewatch.storage import exceptions_in_force, outage_notes, polls, retention, stores, weekly
from storewatch.storage.db import Database
from storewatch.storage.outage_notes import Note

AROUND = 3 * DAY
"""So far before and after the range is looked, and max_gap further, for where an outage began and ended."""

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
    start, end = span_asked(asked, as_of)
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

    def summary(self, rows: Int64) -> Summary:
        """What some add up to."""
        down, meant = self.rows.down[rows], self.meant[rows]
        longest = int(down.max()) if len(rows) else None
        return Summary(
            len(rows), self.open, int(down.sum()), longest, int(meant.sum()), int(down[meant].sum())
        )

    def told(self, row: int, ids: Sequence[str]) -> Outage:
        """One of them, in plain values."""
        one = self.rows[np.array([row])]
        values = {name: getattr(one, name).tolist()[0] for name in _TOLD}
        instants = {name: None if values[name] == NONE else values[name] for name in _INSTANTS}
        store = int(one.store[0])
        if instants["counted_until"] is None and not values["ongoing"]:
            values["ongoing"] = None
        return Outage(
            store_id=ids[store],
            zone=self.zones[store],
            reasons=self.reasons.get(row, {}),
            intended=bool(self.meant[row]),
            **(values | instants),
        )


_INSTANTS = (
    *("counted_from", "counted_until", "last_seen_up"),
    *("first_seen_down", "last_seen_down", "first_seen_up"),
)
_TOLD = ("start", "end", *_INSTANTS, "down", "seen", "down_min", "down_max", "polls", "ongoing")


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
    rules = Rules(request.policy, request.max_gap, request.seen_within)
    schedule = weekly.schedule(session, keys, request.default_zone)
    until_archived = archived(session, keys, schedule)
    windows = np.minimum(np.array(span, np.int64), until_archived[:, None])
    start = max(span[0] - AROUND - rules.max_gap, retention.polls_from(session) + rules.max_gap)
    reach, until = start - rules.max_gap, min(as_of, span[1] + AROUND + rules.max_gap)
    rulings = exceptions.NONE if request.raw else exceptions_in_force.read(session, keys, reach, until)
    given = sources.read((session,), keys, schedule, rulings, reach, until)
    found = segments(given.polls, given.opens, rules, start, until, given.cover.decided)
    some, seen = listed(found, given.polls, windows, until - rules.max_gap, to_present=until == as_of)
    some.ongoing[until_archived[some.store] <= as_of] = False
    by_outage = _reasons(session, keys, given.polls, some, seen, reach, until)
    parts.meant.append(np.array([_is_meant(by_outage.get(row), meant) for row in range(len(some))], np.bool_))
    parts.reasons |= {row + parts.count: texts for row, texts in by_outage.items()}
    parts.lists.append(some.shifted(len(parts.zones)))
    parts.zones += [schedule.zone_names[number] for number in schedule.zone.tolist()]
    parts.open += int(totals(found, windows[:, None]).sum())
    parts.count += len(some)


def _is_meant(reasons: dict[str, int] | None, meant: frozenset[str]) -> bool:
    """Whether there are reasons, and all of them are those of intended outages."""
    return bool(reasons) and meant.issuperset(reasons or ())


def _reasons(
    session: Session,
    keys: NDArray[np.int32],
    polled: Polls,
    some: Outages,
    seen: Seen,
    start: int,
    until: int,
) -> dict[int, dict[str, int]]:
    """How often each reason was given, by outage; those without any are left out."""
    down = np.unique(some.store)
    said = polls.reasons_between(session, keys[down], start, until)
    axis = Axis(start, until)
    place = axis.pack(polled.store[seen.poll], polled.at[seen.poll])
    order = np.argsort(place, kind="stable")
    asked = axis.pack(down[said.store], said.at)
    at = np.minimum(np.searchsorted(place, asked, sorter=order), max(0, len(order) - 1))
    hit = np.flatnonzero(place[order[at]] == asked) if len(order) else np.empty(0, np.int64)
    pair = seen.outage[order[at[hit]]] * max(1, len(said.text)) + said.code[hit]
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for each, count in zip(*(column.tolist() for column in np.unique(pair, return_counts=True)), strict=True):
        outage, code = divmod(each, max(1, len(said.text)))
        found[outage][said.text[code]] = count
    return dict(found)


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
