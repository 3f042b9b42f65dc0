"""Exceptions: holidays, maintenance and corrections; made, listed, undone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain import exception_rows, rrules
from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import UsageError
from storewatch.services import exceptions
from storewatch.services.exceptions import Changed, Clock
from storewatch.storage.exceptions import Filter, Found
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Moment,
    PageQuery,
    StoreId,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tag_of,
    tagged,
)
from storewatch.web.context import default_request, now_us
from storewatch.web.errors import problem

blueprint = resource(
    "Exceptions",
    "Holidays, maintenance and corrections: time of a store, a group or all stores that counts "
    "otherwise than hours and polls say.",
)

Effect = Literal["closed", "other_hours", "excluded", "up", "down", "ignore_polls"]
_LINE = r"^[^\x00-\x1f\x7f]*$"
_EFFECTS = (
    "`closed`: the time is not open; `other_hours`: the openings of these local days are `hours`; "
    "`excluded`: open time in it counts neither as up nor as down; `up`, `down`: open time in it is so, "
    "whatever polls say; `ignore_polls`: polls made in it do not count"
)


class NewException(Body):
    """For a store, for a group, or for all stores."""

    effect: Effect = Field(description=_EFFECTS)
    store_id: StoreId | SkipJsonSchema[None] = Field(default=None, examples=["corner-cafe"])
    group: (
        Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)] | SkipJsonSchema[None]
    ) = Field(default=None, description="name or id", examples=["Maple St"])
    all: bool = Field(default=False, strict=True, description="for all stores: operators and admins may")
    start: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_LINE)] = Field(
        description="a day or a time on each store's own clock, `2026-12-25` or `2026-12-25T18:00`; or with "
        "Z or an offset an instant, the same for all stores",
        examples=["2026-12-25"],
    )
    end: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_LINE)] = Field(
        description="written like `start`, and not part of the time any more; at most 366 days later",
        examples=["2026-12-26"],
    )
    rrule: (
        Annotated[str, StringConstraints(max_length=rrules.MAX_LENGTH, pattern=_LINE)] | SkipJsonSchema[None]
    ) = Field(
        default=None,
        description="an RFC 5545 rule by which it comes again from `start` on, with local times",
        examples=["FREQ=WEEKLY;BYDAY=SU"],
    )
    hours: Annotated[str, StringConstraints(max_length=1000, pattern=_LINE)] | SkipJsonSchema[None] = Field(
        default=None, description="of `other_hours`", examples=["09:00-17:00, 18:00-02:00"]
    )
    note: Annotated[
        str, StringConstraints(min_length=1, max_length=exception_rows.MAX_NOTE, pattern=r"^[^\x00]*$")
    ] = Field(description="why; everybody whose stores it concerns may read it", examples=["Christmas"])


class ExceptionPath(BaseModel):
    exception_id: UUID


class ExceptionQuery(PageQuery):
    store_id: StoreId | SkipJsonSchema[None] = Field(
        default=None,
        description="those that concern this store: its own, its groups' and those of all stores",
    )
    group_id: UUID | SkipJsonSchema[None] = Field(default=None, description="those of this group")
    effect: Effect | SkipJsonSchema[None] = None
    state: Literal["", "in_force", "undone"] = Field(default="", description="left out: both")
    start: Moment | SkipJsonSchema[None] = Field(
        default=None, description="those that end after it; one with a rule is taken to last for good"
    )
    end: Moment | SkipJsonSchema[None] = Field(default=None, description="those that start before it")


class GroupOfException(BaseModel):
    group_id: UUID
    name: str


class ExceptionShown(BaseModel):
    exception_id: UUID
    effect: Effect
    scope: Literal["store", "group", "all"]
    store_id: str | None
    group: GroupOfException | None = Field(
        description="null with the scope `group`: a group that is not yours, with a store that you see"
    )
    start: str
    end: str
    local: bool = Field(description="whether start and end are times on each store's own clock")
    rrule: str | None
    hours: str | None
    note: str
    made_by: str | None = Field(description="null: a command, or somebody whom you do not see")
    created_at: str
    undone_at: str | None = Field(description="null: it is in force")
    undone_by: str | None


class ExceptionChanged(ExceptionShown):
    past_days: int = Field(
        description="so many local days of stores, since the first poll of each, hold time of it that is "
        "over: their figures may change"
    )


class ExceptionPage(BaseModel):
    items: list[ExceptionShown]
    next_cursor: str | None


def _link(operation: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"exception_id": "$response.body#/exception_id"}}


_LINKS = {"read": _link("getException"), "undo": _link("undoException")}


@blueprint.get(
    "/exceptions",
    operation_id="listExceptions",
    responses={"200": answer("Exceptions, newest first", ExceptionPage)},
)
@needs(READ)
def list_exceptions(query: ExceptionQuery) -> Response:
    """The exceptions that concern stores that you may see, those that were undone too."""
    in_force = {"in_force": True, "undone": False}.get(query.state)
    which = Filter(effect=query.effect, in_force=in_force, start=query.start, end=query.end)
    of = query.store_id, query.group_id
    found = exceptions.page(database(), caller(), which, of, _after(query.cursor), query.limit + 1)
    return page(
        [shown(each) for each in found],
        query.limit,
        lambda last: cursor_of(last["created_at"], last["exception_id"]),
    )


@blueprint.post(
    "/exceptions",
    operation_id="createException",
    responses={"201": answer("The exception", ExceptionChanged, links=_LINKS)},
)
@needs(WRITE)
def create_exception(body: NewException) -> Response:
    """Make an exception. Managers make those of their groups and their stores, operators and admins all."""
    said = body.model_dump(exclude={"all"})
    try:
        wanted = exception_rows.read(said, every=body.all)
    except UsageError as error:
        return problem(422, str(error), error.field)
    [made] = exceptions.add(database(), caller(), [wanted], _clock())
    response = _changed(made)
    response.headers["Location"] = f"/api/v1/exceptions/{made.found.row.exception_id}"
    response.status_code = 201
    return response


@blueprint.get(
    "/exceptions/<uuid:exception_id>",
    operation_id="getException",
    responses={"200": answer("The exception", ExceptionShown)},
)
@needs(READ)
def get_exception(path: ExceptionPath) -> Response:
    """One exception."""
    return tagged(shown(exceptions.get(database(), caller(), path.exception_id)))


@blueprint.post(
    "/exceptions/<uuid:exception_id>/undo",
    operation_id="undoException",
    responses={"200": answer("The exception; it counts for nothing any more", ExceptionChanged)},
)
@needs(WRITE)
def undo_exception(path: ExceptionPath) -> Response:
    """Take an exception back: every figure is what it would be without it. It stays in the list, undone.

    One that is undone already stays as it is.
    """
    return _changed(exceptions.undo(database(), caller(), path.exception_id, _clock()))


def _clock() -> Clock:
    return Clock(now_us(), default_request().default_zone)


def _after(cursor: str) -> tuple[datetime, UUID] | None:
    values = read_cursor(cursor, str, str)
    if values is None:
        return None
    try:
        return datetime.fromisoformat(values[0]).astimezone(UTC), UUID(values[1])
    except (ValueError, OverflowError) as error:
        raise UsageError("cursor is none that this list gave", field="cursor") from error


def _changed(changed: Changed) -> Response:
    told = shown(changed.found)
    response = jsonify(told | {"past_days": changed.past_days})
    response.set_etag(tag_of(told))
    return response


def shown(found: Found) -> dict[str, Any]:
    """An exception as it is answered."""
    row, group = found.row, found.group
    return {
        "exception_id": str(row.exception_id),
        "effect": row.effect,
        "scope": exceptions.told_scope(row),
        "store_id": found.store_id,
        "group": None if group is None else {"group_id": str(group.group_id), "name": group.name},
        "start": exceptions.told_time(row.start_at, row.start_local),
        "end": exceptions.told_time(row.end_at, row.end_local),
        "local": row.start_local is not None,
        "rrule": row.rrule,
        "hours": exceptions.told_hours(row),
        "note": row.note,
        "made_by": found.made_by,
        "created_at": instant(row.created_at),
        "undone_at": instant(row.undone_at),
        "undone_by": found.undone_by,
    }
