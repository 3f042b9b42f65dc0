"""What the routes that tell availability share: how they are asked, and how figures are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import current_app
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain.availability import Kind, Policy
from storewatch.domain.clock import DAY, EARLIEST, SECOND, from_us, parse_instant
from storewatch.domain.cost import Lost, rounded
from storewatch.services.chosen import Chosen
from storewatch.services.reporting import MAX_GAP, MIN_GAP, Request
from storewatch.web.api.v1.common import Query, instant
from storewatch.web.context import default_request, now_us

LATEST = 4_102_444_800 * SECOND  # 2100-01-01


def _instant(text: str) -> str:
    at = parse_instant(text) if text else EARLIEST
    if at is None or not EARLIEST <= at <= LATEST:
        raise ValueError("write an instant from 2000 to 2100 like 2023-01-25T18:13:22Z")
    return text


Instant = Annotated[str, Field(max_length=40), AfterValidator(_instant)]
"""RFC 3339 in a query; without an offset it is UTC; empty: not given."""


class ChosenQuery(Query):
    """Of which stores; neither: all that you may see."""

    store_id: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    group_id: UUID | SkipJsonSchema[None] = Field(default=None, description="not together with store_id")

    def chosen(self) -> Chosen:
        """As the services take it."""
        return Chosen(self.store_id or None, self.group_id)


class FiguresQuery(Query):
    """Which figures."""

    figures: Literal["adjusted", "raw"] = Field(
        default="adjusted", description="raw: as if there were no exceptions"
    )

    def usual(self) -> Request:
        """What the services take, by the usual rules."""
        return replace(default_request(), raw=self.figures == "raw")


class RulesQuery(FiguresQuery):
    """By which rules."""

    as_of: Instant = Field(default="", description="T: later polls are not used; left out: the newest poll")
    policy: Literal["nearest", "previous"] = "nearest"
    max_gap_seconds: float = Field(
        default=DAY / SECOND,
        ge=MIN_GAP / SECOND,
        le=MAX_GAP / SECOND,
        description="how far a poll speaks: a minute to 30 days",
    )

    def request(self) -> Request:
        """As the services take it."""
        return replace(
            self.usual(),
            as_of=instant_of(self.as_of),
            policy=Policy(self.policy),
            max_gap=round(self.max_gap_seconds * SECOND),
        )


def instant_of(text: str) -> int | None:
    """Microseconds of an `Instant`; None if it was not given."""
    return parse_instant(text) if text else None


class Times(BaseModel):
    """Exact to the microsecond. up + down + unknown + excluded = open; seen + inferred = up + down."""

    open_seconds: float
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    excluded_seconds: float = Field(description="open time that an exception takes out: neither up nor down")
    seen_seconds: float
    inferred_seconds: float
    availability: float | None = Field(description="up / (up + down); null: nothing is known")
    coverage: float | None = Field(description="seen / open: how much of it was seen; null: never open")


class Figures(Times):
    down_min_seconds: float = Field(description="at least: open time between two polls that are both down")
    down_max_seconds: float = Field(
        description="at most: open time with a poll that is down to one side, within max_gap"
    )
    outages: int = Field(description="how many have a part in it; closed time does not end one")


def told_times(up: int, down: int, unknown: int, seen: int, excluded: int) -> dict[str, Any]:
    """`Times` of microseconds."""
    total = up + down + unknown + excluded
    return {
        "open_seconds": total / SECOND,
        "up_seconds": up / SECOND,
        "down_seconds": down / SECOND,
        "unknown_seconds": unknown / SECOND,
        "excluded_seconds": excluded / SECOND,
        "seen_seconds": seen / SECOND,
        "inferred_seconds": (up + down - seen) / SECOND,
        "availability": up / (up + down) if up + down else None,
        "coverage": seen / total if total else None,
    }


def told_bounds(down_min: int, down_max: int) -> dict[str, Any]:
    """The bounds of downtime, of microseconds."""
    return {"down_min_seconds": down_min / SECOND, "down_max_seconds": down_max / SECOND}


def told_totals(totals: list[int]) -> dict[str, Any]:
    """`Times` of six totals by `Kind`."""
    up_seen, up_inferred, down_seen, down_inferred, unknown, excluded = (totals[kind] for kind in Kind)
    up, down = up_seen + up_inferred, down_seen + down_inferred
    return told_times(up, down, unknown, up_seen + down_seen, excluded)


class Costs(BaseModel):
    """What downtime costs, to the cent; stores whose revenue is not known are left out."""

    lost: float
    lost_seen: float = Field(description="the part of which a poll saw the downtime")
    lost_inferred: float = Field(description="the rest: lost less lost_seen")


def told_lost(lost: Lost) -> dict[str, Any]:
    """`Costs`; each is rounded by itself."""
    amounts = {"lost": lost.whole, "lost_seen": lost.seen, "lost_inferred": lost.inferred}
    return {name: float(rounded(cents)) for name, cents in amounts.items()}


def currency() -> str:
    """That of the fleet."""
    return str(current_app.extensions["storewatch.settings"].currency)


class Present(BaseModel):
    as_of: str = Field(description="T: what polls up to this instant say")
    as_of_age_seconds: float = Field(description="how long ago that was, by the clock of the server")


def told_present(as_of: int) -> dict[str, Any]:
    """`Present`."""
    return {"as_of": told_instant(as_of), "as_of_age_seconds": (now_us() - as_of) / SECOND}


def told_instant(at_us: int) -> str | None:
    """An instant as the API tells it."""
    return instant(from_us(at_us))
