"""The app on a database of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.web.service import Service


@pytest.fixture
def client(database: Database) -> FlaskClient:
    """A client on loopback."""
    return create_app(Settings(), database, Edge(login=False, limits=False)).test_client()


def said(answer: TestResponse) -> Any:
    """The JSON of an answer."""
    return answer.json


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Service:
    """The app with logins, and a folder of its own for uploads."""
    return Service(database, tmp_path / "uploads")
