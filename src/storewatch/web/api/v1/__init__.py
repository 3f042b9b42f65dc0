"""REST API v1: a module a resource, each with a blueprint of its own under /api/v1."""

from storewatch.web.api.v1 import groups, hours, imports, polls, stores, uploads, zones

RESOURCES = (
    stores.blueprint,
    hours.blueprint,
    zones.blueprint,
    groups.blueprint,
    polls.blueprint,
    imports.blueprint,
    uploads.blueprint,
)
"""Every resource; the order is that of the API's page."""
