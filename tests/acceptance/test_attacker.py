"""An attacker with a viewer's account of Oak, against a real server on which Maple lives too.

What they see must be the same whether Maple is there or not, nothing of Maple's may be on it, and whatever
they try with an id of Maple's must be told in the same words as with one that was made up.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, serving
from tests.conftest import clone_of
from tests.factories import load
from tests.web.permission_table import TABLE, Line
from tests.web.service import PASSWORD, Service
from tests.web.test_permissions import HOURS, POLLS, built

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("attacker")]

OLI = "oli@oak.example"
MAPLES = ("maple-1", "acer_brands", "maple.example", "about maple")
HTML = {"Accept": "text/html"}

PAGES = (
    *("/", "/?state=down", "/?q=maple", "/?q=oak", "/?sort=name", "/now", "/now?cards=1", "/stores/oak-1"),
    *("/store-now?store=oak-1", "/reports", "/numbers", "/people", "/levels", "/groups", "/schedules"),
    *(
        "/months/2023-01",
        "/months/2023-01/outages",
        "/months/2023-01/costs",
        "/account",
        "/api",
        "/samples/x",
    ),
    *("/months/2023-01?store=oak-1", "/stores/oak-1?day=2023-01-23", "/add-store", "/audit", "/imports"),
)
LISTS = (
    *(
        "stores",
        "stores?q=maple",
        "stores?q=acer",
        "groups",
        "users",
        "users?q=mia",
        "users/me",
        "invitations",
    ),
    *("reports", "imports", "uploads", "audit", "tokens", "shares", "schedules", "exceptions", "incidents"),
    *("service-levels", "outages/notes", "polls?store_id=oak-1"),
    *("outages?start=2023-01-23T00:00:00Z&end=2023-01-24T00:00:00Z", "history?store_id=oak-1"),
    *("timeline/oak-1", "hours/oak-1", "webhook-secret", "availability?windows=last_week"),
    *(f"{figure}?first_day=2023-01-22&last_day=2023-01-23" for figure in ("ranking", "history")),
    *(f"{figure}?first_day=2023-01-22&last_day=2023-01-23" for figure in ("history/week", "comparison")),
    *("zones/oak-1", "revenue/oak-1", "storefronts/oak-1"),
)


@dataclass(frozen=True)
class Siege:
    """A server, the attacker's way in, the ids of Maple's things, and what was seen before Maple came."""

    url: str
    oli: httpx.Client
    browser: httpx.Client
    ids: dict[str, str]
    before: dict[str, str]
    log: Path
    database: Database
    people: dict[str, str]

    def announced(self) -> None:
        """Waits until the worker has announced every report, or given it up."""
        left = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_report' AND attempts = 0"
        until = time.monotonic() + PATIENCE
        while True:
            with self.database.session() as session:
                if not session.execute(text(left)).scalar_one():
                    return
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.fixture(scope="module")
def siege(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    folder = tmp_path_factory.mktemp("siege")
    with clone_of(server_url, template) as url, closing(Database(url)) as database:
        service = Service(database, folder / "uploads")
        polls = [line for line in POLLS.splitlines() if "maple" not in line]
        load(database, "\n".join([*polls, ""]))
        load(database, "\n".join([line for line in HOURS.splitlines() if "maple" not in line]) + "\n")
        service.group("oak_brands", "oak-1")
        secret = service.token(OLI, oak_brands=GroupRole.VIEWER).secret
        settings = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
        with (
            serving(settings, folder, login=True) as running,
            httpx.Client(base_url=(base := f"http://127.0.0.1:{running.port}"), timeout=PATIENCE) as oli,
            httpx.Client(base_url=base, timeout=PATIENCE, headers=HTML) as browser,
        ):
            oli.headers["Authorization"] = f"Bearer {secret}"
            sent = browser.post("/login", data={"email": OLI, "password": PASSWORD})
            assert sent.status_code == 303
            settled(database)
            before = seen(oli, browser)
            people, ids = built(service)
            settled(database)
            secrets = {name: person.secret for name, person in people.items()}
            yield Siege(base, oli, browser, ids, before, running.log, database, secrets)


def settled(database: Database) -> None:
    """Waits until the worker has counted what was loaded."""
    until = time.monotonic() + PATIENCE
    due = text("SELECT EXISTS (SELECT FROM history_due) OR EXISTS (SELECT FROM fleet_due)")
    while True:
        with database.session() as session:
            if not session.execute(due).scalar_one():
                return
        assert time.monotonic() < until
        time.sleep(0.1)


def seen(oli: httpx.Client, browser: httpx.Client) -> dict[str, str]:
    """All that the attacker sees, without what is new in every answer."""
    told = {path: browser.get(path) for path in PAGES}
    told |= {path: oli.get(f"/api/v1/{path}") for path in LISTS}
    return {path: f"{answer.status_code} {plain(answer.text)}" for path, answer in told.items()}


def plain(body: str) -> str:
    """An answer without what is new in each: numbers of requests, words of forms, the clock."""
    for what, instead in _NEW:
        body = re.sub(what, instead, body)
    return body


_NEW = (
    (r'(csrf[-_]token" (?:value|content)=)"[^"]+"', r"\1"),
    (r'"(?:last_used_at|last_login_at)":"[^"]+"', ""),
    (r'"as_of_age_seconds":[0-9.]+', ""),
    (r">(?:Never|\d+ min ago)<", "><"),  # when the token was used
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\d\d:\d\d:\d\d", "T"),
    (r"\b[0-9a-f]{12}\b", "N"),
)


def test_what_others_have_changes_nothing_that_one_sees(siege: Siege) -> None:
    after = seen(siege.oli, siege.browser)
    differs = {path: (siege.before[path], body) for path, body in after.items() if siege.before[path] != body}
    assert differs == {}
    open_to_oli = [path for path, body in after.items() if body.startswith("200")]
    assert len(open_to_oli) > 40
    named = {path for path in open_to_oli for word in MAPLES if word in after[path]}
    assert named <= {"/?q=maple", "/api"}  # what was asked for, and examples


def made_up(ids: dict[str, str]) -> dict[str, str]:
    """Ids of the same form as Maple's, of nothing."""
    known = {"month", "timestamp_utc", "name", "token", "secret"}
    other = {name: str(uuid4()) for name in ids if name not in known}
    return ids | other | {"store_id": "cedar-17", "import_id": "77", "import_no": "77"}


def told(siege: Siege, line: Line, ids: dict[str, str]) -> str:
    """What the attacker is told of a request with these ids, without the ids."""
    path, data, json_text = line.path, line.data, json.dumps(line.json)
    for name, value in ids.items():
        path, json_text = path.replace(f"{{{name}}}", value), json_text.replace(f"{{{name}}}", value)
        data = data.replace(f"{{{name}}}", value) if data else data
    path, json_text = (one.replace("maple-17", ids["store_id"]) for one in (path, json_text))
    data = data.replace("maple-17", ids["store_id"]) if data else data
    headers = {"If-Match": "*", "If-None-Match": "*", "Idempotency-Key": str(uuid4())}
    headers |= {"Content-Type": line.content_type} if data else {}
    headers |= {} if line.rule.startswith("/api/") else HTML
    more: dict[str, Any] = {"content": data} if data else {}
    more |= {"json": json.loads(json_text)} if line.json is not None else {}
    answer = siege.oli.request(line.method, path, headers=headers, **more)
    headers_told = sorted(set(answer.headers) - {"set-cookie"})
    text = f"{answer.status_code} {headers_told} {answer.text}"
    for name, value in ids.items():
        if name not in ("import_id", "import_no", "month", "token", "name", "timestamp_utc"):
            text = text.replace(value, f"<{name}>")
    return plain(text)


def is_about_something(line: Line) -> bool:
    """Whether a request names a thing that is somebody's."""
    text = f"{line.path} {line.data} {json.dumps(line.json)}"
    named = set(re.findall(r"\{(\w+)\}", text)) - {"month", "timestamp_utc", "name", "token", "secret"}
    return bool(named) or "maple-17" in text


def test_an_id_of_anothers_is_told_as_one_that_was_made_up(siege: Siege) -> None:
    nothing = made_up(siege.ids)
    wrong = []
    lines = [line for line in TABLE if is_about_something(line)]
    for line in lines:
        of_maple, of_nothing = told(siege, line, siege.ids), told(siege, line, nothing)
        if of_maple != of_nothing or not of_maple.startswith("4"):
            wrong.append((line.method, line.path, of_maple, of_nothing))
    assert wrong == []
    assert len(lines) > 150


def test_a_webhook_of_a_viewers_reaches_nothing_of_ours(siege: Siege) -> None:
    """Any way to write our own address, and a name that leads there."""
    with listening() as (port, called):
        ways = [where.format(port=port) for where in INSIDE]
        answers = [siege.oli.post("/api/v1/reports", json={"webhook": where}) for where in ways]
        taken = [answer.json()["report_id"] for answer in answers if answer.status_code == 202]
        assert {answer.status_code for answer in answers} == {202, 400}
        for report_id in taken:
            assert siege.oli.get(f"/api/v1/reports/{report_id}?wait=60").json()["status"] == "complete"
        siege.announced()
        assert called == []


INSIDE = (
    *("http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.1:{port}/", "http://0:{port}/"),
    *("http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/"),
    *("http://017700000001:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/"),
    *("http://[::ffff:7f00:1]:{port}/", "http://localhost.:{port}/", "http://LOCALHOST:{port}/"),
    *("http://a@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.com/"),
    *("file:///etc/passwd", "gopher://127.0.0.1:{port}/x", "http://127.0.0.1:{port}/\r\nHost: x"),
)


@contextmanager
def listening() -> Iterator[tuple[int, list[Any]]]:
    """A port on every address of this machine, and who connected to it."""
    called: list[Any] = []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    called.append(server.accept()[1])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], called
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


RAW = {
    "two lengths": "Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd",
    "a length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}",
    "an odd coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{next}",
    "a space before the colon": "Content-Length : 4\r\n\r\nabcd{next}",
    "a folded line": "X: a\r\n Content-Length: 4\r\n\r\nabcd{next}",
    "a bare line feed": "Content-Length: 0\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}",
}
NEXT = "GET /api/v1/users/me HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize("name", RAW)
def test_a_request_hides_no_other_in_it(siege: Siege, name: str) -> None:
    """Where two servers might not agree on the end of a body, the connection ends with the first answer."""
    host, port = siege.url.removeprefix("http://").split(":")
    head = "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall((head + RAW[name].format(next=NEXT)).encode())
        received = b""
        while block := connection.recv(65536):
            received += block
    assert received.count(b"HTTP/1.1 ") == 1, received
    assert b"users/me" not in received
    assert received[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5"), received


def test_nothing_of_it_left_a_secret_in_the_log(siege: Siege) -> None:
    log = siege.log.read_text()
    assert "Traceback" not in log
    assert '"level": "error"' not in log
    for secret in (*siege.people.values(), siege.ids["secret"], siege.oli.headers["Authorization"]):
        assert secret not in log


@pytest.mark.parametrize("path", ["/.git/HEAD", "/static/", "/static/..%2fapp.py", "/samples/..%2f..%2fx"])
def test_paths_lead_nowhere_else(siege: Siege, path: str) -> None:
    assert siege.browser.get(path).status_code == 404


def test_nobody_gives_themselves_more(siege: Siege) -> None:
    """Fields that a body has not are refused, not set."""
    for body in ({"account_no": 1}, {"report_id": siege.ids["report_id"]}, {"status": "complete"}):
        assert siege.oli.post("/api/v1/reports", json=body).status_code == 422
    for more in ({"account_no": 1}, {"email": "mia@maple.example"}):
        assert siege.oli.post("/api/v1/schedules", json={"name": "x"} | more).status_code == 422
