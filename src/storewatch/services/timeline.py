"""A store's time in segments, each with the poll that decided it: so that every figure can be explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from storewatch.domain import hours
from storewatch.domain.availability import Kind, Polls, Rules, Segments, segments
from storewatch.domain.clock import DAY
from storewatch.domain.permissions import Caller
from storewatch.services import kept
from storewatch.services.availability import as_of_asked
from storewatch.services.chosen import Chosen, check_size
from storewatch.services.reporting import Request
from storewatch.storage import polls, weekly
from storewatch.storage.db import Database


@dataclass(frozen=True)
class Piece:
    """A stretch of one state, or closed (`kind` None); `poll` is the instant of the one that decided it."""

    start: int
    end: int
    kind: Kind | None
    poll: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Timeline:
    """Pieces in order; one more than was asked for if there are more."""

    as_of: int
    pieces: list[Piece]


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
        opens = hours.open_intervals(schedule, start - rules.max_gap, reach + 1)
        found = polls.read((session,), key, start - rules.max_gap, reach)
        pieces = list(_pieces(segments(found, opens, rules, start, reach), found, until, count + 1))
        told = list(_with_closed(pieces, start, until, count)) if closed else pieces
        return Timeline(as_of, _with_reasons(session, int(key[0]), told[: count + 1]))


def _pieces(found: Segments, of: Polls, until: int, count: int) -> Iterator[Piece]:
    """The first so many segments that begin before `until`."""
    rows = slice(0, min(count, int(np.searchsorted(found.start, until))))
    columns = (found.start[rows], np.minimum(found.end[rows], until), found.kind[rows], found.poll[rows])
    for start, end, kind, poll in zip(*(column.tolist() for column in columns), strict=True):
        yield Piece(start, end, Kind(kind), int(of.at[poll]) if poll >= 0 else None)


def _with_closed(pieces: list[Piece], start: int, until: int, count: int) -> Iterator[Piece]:
    """The same, with what lies between them."""
    for piece in pieces:
        if start < piece.start:
            yield Piece(start, piece.start, None)
        yield piece
        start = piece.end
    if start < until and len(pieces) <= count:
        yield Piece(start, until, None)


def _with_reasons(session: Session, store_key: int, pieces: list[Piece]) -> list[Piece]:
    at = sorted({piece.poll for piece in pieces if piece.poll is not None})
    reasons = polls.reasons(session, store_key, at)
    return [
        Piece(piece.start, piece.end, piece.kind, piece.poll, reasons.get(piece.poll or 0))
        for piece in pieces
    ]
