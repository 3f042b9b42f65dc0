"""What changes while somebody waits: for a report, or in the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import making, tokens, users
from storewatch.services.reporting import MOST_WAITING
from tests.factories import load_chicago
from tests.web.service import Service, Token

WAITS = ("/get_report?report_id={id}&wait=60", "/api/v1/reports/{id}?wait=60")


def revoke(service: Service, person: Token) -> None:
    with service.database.session() as session:
        token_id = session.execute(text("SELECT token_id FROM token")).scalar_one()
    tokens.revoke(service.database, COMMAND, token_id)


def disable(service: Service, person: Token) -> None:
    assert person.account_id
    users.change(service.database, COMMAND, person.account_id, active=False)


def degrade(service: Service, person: Token) -> None:
    """From one who sees everybody's reports to one who sees their own."""
    assert person.account_id
    users.change(service.database, COMMAND, person.account_id, role=Role.MEMBER)


@pytest.mark.parametrize("path", WAITS)
@pytest.mark.parametrize(("change", "status"), [(revoke, 401), (disable, 401), (degrade, 404)])
def test_who_loses_their_right_while_they_wait_is_told_nothing(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    change: Callable[[Service, Token], None],
    status: int,
) -> None:
    load_chicago(service.database)
    report_id = asked(service, "ada@example.com", Role.ADMIN)
    waiter = service.token("oscar@example.com", Role.OPERATOR)
    with service.database.transaction() as session:  # only the waiter's token is left
        session.execute(text("DELETE FROM token WHERE account_no = 1"))
    is_waiting = seen_waiting(monkeypatch)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(waiter.get, path.format(id=report_id))
        assert is_waiting.wait(60)
        change(service, waiter)
        making.make(service.database, report_id, lambda _: None)
        assert answer.result(60).status_code == status


def asked(service: Service, email: str, role: Role) -> UUID:
    person = service.token(email, role)
    return UUID(said(person.post("/trigger_report"))["report_id"])


def said(answer: TestResponse) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json


def seen_waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as somebody waits."""
    event, sleep = threading.Event(), time.sleep

    def told(seconds: float) -> None:
        event.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", told)
    return event


@pytest.mark.parametrize("path", ["/trigger_report", "/api/v1/reports"])
def test_nobody_fills_the_queue_of_reports_alone(service: Service, path: str) -> None:
    load_chicago(service.database)
    vera = service.token("vera@maple.example", maple=GroupRole.VIEWER)
    ids = [said(vera.post(path, json={}))["report_id"] for _ in range(MOST_WAITING)]
    refused = vera.post(path, json={})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert "let one finish, or cancel one" in said_of(refused)
    assert service.token("otto@oak.example", oak=GroupRole.VIEWER).post(path, json={}).status_code == 202
    assert vera.post(f"/api/v1/reports/{ids[0]}/cancel").status_code == 200
    assert vera.post(path, json={}).status_code == 202


def said_of(answer: TestResponse) -> str:
    assert answer.json is not None
    return str(answer.json["detail"])


def test_many_at_once_gain_no_report(service: Service) -> None:
    load_chicago(service.database)
    vera = service.token("vera@maple.example", maple=GroupRole.VIEWER)
    for _ in range(MOST_WAITING - 1):
        said(vera.post("/trigger_report"))
    others = [Token(service.browser(), vera.secret) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        codes = sorted(threads.map(lambda one: one.post("/trigger_report").status_code, others))
    assert codes == [202] + [429] * 5
