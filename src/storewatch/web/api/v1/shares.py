"""Links by which people without an account see some days of one store."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field, StringConstraints, field_validator

from storewatch.domain.permissions import READ, WRITE
from storewatch.services import shares
from storewatch.storage.shares import Found
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Day,
    PageQuery,
    StoreId,
    Text,
    Whole,
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
from storewatch.web.context import share_url
from storewatch.web.idempotency import shows_once

blueprint = resource(
    "Share links",
    "Links by which people without an account see some days of one store, to read and nothing else. Whoever "
    "decides on the store makes and revokes them, whoever made them. A link works until it expires or is "
    "revoked, and as long as who made it is active and decides on the store.",
)


class SharePath(BaseModel):
    share_id: UUID


class SharesQuery(PageQuery):
    store_id: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="", description="left out: of all stores that you decide on"
    )


class NewShare(Body):
    store_id: StoreId = Field(examples=["8419537941919820732"])
    label: Text = Field(min_length=1, description="whom or what it is for; not shown to them")
    first_day: Day = Field(description="a local day of the store")
    last_day: Day = Field(description="the last one that is shown; 92 days at most, and it may lie ahead")
    days: Whole = Field(
        default=30, ge=1, le=shares.LONGEST_DAYS, description="for so many days the link works"
    )

    @field_validator("label")
    @classmethod
    def _not_blank(cls, label: str) -> str:
        if not label.strip():
            raise ValueError("say whom or what it is for")
        return label.strip()

    @field_validator("first_day", "last_day")
    @classmethod
    def _in_this_century(cls, day: date) -> date:
        if not 2000 <= day.year < 2100:
            raise ValueError("it must lie between 2000 and 2100")
        return day


class ShareLink(BaseModel):
    share_id: UUID
    store_id: str
    label: str
    first_day: date
    last_day: date
    made_by: str | None = Field(description="null: a command, or somebody whom you do not see")
    works: bool = Field(description="false: who made it may not share the store any more")
    created_at: str
    expires_at: str
    first_used_at: str | None
    last_used_at: str | None = Field(description="to the minute")


class MadeShareLink(ShareLink):
    link: str | None = Field(description="to pass on; shown this once. Null where a request is repeated")


class ShareLinks(BaseModel):
    items: list[ShareLink]
    next_cursor: str | None


_OF_SHARE = {"share_id": "$response.body#/share_id"}
_LINKS = {
    "read": {"operationId": "getShare", "parameters": _OF_SHARE},
    "revoke": {"operationId": "revokeShare", "parameters": _OF_SHARE},
}


@blueprint.get("/shares", operation_id="listShares", responses={"200": answer("Newest first", ShareLinks)})
@needs(READ)
def list_shares(query: SharesQuery) -> Response:
    """The links that neither expired nor were revoked, to a store or to all that you decide on."""
    after = read_cursor(query.cursor, int)
    rows = shares.page(
        database(), caller(), query.store_id or None, after[0] if after else None, query.limit + 1
    )
    last = {str(found.share.share_id): found.share.share_no for found in rows}
    return page(
        [_shown(found) for found in rows], query.limit, lambda item: cursor_of(last[item["share_id"]])
    )


@blueprint.post(
    "/shares",
    operation_id="createShare",
    responses={"201": answer("The link", MadeShareLink, links=_LINKS)},
)
@needs(WRITE)
@shows_once("link")
def create_share(body: NewShare) -> Response:
    """Make a link to some days of a store. Managers may do so for the stores of their groups."""
    made, secret = shares.create(
        database(),
        caller(),
        body.store_id,
        body.label,
        body.first_day,
        body.last_day,
        timedelta(days=body.days),
    )
    response = jsonify({**_shown(made), "link": share_url(secret)})
    response.set_etag(tag_of(_shown(made)))
    response.headers["Location"] = f"/api/v1/shares/{made.share.share_id}"
    response.status_code = 201
    return response


@blueprint.get(
    "/shares/<uuid:share_id>",
    operation_id="getShare",
    responses={"200": answer("The link", ShareLink, links=_LINKS)},
)
@needs(READ)
def get_share(path: SharePath) -> Response:
    """One link to a store that you decide on, without its secret, which is kept nowhere."""
    return tagged(_shown(shares.get(database(), caller(), path.share_id)))


@blueprint.delete(
    "/shares/<uuid:share_id>", operation_id="revokeShare", responses={"204": answer("It works no more")}
)
@needs(WRITE)
def revoke_share(path: SharePath) -> tuple[str, int]:
    """End a link to a store that you decide on, at once."""
    shares.revoke(database(), caller(), path.share_id)
    return "", 204


def _shown(found: Found) -> dict[str, Any]:
    share = found.share
    return {
        "share_id": str(share.share_id),
        "store_id": found.store_id,
        "label": share.label,
        "first_day": share.first_day.isoformat(),
        "last_day": share.last_day.isoformat(),
        "made_by": found.made_by,
        "works": found.works,
        "created_at": instant(share.created_at),
        "expires_at": instant(share.expires_at),
        "first_used_at": instant(share.first_used_at),
        "last_used_at": instant(share.last_used_at),
    }
