"""Pages of a storewatch that was in use and was emptied: each answers in plain words, none breaks."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from storewatch.services import making
from storewatch.storage.db import Database
from tests.browser.pages import PAGES
from tests.factories import MONDAY_NINE_TO_TWELVE, load
from tests.web.browsing import HTML
from tests.web.test_fleet_page import work_off

POLLS = "store_id,status,timestamp_utc\n" + "".join(
    f"{store},{'inactive' if hour == 16 else 'active'},2023-01-23 {hour}:30:00\n"
    for store in range(1, 13)
    for hour in (15, 16, 17)
)
MORE = (
    "/?state=down&sort=down&days=30",
    "/?q=1",
    "/?group={group}",
    "/levels/{level}",
    "/months/2023-01",
    "/months/2023-01?store=1",
    "/months/2023-01?group={group}",
    "/stores/1?days=30&at=2023-01-23T16:30:00Z",
    "/stores/1?from=2023-01-01&to=2023-01-31&min=10&outages=all",
    "/reports/{report}?with={other}&sort=down.last_day&group={group}",
    "/reports/{report}?q=1&down=some",
)
FORMS = {
    "/reports": {},
    "/reports/{report}/again": {},
    "/hours/edit?store=1": {"day0": "10:00-14:00", "since": "always"},
    "/zones/edit?store=1": {"zone": "Europe/Berlin"},
    "/exceptions/new?store=1": {
        "effect": "closed",
        "start": "2023-01-23T09:00",
        "end": "2023-01-23T10:00",
        "note": "x",
    },
    "/levels": {"name": "n", "target": "99", "store_id": "1"},
    "/groups/{group}/stores": {"store_ids": "1"},
}


def in_use(client: FlaskClient, database: Database) -> dict[str, str]:
    """Twelve stores with polls, hours, two reports, a level, a group, an exception; ids by name."""
    load(database, POLLS, MONDAY_NINE_TO_TWELVE)
    group = client.post("/api/v1/groups", json={"name": "Maple"}).json or {}
    client.post(f"/groups/{group['group_id']}/stores", data={"store_ids": "1\n2"}, headers=HTML)
    said = {"effect": "closed", "store_id": "1", "start": "2023-01-23", "end": "2023-01-24", "note": "x"}
    exception = client.post("/api/v1/exceptions", json=said).json or {}
    level = client.post(
        "/api/v1/service-levels", json={"name": "n", "target": 99, "group_id": group["group_id"]}
    )
    reports = [client.post("/api/v1/reports", json={}).json or {} for _ in range(2)]
    make_reports(database)
    work_off(database)
    return {
        "group": group["group_id"],
        "exception": exception["exception_id"],
        "level": (level.json or {})["level_id"],
        "report": reports[0]["report_id"],
        "other": reports[1]["report_id"],
        "store": "1",
        "person": "00000000-0000-0000-0000-000000000000",
    }


def make_reports(database: Database) -> None:
    with database.session() as session:
        ids = session.execute(text("SELECT report_id FROM report")).scalars().all()
    for report_id in ids:
        making.make(database, report_id)


def no_polls(client: FlaskClient, _: Database) -> None:
    a_day = "start=2023-01-01T00:00:00Z&end=2023-02-01T00:00:00Z"
    for store in range(1, 13):
        assert client.delete(f"/api/v1/polls?store_id={store}&reason=x&{a_day}").status_code == 200


def no_stores(client: FlaskClient, _: Database) -> None:
    for store in range(1, 13):
        assert client.delete(f"/api/v1/stores/{store}?confirm={store}").status_code == 204


def no_polls_then_history(client: FlaskClient, database: Database) -> None:
    no_polls(client, database)
    work_off(database)


def no_stores_then_history(client: FlaskClient, database: Database) -> None:
    no_stores(client, database)
    work_off(database)


def half(client: FlaskClient, database: Database) -> None:
    """Of the last store, and of the group, nothing is left."""
    client.delete("/api/v1/stores/1?confirm=1")
    client.delete("/api/v1/stores/2?confirm=2")
    work_off(database)


@pytest.mark.parametrize("empty", [no_polls, no_polls_then_history, no_stores, no_stores_then_history, half])
def test_every_page_and_form_still_answers(
    client: FlaskClient, database: Database, empty: Callable[[FlaskClient, Database], None]
) -> None:
    ids = in_use(client, database)
    empty(client, database)
    for page in [*filter(None, PAGES.values()), *MORE]:
        path = filled(page, ids)
        answer = client.get(path, headers=HTML)
        assert answer.status_code in (200, 302, 404, 410), (path, plain(answer.text))
        assert answer.status_code == 302 or len(plain(answer.text)) > 40, path
    for page, fields in FORMS.items():
        path = filled(page, ids)
        answer = client.post(path, data=fields, headers=HTML)
        assert answer.status_code in (200, 303, 404, 409, 422), (path, plain(answer.text))


@pytest.mark.parametrize("empty", [no_polls, no_stores])
def test_without_polls_no_report_can_be_started(
    client: FlaskClient, database: Database, empty: Callable[[FlaskClient, Database], None]
) -> None:
    in_use(client, database)
    empty(client, database)
    page = client.get("/reports", headers=HTML).text
    assert "There are no polls any more" in page
    assert "Start a report" not in page


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2].partition("</main")[0]))[
        :400
    ]
