"""Invitations: made, one or many, listed while they are open, withdrawn."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, jsonify
from pydantic import BaseModel, Field, field_validator

from storewatch.domain.clock import from_us, to_us
from storewatch.domain.permissions import READ, WRITE, GroupRole, Role
from storewatch.errors import UsageError
from storewatch.services import invitations
from storewatch.services.invitations import MAX_BYTES, MOST, Open
from storewatch.services.people import Invitation as Made
from storewatch.storage.links import given_groups
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    Text,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tag_of,
    tagged,
    takes,
)
from storewatch.web.api.v1.users import PlaceInGroup
from storewatch.web.bodies import blocks
from storewatch.web.context import link_url, mail_on
from storewatch.web.idempotency import shows_once

blueprint = resource(
    "Invitations",
    "How people come in: by a link that works once, for 14 days. Admins invite anybody, operators managers "
    "and viewers, managers viewers of their own groups. No answer tells whether an address has an account.",
)


class InvitationPath(BaseModel):
    invitation_id: UUID


class NewPlace(Body):
    group_id: UUID
    role: GroupRole


class NewInvitation(Body):
    email: Text = Field(examples=["mia@maple.example"])
    role: Role = Field(default=Role.MEMBER, description="a member needs a group")
    groups: list[NewPlace] = Field(default=[], max_length=100)

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: list[NewPlace]) -> list[NewPlace]:
        if len({place.group_id for place in groups}) < len(groups):
            raise ValueError("a group is there twice")
        return groups


class Invitation(BaseModel):
    invitation_id: UUID
    email: str
    role: Role
    groups: list[PlaceInGroup]
    invited_by: str | None = Field(description="null: by a command, or without logins")
    created_at: str
    expires_at: str


class MadeInvitation(Invitation):
    link: str | None = Field(
        description="to pass on; shown this once. Null if it is mailed, and where a request is repeated"
    )
    mailed: bool


class InvitationPage(BaseModel):
    items: list[Invitation]
    next_cursor: str | None


class RejectedPerson(BaseModel):
    line: int = Field(description="of the file; its header is line 1")
    reason: str


class Many(BaseModel):
    items: list[MadeInvitation]
    rejected: list[RejectedPerson]


_OF_INVITATION = {"invitation_id": "$response.body#/invitation_id"}
_LINKS = {
    "read": {"operationId": "getInvitation", "parameters": _OF_INVITATION},
    "withdraw": {"operationId": "withdrawInvitation", "parameters": _OF_INVITATION},
}
_FILE: dict[str, Any] = {
    "description": f"CSV with the columns email, role, group; at most {MOST:,} rows, {MAX_BYTES >> 20} MiB. "
    "`role` is admin, operator, manager or viewer; the last two need the name of a `group`, the others have "
    "none. Who has places in several groups has a row for each.",
    "content": {
        "text/csv": {
            "schema": {"type": "string"},
            "example": "email,role,group\nmia@maple.example,manager,Maple St\noscar@example.com,operator,\n",
        }
    },
}


@blueprint.get(
    "/invitations",
    operation_id="listInvitations",
    responses={"200": answer("Newest first", InvitationPage)},
)
@needs(READ)
def list_invitations(query: PageQuery) -> Response:
    """Invitations that can be accepted: your own; for admins and operators everybody's."""
    found = invitations.page(database(), caller(), _after(query.cursor), query.limit + 1)
    ends = {str(each.link.link_id): to_us(each.link.created_at) for each in found}
    return page(
        [_shown(each) for each in found],
        query.limit,
        lambda last: cursor_of(ends[last["invitation_id"]], last["invitation_id"]),
    )


def _after(cursor: str) -> tuple[datetime, UUID] | None:
    values = read_cursor(cursor, int, str)
    try:
        return None if values is None else (from_us(values[0]), UUID(values[1]))
    except (ValueError, OverflowError):
        raise UsageError("cursor is none that this list gave", field="cursor") from None


@blueprint.post(
    "/invitations",
    operation_id="createInvitation",
    responses={"201": answer("The invitation", MadeInvitation, links=_LINKS)},
)
@needs(WRITE)
@shows_once("link")
def create_invitation(body: NewInvitation) -> Response:
    """Invite somebody. The link is mailed if a mail server is set, else you pass it on.

    One of yours that is open and gives the same person the same is replaced.
    """
    places = {place.group_id: place.role for place in body.groups}
    found, made = invitations.invite(database(), caller(), body.email, body.role, places, by_mail=mail_on())
    response = jsonify(_made(found, made))
    response.set_etag(tag_of(_shown(found)))
    response.headers["Location"] = f"/api/v1/invitations/{found.link.link_id}"
    response.status_code = 201
    return response


@blueprint.post(
    "/invitations/bulk",
    operation_id="inviteMany",
    request_body=_FILE,
    responses={"200": answer("Who is invited, and the rows that were rejected", Many)},
)
@needs(WRITE)
@takes(MAX_BYTES, "text/csv")
@shows_once("link")
def invite_many() -> dict[str, Any]:
    """Invite the people of a file. Rows that cannot be used are rejected alone, with a reason.

    Everybody gets one invitation for all their rows. A group must exist.
    """
    file = io.BytesIO(b"".join(blocks(MAX_BYTES)))
    many = invitations.invite_file(database(), caller(), file, "the body", by_mail=mail_on())
    return {
        "items": [_made(found, made) for found, made in many.invited],
        "rejected": [{"line": line, "reason": reason} for line, reason in many.rejected],
    }


@blueprint.get(
    "/invitations/<uuid:invitation_id>",
    operation_id="getInvitation",
    responses={"200": answer("The invitation", Invitation)},
)
@needs(READ)
def get_invitation(path: InvitationPath) -> Response:
    """One open invitation."""
    return tagged(_shown(invitations.get(database(), caller(), path.invitation_id)))


@blueprint.delete(
    "/invitations/<uuid:invitation_id>",
    operation_id="withdrawInvitation",
    responses={"204": answer("Its link no longer works")},
)
@needs(WRITE)
def withdraw_invitation(path: InvitationPath) -> tuple[str, int]:
    """Withdraw an invitation."""
    invitations.withdraw(database(), caller(), path.invitation_id)
    return "", 204


def _made(found: Open, made: Made) -> dict[str, Any]:
    link = None if made.secret is None else link_url(made.secret)
    return {**_shown(found), "link": link, "mailed": made.secret is None}


def _shown(found: Open) -> dict[str, Any]:
    link, given = found.link, given_groups(found.link)
    places = sorted((found.groups[number].name, number) for number in given if number in found.groups)
    return {
        "invitation_id": str(link.link_id),
        "email": link.email,
        "role": link.role,
        "groups": [
            {"group_id": str(found.groups[number].group_id), "name": name, "role": given[number].value}
            for name, number in places
        ],
        "invited_by": found.invited_by,
        "created_at": instant(link.created_at),
        "expires_at": instant(link.expires_at),
    }
