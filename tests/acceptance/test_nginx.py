"""Behind the real nginx of the distribution, with the very configuration that the docs give."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme
from sqlalchemy import select

from storewatch.domain.permissions import Role
from storewatch.storage.access_tables import Audit
from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, free_port, serving
from tests.conftest import clone_of
from tests.web.service import PASSWORD
from tests.web.service import Service as People

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("nginx")]

NAME = "stores.example.com"
PAGE = Path(__file__).parents[2] / "docs/how-to/put-it-behind-nginx.md"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True)
class Front:
    """nginx, with storewatch behind it."""

    service: Service
    database: Database
    https: int
    http: int
    context: ssl.SSLContext
    log: Path

    @property
    def host(self) -> str:
        return f"{NAME}:{self.https}"

    def ask(
        self, method: str, path: str, body: str = "", source: str = "127.0.0.1", **headers: str
    ) -> HTTPResponse:
        """A request by https, from an address of this machine."""
        plain = socket.create_connection(("127.0.0.1", self.https), PATIENCE, (source, 0))
        connection = HTTPConnection(NAME, self.https)
        connection.sock = self.context.wrap_socket(plain, server_hostname=NAME)
        return send(connection, method, path, body, headers)

    def log_in(self, source: str = "127.0.0.1", password: str = PASSWORD, **headers: str) -> HTTPResponse:
        return self.ask("POST", "/login", form(password), source, **FORM, **headers)

    def direct(self, source: str, **headers: str) -> HTTPResponse:
        """A login past nginx."""
        connection = HTTPConnection("127.0.0.1", self.service.port, PATIENCE, (source, 0))
        return send(connection, "POST", "/login", form("wrong password"), FORM | headers)

    def last_address(self) -> str | None:
        """Where the latest entry of the audit log came from."""
        with self.database.session() as session:
            query = select(Audit.address).order_by(Audit.audit_no.desc()).limit(1)
            return session.execute(query).scalar()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(password: str) -> str:
    return urlencode({"email": "ada@example.com", "password": password})


def send(
    connection: HTTPConnection, method: str, path: str, body: str, headers: dict[str, str]
) -> HTTPResponse:
    """Status and headers of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body or None, named)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer


def configuration(folder: Path, https: int, http: int, port: int) -> str:
    """The docs' server blocks on our ports, with our certificate, in a frame that needs no rights."""
    (blocks,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for there, here in (
        ("listen 80;", f"listen 127.0.0.1:{http};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        ("http://127.0.0.1:8000;", f"http://127.0.0.1:{port};"),
        ("/etc/ssl/storewatch/", f"{folder}/"),
    ):
        assert there in blocks
        blocks = blocks.replace(there, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""
        daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{}}
        http {{ access_log {folder}/access.log; {places}
        {blocks} }}
    """


def certificate(folder: Path) -> ssl.SSLContext:
    """Makes the certificate's files; returns what a client needs to believe them."""
    authority = trustme.CA()
    made = authority.issue_cert(NAME)
    made.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    for blob in made.cert_chain_pems:
        blob.write_to_path(str(folder / "fullchain.pem"), append=True)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@contextmanager
def nginx(folder: Path, https: int, http: int, port: int) -> Iterator[None]:
    """nginx in the foreground, until the end of the block."""
    assert NGINX
    path = folder / "nginx.conf"
    path.write_text(configuration(folder, https, http, port))
    process = subprocess.Popen([NGINX, "-c", str(path), "-e", str(folder / "error.log")])
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, (folder / "error.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", https), 1).close()
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def front(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One for all tests here, which come from addresses of their own."""
    if NGINX is None:
        assert os.environ.get("CI") != "true", "nginx must be there: apt-get install nginx"
        pytest.skip("nginx is not installed")
    folder, https, http = tmp_path_factory.mktemp("nginx"), free_port(), free_port()
    context, words = certificate(folder), ("--trusted-proxies", "127.0.0.1")
    with clone_of(server_url, template) as url:
        database = Database(url)
        People(database).person("ada@example.com", Role.ADMIN)
        environment = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_URL": f"https://{NAME}:{https}"}
        running = serving(environment, folder, *words, login=True)
        with running as service, nginx(folder, https, http, service.port):
            yield Front(service, database, https, http, context, folder / "access.log")
        database.close()


def test_a_login_by_https_gets_a_cookie_that_only_https_sends_back(front: Front) -> None:
    page = {"Accept": "text/html"}
    sent = front.ask("GET", "/", **page)
    assert (sent.status, sent.headers["Location"]) == (303, "/login?next=/")
    answer = front.log_in(Origin=f"https://{front.host}", Sec_Fetch_Site="same-origin")
    assert answer.status == 303
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert cookie.startswith("__Host-storewatch=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not any(attribute.startswith("Domain") for attribute in attributes)
    assert front.ask("GET", "/", Cookie=cookie, **page).status == 200
    assert answer.headers["Strict-Transport-Security"]


def test_another_host_and_a_page_of_another_site_are_refused(front: Front) -> None:
    for host in ("evil.example", NAME, f"evil.{front.host}"):
        answer = front.ask("GET", "/healthz", Host=host)
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert front.ask("GET", "/healthz", X_Forwarded_Host="evil.example").status == 200
    for origin in ("https://evil.example", f"http://{front.host}"):
        assert front.log_in(Origin=origin).status == 403


def test_plain_http_is_sent_to_https(front: Front) -> None:
    connection = HTTPConnection("127.0.0.1", front.http, PATIENCE)
    answer = send(connection, "GET", "/login?next=/", "", {"Host": "evil.example"})
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/login?next=/")


def test_the_audit_log_has_the_address_that_nginx_saw(front: Front) -> None:
    assert front.log_in("127.0.0.3").status == 303
    assert front.last_address() == "127.0.0.3"
    assert front.log_in("127.0.0.4", X_Forwarded_For="203.0.113.9").status == 303
    assert front.last_address() == "127.0.0.4"


def test_who_comes_past_nginx_is_not_believed(front: Front) -> None:
    assert front.direct("127.0.0.5", X_Forwarded_For="203.0.113.9").status == 401
    assert front.last_address() == "127.0.0.5"


def test_failed_logins_of_one_address_do_not_slow_down_another(front: Front) -> None:
    def tried(number: int, source: str) -> int:
        body = urlencode({"email": f"{number}@b.de", "password": "x"})
        return front.ask("POST", "/login", body, source, **FORM).status

    assert [tried(number, "127.0.0.6") for number in range(21)] == [401] * 20 + [429]
    assert tried(99, "127.0.0.7") == 401


def test_no_address_that_opens_something_is_in_its_log(front: Front) -> None:
    for path in ("/shared/a-secret", "/link/a-secret", "/healthz?the-last"):
        front.ask("GET", path)
    until = time.monotonic() + PATIENCE
    while "the-last" not in front.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert "a-secret" not in front.log.read_text()


def test_a_refusal_reaches_who_is_still_sending_a_large_body(front: Front) -> None:
    """It is storewatch that says what is too large, not nginx, whose own limit would be 1 MB, and no 502."""
    for _ in range(20):
        answer = front.ask("POST", "/login", "x" * 2_000_000, **FORM)
        assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
