"""Stores side by side: ranked, and two ranges of days compared."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from flask import Response, jsonify
from pydantic import BaseModel, Field

from storewatch.domain.clock import SECOND
from storewatch.domain.cost import Lost, rounded
from storewatch.domain.permissions import READ
from storewatch.services import ranking
from storewatch.services.ranking import Range, Row
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import answer, cursor_of, database, read_cursor, resource
from storewatch.web.api.v1.figures import Figures, Present, currency, told_bounds, told_present, told_totals
from storewatch.web.api.v1.history import DaysQuery, DayText

blueprint = resource("Ranking", "Which stores were worst, and what changed from one time to another.")

_EPOCH = date(1970, 1, 1)


class RankingQuery(DaysQuery):
    sort: Literal["down", "availability", "outages", "lost"] = Field(
        default="down", description="the worst first; where nothing is known last"
    )
    cursor: str = Field(default="", max_length=400)
    limit: int = Field(default=100, ge=1, le=1000)


class Ranked(Figures):
    store_id: str
    lost: float | None = Field(description="null: its revenue is not known")
    lost_seen: float | None
    lost_inferred: float | None


class Ranking(Present):
    first_day: date
    last_day: date
    stores: int = Field(description="of how many stores a day is counted")
    currency: str
    stores_without_revenue: int
    items: list[Ranked]
    next_cursor: str | None


class ComparisonQuery(DaysQuery):
    other_first_day: DayText = Field(default="", description="left out: as many days right before")
    other_last_day: DayText = ""
    most: int = Field(default=10, ge=0, le=1000, description="so many of the stores that changed most")


class Whole(Figures):
    first_day: date
    last_day: date
    stores: int
    stores_without_revenue: int
    lost: float
    lost_seen: float
    lost_inferred: float


class Difference(BaseModel):
    """Of each figure, what it is more than in the other range; null where one of them is not known."""

    open_seconds: float
    up_seconds: float
    down_seconds: float
    unknown_seconds: float
    excluded_seconds: float
    seen_seconds: float
    inferred_seconds: float
    availability: float | None
    coverage: float | None
    outages: int
    lost: float


class StoreDifference(BaseModel):
    store_id: str
    down_seconds: float
    other_down_seconds: float
    difference_seconds: float


class Comparison(Present):
    currency: str
    range: Whole
    other: Whole
    difference: Difference
    changed_most: list[StoreDifference] = Field(description="by downtime, those that changed most first")


@blueprint.get(
    "/ranking", operation_id="rankStores", responses={"200": answer("The stores in order", Ranking)}
)
@needs(READ)
def get_ranking(query: RankingQuery) -> Response:
    """The stores that you may see by downtime, availability, outages or lost revenue, over local days from
    the first to the last. Bounds as for the history.
    """
    after = read_cursor(query.cursor, float, str)
    as_of, found = ranking.ranking(database(), caller(), query.chosen(), query.asked(), query.usual())
    rows = sorted(found.rows, key=lambda row: row.rank(query.sort))
    if after is not None:
        rows = [row for row in rows if row.rank(query.sort) > (after[0], after[1])]
    shown = rows[: query.limit]
    return jsonify(
        **told_present(as_of),
        **_days(found),
        stores=len(found.rows),
        currency=currency(),
        stores_without_revenue=found.unpriced,
        items=[{"store_id": row.store_id, **_figures(row)} for row in shown],
        next_cursor=cursor_of(*shown[-1].rank(query.sort)) if len(rows) > query.limit else None,
    )


@blueprint.get(
    "/comparison",
    operation_id="comparePeriods",
    responses={"200": answer("Both, and what differs", Comparison)},
)
@needs(READ)
def get_comparison(query: ComparisonQuery) -> Response:
    """The figures of two ranges of local days, added up by open time, and which stores changed most."""
    other_days = DaysQuery(first_day=query.other_first_day, last_day=query.other_last_day).asked()
    as_of, one, other = ranking.comparison(
        database(), caller(), query.chosen(), query.asked(), other_days, query.usual()
    )
    first, second = one.together, other.together
    return jsonify(
        **told_present(as_of),
        currency=currency(),
        range=_whole(one, first),
        other=_whole(other, second),
        difference=_difference(first, second),
        changed_most=_changed(one, other)[: query.most],
    )


def _whole(found: Range, row: Row) -> dict[str, Any]:
    counts = {"stores": len(found.rows), "stores_without_revenue": found.unpriced}
    return _days(found) | counts | _figures(row)


def _days(found: Range) -> dict[str, str]:
    first, last = ((_EPOCH + timedelta(days=day)).isoformat() for day in (found.first_day, found.last_day))
    return {"first_day": first, "last_day": last}


def _figures(row: Row) -> dict[str, Any]:
    return told_totals(row.totals) | told_bounds(*row.bounds) | {"outages": row.outages} | _lost(row.lost)


def _lost(lost: Lost | None) -> dict[str, float | None]:
    if lost is None:
        return {"lost": None, "lost_seen": None, "lost_inferred": None}
    amounts = {"lost": lost.whole, "lost_seen": lost.seen, "lost_inferred": lost.inferred}
    return {name: float(rounded(cents)) for name, cents in amounts.items()}


def _difference(one: Row, other: Row) -> dict[str, Any]:
    """Exact: of microseconds and cents, before they are told."""
    first, second = told_totals(one.totals), told_totals(other.totals)
    found: dict[str, Any] = {
        name: None if None in (first[name], second[name]) else first[name] - second[name]
        for name in ("availability", "coverage")
    }
    for name in first.keys() - found.keys():
        found[name] = (round(first[name] * SECOND) - round(second[name] * SECOND)) / SECOND
    assert one.lost is not None and other.lost is not None  # noqa: PT018, S101 - sums have it
    lost = float(rounded(one.lost.whole - other.lost.whole))
    return found | {"outages": one.outages - other.outages, "lost": lost}


def _changed(one: Range, other: Range) -> list[dict[str, Any]]:
    """Stores by the change of their downtime; who is counted in one of the two had none in the other."""
    before, now = ({row.store_id: row.down for row in found.rows} for found in (other, one))
    pairs = [(store_id, now.get(store_id, 0), before.get(store_id, 0)) for store_id in now.keys() | before]
    pairs.sort(key=lambda pair: (-abs(pair[1] - pair[2]), pair[0]))
    return [
        {
            "store_id": store_id,
            "down_seconds": down / SECOND,
            "other_down_seconds": was / SECOND,
            "difference_seconds": (down - was) / SECOND,
        }
        for store_id, down, was in pairs
        if down != was
    ]
