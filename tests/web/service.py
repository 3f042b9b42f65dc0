"""A service with logins and the people who use it, for tests of who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from storewatch.config import Settings
from storewatch.domain.permissions import COMMAND, GroupRole, Role, Scope
from storewatch.services import secrets, tokens
from storewatch.storage import accounts, groups, stores
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@dataclass(frozen=True)
class Token:
    """Sends requests with a token."""

    client: FlaskClient
    secret: str
    account_id: UUID | None = None

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}"} | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.send("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.send("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        return self.send("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.send("DELETE", path, **options)


class Service:
    """The app with logins on, on a database of its own."""

    def __init__(self, database: Database, uploads: Path | None = None, max_upload: str = "1GiB") -> None:
        secrets.Hasher.time_cost, secrets.Hasher.memory_cost = 1, 8
        self.database = database
        settings = Settings(uploads=str(uploads or ""), max_upload=max_upload)
        self.app = create_app(settings, database, Edge(limits=False))

    def browser(self) -> FlaskClient:
        """A client with a cookie jar of its own."""
        return self.app.test_client()

    def group(self, name: str, *store_ids: str) -> int:
        """Makes a group with stores, which are made if they are new; returns its inner number."""
        with self.database.transaction() as session:
            number = groups.named(session, [name])[name]
            if store_ids:
                keys = stores.allot_keys(session, list(store_ids))
                groups.add_stores(session, number, [int(key) for key in keys["store_key"]])
        return number

    def person(self, email: str, role: Role = Role.MEMBER, **places: GroupRole) -> UUID:
        """Adds somebody with PASSWORD; `places` are groups by name."""
        with self.database.transaction() as session:
            account = accounts.add(session, email, role, secrets.hashed(PASSWORD))
            numbers = groups.named(session, list(places))
            accounts.put_in_groups(
                session, account.account_no, {numbers[name]: place for name, place in places.items()}
            )
            return account.account_id

    def token(
        self,
        email: str,
        role: Role = Role.MEMBER,
        scope: Scope = Scope.WRITE,
        expires_at: datetime | None = None,
        **places: GroupRole,
    ) -> Token:
        """Adds somebody with a token that works."""
        account_id = self.person(email, role, **places)
        return self.another_token(account_id, scope, expires_at)

    def another_token(
        self, account_id: UUID, scope: Scope = Scope.WRITE, expires_at: datetime | None = None
    ) -> Token:
        """A further token of somebody."""
        _, secret = tokens.create(self.database, COMMAND, "test", scope, expires_at, account_id)
        return Token(self.browser(), secret, account_id)
