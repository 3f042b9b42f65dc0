"""What a group's people are told, and the log of what went out."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field, StrictBool

from storewatch.domain import alert_rule
from storewatch.domain.alert_rule import Rule
from storewatch.domain.permissions import READ, WRITE
from storewatch.errors import UsageError
from storewatch.services import alert_channels, alert_rules
from storewatch.storage.delivery_log import Logged
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    Text,
    Whole,
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
from storewatch.web.api.v1.groups import GroupPath

blueprint = resource(
    "Alerts",
    "What a group's people are told, and what went out. Who sees a group reads it, its managers decide.",
)

Minutes = Whole
Percent = Whole


class DeliveryPath(BaseModel):
    group_id: UUID
    key: UUID


class NewRule(Body):
    """Lengths in minutes. What is left out, or null, is not told."""

    down: StrictBool = Field(default=True, description="a store went down")
    recovered: StrictBool = Field(
        default=True, description="it is up again, to those who heard that it was down"
    )
    still_down_after: list[Minutes] = Field(
        default=[], max_length=alert_rule.MOST_STEPS, description="it is still down after so long"
    )
    mass_percent: Percent | None = Field(
        default=None, description="more of the open stores than this went down: one message with a list"
    )
    mass_within: Minutes | None = Field(default=None, description="within so long")
    no_data_after: Minutes | None = Field(
        default=None, description="no store of the group was polled for so long"
    )
    budget_percent: Percent | None = Field(
        default=None, description="so much of a service level's budget is used"
    )
    quiet_from: Text | None = Field(
        default=None, examples=["22:00"], description="nothing is sent from then on"
    )
    quiet_until: Text | None = Field(default=None, examples=["07:00"], description="maybe on the next day")
    quiet_zone: Text | None = Field(default=None, examples=["America/Chicago"])

    def rule(self) -> Rule:
        """As the service has it."""
        said = self.model_dump() | {"still_down_after": tuple(self.still_down_after)}
        return Rule(**said | {name: _minutes(name, said[name]) for name in ("quiet_from", "quiet_until")})


def _minutes(name: str, text: str | None) -> int | None:
    found = None if text is None else alert_rule.minutes_of(text)
    if text is not None and found is None:
        raise UsageError(f"{name} is not a time like 22:00", field=name)
    return found


class AlertRule(BaseModel):
    down: bool
    recovered: bool
    still_down_after: list[int]
    mass_percent: int | None
    mass_within: int | None
    no_data_after: int | None
    budget_percent: int | None
    quiet_from: str | None
    quiet_until: str | None
    quiet_zone: str | None


class Mine(Body):
    on: StrictBool = Field(description="false: I get no mails of this group's alerts")


class MineNow(BaseModel):
    on: bool


Status = Literal["waiting", "held", "sent", "failed", "dropped"]


class Delivery(BaseModel):
    key: UUID = Field(description="what comes with the same key is the same again")
    event: str = Field(description="down.begun, down.still, down.ended, mass.begun …, or test")
    incident_id: UUID | None
    store_id: str | None
    email: str | None = Field(description="to whom; null: a channel, or somebody whom you do not see")
    channel: str | None
    status: Status = Field(description="held: until quiet hours end; dropped: it was no longer to be said")
    tries: int
    said: str | None = Field(description="why it is not sent, in words")
    created_at: str
    not_before: str | None = Field(description="when it is tried again")
    sent_at: str | None


class Deliveries(BaseModel):
    items: list[Delivery]
    next_cursor: str | None


@blueprint.get(
    "/groups/<group_id>/alerts", operation_id="getAlerts", responses={"200": answer("The rule", AlertRule)}
)
@needs(READ)
def get_alerts(path: GroupPath) -> Response:
    """What a group's people are told."""
    return tagged(shown(alert_rules.get(database(), caller(), path.group_id)))


@blueprint.put(
    "/groups/<group_id>/alerts", operation_id="setAlerts", responses={"200": answer("The rule", AlertRule)}
)
@needs(WRITE)
def set_alerts(path: GroupPath, body: NewRule) -> Response:
    """Say what a group's people are told, in place of what was said before. For its managers."""

    def check(present: Rule) -> None:
        check_tag(shown(present))

    return tagged(shown(alert_rules.put(database(), caller(), path.group_id, body.rule(), check)))


@blueprint.put(
    "/groups/<group_id>/alerts/mine",
    operation_id="setMyAlerts",
    responses={"200": answer("What holds now", MineNow)},
)
@needs(WRITE)
def set_mine(path: GroupPath, body: Mine) -> Response:
    """Say whether you get the group's alerts by mail. Others' are not touched."""
    alert_rules.set_own(database(), caller(), path.group_id, on=body.on)
    return tagged({"on": body.on})


@blueprint.get(
    "/groups/<group_id>/deliveries",
    operation_id="listDeliveries",
    responses={"200": answer("Newest first", Deliveries)},
)
@needs(READ)
def list_deliveries(path: GroupPath, query: PageQuery) -> Response:
    """What went out for a group, or waits: to whom, when, and what came of it."""
    after = read_cursor(query.cursor, int)
    rows = alert_channels.deliveries(
        database(), caller(), path.group_id, after[0] if after else None, query.limit + 1
    )
    last = {str(row.delivery.key): row.delivery.delivery_no for row in rows}
    return page([_logged(row) for row in rows], query.limit, lambda item: cursor_of(last[item["key"]]))


@blueprint.get(
    "/groups/<group_id>/deliveries/<uuid:key>",
    operation_id="getDelivery",
    responses={"200": answer("The delivery", Delivery)},
)
@needs(READ)
def get_delivery(path: DeliveryPath) -> Response:
    """One of them, by its key: what came of a test, for example."""
    return tagged(_logged(alert_channels.delivery(database(), caller(), path.group_id, path.key)))


def shown(rule: Rule) -> dict[str, Any]:
    """A rule as it is told."""
    quiet = {
        name: None if getattr(rule, name) is None else alert_rule.clock_of(getattr(rule, name))
        for name in ("quiet_from", "quiet_until")
    }
    return rule.values() | quiet


def _logged(row: Logged) -> dict[str, Any]:
    delivery = row.delivery
    return {
        "key": str(delivery.key),
        "event": "test" if row.incident is None else f"{row.incident.kind}.{row.kind}",
        "incident_id": None if row.incident is None else str(row.incident.incident_id),
        "store_id": row.store_id,
        "email": row.email,
        "channel": row.channel,
        "status": delivery.status,
        "tries": delivery.attempts,
        "said": delivery.said,
        "created_at": instant(delivery.created_at),
        "not_before": instant(delivery.not_before),
        "sent_at": instant(delivery.sent_at),
    }
