"""The page of the API: for everybody, whole, and true."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from service import Service

HTML = {"Accept": "text/html"}


@pytest.fixture
def stranger(service: Service) -> FlaskClient:
    return service.browser()


def test_a_stranger_gets_every_file_that_the_page_asks_for(stranger: FlaskClient) -> None:
    page = stranger.get("/api", headers=HTML).text
    files = re.findall(r'(?:src|href|data-url)="(/[^"]+)"', page)
    assert any(file.endswith("swagger-ui-bundle.js") for file in files)
    assert {file: stranger.get(file).status_code for file in files} == dict.fromkeys(files, 200)
