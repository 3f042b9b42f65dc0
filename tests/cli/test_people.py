"""storewatch user and token, by the real commands' code, against the app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from storewatch.cli import cli
from storewatch.errors import ConflictError, NotFoundError, UsageError
from tests.web.service import Service

HTML = {"Accept": "text/html"}
NEW = "a password of mine"


@pytest.fixture
def service(database: object, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    from storewatch.storage.db import Database

    monkeypatch.setenv("STOREWATCH_DATABASE_URL", database_url)
    assert isinstance(database, Database)
    return Service(database)


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def secret_in(text: str) -> str:
    found = re.search(r"/link/(\S+)", text)
    assert found
    return found[1]


def test_somebody_is_invited_chooses_a_password_and_is_in(service: Service) -> None:
    service.group("Maple", "17")
    said = run("user", "add", "mia@maple.example", "--group", "Maple:manager").output
    browser = service.browser()
    path = f"/link/{secret_in(said)}"
    assert "mia@maple.example" in browser.get(path, headers=HTML).text
    assert browser.post(path, data={"password": NEW}, headers=HTML).status_code == 303
    groups = browser.get("/api/v1/groups").json
    assert groups is not None
    assert [group["name"] for group in groups["items"]] == ["Maple"]
    assert service.browser().post(path, data={"password": NEW}, headers=HTML).status_code == 410
    assert "mia@maple.example\tmember\tactive" in run("user", "list").output


def test_a_file_of_people_is_invited(service: Service, tmp_path: Path) -> None:
    service.group("Maple", "17")
    file = tmp_path / "people.csv"
    file.write_text("email,role,group\nmia@maple.example,manager,Maple\nx@y.example,viewer,Elm\n")
    result = run("user", "import", str(file))
    assert "line 3: there is no group 'Elm'" in result.stderr
    assert "1 invited, 1 rows rejected." in result.stderr
    assert result.stdout.startswith("mia@maple.example\t")
    path = f"/link/{secret_in(result.stdout)}"
    assert service.browser().post(path, data={"password": NEW}, headers=HTML).status_code == 303


def test_a_password_that_is_too_short_is_refused_and_the_link_still_works(service: Service) -> None:
    path = f"/link/{secret_in(run('user', 'add', 'a@b.example', '--role', 'operator').output)}"
    refused = service.browser().post(path, data={"password": "short"}, headers=HTML)
    assert (refused.status_code, "10 characters" in refused.text) == (400, True)
    assert service.browser().post(path, data={"password": NEW}, headers=HTML).status_code == 303


def test_who_is_disabled_is_out_at_once_and_back_when_enabled(service: Service) -> None:
    run_in = service.browser()
    path = f"/link/{secret_in(run('user', 'add', 'o@b.example', '--role', 'operator').output)}"
    run_in.post(path, data={"password": NEW}, headers=HTML)
    secret = run("token", "add", "o@b.example", "--name", "poller", "--expires", "90d").output.split()[-1]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert service.browser().get("/api/v1/groups", headers=bearer).status_code == 200
    assert run("user", "disable", "o@b.example").exit_code == 0
    assert run_in.get("/api/v1/groups").status_code == 401
    assert service.browser().get("/api/v1/groups", headers=bearer).status_code == 401
    login = {"email": "o@b.example", "password": NEW}
    assert service.browser().post("/login", data=login, headers=HTML).status_code == 401
    run("user", "enable", "o@b.example")
    assert service.browser().post("/login", data=login, headers=HTML).status_code == 303


def test_a_new_password_by_a_link_ends_the_sessions(service: Service) -> None:
    browser = service.browser()
    path = f"/link/{secret_in(run('user', 'add', 'o@b.example', '--role', 'admin').output)}"
    browser.post(path, data={"password": NEW}, headers=HTML)
    path = f"/link/{secret_in(run('user', 'reset-password', 'O@B.example').output)}"
    assert service.browser().post(path, data={"password": NEW + "2"}, headers=HTML).status_code == 303
    assert browser.get("/api/v1/groups").status_code == 401
    login = {"email": "o@b.example", "password": NEW}
    assert service.browser().post("/login", data=login, headers=HTML).status_code == 401


def test_a_token_that_is_revoked_is_over(service: Service) -> None:
    service.person("ada@example.com")
    said = run("token", "add", "ada@example.com", "--name", "x", "--scope", "write").output.split()
    bearer = {"Authorization": f"Bearer {said[-1]}"}
    assert service.browser().get("/api/v1/groups", headers=bearer).status_code == 200
    run("token", "revoke", said[1].rstrip(";"))
    assert service.browser().get("/api/v1/groups", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("user", "add", "not an address", "--role", "admin"), UsageError),
        (("user", "add", "a@b.example"), UsageError),
        (("user", "add", "a@b.example", "--group", "Maple"), UsageError),
        (("user", "disable", "nobody@b.example"), NotFoundError),
        (("user", "reset-password", "nobody@b.example"), NotFoundError),
        (("token", "add", "nobody@b.example", "--name", "x"), NotFoundError),
        (("token", "revoke", "00000000-0000-0000-0000-000000000000"), NotFoundError),
    ],
)
def test_what_makes_no_sense_is_said(
    service: Service, words: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(*words)


def test_the_last_administrator_stays(service: Service) -> None:
    path = f"/link/{secret_in(run('user', 'add', 'ada@example.com', '--role', 'admin').output)}"
    service.browser().post(path, data={"password": NEW}, headers=HTML)
    with pytest.raises(ConflictError, match="only administrator"):
        run("user", "disable", "ada@example.com")
