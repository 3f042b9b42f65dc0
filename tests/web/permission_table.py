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
OPERATORS = "  401 403 403 403 403 200 200 403 403 200 401 401"
OPERATORS_MAKE = OPERATORS.replace("200", "201")
OPERATORS_END = OPERATORS.replace("200", "204")
MAPLES_CHANGE = "401 404 404 403 200 200 200 403 403 200 401 401"
IMPORTS = "    401 403 403 403 403 200 200 403 200 200 401 401"
LOADS = "      401 403 403 403 403 200 200 200 200 200 401 401"
READ_ALL = "   401 403 403 403 403 200 200 200 403 200 401 401"
TRIGGER = "    401 202 202 202 202 202 202 403 403 202 401 401"

POLL = {"store_id": "maple-17", "status": "active", "timestamp_utc": "2023-01-23T17:00:00Z"}
A_DAY = "from=2023-01-23T00:00:00Z&to=2023-01-24T00:00:00Z"

TABLE = (
    line("GET /healthz", ANYBODY),
    line("GET /api", ANYBODY),
    line("GET /api/openapi.json", ANYBODY),
    line("GET /", MEMBERS),
    line("POST /", TRIGGER.replace("202", "303")),
    line("GET /trigger_report", TRIGGER),
    line("POST /trigger_report", TRIGGER),
    line("GET /get_report", MANAGERS_OWN, "?report_id={report_id}"),
    line("GET /download/<report_id>", MANAGERS_OWN),
    line("GET /login", "200 302 302 302 302 302 302 302 302 302 200 200"),
    line("POST /login", "401 401 401 401 401 429 429 429 429 429 429 429"),
    line("POST /logout", "401 303 303 303 303 303 303 303 403 303 401 401"),
    line("POST /account/password", "401 401 401 401 401 401 401 401 403 401 401 401"),
    line("GET /forgot", ANYBODY),
    line("POST /forgot", ANYBODY.replace("200", "409")),
    line("GET /link/<secret>", ANYBODY.replace("200", "404")),
    line("POST /link/<secret>", ANYBODY.replace("200", "404")),
    line("GET /api/v1/groups", MEMBERS),
    line("POST /api/v1/groups", OPERATORS_MAKE, json={"name": "Elm St"}),
    line("GET /api/v1/groups/<group_id>", MAPLES),
    line("PATCH /api/v1/groups/<group_id>", OPERATORS, json={"name": "Elm St"}),
    line("DELETE /api/v1/groups/<group_id>", OPERATORS_END),
    line("POST /api/v1/groups/<group_id>/stores", OPERATORS, json={"store_ids": ["oak-1"]}),
    line("POST /api/v1/groups/<group_id>/stores/remove", OPERATORS, json={"store_ids": ["maple-17"]}),
    line("GET /api/v1/stores", MEMBERS),
    line("POST /api/v1/stores", OPERATORS_MAKE, json={"store_id": "elm-1"}),
    line("PATCH /api/v1/stores", OPERATORS, json={"stores": [{"store_id": "elm-1"}]}),
    line("GET /api/v1/stores/<id:store_id>", MAPLES),
    line("PATCH /api/v1/stores/<id:store_id>", MAPLES_CHANGE, json={"notes": "closed for lunch"}),
    line("DELETE /api/v1/stores/<id:store_id>", OPERATORS_END, "?confirm=maple-17"),
    line("GET /api/v1/hours/<id:store_id>", MAPLES),
    line("PUT /api/v1/hours/<id:store_id>", MAPLES_CHANGE, json={"hours": []}),
    line("DELETE /api/v1/hours/<id:store_id>", MAPLES_CHANGE),
    line("GET /api/v1/zones/<id:store_id>", MAPLES),
    line("PUT /api/v1/zones/<id:store_id>", MAPLES_CHANGE, json={"zone": "America/New_York"}),
    line("DELETE /api/v1/zones/<id:store_id>", MAPLES_CHANGE),
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
