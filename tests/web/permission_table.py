"""The table of test_permissions: every route, and what it answers to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "anonymous",
    "outsider",
    "oak_manager",
    "viewer",
    "manager",
    "operator",
    "admin",
    "read",
    "import",
    "write",
    "revoked",
    "expired",
)
"""outsider: a member without a group; read, import, write: an operator's tokens of that scope."""

BLIND = ("anonymous", "outsider", "oak_manager", "revoked", "expired")
"""Who has nothing to do with Maple."""


@dataclass(frozen=True)
class Line:
    """A route, a request to it, and the expected status for each column."""

    method: str
    rule: str
    expected: tuple[int, ...]
    path: str
    json: Any = None
    data: str | None = None
    content_type: str = ""


def line(
    route: str,
    codes: str,
    query: str = "",
    json: Any = None,
    data: str | None = None,
    content_type: str = "",
) -> Line:
    """`codes` in the order of the columns; the path is the rule with {parameter} for what Maple's is."""
    method, rule = route.split(" ", 1)
    expected = tuple(int(code) for code in codes.split())
    path = rule
    for part in rule.split("<")[1:]:
        parameter = part.partition(">")[0]
        path = path.replace(f"<{parameter}>", f"{{{parameter.rpartition(':')[2]}}}")
    return Line(method, rule, expected, path + query, json, data, content_type)


#              anon out oak view mana oper admin read impo write revo expi
ANYBODY = "    200 200 200 200 200 200 200 200 200 200 200 200"
MEMBERS = "    401 200 200 200 200 200 200 200 403 200 401 401"
MAPLES = "     401 404 404 200 200 200 200 200 403 200 401 401"
MANAGERS_OWN = "401 404 404 404 200 200 200 200 403 200 401 401"
MANAGERS_OWN_CHANGE = "401 404 404 404 {0} {0} {0} 403 403 {0} 401 401"
OPERATORS = "  401 403 403 403 403 200 200 403 403 200 401 401"
OPERATORS_MAKE = OPERATORS.replace("200", "201")
OPERATORS_END = OPERATORS.replace("200", "204")
MAPLES_CHANGE = "401 404 404 403 200 200 200 403 403 200 401 401"
MAPLES_READ_BY_MANAGERS = "401 404 404 403 200 200 200 200 403 200 401 401"
MAPLES_MAKE = MAPLES_CHANGE.replace("200", "201")
OPERATORS_PLACE = "401 404 404 403 403 200 200 403 403 200 401 401"
MIAS = "       401 404 404 404 200 200 200 200 403 200 401 401"
ANY_WRITER = " 401 200 200 200 200 200 200 403 403 200 401 401"
ADMINS = "     401 403 403 403 403 403 200 403 403 403 401 401"
ADMINS_MAKE = ADMINS.replace("200", "201")
ADMINS_READ = "401 403 403 403 200 403 200 403 403 403 401 401"
MIA_AND_ADMINS = "401 403 403 403 201 403 201 403 403 403 401 401"
FORM = "application/x-www-form-urlencoded"
ADDS_STORES = "401 403 200 403 200 200 200 403 403 200 401 401"
IMPORTS = "    401 403 403 403 403 200 200 403 200 200 401 401"
LOADS = "      401 403 403 403 403 200 200 200 200 200 401 401"
READ_ALL = "   401 403 403 403 403 200 200 200 403 200 401 401"
TRIGGER = "    401 202 202 202 202 202 202 403 403 202 401 401"

POLL = {"store_id": "maple-17", "status": "active", "timestamp_utc": "2023-01-23T17:00:00Z"}
OUTAGE_NOTE = {"store_id": "maple-17", "at": "2023-01-23T16:14:00Z", "note": "paused"}
SHARE = {"store_id": "maple-17", "label": "Lou", "first_day": "2023-01-23", "last_day": "2023-01-23"}
SHARE_FORM = "first_day=2023-01-23&last_day=2023-01-23&days=7&label=Lou"
A_DAY = "start=2023-01-23T00:00:00Z&end=2023-01-24T00:00:00Z"
STOREFRONT = {"url": "http://127.0.0.1/"}
OF_MAPLE = "?store={store_id}"
CHANNEL = {"name": "room", "kind": "mail", "url": "room@maple.example"}
CLOSED_FORM = "effect=closed&start=2023-01-24T00:00&end=2023-01-25T00:00&note=snow"
CLOSED = {"effect": "closed", "start": "2023-01-24", "end": "2023-01-25", "note": "snow"}

SCHEDULE = {"name": "Weekly", "group_id": "{group_id}", "to_group": True}
SCHEDULE_FORM = "name=Weekly&what=digest&every=day&at=08:00&format=csv"

TABLE = (
    line("GET /healthz", ANYBODY),
    line("GET /metrics", READ_ALL),
    line("GET /api", ANYBODY),
    line("GET /api/openapi.json", ANYBODY),
    line("GET /", MEMBERS),
    line("GET /now", MEMBERS),
    line("GET /reports", MEMBERS),
    line("POST /reports", TRIGGER.replace("202", "303")),
    line("GET /reports/<uuid:report_id>", MANAGERS_OWN),
    line("GET /reports/<uuid:report_id>/progress", MANAGERS_OWN),
    line("GET /reports/<uuid:report_id>/late", MANAGERS_OWN),
    line("POST /reports/<uuid:report_id>/cancel", MANAGERS_OWN_CHANGE.format("409")),  # it is complete
    line("POST /reports/<uuid:report_id>/again", MANAGERS_OWN_CHANGE.format("303")),
    line("GET /numbers", ANYBODY),
    line("POST /theme", MEMBERS.replace("200", "400")),
    line("GET /stores", MEMBERS.replace("200", "308")),
    line("GET /stores/<id:store_id>", MAPLES),
    line("GET /store-now", MAPLES, OF_MAPLE),
    line("GET /exceptions/new", MAPLES_CHANGE, OF_MAPLE),
    line("POST /exceptions/new", MAPLES_CHANGE, OF_MAPLE, data=CLOSED_FORM, content_type=FORM),
    line(
        "POST /exceptions/new",
        MAPLES_CHANGE.replace("200", "303"),
        OF_MAPLE,
        data=f"{CLOSED_FORM}&do=yes",
        content_type=FORM,
    ),
    line("GET /exceptions/<uuid:exception_id>/undo", MAPLES_CHANGE, OF_MAPLE),
    line("POST /exceptions/<uuid:exception_id>/undo", MAPLES_CHANGE.replace("200", "303"), OF_MAPLE),
    line("GET /hours/edit", MAPLES_CHANGE, OF_MAPLE),
    line("POST /hours/edit", MAPLES_CHANGE.replace("200", "409"), OF_MAPLE),
    line("GET /zones/edit", MAPLES_CHANGE, OF_MAPLE),
    line("POST /zones/edit", MAPLES_CHANGE, OF_MAPLE, data="zone=Europe/Berlin", content_type=FORM),
    line(
        "POST /zones/edit",
        MAPLES_CHANGE.replace("200", "303"),
        OF_MAPLE,
        data="zone=Europe/Berlin&do=yes",
        content_type=FORM,
    ),
    line("GET /storefront", MAPLES_CHANGE, OF_MAPLE),
    line("POST /storefront", MAPLES_CHANGE, OF_MAPLE, data="do=try&url=http://127.0.0.1/", content_type=FORM),
    line("POST /storefront", MAPLES_CHANGE.replace("200", "422"), OF_MAPLE, data="url=x", content_type=FORM),
    line("GET /add-store", ADDS_STORES),
    line("POST /add-store", ADDS_STORES, data="do=try&url=http://127.0.0.1/", content_type=FORM),
    line("POST /add-store", ADDS_STORES.replace("200", "422"), data="name=Elm", content_type=FORM),
    line("GET /notes/new", MAPLES_CHANGE, f"{OF_MAPLE}&at=2023-01-23T16:15:00Z"),
    line(
        "POST /notes/new",
        MAPLES_CHANGE.replace("200", "303"),
        f"{OF_MAPLE}&at=2023-01-23T16:15:00Z",
        data="note=snow",
        content_type=FORM,
    ),
    line("GET /shares", MAPLES_CHANGE, OF_MAPLE),
    line("POST /shares", MAPLES_CHANGE, OF_MAPLE, data=SHARE_FORM, content_type=FORM),
    line("GET /shares/<uuid:share_id>/revoke", MANAGERS_OWN_CHANGE.format("200")),
    line("POST /shares/<uuid:share_id>/revoke", MANAGERS_OWN_CHANGE.format("303")),
    line("GET /shared/<secret>", ANYBODY),
    line("GET /trigger_report", TRIGGER),
    line("POST /trigger_report", TRIGGER),
    line("GET /get_report", MANAGERS_OWN, "?report_id={report_id}"),
    line("GET /download/<report_id>", MANAGERS_OWN),
    line("GET /api/v1/reports", MEMBERS),
    line("POST /api/v1/reports", TRIGGER, json={}),
    line(
        "POST /api/v1/reports",
        "401 404 404 202 202 202 202 403 403 202 401 401",
        json={"store_ids": ["maple-17"]},
    ),
    line("GET /api/v1/reports/<report_id>", MANAGERS_OWN),
    line(
        "PATCH /api/v1/reports/<report_id>",
        MANAGERS_OWN_CHANGE.format("200"),
        json={"pinned": True},
    ),
    line("DELETE /api/v1/reports/<report_id>", MANAGERS_OWN_CHANGE.format("204")),
    line("POST /api/v1/reports/<report_id>/cancel", MANAGERS_OWN_CHANGE.format("409")),  # it is complete
    line("GET /api/v1/reports/<report_id>/rows", MANAGERS_OWN),
    line("GET /api/v1/reports/<report_id>/file", MANAGERS_OWN),
    line("GET /api/v1/webhook-secret", "401 403 403 403 403 403 200 403 403 403 401 401"),
    line("GET /imports", READ_ALL),
    line(
        "POST /imports",
        IMPORTS.replace("200", "303"),
        data='--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        "store_id,timezone_str\n1,America/Chicago\n\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    ),
    line("POST /imports/uploads/<uuid:upload_id>/remove", OPERATORS.replace("200", "303")),
    line("GET /imports/sent", READ_ALL, "?received=1"),
    line("GET /imports/<int:import_no>", READ_ALL),
    line("GET /samples/<name>", MEMBERS),
    line("GET /people", MEMBERS),
    line(
        "POST /people/invitations",
        MAPLES_CHANGE,
        data="email=ned@maple.example&role=member&place=viewer&group={group_id}",
        content_type=FORM,
    ),
    line(
        "POST /people/invitations/<uuid:invitation_id>/withdraw",
        "401 404 404 404 303 303 303 403 403 303 401 401",
    ),
    line("GET /people/<uuid:account_id>", MIAS),
    line(
        "POST /people/<uuid:account_id>/role",
        ADMINS.replace("200", "303"),
        data="role=operator",
        content_type=FORM,
    ),
    line("POST /people/<uuid:account_id>/disable", ADMINS.replace("200", "303")),
    line("POST /people/<uuid:account_id>/enable", ADMINS.replace("200", "303")),
    line("GET /levels", MEMBERS),
    line("POST /levels", OPERATORS.replace("200", "303"), data="name=all&target=99", content_type=FORM),
    line(
        "POST /levels",
        MAPLES_CHANGE.replace("200", "303"),
        data="name=m&target=9&store_id=maple-17",
        content_type=FORM,
    ),
    line("GET /levels/<uuid:level_id>", MAPLES),
    line(
        "POST /levels/<uuid:level_id>",
        MAPLES_CHANGE.replace("200", "303"),
        data="name=m&target=98",
        content_type=FORM,
    ),
    line("POST /levels/<uuid:level_id>/delete", MAPLES_CHANGE.replace("200", "303")),
    line("GET /months/<month>", MEMBERS),
    line("GET /months/<month>", MAPLES, "?store={store_id}"),
    line("GET /months/<month>", MAPLES, "?group={group_id}"),
    line("GET /months/<month>/outages", MEMBERS),
    line("GET /months/<month>/outages", MAPLES, "?store={store_id}"),
    line("GET /months/<month>/outages", MAPLES, "?group={group_id}"),
    line("GET /months/<month>/costs", MEMBERS),
    line("GET /months/<month>/costs", MAPLES, "?store={store_id}"),
    line("GET /months/<month>/costs", MAPLES, "?group={group_id}"),
    line("GET /groups", MEMBERS),
    line("POST /groups", OPERATORS.replace("200", "303"), data="name=Elm", content_type=FORM),
    line("GET /groups/<uuid:group_id>", MAPLES),
    line(
        "POST /groups/<uuid:group_id>/rename",
        OPERATORS.replace("200", "303"),
        data="name=Elm",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/stores",
        OPERATORS.replace("200", "303"),
        data="store_ids=oak-1",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/stores/remove",
        OPERATORS.replace("200", "303"),
        data="store_id=maple-17",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/members",
        "401 404 404 422 403 303 303 403 403 303 401 401",
        data="email=mia@maple.example&role=viewer",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/members/<uuid:account_id>/remove",
        OPERATORS_PLACE.replace("200", "303"),
    ),
    line("GET /groups/<uuid:group_id>/delete", OPERATORS),
    line("POST /groups/<uuid:group_id>/delete", OPERATORS.replace("200", "303")),
    line("GET /audit", "401 403 403 403 403 403 200 403 403 403 401 401"),
    line("GET /login", "200 302 302 302 302 302 302 302 302 302 200 200"),
    line("POST /login", "401 401 401 401 401 429 429 429 429 429 429 429"),
    line("POST /logout", "401 303 303 303 303 303 303 303 403 303 401 401"),
    line("GET /account", MEMBERS),
    line("POST /account/password", "401 401 401 401 401 401 401 403 403 401 401 401"),
    line("POST /account/tokens", "401 400 400 400 400 400 400 403 403 400 401 401"),
    line("POST /account/tokens", ANY_WRITER, data="name=poller&scope=read&life=30d", content_type=FORM),
    line(
        "POST /account/tokens/<uuid:token_id>/revoke",
        "401 404 404 404 303 404 303 403 403 404 401 401",
    ),
    line("POST /account/sessions/end", ANY_WRITER.replace("200", "303")),
    line("GET /forgot", ANYBODY),
    line("POST /forgot", ANYBODY.replace("200", "409")),
    line("GET /link/<secret>", ANYBODY.replace("200", "410")),
    line("POST /link/<secret>", ANYBODY.replace("200", "410")),
    line("GET /api/v1/groups", MEMBERS),
    line("POST /api/v1/groups", OPERATORS_MAKE, json={"name": "Elm St"}),
    line("GET /api/v1/groups/<group_id>", MAPLES),
    line("PATCH /api/v1/groups/<group_id>", OPERATORS, json={"name": "Elm St"}),
    line("DELETE /api/v1/groups/<group_id>", OPERATORS_END),
    line("POST /api/v1/groups/<group_id>/stores", OPERATORS, json={"store_ids": ["oak-1"]}),
    line("POST /api/v1/groups/<group_id>/stores/remove", OPERATORS, json={"store_ids": ["maple-17"]}),
    line("GET /api/v1/groups/<group_id>/members", MAPLES),
    line("GET /api/v1/groups/<group_id>/members/<account_id>", MIAS),
    line("PUT /api/v1/groups/<group_id>/members/<account_id>", OPERATORS_PLACE, json={"role": "viewer"}),
    line("DELETE /api/v1/groups/<group_id>/members/<account_id>", OPERATORS_PLACE.replace("200", "204")),
    line("GET /groups/<uuid:group_id>/alerts", MAPLES),
    line("GET /groups/<uuid:group_id>/alerts/now", MAPLES),
    line("GET /groups/<uuid:group_id>/alerts/tested", MAPLES, "?tested={key}"),
    line(
        "POST /groups/<uuid:group_id>/alerts",
        MAPLES_CHANGE.replace("200", "303"),
        data="down=yes",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/alerts/mine",
        "401 404 404 303 303 303 303 403 403 303 401 401",
        data="on=no",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/alerts/answer/<uuid:incident_id>",
        MAPLES_CHANGE.replace("200", "303"),
        data="how=snooze",
        content_type=FORM,
    ),
    line(
        "POST /groups/<uuid:group_id>/channels",
        MAPLES_CHANGE,
        data="name=room&kind=mail&url=room@maple.example",
        content_type=FORM,
    ),
    line("POST /groups/<uuid:group_id>/channels/<uuid:channel_id>/test", MAPLES_CHANGE.replace("200", "303")),
    line(
        "POST /groups/<uuid:group_id>/channels/<uuid:channel_id>/switch", MAPLES_CHANGE.replace("200", "303")
    ),
    line(
        "POST /groups/<uuid:group_id>/channels/<uuid:channel_id>/remove", MAPLES_CHANGE.replace("200", "303")
    ),
    line("GET /schedules", MEMBERS),
    line("POST /schedules", ANY_WRITER.replace("200", "303"), data=SCHEDULE_FORM, content_type=FORM),
    line(
        "POST /schedules",
        MAPLES_CHANGE.replace("200", "303"),
        data=SCHEDULE_FORM + "&to_group=yes&group_id={group_id}",
        content_type=FORM,
    ),
    line("GET /schedules/<uuid:schedule_id>", MAPLES),
    line(
        "POST /schedules/<uuid:schedule_id>",
        MAPLES_CHANGE.replace("200", "303"),
        data=SCHEDULE_FORM,
        content_type=FORM,
    ),
    line("POST /schedules/<uuid:schedule_id>/switch", MAPLES_CHANGE.replace("200", "303")),
    line("POST /schedules/<uuid:schedule_id>/mine", "401 404 404 303 303 303 303 403 403 303 401 401"),
    line("POST /schedules/<uuid:schedule_id>/send", "401 404 404 303 303 303 303 403 403 303 401 401"),
    line("POST /schedules/<uuid:schedule_id>/remove", MAPLES_CHANGE.replace("200", "303")),
    line("GET /api/v1/schedules", MEMBERS),
    line("POST /api/v1/schedules", ANY_WRITER.replace("200", "201"), json={"name": "Weekly"}),
    line("POST /api/v1/schedules", MAPLES_MAKE, json=SCHEDULE),
    line("GET /api/v1/schedules/<uuid:schedule_id>", MAPLES),
    line("PATCH /api/v1/schedules/<uuid:schedule_id>", MAPLES_CHANGE, json={"name": "Weekly"}),
    line("DELETE /api/v1/schedules/<uuid:schedule_id>", MAPLES_CHANGE.replace("200", "204")),
    line(
        "PUT /api/v1/schedules/<uuid:schedule_id>/mine",
        "401 404 404 200 200 200 200 403 403 200 401 401",
        json={"on": False},
    ),
    line("POST /api/v1/schedules/<uuid:schedule_id>/send", "401 404 404 202 202 202 202 403 403 202 401 401"),
    line("GET /api/v1/schedules/<uuid:schedule_id>/log", MAPLES),
    line("GET /alerts/<token>", ANYBODY.replace("200", "404")),
    line("POST /alerts/<token>", ANYBODY.replace("200", "404")),
    line("GET /api/v1/groups/<group_id>/alerts", MAPLES),
    line("PUT /api/v1/groups/<group_id>/alerts", MAPLES_CHANGE, json={"down": False}),
    line(
        "PUT /api/v1/groups/<group_id>/alerts/mine",
        "401 404 404 200 200 200 200 403 403 200 401 401",
        json={"on": False},
    ),
    line("GET /api/v1/groups/<group_id>/deliveries", MAPLES),
    line("GET /api/v1/groups/<group_id>/deliveries/<uuid:key>", MAPLES),
    line("GET /api/v1/groups/<group_id>/channels", MAPLES),
    line("POST /api/v1/groups/<group_id>/channels", MAPLES_MAKE, json=CHANNEL),
    line("GET /api/v1/groups/<group_id>/channels/<uuid:channel_id>", MAPLES),
    line(
        "PATCH /api/v1/groups/<group_id>/channels/<uuid:channel_id>", MAPLES_CHANGE, json={"enabled": False}
    ),
    line("DELETE /api/v1/groups/<group_id>/channels/<uuid:channel_id>", MAPLES_CHANGE.replace("200", "204")),
    line(
        "POST /api/v1/groups/<group_id>/channels/<uuid:channel_id>/test",
        MAPLES_CHANGE.replace("200", "202"),
    ),
    line("GET /api/v1/incidents", MEMBERS),
    line("GET /api/v1/incidents", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/incidents/<uuid:incident_id>", MAPLES),
    line("POST /api/v1/incidents/<uuid:incident_id>/acknowledge", MAPLES_CHANGE),
    line("POST /api/v1/incidents/<uuid:incident_id>/snooze", MAPLES_CHANGE, json={"minutes": 9}),
    line("GET /api/v1/users", MEMBERS),
    line("GET /api/v1/users/me", MEMBERS),
    line("DELETE /api/v1/users/me/sessions", ANY_WRITER.replace("200", "204")),
    line("GET /api/v1/users/<uuid:account_id>", MIAS),
    line("PATCH /api/v1/users/<uuid:account_id>", ADMINS, json={"active": False}),
    line("GET /api/v1/invitations", MEMBERS),
    line(
        "POST /api/v1/invitations",
        MAPLES_CHANGE.replace("200", "201"),
        json={
            "email": "ned@maple.example",
            "groups": [{"group_id": "{group_id}", "role": "viewer"}],
        },
    ),
    line("POST /api/v1/invitations", ADMINS_MAKE, json={"email": "ned@example.com", "role": "admin"}),
    line(
        "POST /api/v1/invitations/bulk",
        ANY_WRITER,
        data="email,role,group\nned@maple.example,viewer,acer\n",
        content_type="text/csv",
    ),
    line("GET /api/v1/invitations/<uuid:invitation_id>", MANAGERS_OWN),
    line(
        "DELETE /api/v1/invitations/<uuid:invitation_id>",
        "401 404 404 404 204 204 204 403 403 204 401 401",
    ),
    line("GET /api/v1/tokens", MEMBERS),
    line("GET /api/v1/tokens", ADMINS_READ, "?account_id={account_id}"),
    line("POST /api/v1/tokens", ANY_WRITER.replace("200", "201"), json={"name": "poller"}),
    line("POST /api/v1/tokens", MIA_AND_ADMINS, json={"name": "poller", "account_id": "{account_id}"}),
    line("GET /api/v1/tokens/<token_id>", "   401 404 404 404 200 404 200 404 403 404 401 401"),
    line("DELETE /api/v1/tokens/<token_id>", "401 404 404 404 204 404 204 403 403 404 401 401"),
    line("GET /api/v1/audit", "401 403 403 403 403 403 200 403 403 403 401 401"),
    line("GET /api/v1/stores", MEMBERS),
    line("POST /api/v1/stores", OPERATORS_MAKE, json={"store_id": "elm-1"}),
    line("PATCH /api/v1/stores", OPERATORS, json={"stores": [{"store_id": "elm-1"}]}),
    line("GET /api/v1/stores/<id:store_id>", MAPLES),
    line("PATCH /api/v1/stores/<id:store_id>", MAPLES_CHANGE, json={"notes": "closed for lunch"}),
    line("DELETE /api/v1/stores/<id:store_id>", OPERATORS_END, "?confirm=maple-17"),
    line("GET /api/v1/hours/<id:store_id>", MAPLES),
    line("PUT /api/v1/hours/<id:store_id>", MAPLES_CHANGE, json={"hours": []}),
    line("DELETE /api/v1/hours/<id:store_id>", MAPLES_CHANGE),
    line("GET /api/v1/availability", MEMBERS),
    line("GET /api/v1/availability", MAPLES, "?store_id=maple-17"),
    line("GET /api/v1/availability", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/history", MEMBERS),
    line("GET /api/v1/history", MAPLES, "?store_id=maple-17"),
    line("GET /api/v1/history", MAPLES, "?group_id={group_id}&by=month"),
    line("GET /api/v1/history/week", MEMBERS),
    line("GET /api/v1/history/week", MAPLES, "?store_id=maple-17"),
    line("GET /api/v1/history/week", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/service-levels", MEMBERS),
    line("POST /api/v1/service-levels", OPERATORS_MAKE, json={"name": "all", "target": 99}),
    line("POST /api/v1/service-levels", MAPLES_MAKE, json={"name": "m", "target": 9, "store_id": "maple-17"}),
    line(
        "POST /api/v1/service-levels", MAPLES_MAKE, json={"name": "m", "target": 9, "group_id": "{group_id}"}
    ),
    line("GET /api/v1/service-levels/<uuid:level_id>", MAPLES),
    line("GET /api/v1/service-levels/<uuid:level_id>/status", MAPLES),
    line("PATCH /api/v1/service-levels/<uuid:level_id>", MAPLES_CHANGE, json={"target": 98}),
    line("DELETE /api/v1/service-levels/<uuid:level_id>", MAPLES_CHANGE.replace("200", "204")),
    line("GET /api/v1/ranking", MEMBERS),
    line("GET /api/v1/ranking", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/comparison", MEMBERS),
    line("GET /api/v1/comparison", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/timeline/<id:store_id>", MAPLES),
    line("GET /api/v1/outages", MEMBERS),
    line("GET /api/v1/outages", MAPLES, "?store_id=maple-17"),
    line("GET /api/v1/outages", MAPLES, "?group_id={group_id}"),
    line("GET /api/v1/outages/notes", MEMBERS),
    line("GET /api/v1/outages/notes", MAPLES, "?store_id=maple-17"),
    line("POST /api/v1/outages/notes", MAPLES_CHANGE.replace("200", "201"), json=OUTAGE_NOTE),
    line("GET /api/v1/outages/notes/<note_id>", MAPLES),
    line("DELETE /api/v1/outages/notes/<note_id>", MAPLES_CHANGE.replace("200", "204")),
    line("GET /api/v1/shares", MEMBERS),
    line("GET /api/v1/shares", MAPLES_READ_BY_MANAGERS, "?store_id=maple-17"),
    line("POST /api/v1/shares", MAPLES_CHANGE.replace("200", "201"), json=SHARE),
    line("GET /api/v1/shares/<uuid:share_id>", MANAGERS_OWN),
    line("DELETE /api/v1/shares/<uuid:share_id>", MANAGERS_OWN_CHANGE.format("204")),
    line("GET /api/v1/exceptions", MEMBERS),
    line("GET /api/v1/exceptions", MAPLES, "?store_id=maple-17"),
    line("GET /api/v1/exceptions", MAPLES, "?group_id={group_id}"),
    line("POST /api/v1/exceptions", MAPLES_MAKE, json=CLOSED | {"store_id": "maple-17"}),
    line("POST /api/v1/exceptions", MAPLES_MAKE, json=CLOSED | {"group": "{group_id}"}),
    line("POST /api/v1/exceptions", OPERATORS_MAKE, json=CLOSED | {"all": True}),
    line("GET /api/v1/exceptions/<uuid:exception_id>", MAPLES),
    line("POST /api/v1/exceptions/<uuid:exception_id>/undo", MAPLES_CHANGE),
    line("GET /api/v1/zones/<id:store_id>", MAPLES),
    line("PUT /api/v1/zones/<id:store_id>", MAPLES_CHANGE, json={"zone": "America/New_York"}),
    line("DELETE /api/v1/zones/<id:store_id>", MAPLES_CHANGE),
    line("GET /api/v1/revenue/<id:store_id>", MAPLES),
    line("PUT /api/v1/revenue/<id:store_id>", OPERATORS_PLACE, json={"weekly": 100}),
    line("DELETE /api/v1/revenue/<id:store_id>", OPERATORS_PLACE.replace("200", "204")),
    line("GET /api/v1/storefronts/<id:store_id>", MAPLES_READ_BY_MANAGERS),
    line("PUT /api/v1/storefronts/<id:store_id>", MAPLES_CHANGE, json=STOREFRONT),
    line("DELETE /api/v1/storefronts/<id:store_id>", MAPLES_CHANGE.replace("200", "204")),
    line("POST /api/v1/storefront-tries/<id:store_id>", MAPLES_CHANGE, json=STOREFRONT),
    line("GET /api/v1/polls", MAPLES, "?store_id=maple-17"),
    line("POST /api/v1/polls", IMPORTS, json={"polls": [POLL]}),
    line("DELETE /api/v1/polls", OPERATORS, f"?store_id=maple-17&reason=x&{A_DAY}"),
    line("GET /api/v1/polls/<timestamp_utc>/<id:store_id>", MAPLES),
    line("PUT /api/v1/polls/<timestamp_utc>/<id:store_id>", OPERATORS, json={"status": "inactive"}),
    line("PATCH /api/v1/polls/<timestamp_utc>/<id:store_id>", OPERATORS, json={"status": "inactive"}),
    line("DELETE /api/v1/polls/<timestamp_utc>/<id:store_id>", OPERATORS_END, "?reason=x"),
    line("GET /api/v1/imports", READ_ALL),
    line("GET /api/v1/imports/<import_id>", READ_ALL),
    line("GET /api/v1/imports/<import_id>/rejects", READ_ALL),
    line("GET /api/v1/imports/<import_id>/rejects.csv", READ_ALL),
    line("GET /api/v1/uploads", READ_ALL),
    line("POST /api/v1/uploads", IMPORTS.replace("200", "202"), data="a,b\n", content_type="text/csv"),
    line("GET /api/v1/uploads/<upload_id>", LOADS),
    line("GET /api/v1/uploads/<upload_id>/file", READ_ALL),
    line("DELETE /api/v1/uploads/<upload_id>", OPERATORS_END),
)
