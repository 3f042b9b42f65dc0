"""The page of the API: for everybody, whole, and true."""

from __future__ import annotations

import json
import re

import pytest
from flask.testing import FlaskClient

from storewatch.domain.permissions import Role
from storewatch.web.pages.api_examples import EXAMPLES
from tests.alerting import Town, minutes_ago
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


def test_the_document_says_what_holds_for_all_before_it_lists_all(stranger: FlaskClient) -> None:
    document = stranger.get("/api/openapi.json").get_json()
    for word in ("Bearer", "next_cursor", "If-Match", "Idempotency-Key", "_seconds", "429", "curl"):
        assert word in document["info"]["description"], word
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"].endswith((".", "?")), (path, method)
            assert "<br" not in operation.get("description", ""), (path, method)


def test_what_looks_at_if_match_says_so(stranger: FlaskClient) -> None:
    paths = stranger.get("/api/openapi.json").get_json()["paths"]
    header = {"$ref": "#/components/parameters/IfMatch"}
    told = {
        (method, path)
        for path, each in paths.items()
        for method in each
        if header in each[method].get("parameters", [])
    }
    assert {("patch", "/api/v1/stores/{store_id}"), ("delete", "/api/v1/zones/{store_id}")} <= told
    assert ("patch", "/api/v1/stores") not in told


def test_whatever_the_description_refers_to_is_there(stranger: FlaskClient) -> None:
    text = stranger.get("/api/openapi.json").text
    references = set(re.findall(r'"\$ref": ?"#/components/(\w+)/([^"]+)"', text))
    components = json.loads(text)["components"]
    assert len(references) > 100
    assert [each for each in sorted(references) if each[1] not in components[each[0]]] == []


def test_every_example_of_a_body_works_as_it_is_shown(service: Service) -> None:
    ada = service.token("ada@example.com", Role.ADMIN)
    mia = service.person("mia@example.com")
    ids = {"store_id": "corner-cafe", "timestamp_utc": "2023-01-23T17:15:00Z", "account_id": str(mia)}
    Town(service.database).incident("no_data", minutes_ago(30))
    ids["incident_id"] = ada.get("/api/v1/incidents").get_json()["items"][0]["incident_id"]
    document = ada.get("/api/openapi.json").get_json()
    routes = {
        operation["operationId"]: (method, path, operation["requestBody"]["content"].get("application/json"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    }
    assert {name for name, (_, _, body) in routes.items() if body} == set(EXAMPLES)
    for name in EXAMPLES:
        method, path, body = routes[name]
        answer = ada.send(method.upper(), path.format(**ids), json=body["example"])
        assert answer.status_code < 300, (name, answer.text)
        assert not answer.get_json().get("rejected"), name
        ids |= {key: value for key, value in answer.get_json().items() if key.endswith("_id") and value}
