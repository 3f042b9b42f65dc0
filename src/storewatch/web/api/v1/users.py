"""People: listed, read, disabled, given another role; who asks."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from storewatch.domain.permissions import ADMINISTER, READ, WRITE, GroupRole, Role
from storewatch.errors import UsageError
from storewatch.services import users
from storewatch.storage.people_pages import Filter, Person, Place
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
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

blueprint = resource(
    "Users",
    "Who may log in. Admins and operators see everybody; managers see the viewers of their own groups, and "
    "of these their places in these; everybody sees themselves. New people are invited.",
)


class UserPath(BaseModel):
    account_id: UUID


class PlaceInGroup(BaseModel):
    group_id: UUID
    name: str
    role: GroupRole


class User(BaseModel):
    account_id: UUID
    email: str
    role: Role = Field(description="admins and operators see every store, members those of their groups")
    active: bool = Field(description="false: no login, session or token of theirs works")
    created_at: str
    last_login_at: str | None
    groups: list[PlaceInGroup] = Field(description="those that you may see")


class UserPage(BaseModel):
    items: list[User]
    next_cursor: str | None


class Me(BaseModel):
    account_id: UUID | None = Field(description="null where there are no logins")
    email: str | None
    role: Role
    via: Literal["session", "token", "no-login"]
    scope: Literal["read", "import", "write"] = Field(description="a session has write")
    groups: list[PlaceInGroup]


class UserQuery(PageQuery):
    q: Text = Field(default="", description="found in the address, capitals or not")
    role: Literal["", "admin", "operator", "member"] = ""
    active: Literal["", "true", "false"] = ""


class UserChange(Body):
    """What is left out stays."""

    role: Role | None = None
    active: bool | None = Field(default=None, description="false ends their sessions and tokens at once")


_OF_USER = {"account_id": "$response.body#/account_id"}
_LINKS = {
    "read": {"operationId": "getUser", "parameters": _OF_USER},
    "change": {"operationId": "updateUser", "parameters": _OF_USER},
}


@blueprint.get("/users", operation_id="listUsers", responses={"200": answer("People by address", UserPage)})
@needs(READ)
def list_users(query: UserQuery) -> Response:
    """The people whom you may see."""
    after = read_cursor(query.cursor, str)
    active = {"true": True, "false": False}.get(query.active)
    which = Filter(query.q or None, query.role or None, active)
    found = users.page(database(), caller(), which, after[0] if after else None, query.limit + 1)
    return page(
        [shown(person) for person in found],
        query.limit,
        lambda last: cursor_of(last["email"].lower()),
    )


@blueprint.get("/users/me", operation_id="getMe", responses={"200": answer("You", Me, links=_LINKS)})
@needs(READ)
def get_me() -> dict[str, Any]:
    """Who you are to storewatch, and what your token is good for."""
    who = caller()
    places = users.get(database(), who, who.account_id).places if who.account_id else []
    return {
        "account_id": str(who.account_id) if who.account_id else None,
        "email": who.email,
        "role": who.role.value,
        "via": who.via.value,
        "scope": who.scope.value,
        "groups": [_place(place) for place in places],
    }


@blueprint.delete(
    "/users/me/sessions", operation_id="logOutEverywhere", responses={"204": answer("They have ended")}
)
@needs(WRITE)
def end_sessions() -> tuple[str, int]:
    """End all your sessions, in every browser. Tokens stay."""
    users.end_sessions(database(), caller())
    return "", 204


@blueprint.get(
    "/users/<uuid:account_id>",
    operation_id="getUser",
    responses={"200": answer("The person", User, links=_LINKS)},
)
@needs(READ)
def get_user(path: UserPath) -> Response:
    """One person."""
    return tagged(shown(users.get(database(), caller(), path.account_id)))


@blueprint.patch(
    "/users/<uuid:account_id>", operation_id="updateUser", responses={"200": answer("The person", User)}
)
@needs(ADMINISTER)
def update_user(path: UserPath, body: UserChange) -> Response:
    """Give somebody another role, disable them or let them in again. For admins.

    People are not deleted: what they did stays theirs in the audit log. The last administrator stays one
    (409). With If-Match it is refused if somebody else changed the person meanwhile.
    """
    if body.role is None and body.active is None:
        raise UsageError("Say what to change: role or active")

    def check(present: Person) -> None:
        check_tag(shown(present))

    return tagged(shown(users.change(database(), caller(), path.account_id, body.role, body.active, check)))


def shown(person: Person) -> dict[str, Any]:
    """A person as they are answered."""
    account = person.account
    return {
        "account_id": str(account.account_id),
        "email": account.email,
        "role": account.role,
        "active": account.active,
        "created_at": instant(account.created_at),
        "last_login_at": instant(account.last_login_at),
        "groups": [_place(place) for place in person.places],
    }


def _place(place: Place) -> dict[str, Any]:
    group, role = place
    return {"group_id": str(group.group_id), "name": group.name, "role": role.value}
