"""Who may do what: every route for everybody. A route that is not in the table fails.

Maple has two stores, Oak one. Requests are about Maple's store, group, report, people. Whoever has nothing
to do with Maple must learn nothing of it: no answer to them holds a word of Maple's that was not in their
own request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import make_url, text
from werkzeug.test import TestResponse

from storewatch.domain.permissions import COMMAND, GroupRole, Role, Scope, Via
from storewatch.services import (
    invitations,
    logins,
    making,
    outage_notes,
    reporting,
    tokens,
)
from storewatch.services.reporting import Request
from storewatch.storage import accounts
from storewatch.storage.access_tables import Account
from storewatch.storage.db import Database
from storewatch.web.access import FILES
from tests.alerting import Town as Alerts
from tests.alerting import minutes_ago
from tests.conftest import clone_of
from tests.factories import load
from tests.web.permission_table import BLIND, CLOSED, COLUMNS, SHARE, TABLE, Line
from tests.web.service import Service, Token

MAPLES_WORDS = ("maple-18", "acer_brands", "vera@maple.example", "new@maple.example")
"""Words of Maple's that no request holds."""

POLLS = """store_id,status,timestamp_utc
maple-17,active,2023-01-23 16:14:00 UTC
maple-18,inactive,2023-01-23 16:15:00 UTC
oak-1,active,2023-01-23 16:16:00 UTC
"""
HOURS = "store_id,day,start_time_local,end_time_local\nmaple-17,0,09:00,17:00\noak-1,0,09:00,12:00\n"


@dataclass(frozen=True)
class Town:
    """A database with Maple and Oak, the secrets of everybody's tokens, the ids of Maple's things."""

    name: str
    secrets: dict[str, str]
    ids: dict[str, str]
    uploads: Path


@pytest.fixture(scope="module")
def town(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    uploads = tmp_path_factory.mktemp("uploads")
    with clone_of(server_url, template) as url:
        database = Database(url)
        people, ids = built(Service(database, uploads))
        database.close()
        secrets = {name: p.secret for name, p in people.items()}
        yield Town(make_url(url).database or "", secrets, ids, uploads)


def built(service: Service) -> tuple[dict[str, Token], dict[str, str]]:
    load(service.database, POLLS, HOURS)
    service.group("acer_brands", "maple-17", "maple-18")
    service.group("oak_brands", "oak-1")
    people = {
        "outsider": service.token("otto@example.com"),
        "oak_manager": service.token("olga@oak.example", oak_brands=GroupRole.MANAGER),
        "viewer": service.token("vera@maple.example", acer_brands=GroupRole.VIEWER),
        "manager": service.token("mia@maple.example", acer_brands=GroupRole.MANAGER),
        "operator": service.token("oscar@example.com", Role.OPERATOR),
        "admin": service.token("ada@example.com", Role.ADMIN),
    }
    operator = people["operator"].account_id
    assert operator is not None
    people |= {scope.value: service.another_token(operator, scope) for scope in Scope}
    people |= {name: ended(service, people["operator"], how) for name, how in ENDED.items()}
    sent = people["operator"].post("/api/v1/uploads", data=POLLS, content_type="text/csv").json
    assert sent is not None
    return people, ids_of(service, people["manager"]) | {"upload_id": sent["upload_id"]}


def alerts_of_maple(service: Service, manager: Token, group_id: str) -> dict[str, str]:
    """A channel of Maple's, an incident of a store of its, and a test that went out."""
    path = f"/api/v1/groups/{group_id}/channels"
    channel = manager.post(path, json={"name": "acer_brands", "kind": "mail", "url": "a@maple.example"}).json
    assert channel is not None
    tested = manager.post(f"{path}/{channel['channel_id']}/test").json
    assert tested is not None
    Alerts(service.database).down("maple-17", minutes_ago(30))
    incidents = manager.get("/api/v1/incidents").json
    assert incidents is not None
    incident_id = incidents["items"][0]["incident_id"]
    return {
        "channel_id": channel["channel_id"],
        "key": tested["key"],
        "incident_id": incident_id,
        "token": "x",
    }


ENDED = {"revoked": "revoked_at", "expired": "expires_at"}


def ended(service: Service, person: Token, column: str) -> Token:
    """A token that no longer works."""
    assert person.account_id is not None
    made, secret = tokens.create(service.database, COMMAND, "ended", Scope.WRITE, None, person.account_id)
    with service.database.transaction() as session:
        session.execute(
            text(f"UPDATE token SET {column} = now() - interval '1 hour' WHERE token_no = :token_no"),
            {"token_no": made.token_no},
        )
    return Token(service.browser(), secret, person.account_id)


def ids_of(service: Service, manager: Token) -> dict[str, str]:
    """What stands for the parameters of a route."""
    with service.database.session() as session:
        account = accounts.by_email(session, "mia@maple.example")
        assert isinstance(account, Account)
        caller = logins.caller_of(session, account, Via.TOKEN)
    report_id = reporting.trigger(service.database, caller, Request(), 1 << 60)
    making.make(service.database, report_id)
    groups = manager.get("/api/v1/groups").json
    assert groups is not None
    token_id, _ = tokens.create(service.database, caller, "Mia's", Scope.READ, None)
    invited = invitations.invite(
        service.database,
        caller,
        "new@maple.example",
        Role.MEMBER,
        {UUID(groups["items"][0]["group_id"]): GroupRole.VIEWER},
        by_mail=False,
    )
    at = datetime(2023, 1, 23, 16, 15, tzinfo=UTC)
    note = outage_notes.add(service.database, COMMAND, "maple-17", at, "about maple-18")
    level = manager.post(
        "/api/v1/service-levels",
        json={"name": "acer_brands", "target": 99, "group_id": groups["items"][0]["group_id"]},
    ).json
    assert level is not None
    made = manager.post("/api/v1/exceptions", json=CLOSED | {"group": "acer_brands"}).json
    assert made is not None
    assert manager.put("/api/v1/storefronts/maple-17", json={"url": "http://127.0.0.1/x"}).status_code == 200
    share = manager.post("/api/v1/shares", json=SHARE).json
    assert share is not None
    wanted = {"name": "acer_brands", "group_id": groups["items"][0]["group_id"], "to_group": True}
    scheduled = manager.post("/api/v1/schedules", json=wanted).json
    assert scheduled is not None
    told = alerts_of_maple(service, manager, groups["items"][0]["group_id"])
    return told | {
        "level_id": level["level_id"],
        "schedule_id": scheduled["schedule_id"],
        "month": "2023-01",
        "exception_id": made["exception_id"],
        "group_id": groups["items"][0]["group_id"],
        "report_id": str(report_id),
        "account_id": str(account.account_id),
        "token_id": str(token_id.token_id),
        "invitation_id": str(invited[1].link.link_id),
        "store_id": "maple-17",
        "timestamp_utc": "2023-01-23T16:14:00Z",
        "import_id": "1",
        "import_no": "1",
        "name": "store_status.csv",
        "note_id": str(note.note_id),
        "share_id": share["share_id"],
        "secret": share["link"].rpartition("/")[2],
    }


def asked(service: Service, town: Town, line: Line, who: str) -> TestResponse:
    """The answer to somebody's request."""
    secret = town.secrets.get(who)
    (town.uploads / town.ids["upload_id"]).write_text(POLLS)  # another copy of the town may have removed it
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    path = line.path
    for name, value in town.ids.items():
        path = path.replace(f"{{{name}}}", value)
    body = {"json": filled(line.json, town.ids)} if line.json is not None else {}
    if line.data is not None:
        data = line.data.replace("{group_id}", town.ids["group_id"])
        body = {"data": data, "content_type": line.content_type}
    with service.browser() as client:
        return client.open(path, method=line.method, headers=headers, buffered=True, **body)


def filled(body: Any, ids: dict[str, str]) -> Any:
    """A body with the ids that stand for its parameters."""
    told = json.dumps(body)
    for name, value in ids.items():
        told = told.replace(f"{{{name}}}", value)
    return json.loads(told)


@pytest.mark.parametrize("line", TABLE, ids=lambda line: f"{line.method} {line.rule}")
def test_every_route_answers_everybody_as_the_table_says(server_url: str, town: Town, line: Line) -> None:
    found: dict[str, int] = {}
    while len(found) < len(COLUMNS):
        with clone_of(server_url, town.name) as url, closing(Database(url)) as database:
            service = Service(database, town.uploads)
            for who in COLUMNS[len(found) :]:
                answer = asked(service, town, line, who)
                found[who] = answer.status_code
                if who in BLIND:
                    assert not [word for word in MAPLES_WORDS if word in answer.text], who
                if line.method != "GET" and answer.status_code < 400:
                    break  # it changed something: on with another copy
    assert found == dict(zip(COLUMNS, line.expected, strict=True))


def test_every_route_is_in_the_table(database: Database) -> None:
    app = Service(database).app
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in FILES
    }
    told = {(line.method, line.rule) for line in TABLE}
    assert (sorted(routes - told), sorted(told - routes)) == ([], [])
