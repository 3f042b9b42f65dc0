"""The page of the API: for everybody, whole, and true."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import Role
from tests.web.service import Service

HTML = {"Accept": "text/html"}


@pytest.fixture
def stranger(service: Service) -> FlaskClient:
    return service.browser()


def test_a_stranger_gets_every_file_that_the_page_asks_for(stranger: FlaskClient) -> None:
    page = stranger.get("/api", headers=HTML).text
    files = re.findall(r'(?:src|href|data-url)="(/[^"]+)"', page)
    assert any(file.endswith("swagger-ui-bundle.js") for file in files)
    for file in files:
        with stranger.get(file) as answer:
            assert answer.status_code == 200, file


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"nam": "North"}, "name: it is missing; nam: there is no such field or parameter here"),
        (None, "send a JSON object, with Content-Type: application/json"),
    ],
)
def test_a_body_that_does_not_fit_is_answered_by_what_to_do(
    service: Service, body: dict[str, str] | None, detail: str
) -> None:
    ada = service.token("ada@example.com", Role.ADMIN)
    answer = ada.post("/api/v1/groups", json=body) if body else ada.post("/api/v1/groups")
    assert (answer.status_code, detail in answer.get_json()["detail"]) == (422, True)
