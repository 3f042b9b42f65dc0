"""The API against its own description: whatever is sent, the answer is one that is documented, never a 500.

schemathesis makes the requests from the description: the examples, the edges of every field, random ones,
and chains of them along the description's links, so that what one answer names is asked for next.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from storewatch.domain.permissions import Role
from storewatch.services import making
from storewatch.services.storefronts import Reach
from storewatch.storage.db import Database
from storewatch.storage.tables import Report
from tests.factories import load_chicago
from tests.web.service import Service

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)
EXAMPLES = os.environ.get("STOREWATCH_CONTRACT_EXAMPLES", "10")
SEED = os.environ.get("STOREWATCH_CONTRACT_SEED", "1")
COUNT = os.environ.get("STOREWATCH_CONTRACT_COUNT")
"""`make fuzz` gives others, and a file for the number of requests."""


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: ARG002 - its names
        """Thousands of requests are no news; they are counted."""
        next(_requests)


_requests = itertools.count()


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """The address of the app on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def making_reports(database: Database) -> Iterator[None]:
    """Makes what is queued, as a worker would, but announces nothing to anybody."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.02):
            with database.session() as session:
                queued = session.execute(select(Report.report_id).where(Report.status == "queued")).scalars()
                waiting = list(queued)
            for report_id in waiting:
                making.make(database, report_id)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def nobody(host: str, _port: int) -> list[str]:
    """A name server that knows no name: no try of a storefront leaves this machine."""
    if host.strip("0123456789.:abcdef"):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return ["127.0.0.1"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_answer_is_one_that_is_documented(database: Database, tmp_path: Path) -> None:
    load_chicago(database)
    service = Service(database, tmp_path / "uploads")
    service.app.extensions["storewatch.reach"] = Reach(resolve=nobody)
    admin = service.token("ada@example.com", Role.ADMIN)
    own = [
        str(admin.account_id),
        *(each["token_id"] for each in admin.get("/api/v1/tokens").get_json()["items"]),
    ]
    hooks = str(Path(__file__).with_name("contract_hooks.py"))
    with listening(service.app) as address, making_reports(database):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/api/openapi.json"),
                *("--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", SEED),
                *("--header", f"Authorization: Bearer {admin.secret}"),
                *(
                    "--generation-database",
                    "none",
                    "--no-color",
                    "--warnings",
                    "off",
                    "--continue-on-failure",
                    "--request-timeout",
                    "60",  # years of days that no job has kept are computed as they are read
                    "--suppress-health-check",
                    "filter_too_much",  # some seeds find few addresses that are allowed
                ),
            ],
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": hooks, "STOREWATCH_CONTRACT_OWN": ",".join(own)},
            capture_output=True,
            text=True,
            check=False,
        )
    if COUNT:
        Path(COUNT).write_text(str(next(_requests)))
    assert done.returncode == 0, done.stdout[-20_000:]
    followed = re.search(r"API Links: +(\d+) covered", done.stdout)
    assert followed is not None, done.stdout[-20_000:]
    assert int(followed[1]) > 0, "no link of the description was followed"
    assert admin.get("/api/v1/users/me").status_code == 200, "it ended its own token"
