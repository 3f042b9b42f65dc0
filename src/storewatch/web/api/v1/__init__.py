"""REST API v1: a module a resource, each with a blueprint of its own under /api/v1."""

from storewatch.web.api.v1 import (
    audit,
    availability,
    groups,
    history,
    hours,
    imports,
    invitations,
    members,
    polls,
    report_rows,
    reports,
    stores,
    timelines,
    tokens,
    uploads,
    users,
    zones,
)

RESOURCES = (
    stores.blueprint,
    hours.blueprint,
    zones.blueprint,
    polls.blueprint,
    availability.blueprint,
    history.blueprint,
    timelines.blueprint,
    reports.blueprint,
    report_rows.blueprint,
    uploads.blueprint,
    imports.blueprint,
    groups.blueprint,
    members.blueprint,
    users.blueprint,
    invitations.blueprint,
    tokens.blueprint,
    audit.blueprint,
)
"""Every resource; the order is that of the API's page."""
