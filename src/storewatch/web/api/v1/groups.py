"""Groups of stores: brands, regions, franchisees."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from storewatch.domain.permissions import OPERATE, READ
from storewatch.services import groups
from storewatch.storage.access_tables import StoreGroup
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    StoreId,
    Text,
    answer,
    check_tag,
    cursor_of,
    database,
    page,
    read_cursor,
    resource,
    tagged,
)

blueprint = resource("Groups", "Stores that belong together; people see stores by their groups.")


class GroupPath(BaseModel):
    group_id: UUID


class NewGroup(Body):
    name: Text = Field(min_length=1, examples=["Maple St Holdings"])


class Group(BaseModel):
    group_id: UUID
    name: str


class Groups(BaseModel):
    items: list[Group]
    next_cursor: str | None


class Stores(Body):
    store_ids: list[StoreId] = Field(max_length=10_000)


class Changed(BaseModel):
    changed: int


_LINKS = {
    "read": {"operationId": "getGroup", "parameters": {"group_id": "$response.body#/group_id"}},
    "rename": {"operationId": "renameGroup", "parameters": {"group_id": "$response.body#/group_id"}},
    "members": {"operationId": "listMembers", "parameters": {"group_id": "$response.body#/group_id"}},
    "remove": {"operationId": "deleteGroup", "parameters": {"group_id": "$response.body#/group_id"}},
}


@blueprint.get("/groups", operation_id="listGroups", responses={"200": answer("Groups by name", Groups)})
@needs(READ)
def list_groups(query: PageQuery) -> Response:
    """The groups that you may see."""
    after = read_cursor(query.cursor, str)
    found = groups.page(database(), caller(), after[0] if after else "", query.limit + 1)
    return page([_shown(group) for group in found], query.limit, lambda last: cursor_of(last["name"]))


@blueprint.post(
    "/groups", operation_id="createGroup", responses={"201": answer("The group", Group, links=_LINKS)}
)
@needs(OPERATE)
def create_group(body: NewGroup) -> Response:
    """Make a group."""
    return tagged(_shown(groups.create(database(), caller(), body.name)), 201)


@blueprint.get("/groups/<group_id>", operation_id="getGroup", responses={"200": answer("The group", Group)})
@needs(READ)
def get_group(path: GroupPath) -> Response:
    """One group."""
    return tagged(_shown(groups.get(database(), caller(), path.group_id)))


@blueprint.patch(
    "/groups/<group_id>", operation_id="renameGroup", responses={"200": answer("The group", Group)}
)
@needs(OPERATE)
def rename_group(path: GroupPath, body: NewGroup) -> Response:
    """Give a group another name. With If-Match it is refused if somebody else renamed it meanwhile."""

    def check(present: StoreGroup) -> None:
        check_tag(_shown(present))

    return tagged(_shown(groups.rename(database(), caller(), path.group_id, body.name, check)))


@blueprint.delete(
    "/groups/<group_id>", operation_id="deleteGroup", responses={"204": answer("It is gone; its stores stay")}
)
@needs(OPERATE)
def delete_group(path: GroupPath) -> tuple[str, int]:
    """Remove a group. Its stores and people stay; who saw stores by it alone sees them no more."""
    groups.remove(database(), caller(), path.group_id)
    return "", 204


@blueprint.post(
    "/groups/<group_id>/stores",
    operation_id="addStoresToGroup",
    responses={"200": answer("How many were new in the group", Changed)},
)
@needs(OPERATE)
def add_stores(path: GroupPath, body: Stores) -> dict[str, Any]:
    """Put stores into a group."""
    return {"changed": groups.add_stores(database(), caller(), path.group_id, body.store_ids)}


@blueprint.post(
    "/groups/<group_id>/stores/remove",
    operation_id="removeStoresFromGroup",
    responses={"200": answer("How many were in the group", Changed)},
)
@needs(OPERATE)
def remove_stores(path: GroupPath, body: Stores) -> dict[str, Any]:
    """Take stores out of a group."""
    return {"changed": groups.remove_stores(database(), caller(), path.group_id, body.store_ids)}


def _shown(group: StoreGroup) -> dict[str, Any]:
    return {"group_id": str(group.group_id), "name": group.name}
