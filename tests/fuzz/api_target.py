"""Requests of the API, on a real database: whatever is sent by whoever may do all, never a 500."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from storewatch import embedded
from storewatch.domain.permissions import Role
from storewatch.services.storefronts import Reach
from storewatch.storage import db
from storewatch.storage.db import Database
from tests.factories import load_chicago
from tests.fuzz.target import Target
from tests.web.service import Service, Token

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_UNAVAILABLE = 503
_using: list[Token] = []


def try_request(data: bytes) -> str:
    """`METHOD /path`, an empty line and a body: the answer is no 5xx, and a refusal is a problem in words."""
    head, _, body = data.partition(b"\n\n")
    method, _, path = head.decode("utf-8", "replace").partition(" ")
    if method not in _METHODS or not path.startswith("/api/v1/"):
        return "no request"
    address = quote(path, safe="/?&=%:+,;@-._~")
    answer = _using[-1].send(method, address, data=body, content_type="application/json")
    told = answer.get_data()
    assert answer.status_code < 500 or answer.status_code == _UNAVAILABLE, told
    if answer.status_code >= 400:
        problem = json.loads(told)
        assert problem["status"] == answer.status_code
        assert problem["title"]
    return f"{method} {answer.status_code} {answer.request.path[:20]} {told[:80]!r}"


async def _nobody(_host: str, _port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


@contextmanager
def service() -> Iterator[None]:
    """The app with logins, on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="storewatch-fuzz-") as folder:
        Path(folder).chmod(0o755)
        home, uploads = Path(folder, "home"), Path(folder, "uploads")
        with embedded.running(home, lambda _: None) as url, _database(url) as database, on(database, uploads):
            yield


@contextmanager
def on(database: Database, uploads: Path) -> Iterator[None]:
    """The app with logins, a store with polls, and somebody who may do all."""
    load_chicago(database)
    made = Service(database, uploads)
    made.app.extensions["storewatch.reach"] = Reach(resolve=_nobody)
    _using.append(made.token("ada@example.com", Role.ADMIN))
    try:
        yield
    finally:
        _using.pop()


@contextmanager
def _database(url: str) -> Iterator[Database]:
    database = Database(url)
    db.prepare(database)
    try:
        yield database
    finally:
        database.close()


TARGETS = [Target("api", "requests of the API", try_request, "api", service, slow_s=20.0)]
