"""A store's time in segments, each with the poll that decided it: so that every figure can be explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import exceptions
from storewatch.domain.availability import Kind, Polls, Rules, Segments, segments
from storewatch.domain.clock import DAY
from storewatch.domain.permissions import Caller
from storewatch.domain.spans import NOTHING, Spans
from storewatch.services import kept, sources
from storewatch.services.availability import as_of_asked
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.reporting import Request
from storewatch.services.sources import Sources
from storewatch.storage import exceptions_in_force, polls, weekly
from storewatch.storage.db import Database
from storewatch.storage.exceptions_in_force import Told


@dataclass(frozen=True)
class Piece:
    """A stretch of one state, or closed (`kind` None); `poll` is the instant of the one that decided it, or
    `exception` says who did.
    """

    start: int
    end: int
    kind: Kind | None
    poll: int | None = None
    reason: str | None = None
    number: int | None = None
    exception: Told | None = None


@dataclass(frozen=True)
class IgnoredPoll:
    """A poll that does not count, by an exception."""

    at: int
    active: bool
    number: int
    reason: str | None = None
    exception: Told | None = None


@dataclass(frozen=True)
class Timeline:
    """Pieces in order; one more than was asked for if there are more. The polls that were ignored in the time
    of those asked for, `MOST_IGNORED` at most.
    """

    as_of: int
    pieces: list[Piece]
    ignored: list[IgnoredPoll]


MOST_IGNORED = 1_000


def timeline(
    database: Database,
    caller: Caller,
    store_id: str,
    request: Request,
    start: int | None,
    end: int | None,
    count: int,
    now_us: int,
    *,
    closed: bool = False,
) -> Timeline:
    """The first pieces of [start, end), as far as it lies before T; with `closed` time told as well.

    Without an end it is T, without a start a day before the end. Errors as for `availability`.
    """
    with database.snapshot() as session:
        as_of = as_of_asked(session, request.checked(now_us))
        key = Chosen(store_id).keys(session, caller)
        until = as_of if end is None else min(end, as_of)
        start = until - DAY if start is None else min(start, until)
        check_size(1, -(-(until - start + 2 * request.max_gap) // DAY), "start")
        kept.check_reach(session, start - request.max_gap, "start")
        rules = Rules(request.policy, request.max_gap, request.seen_within)
        reach = min(as_of, until + rules.max_gap)
        schedule = weekly.schedule(session, key, request.default_zone)
        begin = start - rules.max_gap
        rulings = exceptions.NONE if request.raw else exceptions_in_force.read(session, key, begin, reach)
        given = sources.read((session,), key, schedule, rulings, begin, reach)
        found = segments(given.polls, given.opens, rules, start, reach, given.cover.decided)
        pieces = list(_pieces(found, given.polls, until, count + 1))
        told = (list(_with_closed(pieces, given, start, until, count)) if closed else pieces)[: count + 1]
        shown_until = told[count - 1].end if len(told) > count else until + 1
        ignored = list(_ignored(given, start, shown_until))[:MOST_IGNORED]
        return _explained(session, caller, int(key[0]), Timeline(as_of, told, ignored))


def _pieces(found: Segments, of: Polls, until: int, count: int) -> Iterator[Piece]:
    """The first so many segments that begin before `until`."""
    rows = slice(0, min(count, int(np.searchsorted(found.start, until))))
    ends = np.minimum(found.end[rows], until)
    columns = (found.start[rows], ends, found.kind[rows], found.poll[rows], found.exception[rows])
    for start, end, kind, poll, number in zip(*(column.tolist() for column in columns), strict=True):
        at = int(of.at[poll]) if poll >= 0 else None
        yield Piece(start, end, Kind(kind), at, number=number if number >= 0 else None)


def _with_closed(pieces: list[Piece], given: Sources, start: int, until: int, count: int) -> Iterator[Piece]:
    """The same, with what lies between them."""
    for piece in pieces:
        yield from _closed(given.cover.closed, start, piece.start)
        yield piece
        start = piece.end
    if len(pieces) <= count:
        yield from _closed(given.cover.closed, start, until)


def _closed(by_exception: Spans | None, start: int, end: int) -> Iterator[Piece]:
    """Closed time, cut where an exception says so."""
    spans = by_exception or NOTHING
    for low, high, number in zip(
        spans.start.tolist(), spans.end.tolist(), spans.number.tolist(), strict=True
    ):
        low, high = max(low, start), min(high, end)
        if low < high:
            if start < low:
                yield Piece(start, low, None)
            yield Piece(low, high, None, number=number)
            start = high
    if start < end:
        yield Piece(start, end, None)


def _ignored(given: Sources, start: int, until: int) -> Iterator[IgnoredPoll]:
    """The polls of [start, until) that an exception ignores."""
    spans, every = given.cover.ignored, given.all_polls
    if spans is None:
        return
    low, high = np.searchsorted(every.at, (start, until))
    at, active = every.at[low:high], every.active[low:high]
    span = np.searchsorted(spans.start, at, side="right") - 1
    within = np.flatnonzero((span >= 0) & (at < spans.end[span]))
    columns = (at[within], active[within], spans.number[span[within]])
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield IgnoredPoll(*row)


def _explained(session: Session, caller: Caller, store_key: int, found: Timeline) -> Timeline:
    """With the reasons of polls and the words of exceptions."""
    at = {piece.poll for piece in found.pieces if piece.poll is not None}
    reasons = polls.reasons(session, store_key, sorted(at | {each.at for each in found.ignored}))
    numbers = {piece.number for piece in found.pieces if piece.number is not None}
    numbers |= {each.number for each in found.ignored}
    told = exceptions_in_force.told(session, numbers, caller.seen_by)
    pieces = [
        replace(each, reason=reasons.get(each.poll or 0), exception=told.get(each.number or 0))
        for each in found.pieces
    ]
    ignored = [
        replace(each, reason=reasons.get(each.at), exception=told.get(each.number)) for each in found.ignored
    ]
    return Timeline(found.as_of, pieces, ignored)
