"""Idempotency-Key: what is sent again is done once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.domain.permissions import COMMAND, Role
from storewatch.services import idempotency, reporting
from storewatch.storage.db import Database
from tests.factories import load_chicago
from tests.web.conftest import said
from tests.web.service import Service, Token

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def rows(database: Database, query: str) -> list[Any]:
    with database.session() as session:
        return [tuple(row) for row in session.execute(text(query))]


def change(database: Database, statement: str) -> None:
    with database.transaction() as session:
        session.execute(text(statement))


@pytest.fixture
def operator(service: Service) -> Token:
    load_chicago(service.database)
    return service.token("olga@example.com", Role.OPERATOR)


def trigger(operator: Token, **options: Any) -> TestResponse:
    return operator.post("/trigger_report", headers=KEY, **options)


def made(operator: Token, service: Service) -> int:
    return len(reporting.latest(service.database, COMMAND))


def test_the_same_key_twice_makes_one_report_and_gets_the_same_answer(
    service: Service, operator: Token
) -> None:
    first, again = trigger(operator), trigger(operator)
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json, first.headers["Location"]) == (again.json, again.headers["Location"])
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert made(operator, service) == 1
    assert rows(
        service.database, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'make_report'"
    ) == [(1,)]


def test_another_key_and_no_key_make_another(service: Service, operator: Token) -> None:
    trigger(operator)
    operator.post("/trigger_report", headers={"Idempotency-Key": "another"})
    operator.post("/trigger_report")
    assert made(operator, service) == 3


def test_a_resource_is_made_once_and_its_answer_has_its_tag(service: Service, operator: Token) -> None:
    first = operator.post("/api/v1/groups", json={"name": "Maple"}, headers=KEY)
    again = operator.post("/api/v1/groups", json={"name": "Maple"}, headers=KEY)
    assert (first.status_code, again.status_code, again.mimetype) == (201, 201, "application/json")
    assert (first.json, first.headers["ETag"]) == (again.json, again.headers["ETag"])
    assert rows(service.database, "SELECT name FROM store_group") == [("Maple",)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/groups", {"name": "Oak"}),
        ("/api/v1/groups?", {"name": "Maple", "x": 1}),
        ("/api/v1/stores", {"name": "Maple"}),
        ("/trigger_report", {"policy": "previous"}),
    ],
)
def test_the_key_of_another_request_is_refused(operator: Token, path: str, body: Any) -> None:
    operator.post("/api/v1/groups", json={"name": "Maple"}, headers=KEY)
    refused = operator.post(path, json=body, headers=KEY)
    assert (refused.status_code, said(refused)["field"]) == (422, "Idempotency-Key")
    assert "another request" in said(refused)["detail"]


def test_a_key_is_the_accounts_own(service: Service, operator: Token) -> None:
    other = service.token("oscar@example.com", Role.OPERATOR)
    assert said(trigger(operator)) != said(trigger(other))
    same = service.another_token(operator.account_id)  # type: ignore[arg-type]
    assert said(trigger(same)) == said(trigger(operator))


def test_after_an_error_the_key_is_free(service: Service, operator: Token) -> None:
    assert trigger(operator, json={"policy": "x"}).status_code == 400
    assert trigger(operator).status_code == 202
    assert rows(service.database, "SELECT status FROM idempotency_key") == [(202,)]


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(operator: Token, key: str) -> None:
    refused = operator.post("/trigger_report", headers={"Idempotency-Key": key})
    assert (refused.status_code, said(refused)["field"]) == (400, "Idempotency-Key")


def test_who_asks_while_the_first_runs_must_wait(service: Service, operator: Token) -> None:
    with ThreadPoolExecutor(1) as threads:
        with service.database.transaction() as session:
            session.execute(text("LOCK TABLE report"))
            first = threads.submit(trigger, operator)
            wait_for_a_waiter(service.database)
            second = Token(service.browser(), operator.secret)
            refused = trigger(second)
            assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")
        assert first.result().status_code == 202
    assert said(trigger(second)) == said(first.result())
    assert made(operator, service) == 1


def wait_for_a_waiter(database: Database) -> None:
    waiting = """
        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
    """
    while rows(database, waiting) == [(0,)]:
        pass


def test_what_was_done_goes_with_an_answer_that_could_not_be_kept(service: Service, operator: Token) -> None:
    change(service.database, "ALTER TABLE idempotency_key ADD CONSTRAINT broken CHECK (status <> 202)")
    assert trigger(operator).status_code == 500
    assert made(operator, service) == 0
    change(service.database, "ALTER TABLE idempotency_key DROP CONSTRAINT broken")
    assert trigger(operator).status_code == 202
    assert made(operator, service) == 1


def test_what_was_done_goes_with_a_connection_that_breaks(service: Service, operator: Token) -> None:
    with ThreadPoolExecutor(1) as threads:
        with service.database.transaction() as session:
            session.execute(text("LOCK TABLE procrastinate_jobs"))
            first = threads.submit(trigger, operator)
            wait_for_a_waiter(service.database)
            kill = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND datname = current_database()
            """
            session.execute(text(kill))
        assert first.result().status_code == 503
    assert made(operator, service) == 0
    assert trigger(operator).status_code == 202


def test_a_key_ends_after_a_day(service: Service, operator: Token) -> None:
    first = trigger(operator)
    change(service.database, "UPDATE idempotency_key SET created_at = now() - interval '23 hours'")
    assert idempotency.remove_old(service.database) == 0
    assert said(trigger(operator)) == said(first)
    change(service.database, "UPDATE idempotency_key SET created_at = now() - interval '25 hours'")
    assert said(trigger(operator)) != said(first)
    change(service.database, "UPDATE idempotency_key SET created_at = now() - interval '25 hours'")
    assert idempotency.remove_old(service.database) == 1


def test_without_logins_there_are_keys_too(database: Database) -> None:
    from storewatch.config import Settings
    from storewatch.web.app import Edge, create_app

    client = create_app(Settings(), database, Edge(login=False, limits=False)).test_client()
    answers = [client.post("/api/v1/groups", json={"name": "Maple"}, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert rows(database, "SELECT account_no FROM idempotency_key") == [(0,)]


def test_the_document_tells_of_the_header_at_every_post(service: Service) -> None:
    for _ in range(2):
        document = said(service.browser().get("/api/openapi.json"))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = [each for each in operation.get("parameters", []) if "IdempotencyKey" in str(each)]
            assert len(told) == (method == "post"), (method, path)
    assert re.match(document["components"]["parameters"]["IdempotencyKey"]["schema"]["pattern"], "a")
