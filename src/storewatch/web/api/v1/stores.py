"""Stores: made, listed, read, changed, archived, deleted, many at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import polars as pl
from flask import Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from storewatch.domain import store_rows
from storewatch.domain.permissions import OPERATE, READ, WRITE
from storewatch.domain.rows import checked_ids
from storewatch.services import stores
from storewatch.storage.store_pages import Filter, Found
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    Day,
    LongText,
    Number,
    PageQuery,
    Query,
    StoreId,
    Text,
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
from storewatch.web.context import default_request

blueprint = resource("Stores", "What is known of each store, beside its hours, zone and polls.")

MOST = 1000
"""So many stores may be in one bulk request."""


def _usable(store_id: str) -> str:
    row = checked_ids(pl.Series([store_id], dtype=pl.String)).row(0, named=True)
    if row["problem"]:
        raise ValueError(row["problem"])
    return str(row["store_id"])


Url = Annotated[str, StringConstraints(max_length=store_rows.MAX_URL, pattern=store_rows.URL)]
Revenue = Annotated[
    Number, Field(ge=0, le=store_rows.MAX_REVENUE, description="spread over the open hours; to the cent")
]


class Fields(Body):
    """What may be set of a store; null clears it."""

    name: Text | None = Field(default=None, examples=["Corner Café"])
    location: Text | None = Field(default=None, examples=["12 Maple St, Chicago"])
    platform: Text | None = Field(default=None, examples=["ubereats"])
    storefront_url: Url | None = Field(default=None, examples=["https://example.com/corner-cafe"])
    manage_url: Url | None = None
    notes: LongText | None = None
    revenue_per_week: Revenue | None = Field(default=None, examples=[12500])
    archived_from: Day | None = Field(
        default=None, description="out of reports from this local day of the store on; its history is kept"
    )

    def values(self) -> dict[str, Any]:
        """What was said, as the database has it."""
        said = self.model_dump(include=self.model_fields_set & Fields.model_fields.keys())
        if said.get("revenue_per_week") is not None:
            said["revenue_per_week"] = Decimal(f"{said['revenue_per_week']:.2f}")
        return said


class NewStore(Fields):
    store_id: Annotated[StoreId, AfterValidator(_usable)] = Field(examples=["corner-cafe"])
    group_ids: list[UUID] = Field(default=[], max_length=100)


class StorePath(BaseModel):
    store_id: StoreId


class StoreQuery(PageQuery):
    group_id: UUID | SkipJsonSchema[None] = None
    platform: Text = ""
    zone: Text = Field(default="", description="an IANA name; stores without a zone are in the default zone")
    q: Text = Field(default="", description="found in id, name or location, capitals or not")
    archived: Literal["", "true", "false"] = Field(
        default="", description="with or without a day of archiving; left out: both"
    )
    without: Literal["", "hours", "zone", "polls"] = Field(default="", description="which lack this")
    sort: Literal["store_id", "name"] = "store_id"


class ConfirmQuery(Query):
    confirm: str = Field(default="", max_length=200, description="the store's id once more")


class GroupOfStore(BaseModel):
    group_id: UUID
    name: str


class Store(BaseModel):
    store_id: str
    name: str | None
    location: str | None
    platform: str | None
    groups: list[GroupOfStore] = Field(description="those that you may see")
    zone: str
    zone_given: bool = Field(description="false: it has none and is taken to be in the default zone")
    hours_given: bool = Field(description="false: it is taken as open 24 x 7")
    first_poll_at: str | None
    storefront_url: str | None
    manage_url: str | None
    notes: str | None
    revenue_per_week: float | None
    archived_from: date | None
    created_at: str


class StorePage(BaseModel):
    items: list[Store]
    next_cursor: str | None


class BulkStore(Body):
    """A row as in a file of stores; read by the same rules, so a bad one is rejected alone."""

    store_id: str = Field(examples=["corner-cafe"])
    name: str | None = None
    location: str | None = None
    platform: str | None = None
    groups: list[str] | None = Field(default=None, description="by name", examples=[["Maple St", "Chicago"]])
    storefront_url: str | None = None
    manage_url: str | None = None
    revenue_per_week: Number | None = None


class Bulk(Body):
    stores: list[BulkStore] = Field(min_length=1, max_length=MOST)


class Rejected(BaseModel):
    index: int
    reason: str


class BulkResult(BaseModel):
    new: int
    corrected: int
    unchanged: int
    rejected: list[Rejected]


def _link(operation: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"store_id": "$response.body#/store_id"}}


_LINKS = {
    "read": _link("getStore"),
    "change": _link("updateStore"),
    "hours": _link("getHours"),
    "set_hours": _link("setHours"),
    "zone": _link("getZone"),
    "set_zone": _link("setZone"),
    "remove": {
        "operationId": "deleteStore",
        "parameters": {"store_id": "$response.body#/store_id", "confirm": "$response.body#/store_id"},
    },
}


@blueprint.get("/stores", operation_id="listStores", responses={"200": answer("A page of stores", StorePage)})
@needs(READ)
def list_stores(query: StoreQuery) -> Response:
    """The stores that you may see."""
    by_name = query.sort == "name"
    after = read_cursor(query.cursor, *([str, str] if by_name else [str]))
    which = Filter(
        query.group_id,
        query.platform or None,
        query.zone or None,
        query.q or None,
        {"true": True, "false": False}.get(query.archived),
        query.without or None,
        by_name,
        default_request().default_zone,
    )
    found = stores.page(database(), caller(), which, after, query.limit + 1)

    def cursor(last: dict[str, Any]) -> str:
        return cursor_of(*([last["name"] or ""] if by_name else []), last["store_id"])

    return page([shown(store) for store in found], query.limit, cursor)


@blueprint.post(
    "/stores", operation_id="createStore", responses={"201": answer("The store", Store, links=_LINKS)}
)
@needs(OPERATE)
def create_store(body: NewStore) -> Response:
    """Make a store. Polls, hours and files of an id that is not known make one too."""
    made = stores.create(database(), caller(), body.store_id, body.values(), body.group_ids)
    return tagged(shown(made), 201)


@blueprint.patch(
    "/stores",
    operation_id="bulkUpsertStores",
    responses={"200": answer("What became of the rows", BulkResult)},
)
@needs(OPERATE)
def bulk_upsert(body: Bulk) -> dict[str, Any]:
    """Make or change up to 1,000 stores. A field that a row lacks stays as it is, null clears it."""
    counts, rejected = stores.bulk(database(), caller(), _frame(body.stores))
    told = [{"index": index, "reason": reason} for index, reason in rejected]
    return counts | {"rejected": told}


@blueprint.get(
    "/stores/<id:store_id>",
    operation_id="getStore",
    responses={"200": answer("The store", Store, links=_LINKS)},
)
@needs(READ)
def get_store(path: StorePath) -> Response:
    """One store. Write a slash in its id as %2F."""
    return tagged(shown(stores.get(database(), caller(), path.store_id)))


@blueprint.patch(
    "/stores/<id:store_id>", operation_id="updateStore", responses={"200": answer("The store", Store)}
)
@needs(WRITE)
def update_store(path: StorePath, body: Fields) -> Response:
    """Change fields of a store; one that is left out stays. Managers of its groups change name and notes.

    With If-Match it is refused if somebody else changed it meanwhile.
    """

    def check(present: Found) -> None:
        check_tag(shown(present))

    return tagged(shown(stores.update(database(), caller(), path.store_id, body.values(), check)))


@blueprint.delete(
    "/stores/<id:store_id>", operation_id="deleteStore", responses={"204": answer("It is gone")}
)
@needs(OPERATE)
def delete_store(path: StorePath, query: ConfirmQuery) -> tuple[str, int]:
    """Delete a store with its polls, hours, zone and rows of reports, for good. To keep what was, archive it.

    `confirm` must be the store's id.
    """
    stores.delete(database(), caller(), path.store_id, query.confirm)
    return "", 204


def shown(found: Found) -> dict[str, Any]:
    """A store as it is answered."""
    store = found.store
    revenue, archived = store.revenue_per_week, store.archived_from
    return {
        "store_id": store.store_id,
        "name": store.name,
        "location": store.location,
        "platform": store.platform,
        "groups": [{"group_id": str(group.group_id), "name": group.name} for group in found.groups],
        "zone": found.zone or default_request().default_zone,
        "zone_given": found.zone is not None,
        "hours_given": found.hours_given,
        "first_poll_at": instant(store.first_poll_at),
        "storefront_url": store.storefront_url,
        "manage_url": store.manage_url,
        "notes": store.notes,
        "revenue_per_week": None if revenue is None else float(revenue),
        "archived_from": None if archived is None else archived.isoformat(),
        "created_at": instant(store.created_at),
    }


def _frame(rows: list[BulkStore]) -> pl.DataFrame:
    """Rows of a body as rows of a file: all text, with what each of them gives."""
    names = (*store_rows.COLUMNS, *store_rows.OPTIONAL)
    columns: dict[str, Any] = {name: [_cell(getattr(row, name)) for row in rows] for name in names}
    schema: dict[str, Any] = dict.fromkeys(names, pl.String)
    given = [sorted(row.model_fields_set - {"store_id"}) for row in rows]
    return pl.DataFrame(
        {"line": range(len(rows)), **columns, "given": given},
        {"line": pl.Int64, **schema, "given": pl.List(pl.String)},
    )


def _cell(value: str | list[str] | float | None) -> str | None:
    """A JSON value as a cell of a file."""
    if isinstance(value, list):
        return ";".join(value)
    return f"{value:.6f}" if isinstance(value, float) else value
