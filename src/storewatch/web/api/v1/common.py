"""What the resources of the API share: blueprints, models, paging, ETags, problems."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from flask import Response, current_app, jsonify, request
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from werkzeug.exceptions import LengthRequired, PreconditionFailed, UnsupportedMediaType

from storewatch.domain.clock import EARLIEST, from_us, parse_instant, to_us
from storewatch.errors import UsageError
from storewatch.web import idempotency
from storewatch.web.context import database as database

View = TypeVar("View", bound=Callable[..., Any])

SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
_JSON_LIMIT = 1 << 20

# --- models ---------------------------------------------------------------------------------------


def _whole(value: Any) -> Any:
    """JSON knows no integers: 5 and 5.0 are the same number there; true and "5" are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a whole number is needed")  # noqa: TRY004 - pydantic wants a ValueError
    if not _is_finite(value) or value != int(value):
        raise ValueError("a whole number is needed")
    return int(value)


def _is_finite(value: float) -> bool:
    """Whether a number fits into a float: JSON's may have any number of digits."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


Whole = Annotated[int, BeforeValidator(_whole)]
"""An integer in a JSON body."""


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise ValueError("a number is needed")
    return value


Number = Annotated[float, BeforeValidator(_number)]
"""A number in a JSON body; true and "5" are none."""


def _written(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        return value
    raise ValueError("a text like 2026-01-31 is needed")


Day = Annotated[date, BeforeValidator(_written)]
"""A date in a JSON body; a number is none."""

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A line of text."""

LongText = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$")]
"""Text of several lines."""

StoreId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _moment(value: Any) -> datetime:
    """By the rules of files: UTC without an offset. What the database cannot hold is refused."""
    at_us = parse_instant(value) if isinstance(value, str) else None
    if at_us is None:
        raise ValueError("it is not a time like 2026-11-26T18:13:22Z")
    if not EARLIEST <= at_us <= _LATEST:
        raise ValueError("it lies before the year 2000 or after 9998")
    return from_us(at_us)


_LATEST = to_us(datetime(9999, 1, 1, tzinfo=UTC)) - 1

Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2027-01-31T00:00:00Z"]}),
]
"""An instant in a body or a query: RFC 3339."""


class Body(BaseModel):
    """A request's body: a field that is not known is an error, for a typo must not go unseen."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str | None = Field(default=None, description="the field or parameter that is wrong")


class Query(BaseModel):
    """A request's query. flask-openapi asks for its schema at each request: it is made once."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Its JSON schema. Who says how it should be, for the document, gets one of their own."""
        if arguments or named:
            return super().model_json_schema(*arguments, **named)
        return _plain_schema(cls)


@cache
def _plain_schema(model: type[Query]) -> dict[str, Any]:
    return super(Query, model).model_json_schema()


class PageQuery(Query):
    """Which page of a list. `cursor` comes from `next_cursor` of the page before."""

    cursor: str = Field(default="", max_length=400)
    limit: int = Field(default=100, ge=1, le=1000)


# --- blueprints -----------------------------------------------------------------------------------


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content}


PROBLEMS: dict[Any, Any] = {
    "400": _problem("The request cannot be read"),
    "401": _problem("No token and no session, or one that has ended"),
    "403": _problem("Not yours to do"),
    "404": _problem("Not here, or not yours to see"),
    "409": _problem("Not in the present state"),
    "412": _problem("Changed since you read it: read it again"),
    "413": _problem("Too large"),
    "415": _problem("Another content type is needed"),
    "422": _problem("A field or parameter is wrong; `field` names it"),
    "429": _problem("Too many requests: wait as Retry-After says"),
    "503": _problem("Not just now: try again as Retry-After says"),
}


def answer(description: str, model: type[BaseModel] | None = None, **more: Any) -> dict[str, Any]:
    """A documented answer with a JSON body of a model; `more` are OpenAPI's links, headers …"""
    if model is None:
        return {"description": description, **more}
    MODELS.add(model)
    schema = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"description": description, "content": {"application/json": schema}, **more}


MODELS: set[type[BaseModel]] = {Problem}
"""Every model of an answer: their schemas go into the document whole."""


def resource(name: str, description: str) -> APIBlueprint:
    """A blueprint for the routes of a resource."""
    blueprint = APIBlueprint(
        f"api_{name.lower().replace(' ', '_')}",
        __name__,
        url_prefix="/api/v1",
        abp_tags=[Tag(name=name, description=description)],
        abp_security=SECURITY,
        abp_responses=PROBLEMS,
    )
    blueprint.before_request(_check_body)
    idempotency.register(blueprint)
    return blueprint


def takes(limit: int, *types: str) -> Callable[[View], View]:
    """Says what a view's body may be: so many bytes at most, of these content types, read from
    `request.stream` in blocks by the view. A view without it takes JSON of up to a mebibyte.
    """

    def mark(view: View) -> View:
        view.takes = (limit, types)  # type: ignore[attr-defined]
        return view

    return mark


def _check_body() -> None:
    """What can be said of a body before it is read."""
    if request.method in ("GET", "HEAD", "OPTIONS", "DELETE") or request.endpoint is None:
        return
    special = getattr(current_app.view_functions[request.endpoint], "takes", None)
    if special:
        limit, types = special
        request.max_content_length = limit + 1  # reading past exactly the limit would fail
        if request.mimetype not in types:
            raise UnsupportedMediaType(f"Send one of {', '.join(types)}")
        return
    request.max_content_length = _JSON_LIMIT
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired("Send a Content-Length")
    if request.content_length and request.mimetype != "application/json":
        raise UnsupportedMediaType("Send application/json")
    if request.content_length and not isinstance(request.get_json(silent=True), dict | list):
        raise UsageError("The body is not a JSON object")


# --- paging ---------------------------------------------------------------------------------------


def cursor_of(*values: Any) -> str:
    """A cursor that stands for the last row of a page; only we read it."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *types: type) -> list[Any] | None:
    """The values in a cursor; None for the first page. UsageError if it is not one of ours."""
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        values = None
    fits = isinstance(values, list) and [type(value) for value in values] == list(types)
    if not fits or not all(_storable(value) for value in values):
        raise UsageError("cursor is none that this list gave", field="cursor")
    return list(values)


def _storable(value: Any) -> bool:
    """Whether PostgreSQL can hold a value: text without NUL and halves of characters, a bigint."""
    if isinstance(value, int):
        return abs(value) < 1 << 63
    return not isinstance(value, str) or not re.search("[\x00\ud800-\udfff]", value)


def page(items: list[dict[str, Any]], limit: int, cursor: Callable[[dict[str, Any]], str]) -> Response:
    """A page of a list. One row more than `limit` was asked for: so we know whether there are more."""
    more = len(items) > limit
    shown = items[:limit]
    return jsonify(items=shown, next_cursor=cursor(shown[-1]) if more else None)


# --- one at a time --------------------------------------------------------------------------------


def tag_of(value: dict[str, Any]) -> str:
    """The ETag of a representation: a digest of it, so it changes with whatever changes it."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def tagged(value: dict[str, Any], status: int = 200) -> Response:
    """A representation with its ETag; 304 if the client has it already."""
    response = jsonify(value)
    response.status_code = status
    response.set_etag(tag_of(value))
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)
    return response


def check_tag(present: dict[str, Any] | None) -> None:
    """Refuses a change to what somebody else changed meanwhile, if the client said what it had read.

    Call it where the row is locked: between this look and the change nobody may come. None: it is not there.
    """
    if request.if_match and (present is None or not request.if_match.contains(tag_of(present))):
        raise PreconditionFailed("It was changed since you read it: read it again, then send If-Match anew")


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the microsecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
