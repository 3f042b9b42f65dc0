"""Polls: many appended in one request; listed, corrected, deleted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from werkzeug.exceptions import UnsupportedMediaType

from storewatch.domain.clock import EARLIEST, parse_instant
from storewatch.domain.permissions import IMPORT, OPERATE, READ
from storewatch.errors import UsageError
from storewatch.formats.unpacking import unpacked
from storewatch.services import polls
from storewatch.services.polls import MOST, MOST_BYTES, Form
from storewatch.storage.tables import StoreStatus
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    MODELS,
    Body,
    PageQuery,
    Query,
    StoreId,
    answer,
    check_tag,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
    takes,
)
from storewatch.web.bodies import blocks
from storewatch.web.context import now_us

blueprint = resource("Polls", "Whether a store was active or inactive at an instant.")

_END = 253_370_764_800_000_000  # 9999-01-01


def _instant(value: Any) -> int:
    """By the rules of files: UTC without an offset."""
    at = parse_instant(value) if _is_plain(value) else None
    if at is None:
        raise ValueError("it is not a time like 2023-01-22T12:09:39Z")
    if not EARLIEST <= at <= _END:
        raise ValueError("it lies before the year 2000 or after 9998")
    return int(at)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and len(value) <= 40


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "maxLength": 40, "examples": ["2023-01-22T12:09:39Z"]}),
]
"""RFC 3339; microseconds inside."""

Reason = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class Poll(BaseModel):
    store_id: str
    timestamp_utc: str
    status: Literal["active", "inactive"]
    reason: str | None
    by_hand: bool = Field(description="a person set it: imports leave it as it is")
    import_id: str | None = Field(description="the import that set it; for operators")


class PollPage(BaseModel):
    items: list[Poll]
    next_cursor: str | None


class NewPoll(BaseModel):
    """As a row of a file of polls; other fields are ignored."""

    store_id: str = Field(examples=["corner-cafe"])
    status: Literal["active", "inactive"]
    timestamp_utc: str = Field(examples=["2023-01-22T12:09:39.388884Z"])
    reason: str | None = Field(default=None, max_length=200)


class NewPolls(BaseModel):
    model_config = ConfigDict(extra="forbid")
    polls: list[NewPoll | Any] = Field(max_length=MOST, description="what is none is rejected alone")


class RejectedPoll(BaseModel):
    index: int = Field(description="in `polls`, or of the line: from 0, a CSV's header not counted")
    reason: str


class Appended(BaseModel):
    import_id: str
    new: int
    corrected: int
    unchanged: int
    kept: int = Field(description="left as they are, because a person corrected or deleted them")
    rejected: list[RejectedPoll]


class PollPath(BaseModel):
    timestamp_utc: Instant
    store_id: StoreId


class Range(BaseModel):
    model_config = ConfigDict(extra="forbid")
    store_id: StoreId
    start: Instant = Field(description="at or after")
    end: Instant = Field(description="before")
    reason: Reason = Field(min_length=1, description="why; kept in the audit log")


class PollQuery(PageQuery):
    store_id: StoreId
    start: Instant = Field(default="2000-01-01T00:00:00Z", validate_default=True, description="at or after")
    end: Instant = Field(default="9999-01-01T00:00:00Z", validate_default=True, description="before")
    status: Literal["", "active", "inactive"] = ""
    sort: Literal["newest", "oldest"] = Field(default="newest", description="which come first")


class WhyQuery(Query):
    reason: Reason = Field(min_length=1, description="why; kept in the audit log")


class PutPoll(Body):
    status: Literal["active", "inactive"]
    reason: Reason | None = Field(default=None, description="kept with the poll, as in files")


class PatchPoll(Body):
    status: Literal["active", "inactive"] = "active"
    reason: Reason | None = None


class Deleted(BaseModel):
    deleted: int


MODELS.add(NewPolls)
_CSV = "store_id,status,timestamp_utc\ncorner-cafe,active,2023-01-22 12:09:39 UTC\n"
_NDJSON = '{"store_id": "corner-cafe", "status": "active", "timestamp_utc": "2023-01-22T12:09:39Z"}\n'
_BODY: dict[str, Any] = {
    "description": f"At most {MOST:,} polls and {MOST_BYTES >> 20} MiB, unpacked; `Content-Encoding: gzip` "
    "is taken. The form is that of files of polls.",
    "content": {
        Form.JSON.value: {"schema": {"$ref": "#/components/schemas/NewPolls"}},
        Form.NDJSON.value: {"schema": {}, "example": _NDJSON},  # a line that is none is rejected alone
        Form.CSV.value: {"schema": {"type": "string"}, "example": _CSV},
    },
}
_OF_POLL = {
    "timestamp_utc": "$response.body#/timestamp_utc",
    "store_id": "$response.body#/store_id",
}
_LINKS = {
    "read": {"operationId": "getPoll", "parameters": _OF_POLL},
    "change": {"operationId": "changePoll", "parameters": _OF_POLL},
    "remove": {"operationId": "deletePoll", "parameters": _OF_POLL},
}
_READ_IMPORT = {"operationId": "getImport", "parameters": {"import_id": "$response.body#/import_id"}}


@blueprint.post(
    "/polls",
    operation_id="appendPolls",
    request_body=_BODY,
    responses={"200": answer("What became of them", Appended, links={"read": _READ_IMPORT})},
)
@needs(IMPORT)
@takes(MOST_BYTES, *(form.value for form in Form))
def append_polls() -> dict[str, Any]:
    """Append one poll or many, by the rules of files: those that can be read are taken, the others told.

    The same again changes nothing, and a poll of another status at the same instant corrects it. A token
    of scope `import` will do.
    """
    imported, rejected = polls.append(database(), caller(), _body(), Form(request.mimetype), now_us())
    return {
        "import_id": str(imported.import_no),
        "new": imported.rows_new,
        "corrected": imported.rows_corrected,
        "unchanged": imported.rows_unchanged,
        "kept": imported.rows_kept,
        "rejected": [{"index": row.index, "reason": row.reason} for row in rejected],
    }


def _body() -> bytes:
    """The body, unpacked if it says that it is packed."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaType("Content-Encoding may be gzip, or left out")
    data = b"".join(blocks(MOST_BYTES))
    return unpacked(data, MOST_BYTES) if encoding == "gzip" else data


@blueprint.get(
    "/polls", operation_id="listPolls", responses={"200": answer("Polls of the store, by time", PollPage)}
)
@needs(READ)
def list_polls(query: PollQuery) -> Response:
    """Polls of a store that you may see."""
    newest_first = query.sort == "newest"
    found = polls.page(
        database(),
        caller(),
        query.store_id,
        _left(query, newest_first=newest_first),
        query.limit + 1,
        active={"active": True, "inactive": False}.get(query.status),
        newest_first=newest_first,
    )
    items = [_shown(query.store_id, poll) for poll in found]
    return page(items, query.limit, lambda last: cursor_of(_instant(last["timestamp_utc"])))


def _left(query: PollQuery, *, newest_first: bool) -> tuple[int, int]:
    """What is left of the range that is asked for, [first, end), after the last poll of the page before."""
    first, end, last = query.start, query.end, read_cursor(query.cursor, int)
    if last is None:
        return first, end
    if not EARLIEST <= last[0] < _END:
        raise UsageError("cursor is none that this list gave", field="cursor")
    return (first, min(end, last[0])) if newest_first else (max(first, last[0] + 1), end)


@blueprint.delete(
    "/polls", operation_id="deletePolls", responses={"200": answer("How many were deleted", Deleted)}
)
@needs(OPERATE)
def delete_polls(query: Range) -> dict[str, Any]:
    """Delete the polls of a store in a range of time, for good: no import brings them back."""
    between = (query.start, query.end)
    return {"deleted": polls.delete_range(database(), caller(), query.store_id, between, query.reason)}


@blueprint.get(
    "/polls/<timestamp_utc>/<id:store_id>",
    operation_id="getPoll",
    responses={"200": answer("The poll", Poll, links=_LINKS)},
)
@needs(READ)
def get_poll(path: PollPath) -> Response:
    """One poll. Write a slash in the store's id as %2F."""
    return tagged(_shown(path.store_id, polls.get(database(), caller(), path.store_id, path.timestamp_utc)))


@blueprint.put(
    "/polls/<timestamp_utc>/<id:store_id>",
    operation_id="putPoll",
    responses={"200": answer("The poll", Poll, links=_LINKS)},
)
@needs(OPERATE)
def put_poll(path: PollPath, body: PutPoll) -> Response:
    """Set a poll by hand, or add one, also one that was deleted. Imports leave it as it is from then on.

    With If-Match it is refused if somebody else changed it meanwhile.
    """
    poll = polls.put(
        database(),
        caller(),
        path.store_id,
        path.timestamp_utc,
        (body.status, body.reason),
        now_us(),
        _check(path.store_id),
    )
    return tagged(_shown(path.store_id, poll))


@blueprint.patch(
    "/polls/<timestamp_utc>/<id:store_id>",
    operation_id="changePoll",
    responses={"200": answer("The poll", Poll, links=_LINKS)},
)
@needs(OPERATE)
def change_poll(path: PollPath, body: PatchPoll) -> Response:
    """Correct the status or the reason of a poll by hand; what is left out stays."""
    changes = body.model_dump(include=body.model_fields_set)
    poll = polls.patch(
        database(), caller(), path.store_id, path.timestamp_utc, changes, _check(path.store_id)
    )
    return tagged(_shown(path.store_id, poll))


@blueprint.delete(
    "/polls/<timestamp_utc>/<id:store_id>",
    operation_id="deletePoll",
    responses={"204": answer("It is gone")},
)
@needs(OPERATE)
def delete_poll(path: PollPath, query: WhyQuery) -> tuple[str, int]:
    """Delete a poll for good: no import brings it back. Put it again to have it again."""
    check = _check(path.store_id)
    polls.delete(database(), caller(), path.store_id, path.timestamp_utc, query.reason, check)
    return "", 204


def _check(store_id: str) -> polls.Check:
    def check(present: StoreStatus | None) -> None:
        check_tag({} if present is None else _shown(store_id, present))

    return check


def _shown(store_id: str, poll: StoreStatus) -> dict[str, Any]:
    """A poll as it is answered. The number of an import tells how many there were: for operators alone."""
    import_no = poll.import_no if caller().sees_all else None
    return {
        "store_id": store_id,
        "timestamp_utc": instant(poll.timestamp_utc),
        "status": "active" if poll.active else "inactive",
        "reason": poll.reason,
        "by_hand": poll.import_no is None,
        "import_id": None if import_no is None else str(import_no),
    }
