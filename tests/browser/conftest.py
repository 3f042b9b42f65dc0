"""The real service, as large as the field's, and the real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright
from sqlalchemy import text

from storewatch.domain import exception_rows
from storewatch.domain.permissions import COMMAND, GroupRole, Role
from storewatch.services import exceptions, groups, schedules, service_levels, shares
from storewatch.services.chosen import Chosen
from storewatch.services.reporting import Request
from storewatch.storage.db import Database
from tests.acceptance import conftest as acceptance
from tests.acceptance.conftest import serving, storewatch
from tests.browser import chromium, fleet
from tests.conftest import clone_of
from tests.web.service import PASSWORD, Service

OPERATOR, OWNER = "dana@example.com", "rosa@example.com"
"""One who sees all, and one who sees three stores."""


@dataclass
class Place:
    """A service on a fleet, the stores of the owner, and the secret of a link to one of them; `kept` are
    logins that were made.
    """

    base: str
    own: list[str]
    others: list[str]
    shared: str
    database: Database
    kept: dict[str, StorageState] = field(default_factory=dict)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, for this folder alone: while it is there its event loop is, and no test can have its own."""
    with sync_playwright() as playwright:
        opened = chromium.launched(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def place(browser: Browser, server_url: str, template: str, tmp_path_factory: Any) -> Iterator[Place]:
    """The service with 14,092 stores and 90 days, once for all tests; nothing may be changed in it."""
    folder: Path = tmp_path_factory.mktemp("fleet")
    with clone_of(server_url, template) as url:
        fleet.load(url, folder / "files")
        database = Database(url)
        own, others = give_people(database)
        environment = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
        with acceptance.serving(environment, folder, login=True) as service:
            fleet.wait_for_history(database)
            made = acceptance.storewatch("report", "--output", str(folder / "r.csv"), environment=environment)
            assert made.returncode == 0, made.stderr
            base = f"http://127.0.0.1:{service.port}"
            yield Place(base, own, others, share(database, own[0]), database)
        database.close()


def give_people(database: Database) -> tuple[list[str], list[str]]:
    """Adds both; returns the owner's stores, and some that are others'."""
    with database.session() as session:
        ids = list(
            session.connection()
            .exec_driver_sql("SELECT store_id FROM store ORDER BY store_id LIMIT 6")
            .scalars()
        )
    service = Service(database)
    service.group("Maple", *ids[:3])
    service.group("Oak", *ids[3:])
    service.person(OPERATOR, Role.OPERATOR)
    service.person(OWNER, Maple=GroupRole.MANAGER)
    said = {
        "effect": "closed",
        "store_id": ids[0],
        "start": "2090-12-25",
        "end": "2090-12-26",
        "note": "Xmas",
    }
    exceptions.add(database, COMMAND, [exception_rows.read(said)], exceptions.Clock(0, "UTC"))
    wanted = {"name": "99% a month", "target": Decimal(99), "period": "month", "measure": "availability"}
    for store_id in (None, ids[0]):
        service_levels.create(database, COMMAND, Chosen(store_id), wanted)
    [group] = [each for each in groups.page(database, COMMAND, "", 2) if each.name == "Maple"]
    usual, at = schedules.Wanted(name="Every week"), 1_700_000_000_000_000
    schedules.create(database, COMMAND, group.group_id, usual, Request(), at, for_all=True)
    return ids[:3], ids[3:]


def share(database: Database, store_id: str) -> str:
    """The secret of a link to the last days of a store."""
    today = datetime.now(UTC).date()
    days, lives = (today - timedelta(days=6), today), timedelta(days=30)
    return shares.create(database, COMMAND, store_id, "the landlord", *days, lives)[1]


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Of a service with nothing in it."""
    return {"STOREWATCH_DATABASE_URL": database_url, "STOREWATCH_UPLOADS": str(tmp_path / "uploads")}


@pytest.fixture
def visit(browser: Browser, place: Place) -> Any:
    """visit(email, **options): a watched page of somebody who is logged in; of nobody without an email."""

    def opened(email: str, **options: Any) -> Any:
        if not email:
            return chromium.watched(browser, place.base, **options)
        if email not in place.kept:
            place.kept[email] = logged_in(browser, place.base, email)
        return chromium.watched(browser, place.base, storage_state=place.kept[email], **options)

    return opened


def logged_in(browser: Browser, base: str, email: str) -> StorageState:
    """Logs in by the page; what the browser keeps of it."""
    with chromium.watched(browser, base) as page:
        page.goto("/login")
        page.get_by_label("Email address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{base}/")
        return page.context.storage_state()


# --- a town of twelve stores ----------------------------------------------------------------------

ADA, MIA, VERA, NED = "ada@example.com", "mia@example.com", "vera@example.com", "ned@example.com"
"""Administrator, manager and viewer of Maple's three stores, and a member without a group."""


@pytest.fixture(scope="package")
def town(browser: Browser, server_url: str, template: str, tmp_path_factory: Any) -> Iterator[Place]:
    """A service with twelve stores, three of which are Maple's."""
    folder: Path = tmp_path_factory.mktemp("town")
    with clone_of(server_url, template) as url:
        variables = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
        for command in (
            ("simulate", "--stores", "13", "--days", "9", "--seed", "3", "--output", str(folder)),
            (
                "import",
                *(f"{folder}/{name}.csv" for name in ("store_status", "menu_hours", "store_timezone")),
            ),
            ("report", "--output", f"{folder}/report.csv"),
        ):
            done = storewatch(*command, environment=variables)
            assert done.returncode == 0, done.stderr
        database = Database(url)
        own, others = settle(database)
        with serving(variables, folder, login=True) as service:
            yield Place(f"http://127.0.0.1:{service.port}", own, others, "", database)
        database.close()


def settle(database: Database) -> tuple[list[str], list[str]]:
    with database.session() as session:
        ids = list(session.execute(text("SELECT store_id FROM store ORDER BY store_id")).scalars())
    service = Service(database)
    service.group("Maple", *ids[:3])
    service.group("Oak", *ids[3:6])
    service.person(ADA, Role.ADMIN)
    service.person(MIA, Maple=GroupRole.MANAGER)
    service.person(VERA, Maple=GroupRole.VIEWER)
    service.person(NED)
    return ids[:3], ids[3:]


@pytest.fixture
def meet(browser: Browser, town: Place) -> Any:
    """meet(email, **options): a watched page of somebody of the town; of nobody without an email."""

    @contextmanager
    def opened(email: str, **options: Any) -> Iterator[Page]:
        if email and email not in town.kept:
            town.kept[email] = logged_in(browser, town.base, email)
        state = town.kept[email] if email else None
        with chromium.watched(browser, town.base, storage_state=state, **options) as page:
            yield page

    return opened
