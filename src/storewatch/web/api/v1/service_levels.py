"""Service levels: targets for a store, a group or all stores, and how they stand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field

from storewatch.domain.clock import SECOND
from storewatch.domain.permissions import READ, WRITE
from storewatch.domain.service_levels import Measure, Status
from storewatch.errors import UsageError
from storewatch.services import level_status, service_levels
from storewatch.services.chosen import Chosen
from storewatch.services.level_status import Standing
from storewatch.storage.service_levels import Found
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Number,
    PageQuery,
    Query,
    StoreId,
    Text,
    Whole,
    answer,
    check_tag,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
)
from storewatch.web.api.v1.figures import Figures, Present, told_bounds, told_present, told_totals
from storewatch.web.context import default_request

blueprint = resource("Service levels", "Targets over local weeks, months or quarters, and how they stand.")

_EPOCH = date(1970, 1, 1)

UnknownText = Literal["ignored", "up", "down"]


class LevelPath(BaseModel):
    level_id: UUID


class Terms(Body):
    """What may be changed later."""

    name: Text = Field(default="", min_length=1, examples=["99 % a month"])
    target: Number = Field(
        default=0,
        ge=0,
        le=10_000,
        examples=[99],
        description="per cent of the open time at least, up to four decimals; or so many outages at most",
    )
    unknown_as: UnknownText = Field(
        default="ignored", description="how unknown time counts; ignored uses nothing of the budget"
    )
    min_outage_seconds: Whole = Field(
        default=0, ge=0, le=2_678_400, description="outages whose part in the period is shorter don't count"
    )

    def values(self) -> dict[str, Any]:
        """What was said, as the database has it."""
        said = self.model_dump(include=self.model_fields_set & Terms.model_fields.keys())
        if "target" in said:
            said["target"] = Decimal(f"{said['target']:.4f}")
        if "min_outage_seconds" in said:
            said["min_outage_s"] = said.pop("min_outage_seconds")
        return said


class NewLevel(Terms):
    """Of a store or a group; of neither: of all stores."""

    name: Text = Field(min_length=1, examples=["99 % a month"])
    target: Number = Field(ge=0, le=10_000, examples=[99])
    store_id: StoreId | None = None
    group_id: UUID | None = Field(default=None, description="not together with store_id")
    period: Literal["week", "month", "quarter"] = "month"
    measure: Literal["availability", "outages"] = "availability"


class Level(BaseModel):
    level_id: UUID
    name: str
    store_id: str | None
    group_id: UUID | None = Field(description="null here and in store_id: of all stores")
    period: Literal["week", "month", "quarter"]
    measure: Literal["availability", "outages"]
    target: float
    unknown_as: UnknownText
    min_outage_seconds: int
    created_at: str


class Levels(BaseModel):
    items: list[Level]
    next_cursor: str | None


class StatusQuery(Query):
    periods: int = Field(default=6, ge=1, le=60, description="so many, up to the one that runs at as_of")


class UsedDay(BaseModel):
    day: date
    used_seconds: float | None
    used_outages: int | None


class UsedStore(BaseModel):
    store_id: str
    used_seconds: float | None
    used_outages: int | None


class StoreCount(BaseModel):
    met: int
    at_risk: int
    missed: int
    no_data: int


class Stand(Figures):
    """Figures are those so far, added up by open time. Seconds are null for a target of outages, and the
    other way round.
    """

    first_day: date
    last_day: date
    complete: bool = Field(description="false: it was not over everywhere at as_of")
    status: Literal["met", "at_risk", "missed", "no_data"]
    level_availability: float | None = Field(description="with unknown time counted as the level says")
    whole_open_seconds: float = Field(description="open time of the whole period, that after as_of too")
    budget_seconds: float | None
    used_seconds: float | None
    left_seconds: float | None
    budget_outages: int | None
    used_outages: int | None
    left_outages: int | None
    stores: StoreCount = Field(description="how the stores stand by the same target, each by itself")
    stores_met: float | None = Field(description="share of met among those with data")
    days_that_used_most: list[UsedDay] = Field(description="none where min_outage_seconds is set")
    stores_that_used_most: list[UsedStore]


class LevelStatus(Present):
    level: Level
    items: list[Stand] = Field(description="in order")


def _link(operation: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"level_id": "$response.body#/level_id"}}


_LINKS = {
    "read": _link("getServiceLevel"),
    "status": _link("getServiceLevelStatus"),
    "change": _link("updateServiceLevel"),
    "remove": _link("deleteServiceLevel"),
}


@blueprint.get(
    "/service-levels", operation_id="listServiceLevels", responses={"200": answer("By name", Levels)}
)
@needs(READ)
def list_levels(query: PageQuery) -> Response:
    """The service levels of your groups and their stores; operators see all."""
    values = read_cursor(query.cursor, str, str)
    after = None if values is None else (values[0], _id_of(values[1]))
    found = service_levels.page(database(), caller(), after, query.limit + 1)
    return page(
        [_shown(each) for each in found],
        query.limit,
        lambda last: cursor_of(last["name"], last["level_id"]),
    )


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise UsageError("cursor is none that this list gave", field="cursor") from error


@blueprint.post(
    "/service-levels",
    operation_id="createServiceLevel",
    responses={"201": answer("The service level", Level, links=_LINKS)},
)
@needs(WRITE)
def create_level(body: NewLevel) -> Response:
    """Set a target. For operators; for managers of the group, or of a group of the store."""
    said = body.values() | {"period": body.period, "measure": body.measure}
    of = Chosen(body.store_id, body.group_id)
    return tagged(_shown(service_levels.create(database(), caller(), of, said)), 201)


@blueprint.get(
    "/service-levels/<uuid:level_id>",
    operation_id="getServiceLevel",
    responses={"200": answer("The service level", Level, links=_LINKS)},
)
@needs(READ)
def get_level(path: LevelPath) -> Response:
    """One service level."""
    return tagged(_shown(service_levels.get(database(), caller(), path.level_id)))


@blueprint.patch(
    "/service-levels/<uuid:level_id>",
    operation_id="updateServiceLevel",
    responses={"200": answer("The service level", Level)},
)
@needs(WRITE)
def update_level(path: LevelPath, body: Terms) -> Response:
    """Change name, target or how it counts, for all periods. With If-Match it is refused if somebody else
    changed it meanwhile.
    """

    def check(present: Found) -> None:
        check_tag(_shown(present))

    return tagged(_shown(service_levels.update(database(), caller(), path.level_id, body.values(), check)))


@blueprint.delete(
    "/service-levels/<uuid:level_id>",
    operation_id="deleteServiceLevel",
    responses={"204": answer("It is gone")},
)
@needs(WRITE)
def delete_level(path: LevelPath) -> tuple[str, int]:
    """Remove a service level."""
    service_levels.remove(database(), caller(), path.level_id)
    return "", 204


@blueprint.get(
    "/service-levels/<uuid:level_id>/status",
    operation_id="getServiceLevelStatus",
    responses={"200": answer("How the periods stand", LevelStatus)},
)
@needs(READ)
def get_status(path: LevelPath, query: StatusQuery) -> Response:
    """Budget, what of it is used, and how that stands, period by period up to now (as_of)."""
    found = level_status.status(database(), caller(), path.level_id, query.periods, default_request())
    by_outages = found.found.level.measure == Measure.OUTAGES
    return jsonify(
        **told_present(found.as_of),
        level=_shown(found.found),
        items=[_standing(each, by_outages) for each in found.items],
    )


def _shown(found: Found) -> dict[str, Any]:
    level = found.level
    return {
        "level_id": str(level.level_id),
        "name": level.name,
        "store_id": found.store_id,
        "group_id": None if found.group_id is None else str(found.group_id),
        "period": level.period,
        "measure": level.measure,
        "target": float(level.target),
        "unknown_as": level.unknown_as,
        "min_outage_seconds": level.min_outage_s,
        "created_at": instant(level.created_at),
    }


def _standing(found: Standing, by_outages: bool) -> dict[str, Any]:
    verdict, counted = found.verdict, found.used.stores
    judged = counted.total() - counted[Status.NO_DATA]
    return {
        "first_day": _day(found.first_day),
        "last_day": _day(found.last_day),
        "complete": found.period.over,
        "status": verdict.status.value,
        "level_availability": found.availability,
        "whole_open_seconds": found.period.whole / SECOND,
        **told_totals(found.totals),
        **told_bounds(*found.bounds),
        "outages": found.period.outages,
        **_amount("budget", verdict.budget, by_outages),
        **_amount("used", verdict.used, by_outages),
        **_amount("left", verdict.left, by_outages),
        "stores": {status.value: counted[status] for status in Status},
        "stores_met": counted[Status.MET] / judged if judged else None,
        "days_that_used_most": [
            {"day": _day(day), **_amount("used", used, by_outages)} for day, used in found.used.days
        ],
        "stores_that_used_most": [
            {"store_id": store_id, **_amount("used", used, by_outages)} for store_id, used in found.used.worst
        ],
    }


def _amount(name: str, value: int, by_outages: bool) -> dict[str, Any]:
    return {
        f"{name}_seconds": None if by_outages else value / SECOND,
        f"{name}_outages": value if by_outages else None,
    }


def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).isoformat()
