"""Who belongs to a group of stores."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from storewatch.domain.permissions import READ, WRITE, GroupRole
from storewatch.services import members
from storewatch.services.members import Member as Found
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    answer,
    check_tag,
    cursor_of,
    database,
    page,
    read_cursor,
    resource,
    tagged,
)
from storewatch.web.api.v1.groups import GroupPath

blueprint = resource(
    "Members",
    "Who belongs to a group: its managers and viewers. Operators see and change all; a group's managers see "
    "and change its viewers; a viewer sees themselves.",
)


class MemberPath(BaseModel):
    group_id: UUID
    account_id: UUID


class Place(Body):
    role: GroupRole = Field(
        description="a manager changes the group's stores and invites viewers; a viewer reads"
    )


class Member(BaseModel):
    account_id: UUID
    email: str
    role: GroupRole


class MemberPage(BaseModel):
    items: list[Member]
    next_cursor: str | None


@blueprint.get(
    "/groups/<group_id>/members",
    operation_id="listMembers",
    responses={"200": answer("Members by address", MemberPage)},
)
@needs(READ)
def list_members(path: GroupPath, query: PageQuery) -> Response:
    """The members of a group whom you may see."""
    after = read_cursor(query.cursor, str)
    found = members.page(database(), caller(), path.group_id, after[0] if after else None, query.limit + 1)
    return page(
        [_shown(member) for member in found], query.limit, lambda last: cursor_of(last["email"].lower())
    )


@blueprint.get(
    "/groups/<group_id>/members/<account_id>",
    operation_id="getMember",
    responses={"200": answer("The member", Member)},
)
@needs(READ)
def get_member(path: MemberPath) -> Response:
    """One member of a group."""
    return tagged(_shown(members.get(database(), caller(), path.group_id, path.account_id)))


@blueprint.put(
    "/groups/<group_id>/members/<account_id>",
    operation_id="putMember",
    responses={"200": answer("The member", Member)},
)
@needs(WRITE)
def put_member(path: MemberPath, body: Place) -> Response:
    """Give somebody who has an account a place in a group, or another one. Who has none is invited.

    Managers put viewers of one group of theirs into another, as viewers. With If-Match it is refused if the
    place was changed meanwhile, or there is none.
    """
    found = members.put(database(), caller(), path.group_id, path.account_id, body.role, _check)
    return tagged(_shown(found))


@blueprint.delete(
    "/groups/<group_id>/members/<account_id>",
    operation_id="removeMember",
    responses={"204": answer("They belong to it no more")},
)
@needs(WRITE)
def remove_member(path: MemberPath) -> tuple[str, int]:
    """End somebody's place in a group: at once they see none of its stores by it."""
    members.remove(database(), caller(), path.group_id, path.account_id, _check)
    return "", 204


def _check(present: Found | None) -> None:
    check_tag(None if present is None else _shown(present))


def _shown(member: Found) -> dict[str, Any]:
    account, role = member
    return {"account_id": str(account.account_id), "email": account.email, "role": role.value}
