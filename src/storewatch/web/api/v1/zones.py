"""The time zone of a store."""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import BaseModel, Field, field_validator

from storewatch.domain import zones
from storewatch.domain.permissions import READ, WRITE
from storewatch.services import weeks
from storewatch.web.access import caller, needs
from storewatch.web.api.v1.common import Body, answer, check_tag, database, resource, tagged
from storewatch.web.api.v1.stores import StorePath
from storewatch.web.context import default_request

blueprint = resource("Zones", "The time zone of a store, in which its opening hours are meant.")


class NewZone(Body):
    zone: str = Field(examples=["America/New_York"], json_schema_extra={"enum": [*sorted(zones.names())]})

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in zones.names():
            raise ValueError("it is not an IANA time zone like America/Chicago")
        return name


class Zone(BaseModel):
    store_id: str
    zone: str
    zone_given: bool = Field(description="false: it has none and is taken to be in the default zone")


@blueprint.get("/zones/<id:store_id>", operation_id="getZone", responses={"200": answer("The zone", Zone)})
@needs(READ)
def get_zone(path: StorePath) -> Response:
    """The zone of a store."""
    return tagged(_shown(path.store_id, weeks.zone(database(), caller(), path.store_id)))


@blueprint.put("/zones/<id:store_id>", operation_id="setZone", responses={"200": answer("The zone", Zone)})
@needs(WRITE)
def set_zone(path: StorePath, body: NewZone) -> Response:
    """Set the zone of a store. For operators, and managers of its groups."""
    return _set(path.store_id, body.zone)


@blueprint.delete(
    "/zones/<id:store_id>", operation_id="deleteZone", responses={"200": answer("The default zone", Zone)}
)
@needs(WRITE)
def delete_zone(path: StorePath) -> Response:
    """Take the zone of a store away: it is in the default zone then."""
    return _set(path.store_id, None)


def _set(store_id: str, name: str | None) -> Response:
    def check(present: str | None) -> None:
        check_tag(_shown(store_id, present))

    return tagged(_shown(store_id, weeks.set_zone(database(), caller(), store_id, name, check)))


def _shown(store_id: str, name: str | None) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "zone": name or default_request().default_zone,
        "zone_given": name is not None,
    }
