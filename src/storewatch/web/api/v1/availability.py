"""How available a store, a group or all were, in any stretch of time."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Response, jsonify
from pydantic import Field, StringConstraints

from storewatch.domain.permissions import READ
from storewatch.domain.windows import CLASSIC, Elapsed
from storewatch.errors import UsageError
from storewatch.services import availability
from storewatch.services.availability import Between, Window
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import answer, database, resource
from storewatch.web.api.v1.figures import (
    ChosenQuery,
    Figures,
    Instant,
    Present,
    RulesQuery,
    instant_of,
    told_bounds,
    told_instant,
    told_present,
    told_totals,
)
from storewatch.web.context import now_us

blueprint = resource(
    "Availability",
    "How much stores were up during their opening hours, in any stretch of time.",
)

_ELAPSED = {window.name: window for window in CLASSIC}
_NAMES = "|".join(_ELAPSED)
Windows = Annotated[str, StringConstraints(pattern=rf"^(({_NAMES})(,({_NAMES}))*)?$", max_length=100)]


class AvailabilityQuery(ChosenQuery, RulesQuery):
    start: Instant = Field(
        default="", description="a stretch of time from here", examples=["2023-01-24T00:00Z"]
    )
    end: Instant = Field(default="", description="up to here; left out, or later than as_of: up to as_of")
    windows: Windows = Field(
        default="",
        description="of last_hour, last_day, last_week, with commas between: time before as_of. "
        "All three, if there is no start",
    )

    def asked(self) -> list[Elapsed | Between]:
        """The windows, and then the stretch."""
        names = self.windows or ("" if self.start else ",".join(_ELAPSED))
        asked: list[Elapsed | Between] = [_ELAPSED[name] for name in dict.fromkeys(names.split(",")) if name]
        start, end = instant_of(self.start), instant_of(self.end)
        if start is None:
            if end is not None:
                raise UsageError("end is given without a start", field="start")
            return asked
        if end is not None and end < start:
            raise UsageError("end lies before start", field="end")
        return [*asked, Between("range", start, end)]


class AvailabilityWindow(Figures):
    name: str = Field(description="last_hour, last_day, last_week, or range")
    start: str
    end: str = Field(description="no later than as_of")
    longest_outage_seconds: float = Field(description="the open time of the longest, within the window")


class Availability(Present):
    policy: str
    max_gap_seconds: float
    stores: int = Field(description="how many are counted: those polled by as_of")
    windows: list[AvailabilityWindow]


@blueprint.get(
    "/availability",
    operation_id="getAvailability",
    responses={"200": answer("The figures, added up over the stores", Availability)},
)
@needs(READ)
def get_availability(query: AvailabilityQuery) -> Response:
    """Exact, by the rules of the report, for a store, a group, or all that you may see.

    Stores x days (with twice max_gap_seconds) may be 500,000 at most. A store that was archived counts up to
    then.
    """
    request = query.request()
    found = availability.availability(database(), caller(), query.chosen(), request, query.asked(), now_us())
    return jsonify(
        **told_present(found.as_of),
        policy=request.policy.value,
        max_gap_seconds=request.max_gap / 1_000_000,
        stores=found.stores,
        windows=[_shown(window) for window in found.windows],
    )


def _shown(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "start": told_instant(window.start),
        "end": told_instant(window.end),
        **told_totals(window.totals),
        **told_bounds(window.down_min, window.down_max),
        "outages": window.outages,
        "longest_outage_seconds": window.longest / 1_000_000,
    }
