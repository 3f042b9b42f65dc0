"""Where else a group's alerts go: Slack, Teams, signed webhooks, another mailbox."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Response, current_app, jsonify
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from storewatch.domain.permissions import READ, WRITE
from storewatch.services import alert_channels
from storewatch.services.alert_channels import Wanted
from storewatch.storage.alert_tables import AlertChannel
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
)
from storewatch.web.api.v1.groups import GroupPath
from storewatch.web.idempotency import shows_once
from storewatch.web.limits import check_tries

blueprint = resource(
    "Alert channels",
    "Where else a group's alerts go. Their addresses are secrets: told once, shown masked.",
)

Kind = Literal["mail", "slack", "teams", "webhook", "other"]


class ChannelPath(BaseModel):
    group_id: UUID
    channel_id: UUID


class NewChannel(Body):
    name: Text = Field(min_length=1, examples=["ops room"])
    kind: Kind = Field(description="other: an address of Apprise, if this storewatch allows its scheme")
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[\x21-\x7e]+$")] = Field(
        examples=["https://example.com/alerts"],
        description="the address as Slack, Teams or your own service gives it; of mail, a mail address",
    )


class Switch(Body):
    enabled: StrictBool


class Channel(BaseModel):
    channel_id: UUID
    name: str
    kind: Kind
    url: str = Field(description="masked")
    enabled: StrictBool
    created_at: str


class MadeChannel(Channel):
    signing_secret: str | None = Field(
        description="of a webhook: what its messages are signed with; shown this once. Null for others, and "
        "where a request is repeated"
    )


class Channels(BaseModel):
    items: list[Channel]
    next_cursor: str | None


class Tested(BaseModel):
    key: UUID = Field(description="what came of it: GET /groups/…/deliveries/KEY")


_OF_CHANNEL = {"group_id": "$request.path.group_id", "channel_id": "$response.body#/channel_id"}
_LINKS = {
    "read": {"operationId": "getChannel", "parameters": _OF_CHANNEL},
    "switch": {"operationId": "switchChannel", "parameters": _OF_CHANNEL},
    "remove": {"operationId": "deleteChannel", "parameters": _OF_CHANNEL},
}


@blueprint.get(
    "/groups/<group_id>/channels",
    operation_id="listChannels",
    responses={"200": answer("By name", Channels)},
)
@needs(READ)
def list_channels(path: GroupPath, query: PageQuery) -> Response:
    """The channels of a group."""
    after = read_cursor(query.cursor, str)
    found = alert_channels.page(
        database(), caller(), path.group_id, after[0] if after else "", query.limit + 1
    )
    return page([_shown(each) for each in found], query.limit, lambda last: cursor_of(last["name"]))


@blueprint.post(
    "/groups/<group_id>/channels",
    operation_id="createChannel",
    responses={"201": answer("The channel", MadeChannel, links=_LINKS)},
)
@needs(WRITE)
@shows_once("signing_secret")
def create_channel(path: GroupPath, body: NewChannel) -> Response:
    """Send a group's alerts to one more place. For its managers."""
    schemes = alert_channels.schemes(current_app.extensions["storewatch.settings"].apprise_schemes)
    wanted = Wanted(body.name, body.kind, body.url)
    made, secret = alert_channels.create(database(), caller(), path.group_id, wanted, schemes)
    response = jsonify({**_shown(made), "signing_secret": secret})
    response.set_etag(tag_of(_shown(made)))
    response.headers["Location"] = f"/api/v1/groups/{path.group_id}/channels/{made.channel_id}"
    response.status_code = 201
    return response


@blueprint.get(
    "/groups/<group_id>/channels/<uuid:channel_id>",
    operation_id="getChannel",
    responses={"200": answer("The channel", Channel)},
)
@needs(READ)
def get_channel(path: ChannelPath) -> Response:
    """One channel, its address masked."""
    return tagged(_shown(alert_channels.get(database(), caller(), path.group_id, path.channel_id)))


@blueprint.patch(
    "/groups/<group_id>/channels/<uuid:channel_id>",
    operation_id="switchChannel",
    responses={"200": answer("The channel", Channel)},
)
@needs(WRITE)
def switch_channel(path: ChannelPath, body: Switch) -> Response:
    """Switch a channel off, or on again."""
    found = alert_channels.switch(database(), caller(), path.group_id, path.channel_id, on=body.enabled)
    return tagged(_shown(found))


@blueprint.delete(
    "/groups/<group_id>/channels/<uuid:channel_id>",
    operation_id="deleteChannel",
    responses={"204": answer("It is gone, and its part of the log")},
)
@needs(WRITE)
def delete_channel(path: ChannelPath) -> tuple[str, int]:
    """Remove a channel."""
    alert_channels.remove(database(), caller(), path.group_id, path.channel_id)
    return "", 204


@blueprint.post(
    "/groups/<group_id>/channels/<uuid:channel_id>/test",
    operation_id="testChannel",
    responses={"202": answer("It is on its way", Tested)},
)
@needs(WRITE)
def test_channel(path: ChannelPath) -> Response:
    """Send a real test there, once; the delivery of that key tells what came of it."""
    check_tries()
    key = alert_channels.test(database(), caller(), path.group_id, path.channel_id)
    response = jsonify({"key": str(key)})
    response.status_code = 202
    return response


def _shown(channel: AlertChannel) -> dict[str, Any]:
    return {
        "channel_id": str(channel.channel_id),
        "name": channel.name,
        "kind": channel.kind,
        "url": alert_channels.masked(channel),
        "enabled": channel.enabled,
        "created_at": instant(channel.created_at),
    }
