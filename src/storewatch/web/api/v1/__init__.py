"""REST API v1: a module a resource, each with a blueprint of its own under /api/v1."""

from storewatch.web.api.v1 import (
    audit,
    availability,
    groups,
    history,
    hours,
    invitations,
    members,
    report_rows,
    reports,
    stores,
    timelines,
    tokens,
    users,
    zones,
)

RESOURCES = (
    stores.blueprint,
    hours.blueprint,
    zones.blueprint,
    groups.blueprint,
    members.blueprint,
    users.blueprint,
    invitations.blueprint,
    tokens.blueprint,
    audit.blueprint,
    reports.blueprint,
    report_rows.blueprint,
    availability.blueprint,
    history.blueprint,
    timelines.blueprint,
)
"""Every resource; the order is that of the API's page."""
