"""`storewatch serve` for other machines: what it refuses, and what it then serves."""

from __future__ import annotations

import re
import socket
import urllib.request
from pathlib import Path
from subprocess import CompletedProcess
from urllib.error import HTTPError

import pytest
from sqlalchemy import text

from storewatch.storage.db import Database
from tests.acceptance.conftest import PATIENCE, Service, serving, storewatch
from tests.factories import load_chicago
from tests.post_office import PostOffice, post_office
from tests.web.service import Service as People

pytestmark = pytest.mark.slow

HTTP = "http://stores.example"


@pytest.mark.parametrize(
    ("words", "url", "complaint"),
    [
        (("--host", "0.0.0.0"), "", "STOREWATCH_URL must say where"),  # noqa: S104
        (("--host", "::"), "", "STOREWATCH_URL must say where"),
        (("--host", "0.0.0.0"), HTTP, "--insecure"),  # noqa: S104
        (("--host", "0.0.0.0", "--no-login"), "https://stores.example", "this machine only"),  # noqa: S104
        (("--host", "192.0.2.1"), "https://stores.example", "no such address"),
        (("--trusted-proxies", "the proxy"), "", "--trusted-proxies: 'the proxy'"),
        ((), "https://stores.example/app", "a scheme and a host only"),
    ],
)
def test_what_would_be_open_by_mistake_is_refused(
    environment: dict[str, str], words: tuple[str, ...], url: str, complaint: str
) -> None:
    result = storewatch("serve", *words, environment=environment | {"STOREWATCH_URL": url})
    assert (result.returncode, complaint in result.stderr) == (2, True), result.stderr


def status(service: Service, host: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{service.port}/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_off_loopback_our_url_is_served_and_no_other(environment: dict[str, str], tmp_path: Path) -> None:
    words = ("--host", "0.0.0.0", "--insecure")  # noqa: S104
    with serving(environment | {"STOREWATCH_URL": HTTP}, tmp_path, *words, login=True) as service:
        hosts = ("stores.example", "127.0.0.1", "evil.example", f"stores.example:{service.port}")
        assert [status(service, host) for host in hosts] == [200, 200, 400, 400]
        log = service.said("first administrator")
    assert f"at {HTTP} (listening on 0.0.0.0, port {service.port})" in log
    assert re.search(r"first administrator at http://stores\.example/link/\S{40}", log)


def mails(environment: dict[str, str], office: PostOffice) -> dict[str, str]:
    return environment | {
        "STOREWATCH_URL": "https://stores.example",
        "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
        "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
    }


def test_the_worker_of_serve_sends_the_mails(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    People(database).person("ada@example.com")
    with post_office() as office, serving(mails(environment, office), tmp_path, login=True) as service:
        service.post("/forgot", email="ada@example.com")
        office.wait_for(1)
        said = add("mia@maple.example", mails(environment, office))
        office.wait_for(2)
    assert [letter["To"] for letter in office.letters] == ["ada@example.com", "mia@maple.example"]
    assert all("https://stores.example/link/" in text for text in office.texts())
    assert ("a mail with a link" in said.stdout, "/link/" in said.stdout) == (True, False)


def test_a_mail_server_that_does_not_answer_holds_up_no_report(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    load_chicago(database)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        there = environment | {
            "STOREWATCH_URL": "http://127.0.0.1:8000",
            "STOREWATCH_SMTP_URL": url,
            "STOREWATCH_MAIL_FROM": "storewatch@stores.example",
        }
        add("mia@maple.example", there)
        with serving(there, tmp_path) as service:
            waiting, _ = silent.accept()  # the worker has begun with the mail
            with waiting:
                assert service.complete(service.trigger())["status"] == "Complete"
                with database.session() as session:
                    doing = text("SELECT status FROM procrastinate_jobs WHERE task_name = 'mail_invitation'")
                    assert session.execute(doing).scalar() == "doing"
            service.child("worker").kill()  # it would wait for the mail


def add(email: str, environment: dict[str, str], *words: str) -> CompletedProcess[str]:
    return storewatch("user", "add", email, "--role", "operator", *words, environment=environment)


def test_links_that_commands_print_lead_to_our_url(environment: dict[str, str]) -> None:
    with post_office() as office:
        there = mails(environment, office)
        shown = add("a@b.de", there, "--show-link").stdout
        without_mail = add("a@b.de", there | {"STOREWATCH_SMTP_URL": ""}).stdout
        assert all("https://stores.example/link/" in said for said in (shown, without_mail))
        assert "http://127.0.0.1:8000/link/" in add("a@b.de", environment).stdout
        assert office.letters == []


def test_settings_hides_secrets_and_nothing_else(environment: dict[str, str]) -> None:
    with post_office() as office:
        shown = storewatch("settings", environment=mails(environment, office))
    assert shown.returncode == 0, shown.stderr
    told = shown.stdout.splitlines()
    assert {"STOREWATCH_DATABASE_URL=(set)", "STOREWATCH_SMTP_URL=(set)"} <= set(told)
    assert "STOREWATCH_URL=https://stores.example" in told
    wrong = storewatch("settings", environment=environment | {"STOREWATCH_SMTP_URL": "smtp://u:sesame@h:x"})
    assert (wrong.returncode, "STOREWATCH_SMTP_URL" in wrong.stderr) == (2, True)
    assert "sesame" not in wrong.stderr
