"""People at their browsers: they log in, read pages and send forms, as these have them."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.domain.permissions import GroupRole, Role
from tests.web.service import PASSWORD, Service

HTML = {"Accept": "text/html"}


class Browser:
    """Somebody's, logged in."""

    def __init__(self, service: Service, email: str, role: Role = Role.MEMBER, **places: GroupRole) -> None:
        self.service = service
        self.account_id = service.person(email, role, **places)
        self.client: FlaskClient = service.browser()
        form = {"email": email, "password": PASSWORD}
        assert self.client.post("/login", data=form, headers=HTML).status_code == 303

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=HTML)

    def read(self, path: str) -> str:
        """The page, which must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def word(self) -> str:
        """What our pages put into their forms."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.read("/account"))
        assert found
        return found[1]

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Sends a form."""
        return self.client.post(path, data={"csrf_token": self.word(), **fields}, headers=HTML)

    def done(self, path: str, **fields: Any) -> str:
        """Sends a form that must be taken; the page to which it leads."""
        answer = self.send(path, **fields)
        assert answer.status_code == 303, answer.text
        return self.read(answer.location)
