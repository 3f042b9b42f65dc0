"""Incidents: what people are told of, from its beginning to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from storewatch.domain.permissions import READ, WRITE
from storewatch.services import incidents
from storewatch.storage.incident_pages import Found, Which
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import (
    Body,
    PageQuery,
    Text,
    Whole,
    answer,
    cursor_of,
    database,
    instant,
    page,
    read_cursor,
    resource,
    tagged,
)

blueprint = resource(
    "Incidents",
    "What people are told of, from its beginning to its end: for alerting only. What counts in figures are "
    "outages.",
)


class IncidentPath(BaseModel):
    incident_id: UUID


class IncidentsQuery(PageQuery):
    open: bool | None = Field(default=None, description="true: those that go on; false: those that are over")
    group_id: UUID | None = Field(default=None, description="of a group and of its stores")
    store_id: Text | None = None


class Snooze(Body):
    minutes: Whole = Field(ge=1, le=7 * 1440, examples=[240], description="for so long, a week at most")


Kind = Literal["down", "mass", "no_data", "budget"]


class Incident(BaseModel):
    incident_id: UUID
    kind: Kind
    store_id: str | None
    group_id: UUID | None
    began_at: str = Field(description="of a store: the first poll that saw it down")
    noticed_at: str
    ended_at: str | None = Field(description="when it was noticed that it is over; null: it goes on")
    reason: str | None = Field(description="what the polls gave as reason")
    intended: bool = Field(description="it was meant to be so: nobody is told")
    acknowledged_at: str | None
    acknowledged_by: str | None = Field(description="null where that is nobody whom you see")
    snoozed_until: str | None


class Incidents(BaseModel):
    items: list[Incident]
    next_cursor: str | None


@blueprint.get(
    "/incidents", operation_id="listIncidents", responses={"200": answer("Newest first", Incidents)}
)
@needs(READ)
def list_incidents(query: IncidentsQuery) -> Response:
    """The incidents of what you may see."""
    after = read_cursor(query.cursor, int)
    which = Which(open=query.open, store_id=query.store_id or None)
    rows = incidents.page(
        database(), caller(), which, after[0] if after else None, query.limit + 1, query.group_id
    )
    last = {str(row.incident.incident_id): row.incident.incident_no for row in rows}
    return page([_shown(row) for row in rows], query.limit, lambda item: cursor_of(last[item["incident_id"]]))


@blueprint.get(
    "/incidents/<uuid:incident_id>",
    operation_id="getIncident",
    responses={"200": answer("The incident", Incident)},
)
@needs(READ)
def get_incident(path: IncidentPath) -> Response:
    """One incident."""
    return tagged(_shown(incidents.get(database(), caller(), path.incident_id)))


@blueprint.post(
    "/incidents/<uuid:incident_id>/acknowledge",
    operation_id="acknowledgeIncident",
    responses={"200": answer("The incident", Incident)},
)
@needs(WRITE)
def acknowledge_incident(path: IncidentPath) -> Response:
    """Say that you have seen it: nobody hears more of it until it is over. For who may change the store."""
    return tagged(_shown(incidents.acknowledge(database(), caller(), path.incident_id)))


@blueprint.post(
    "/incidents/<uuid:incident_id>/snooze",
    operation_id="snoozeIncident",
    responses={"200": answer("The incident", Incident)},
)
@needs(WRITE)
def snooze_incident(path: IncidentPath, body: Snooze) -> Response:
    """Say that nobody is to hear more of it for a while, but that it is over."""
    until = datetime.now(UTC) + timedelta(minutes=body.minutes)
    return tagged(_shown(incidents.snooze(database(), caller(), path.incident_id, until)))


def _shown(found: Found) -> dict[str, Any]:
    incident = found.incident
    return {
        "incident_id": str(incident.incident_id),
        "kind": incident.kind,
        "store_id": found.store_id,
        "group_id": None if found.group is None else str(found.group.group_id),
        "began_at": instant(incident.began_at),
        "noticed_at": instant(incident.noticed_at),
        "ended_at": instant(incident.ended_at),
        "reason": incident.reason,
        "intended": incident.intended,
        "acknowledged_at": instant(incident.acknowledged_at),
        "acknowledged_by": found.acknowledged_by,
        "snoozed_until": instant(incident.snoozed_until),
    }
