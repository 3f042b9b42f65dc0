"""Every page of the app: where to see one. A route that shows a page and is not here fails a test."""

from __future__ import annotations

PAGES = {
    "/": "/",
    "/stores": None,  # the same
    "/now": None,  # a part of the page
    "/stores/<id:store_id>": "/stores/{store}",
    "/store-now": None,  # a part of the page
    "/exceptions/new": "/exceptions/new?store={store}",
    "/exceptions/<uuid:exception_id>/undo": "/exceptions/{exception}/undo?store={store}",
    "/hours/edit": "/hours/edit?store={store}",
    "/zones/edit": "/zones/edit?store={store}",
    "/add-store": "/add-store",
    "/storefront": "/storefront?store={store}",
    "/notes/new": "/notes/new?store={store}&at=2026-01-01T00:00:00Z",
    "/shares": "/shares?store={store}",
    "/shares/<uuid:share_id>/revoke": "/shares/{share}/revoke",
    "/shared/<secret>": "/shared/{secret}",
    "/levels": "/levels",
    "/levels/<uuid:level_id>": "/levels/{level}",
    "/months/<month>": "/months/{month}",
    "/months/<month>/outages": "/months/{month}/outages",
    "/months/<month>/costs": "/months/{month}/costs",
    "/reports": "/reports",
    "/reports/<uuid:report_id>": "/reports/{report}",
    "/reports/<uuid:report_id>/progress": None,  # a part of the page
    "/reports/<uuid:report_id>/late": "/reports/{report}/late",
    "/schedules": "/schedules",
    "/schedules/<uuid:schedule_id>": "/schedules/{schedule}",
    "/imports": "/imports",
    "/imports/sent": None,  # a part of the page
    "/imports/<int:import_no>": "/imports/1",
    "/people": "/people",
    "/people/<uuid:account_id>": "/people/{person}",
    "/groups": "/groups",
    "/groups/<uuid:group_id>": "/groups/{group}",
    "/groups/<uuid:group_id>/alerts": "/groups/{group}/alerts",
    "/groups/<uuid:group_id>/alerts/now": None,  # a part of the page
    "/groups/<uuid:group_id>/alerts/tested": None,  # a part of the page
    "/alerts/<token>": "/alerts/nothing",
    "/groups/<uuid:group_id>/delete": "/groups/{group}/delete",
    "/audit": "/audit",
    "/account": "/account",
    "/numbers": "/numbers",
    "/login": "/login",
    "/forgot": "/forgot",
    "/link/<secret>": "/link/nothing",
    "/api": "/api",
}
"""From a route to an address; None: no page of its own."""

NO_PAGES = (
    "/api/",
    "/static/",
    "/healthz",
    "/metrics",
    "/download/",
    "/get_report",
    "/samples/",
    "/trigger_report",
)
"""What begins so is for programs."""
