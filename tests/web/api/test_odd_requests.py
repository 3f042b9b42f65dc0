"""Requests that nobody sends by accident: each is answered for what it is, none with a 500."""

from __future__ import annotations

import base64

import pytest

from storewatch.domain.permissions import Role
from tests.web.service import Service

DEEP = "[" * 100_000
CURSORS = ("[" * 290, "[1,2,3,4,5]", '["\\u0000"]', '["\\ud800"]', "[1e999]", "{}", "[99999999999999999999]")
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/trigger_report", "/api/v1/groups", "/api/v1/reports", "/api/v1/stores"])
def test_a_body_that_is_nested_too_deep_is_no_json(service: Service, path: str) -> None:
    admin = service.token("ada@example.com", Role.ADMIN)
    for body in (DEEP, '{"name":' * 50_000):
        assert admin.post(path, data=body[:60_000], headers=JSON).status_code == 400


@pytest.mark.parametrize("path", ["groups", "stores", "users", "imports", "reports", "audit"])
def test_a_cursor_that_is_not_ours_is_refused(service: Service, path: str) -> None:
    admin = service.token("ada@example.com", Role.ADMIN)
    for text in (
        "[" * 290,
        "[1,2,3,4,5]",
        '["\\u0000"]',
        '["\\ud800"]',
        "[1e999]",
        "{}",
        "[99999999999999999999]",
    ):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        assert admin.get(f"/api/v1/{path}?cursor={cursor}").status_code in (400, 422), text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "reports", '{"max_gap_seconds": %s}'),
        ("POST", "reports", '{"windows": [{"name": "a", "length_seconds": %s}]}'),
        ("PATCH", "stores", '{"stores": [{"store_id": "oak", "revenue_per_week": %s}]}'),
        ("PUT", "hours/oak", '{"hours": [{"day": %s, "opens": "10:00", "closes": "12:00"}]}'),
    ],
)
def test_a_number_of_four_hundred_digits_is_too_large(
    service: Service, method: str, path: str, body: str
) -> None:
    service.group("Oak", "oak")
    admin = service.token("ada@example.com", Role.ADMIN)
    answer = admin.send(method, f"/api/v1/{path}", data=body % ("9" * 400), headers=JSON)
    assert answer.status_code == 422
