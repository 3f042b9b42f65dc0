"""Outages one by one, and what they add up to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, Field

from storewatch.domain.clock import EARLIEST, SECOND
from storewatch.domain.outage_words import worded
from storewatch.domain.permissions import READ
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.errors import UsageError
from storewatch.services import outages
from storewatch.services.availability import Between
from storewatch.services.outages import After, Found, Listed, Summary, Which
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import PageQuery, answer, cursor_of, database, read_cursor, resource
from storewatch.web.api.v1.figures import (
    LATEST,
    ChosenQuery,
    Instant,
    Present,
    RulesQuery,
    instant_of,
    told_bounds,
    told_instant,
    told_present,
)
from storewatch.web.api.v1.outage_notes import Note, told_note
from storewatch.web.context import intended_reasons, now_us

blueprint = resource("Outages", "When stores were down: from when until when, who saw it, and why.")

_ELAPSED = {window.name: window for window in CLASSIC}


class OutagesQuery(PageQuery, ChosenQuery, RulesQuery):
    start: Instant = Field(
        default="",
        description="of outages with a part in the time from here",
        examples=["2023-01-24T00:00Z"],
    )
    end: Instant = Field(default="", description="up to here; left out, or later than as_of: up to as_of")
    window: Literal["last_hour", "last_day", "last_week"] = Field(
        default="last_week", description="before as_of, if there is no start"
    )
    min_seconds: float = Field(
        default=0,
        ge=0,
        le=366 * 86_400,
        description="only outages of so much open time at least, within the range",
    )
    state: Literal["", "ongoing"] = Field(default="", description="ongoing: only those that run at as_of")
    sort: Literal["newest", "longest"] = Field(default="newest", description="which come first")

    def asked(self) -> Elapsed | Between:
        """The range."""
        start, end = instant_of(self.start), instant_of(self.end)
        if start is None:
            if end is not None:
                raise UsageError("end is given without a start", field="start")
            return _ELAPSED[self.window]
        if end is not None and end < start:
            raise UsageError("end lies before start", field="end")
        return Between("range", start, end)

    def which(self) -> Which:
        """As the service takes it."""
        return Which(round(self.min_seconds * SECOND), self.state == "ongoing", self.sort == "longest")


class Outage(BaseModel):
    """Instants that are null are not known: nobody saw it, or it lies too far outside the range."""

    store_id: str
    zone: str
    start: str = Field(description="within the range")
    end: str
    counted_from: str | None = Field(description="its beginning, whatever the range")
    last_seen_up: str | None = Field(description="the poll before")
    first_seen_down: str | None
    counted_until: str | None = Field(description="its end; null: ongoing, or it lies too far off")
    last_seen_down: str | None
    first_seen_up: str | None = Field(description="the poll after")
    ongoing: bool | None = Field(description="it runs at as_of; null: its end lies too far off")
    down_seconds: float = Field(description="open time within the range")
    down_seen_seconds: float
    down_min_seconds: float
    down_max_seconds: float
    polls: int = Field(description="how many saw it within the range")
    reasons: dict[str, int] = Field(description="those that these polls gave, and how many did")
    intended: bool = Field(description="all its reasons are among those of STOREWATCH_INTENDED_REASONS")
    told: str = Field(description="the same in a sentence, on the store's clock")
    notes: list[Note]


class OutageSummary(BaseModel):
    outages: int
    down_seconds: float
    longest_seconds: float | None = Field(description="null: no outage")
    mean_seconds: float | None = Field(description="MTTR: down / outages; null: no outage")
    mtbf_seconds: float | None = Field(description="(open - down) / outages; null: no outage")
    intended_outages: int
    intended_seconds: float = Field(description="the part of down that they make")


class Outages(Present):
    start: str
    end: str
    stores: int = Field(description="of how many stores")
    open_seconds: float
    summary: OutageSummary = Field(description="all outages of the range")
    chosen: OutageSummary = Field(description="those that min_seconds and state leave")
    items: list[Outage]
    next_cursor: str | None


@blueprint.get(
    "/outages", operation_id="listOutages", responses={"200": answer("A page of outages", Outages)}
)
@needs(READ)
def list_outages(query: OutagesQuery) -> Response:
    """The outages of a store, a group, or all that you may see, with a part in a stretch of time.

    One over the edge of the range is clipped to it, and counts. Bounds as for availability, with three days
    more to either side. Pages belong together: all are of the `as_of` of the first.
    """
    request, after = query.request(), None
    if query.cursor:
        as_of, after = _read(query.cursor)
        request = replace(request, as_of=as_of)
    found = outages.outages(
        database(),
        caller(),
        query.chosen(),
        request,
        query.asked(),
        query.which(),
        intended_reasons(),
        now_us(),
        after,
        query.limit + 1,
    )
    shown = found.items[: query.limit]
    more = len(found.items) > query.limit
    return jsonify(
        **told_present(found.as_of),
        start=told_instant(found.start),
        end=told_instant(found.end),
        stores=found.stores,
        open_seconds=found.every.open / SECOND,
        summary=_summary(found.every),
        chosen=_summary(found.chosen),
        items=[_shown(item) for item in shown],
        next_cursor=_cursor(query, found, shown[-1]) if more else None,
    )


def _cursor(query: OutagesQuery, found: Found, last: Listed) -> str:
    value = last.outage.down if query.sort == "longest" else last.outage.start
    return cursor_of(found.as_of, value, last.outage.store_id, last.outage.start)


def _read(cursor: str) -> tuple[int, After]:
    """The T of all pages, and where the page before ended."""
    as_of, value, store_id, start = read_cursor(cursor, int, int, str, int) or (0, 0, "", 0)
    if not EARLIEST <= as_of <= LATEST:
        raise UsageError("cursor is none that this list gave", field="cursor")
    return as_of, After(value, store_id, start)


def _shown(item: Listed) -> dict[str, Any]:
    outage = item.outage
    instants = {
        name: None if getattr(outage, name) is None else told_instant(getattr(outage, name))
        for name in _INSTANTS
    }
    return {
        "store_id": outage.store_id,
        "zone": outage.zone,
        **instants,
        "ongoing": outage.ongoing,
        "down_seconds": outage.down / SECOND,
        "down_seen_seconds": outage.seen / SECOND,
        **told_bounds(outage.down_min, outage.down_max),
        "polls": outage.polls,
        "reasons": outage.reasons,
        "intended": outage.intended,
        "told": worded(outage),
        "notes": [told_note(note) for note in item.notes],
    }


_INSTANTS = (
    *("start", "end", "counted_from", "last_seen_up", "first_seen_down"),
    *("counted_until", "last_seen_down", "first_seen_up"),
)


def _summary(of: Summary) -> dict[str, Any]:
    return {
        "outages": of.count,
        "down_seconds": of.down / SECOND,
        "longest_seconds": None if of.longest is None else of.longest / SECOND,
        "mean_seconds": None if of.mean is None else of.mean / SECOND,
        "mtbf_seconds": None if of.mtbf is None else of.mtbf / SECOND,
        "intended_outages": of.intended,
        "intended_seconds": of.intended_down / SECOND,
    }
