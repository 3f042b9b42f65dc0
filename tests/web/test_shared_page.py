"""The page behind a link: the days that were chosen and nothing else, for nobody in particular."""

from __future__ import annotations

import io
import json
import re
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient

from storewatch.cli.logs import configure_log
from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import shares
from storewatch.storage.db import Database
from storewatch.web import shared_words
from storewatch.web.app import Edge, create_app
from tests.factories import load, load_chicago
from tests.web.browsing import HTML, Browser
from tests.web.service import Service
from tests.web.test_page_files import check, pages

MONDAY, TUESDAY = date(2023, 1, 23), date(2023, 1, 24)
STYLE = ("/static/style.css", "/static/icon.svg")
OVER = "This link does not work, or no longer. Ask whoever sent it to you for a new one."


def shared(
    database: Database, first: date = MONDAY, last: date = MONDAY, store_id: str = "1", label: str = "Lou"
) -> str:
    """The path of a new link."""
    _, secret = shares.create(database, COMMAND, store_id, label, first, last, timedelta(days=30))
    return f"/shared/{secret}"


def read(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    return unescape(answer.text).replace("\N{NO-BREAK SPACE}", " ")


def run(database: Database, sql: str) -> Any:
    with database.transaction() as session:
        found = session.connection().exec_driver_sql(sql)
        return found.scalar() if found.returns_rows else None


@pytest.fixture
def stranger(service: Service) -> FlaskClient:
    return service.browser()


# --- what it shows --------------------------------------------------------------------------------


def test_a_stranger_reads_the_days_of_the_store(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    run(service.database, "UPDATE store SET name = 'Maple <St>', location = 'Chicago'")
    found = read(stranger, shared(service.database))
    assert "<h1>Maple <St> was down for 30 min of its opening hours so far.</h1>" in found
    assert "As of <b>Mon 23 Jan 2023, 11:15 CST</b>" in found
    assert '<th scope="row">Mon 23 Jan, 10:44:30 CST to still down</th>' in found
    assert '>09:00 to 12:00</td><td class="num" data-label="Up">1 h 44 min</td>' in found


@pytest.mark.parametrize(
    ("polls", "says"),
    [
        ("1,active,2023-01-23 16:14:00\n1,active,2023-01-25 16:14:00", "1 was never seen down."),
        ("1,active,2023-01-25 16:14:00", "Nothing is known of 1."),
        ("1,inactive,2023-01-23 16:14:00\n2,active,2023-01-25 16:14:00", "1 was down for 3 h of its opening"),
        ("1,active,2023-01-23 12:14:00", "1 was not open so far."),
        ("1,active,2023-01-20 16:14:00", "Nothing is known yet of these days of 1."),
    ],
)
def test_the_headline_is_the_answer(service: Service, stranger: FlaskClient, polls: str, says: str) -> None:
    hours = "store_id,day,start_time_local,end_time_local\n1,0,09:00,12:00\n"
    load(service.database, f"store_id,status,timestamp_utc\n{polls}\n", hours)
    assert says in read(stranger, shared(service.database))


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (MONDAY, MONDAY, "Mon 23 Jan 2023"),
        (MONDAY, TUESDAY, "Mon 23 to Tue 24 Jan 2023"),
        (MONDAY, date(2023, 2, 1), "Mon 23 Jan to Wed 1 Feb 2023"),
        (date(2022, 12, 31), MONDAY, "Sat 31 Dec 2022 to Mon 23 Jan 2023"),
    ],
)
def test_days_are_said_without_a_word_too_many(first: date, last: date, said: str) -> None:
    assert shared_words.days(first, last) == said


def test_its_figures_are_those_of_the_page_of_the_store(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    load(service.database, "store_id,status,timestamp_utc\n1,active,2023-01-24 03:00:00\n")
    ada = Browser(service, "ada@example.com", Role.ADMIN)
    own = unescape(ada.read("/stores/1?from=2023-01-23&to=2023-01-24"))
    found = read(stranger, shared(service.database, MONDAY, TUESDAY))
    for name in ("Availability", "Coverage", "Downtime"):
        figure = re.search(rf'<dt>{name}</dt><dd><span class="n">.*?</span>[^<]*', own)
        assert figure is not None
        assert figure.group() in found


def test_long_periods_are_drawn_without_polls_and_stay_small(service: Service, stranger: FlaskClient) -> None:
    last = date(2023, 3, 31)
    polls = [
        f"1,{'active' if hour % 5 else 'inactive'},{last - timedelta(days=day)} {hour:02}:07:00"
        for day in range(94)
        for hour in range(24)
    ]
    load(service.database, "store_id,status,timestamp_utc\n" + "\n".join(polls) + "\n")
    for days in (14, 31, 92):
        found = read(stranger, shared(service.database, last - timedelta(days=days - 1), last))
        assert (">A poll, up<" in found) == (days == 14)
        assert len(found) < 100_000


# --- what it does not -----------------------------------------------------------------------------

INSIDE = """{0},active,2023-01-24 06:05:00
{0},active,2023-01-24 12:10:00
{0},inactive,2023-01-24 20:10:00
{0},active,2023-01-25 01:10:00
{0},inactive,2023-01-25 05:40:00
"""
"""Tuesday in Chicago is from 06:00 to 06:00 UTC. An outage runs when it ends."""
OUTSIDE = {
    "quiet": "{0},active,2023-01-24 05:30:00\n{0},inactive,2023-01-25 06:30:00\n",
    "the poll at midnight": "{0},active,2023-01-24 05:30:00\n{0},inactive,2023-01-25 06:00:00\n",
    "outages on both sides": "{0},inactive,2023-01-23 13:37:00\n{0},active,2023-01-24 05:30:00\n"
    "{0},inactive,2023-01-25 06:30:00\n{0},active,2023-01-25 22:37:00\n{0},inactive,2023-01-26 03:37:00\n",
    "the outage goes on": "{0},active,2023-01-24 05:31:00\n{0},inactive,2023-01-25 06:29:00\n"
    "{0},inactive,2023-01-26 14:37:00\n",
}
"""What happened before and after, none of which changes a figure of Tuesday."""


def test_no_two_stores_differ_that_differ_outside_the_days(service: Service, stranger: FlaskClient) -> None:
    rows = "".join((INSIDE + others).format(f"s{n}") for n, others in enumerate(OUTSIDE.values()))
    load(service.database, f"store_id,status,timestamp_utc\n{rows}other,active,2023-01-27 15:37:00\n")
    told = {}
    for number, name in enumerate(OUTSIDE):
        page = read(stranger, shared(service.database, TUESDAY, TUESDAY, f"s{number}"))
        told[name] = re.sub(r"until \w+ [^<]*UTC", "until", page.replace(f"s{number}", "it"))
    assert [name for name, page in told.items() if page != told["quiet"]] == []


def test_no_instant_from_outside_is_on_it(service: Service, stranger: FlaskClient) -> None:
    rows = (INSIDE + OUTSIDE["outages on both sides"]).format("1")
    load(service.database, f"store_id,status,timestamp_utc\n{rows}")
    found = read(stranger, shared(service.database, TUESDAY, TUESDAY))
    days = set(re.findall(r"\d+ Jan(?: 2023)?(?:, \d\d:\d\d(?=[^<]* CST))?", found))
    assert {day for day in days if not day.startswith("24 Jan")} == {"25 Jan, 00:00"}
    instants = re.findall(r"2023-01-\d\dT[\d:]+Z", found)
    assert instants
    assert all("2023-01-24T06:00:00Z" <= instant < "2023-01-25T06:00:00Z" for instant in instants)
    assert ":37" not in found
    assert "As of" not in found
    assert 'class="now"' not in found


def test_nothing_that_people_wrote_is_on_it_nor_money_nor_a_way_into_the_app(
    client: FlaskClient, database: Database
) -> None:
    rows = INSIDE.replace("inactive,2023-01-24 20:10:00", "inactive,2023-01-24 20:10:00,secret-reason")
    rows = "".join(row if row.count(",") == 3 else f"{row}," for row in rows.format("1").split("\n")[:-1])
    load(database, "store_id,status,timestamp_utc,reason\n" + re.sub(r"(?<=.)1,", "\n1,", rows) + "\n")
    at = {"store_id": "1", "start": "2023-01-24T20:00:00Z", "end": "2023-01-24T21:00:00Z"}
    for path, body in (
        ("exceptions", at | {"effect": "excluded", "note": "secret-note"}),
        ("outages/notes", {"store_id": "1", "at": "2023-01-24T21:30:00Z", "note": "secret-words"}),
        ("groups", {"name": "secret-group"}),
    ):
        assert client.post(f"/api/v1/{path}", json=body).status_code == 201
    assert client.put("/api/v1/revenue/1", json={"weekly": 77777}).status_code == 200
    run(database, "UPDATE store SET notes = 'secret-notes', manage_url = 'https://secret.example'")
    path = shared(database, TUESDAY, TUESDAY, label="secret-label")
    found = read(client, path)
    assert "Excluded" in found
    assert "secret" not in found.replace(path, "")
    assert "USD" not in found
    assert "Lost" not in found
    links = set(re.findall(r'(?:href|src|action)="([^"]*)"', found))
    assert {link for link in links if not link.startswith(("/static/", "#"))} == set()
    check(client, pages(client, path))


def test_it_tells_nobody_where_it_was_read(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    for path in (shared(service.database), "/shared/nothing"):
        headers = stranger.get(path, headers=HTML).headers
        assert headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers


def test_who_asks_too_often_is_told_to_wait_and_still_finds_no_way_in(database: Database) -> None:
    load_chicago(database)
    client, path = create_app(Settings(), database, Edge()).test_client(), shared(database)
    answers = [client.get("/shared/nothing", headers=HTML) for _ in range(120)]
    assert {answer.status_code for answer in answers} <= {404, 429}
    asked = (client.get(path, headers=HTML) for _ in range(1000))  # a slow machine is given some anew
    refused = next(answer for answer in asked if answer.status_code != 200)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Referrer-Policy"] == "no-referrer"
    assert set(re.findall(r'href="([^"]*)"', refused.text)) == {"#main", *STYLE}
    time.sleep(1)  # on a quick machine what anybody may send in a second is used up too
    assert client.get("/login", headers=HTML).status_code == 200


# --- when it works --------------------------------------------------------------------------------

ENDS = {
    "revoked": "UPDATE share SET revoked_at = now()",
    "expired": "UPDATE share SET created_at = now() - interval '3 days', expires_at = now() - interval '1 s'",
    "its maker is disabled": "UPDATE account SET active = false",
    "its maker is no manager any more": "UPDATE membership SET role = 'viewer'",
    "the store left the group": "DELETE FROM group_store",
    "the store is deleted": "DELETE FROM store",
}


@pytest.mark.parametrize("sql", ENDS.values(), ids=ENDS.keys())
def test_a_link_that_is_over_says_what_one_says_that_never_was(service: Service, sql: str) -> None:
    load_chicago(service.database)
    service.group("maple", "1")
    mia = Browser(service, "mia@maple.example", maple=GroupRole.MANAGER)
    sent = {"first_day": "2023-01-23", "last_day": "2023-01-23", "days": "7", "label": "Lou"}
    made = mia.send("/shares?store=1", **sent)
    found = re.search(r'value="http://[^/]+(/shared/[\w-]+)"', made.text)
    assert found is not None, made.text
    stranger = service.browser()
    assert "Monday" not in read(stranger, found[1], 200)
    run(service.database, sql)
    assert read(stranger, found[1], 404) == read(stranger, "/shared/nothing", 404)
    assert OVER in read(stranger, found[1], 404)
    assert stranger.get(found[1]).json == stranger.get("/shared/nothing").json
    assert stranger.get("/shared/nothing").json["detail"] == OVER  # type: ignore[index]


def test_days_whose_polls_are_gone_are_said_to_be_gone(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    path = shared(service.database)
    run(service.database, "UPDATE retention SET polls_from = '2023-01-24'")
    found = read(stranger, path)
    assert "These days of 1 can no longer be shown." in found
    assert "Jan 2023" in found
    assert "24 Jan" not in found


def test_before_any_poll_it_says_so(service: Service, stranger: FlaskClient) -> None:
    load(service.database, "store_id,timezone_str\n1,America/Chicago\n")
    assert "Nothing is known yet of these days" in read(stranger, shared(service.database))


def test_days_that_lie_ahead_come_as_they_are_seen(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    path = shared(service.database, MONDAY, date(2023, 1, 25))
    assert "so far" in read(stranger, path)
    load(service.database, "store_id,status,timestamp_utc\n1,active,2023-01-26 16:14:00\n")
    found = read(stranger, path)
    assert "so far" not in found
    assert "These days are over" in found


def test_the_first_use_is_audited_and_only_that(service: Service, stranger: FlaskClient) -> None:
    load_chicago(service.database)
    path = shared(service.database)
    for _ in range(3):
        read(stranger, path)
    opened = "SELECT json_agg(json_build_array(via, email, detail ->> 'store_id')) FROM audit"
    assert run(service.database, f"{opened} WHERE action = 'open'") == [["link", None, "1"]]
    assert run(service.database, "SELECT first_used_at = last_used_at FROM share")
    run(service.database, "UPDATE share SET last_used_at = last_used_at - interval '2 minutes'")
    read(stranger, path)
    assert run(service.database, "SELECT last_used_at >= first_used_at FROM share")


# --- logs -----------------------------------------------------------------------------------------


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a service writes to its log."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_log()
    yield written
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("door", "table"), [("/shared/", "share"), ("/link/", "one_time_link"), ("/alerts/", "app_secret")]
)
def test_no_secret_of_a_link_is_in_the_log(
    service: Service, stranger: FlaskClient, log: io.StringIO, door: str, table: str
) -> None:
    run(service.database, f"ALTER TABLE {table} RENAME TO elsewhere")
    read(stranger, f"{door}a-secret", 500)
    assert [json.loads(line)["path"] for line in log.getvalue().splitlines()] == [f"{door}…"] * 2
    assert "a-secret" not in log.getvalue()


def test_an_error_page_that_fails_itself_tells_the_log_no_secret(
    service: Service, stranger: FlaskClient, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    run(service.database, "ALTER TABLE share RENAME TO elsewhere")
    log.close()  # the disk of the log is full: what answers errors fails as well
    stranger.get("/shared/a-secret", headers=HTML)
    assert "/shared/…" in caplog.text
    assert "a-secret" not in caplog.text
