"""A store's timeline: every figure explained by the poll that decided it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, Field

from storewatch.domain.availability import Kind
from storewatch.domain.clock import EARLIEST, SECOND
from storewatch.domain.permissions import READ
from storewatch.errors import UsageError
from storewatch.services import timeline
from storewatch.services.timeline import Piece
from storewatch.storage.exceptions_in_force import Told
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import PageQuery, answer, cursor_of, database, read_cursor, resource
from storewatch.web.api.v1.figures import (
    LATEST,
    Instant,
    Present,
    RulesQuery,
    instant_of,
    told_instant,
    told_present,
)
from storewatch.web.api.v1.stores import StorePath
from storewatch.web.context import now_us

blueprint = resource("Timeline", "A store's time in segments, each with the poll that decided it.")


class TimelineQuery(PageQuery, RulesQuery):
    start: Instant = Field(default="", description="left out: 24 hours before as_of or end")
    end: Instant = Field(default="", description="left out, or later than as_of: up to as_of")
    closed: Literal["", "true", "false"] = Field(
        default="", description="whether to tell closed time as well"
    )


class DecidingPoll(BaseModel):
    timestamp_utc: str
    status: str = Field(description="active or inactive")
    reason: str | None


class ByException(BaseModel):
    effect: str
    exception_id: str | None = Field(description="null: it is of a group that is not yours")
    note: str | None


class IgnoredPoll(BaseModel):
    timestamp_utc: str
    status: str = Field(description="active or inactive")
    reason: str | None
    exception: ByException | None


class Segment(BaseModel):
    start: str
    end: str
    length_seconds: float
    state: str = Field(description="up, down, unknown, excluded, or closed")
    seen: bool | None = Field(description="true: near its poll; false: inferred; null: neither up nor down")
    poll: DecidingPoll | None = Field(description="the one whose state it takes")
    exception: ByException | None = Field(description="the one that decides in place of polls or hours")


class Timeline(Present):
    items: list[Segment]
    ignored_polls: list[IgnoredPoll] = Field(
        description="those in the time of the items that an exception lets not count; 1,000 at most"
    )
    next_cursor: str | None


@blueprint.get(
    "/timeline/<id:store_id>",
    operation_id="getTimeline",
    responses={"200": answer("Segments in order", Timeline)},
)
@needs(READ)
def get_timeline(path: StorePath, query: TimelineQuery) -> Response:
    """A store's open time, cut wherever its state or the poll that decides it changes.

    The segments of a stretch of time add up to its figures. Pages belong together: all are of the `as_of` of
    the first.
    """
    request, start, end = query.request(), instant_of(query.start), instant_of(query.end)
    if start is not None and end is not None and end < start:
        raise UsageError("end lies before start", field="end")
    if query.cursor:
        start, as_of = _read(query.cursor)
        request = replace(request, as_of=as_of)
    found = timeline.timeline(
        database(),
        caller(),
        path.store_id,
        request,
        start,
        end,
        query.limit,
        now_us(),
        closed=query.closed == "true",
    )
    told = found.pieces[: query.limit]
    more = cursor_of(told[-1].end, found.as_of) if len(found.pieces) > query.limit else None
    return jsonify(
        **told_present(found.as_of),
        items=[_shown(piece) for piece in told],
        ignored_polls=[_ignored(each) for each in found.ignored],
        next_cursor=more,
    )


def _read(cursor: str) -> tuple[int, int]:
    """Where the page before ended, and the T of all pages."""
    start, as_of = read_cursor(cursor, int, int) or (0, 0)
    if not (EARLIEST <= start <= LATEST and EARLIEST <= as_of <= LATEST):
        raise UsageError("cursor is none that this list gave", field="cursor")
    return start, as_of


def _shown(piece: Piece) -> dict[str, Any]:
    state, seen = _STATES[piece.kind]
    status = {"up": "active", "down": "inactive"}.get(state)
    poll = (
        {"timestamp_utc": told_instant(piece.poll), "status": status, "reason": piece.reason}
        if piece.poll
        else None
    )
    return {
        "start": told_instant(piece.start),
        "end": told_instant(piece.end),
        "length_seconds": (piece.end - piece.start) / SECOND,
        "state": state,
        "seen": seen,
        "poll": poll,
        "exception": _by(piece.exception),
    }


def _ignored(poll: timeline.IgnoredPoll) -> dict[str, Any]:
    return {
        "timestamp_utc": told_instant(poll.at),
        "status": "active" if poll.active else "inactive",
        "reason": poll.reason,
        "exception": _by(poll.exception),
    }


def _by(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    exception_id = None if told.exception_id is None else str(told.exception_id)
    return {"effect": told.effect, "exception_id": exception_id, "note": told.note}


_STATES: dict[Kind | None, tuple[str, bool | None]] = {
    Kind.UP_SEEN: ("up", True),
    Kind.UP_INFERRED: ("up", False),
    Kind.DOWN_SEEN: ("down", True),
    Kind.DOWN_INFERRED: ("down", False),
    Kind.UNKNOWN: ("unknown", None),
    Kind.EXCLUDED: ("excluded", None),
    None: ("closed", None),
}
