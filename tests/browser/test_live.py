"""Pages that follow what happens: in the real browser, with polls that come by the API meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from storewatch.domain.permissions import GroupRole, Role
from storewatch.storage import groups
from storewatch.storage.db import Database
from tests.acceptance.conftest import serving
from tests.acceptance.test_faults import count
from tests.acceptance.test_webhooks import until
from tests.browser import chromium
from tests.browser.conftest import ADA, MIA, logged_in
from tests.browser.fleet import PATIENCE
from tests.browser.test_every_page import WIDE, violations
from tests.conftest import clone_of
from tests.factories import load
from tests.web.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]

HALF_A_MINUTE = 30_500
STORES = [f"s{number}" for number in range(1, 13)]


class Village:
    """A service with twelve stores that are always open, six of them Maple's, and people."""

    def __init__(self, base: str, database: Database, group_id: str) -> None:
        self.base, self.database, self.group_id = base, database, group_id

    def poll(self, status: str, *stores: str) -> None:
        """Polls of now; waits until the figures are of them."""
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
        rows = "".join(f"{store},{status},{at}\n" for store in stores)
        load(self.database, f"store_id,status,timestamp_utc\n{rows}")
        state = {"active": "up", "inactive": "down"}[status]
        until(lambda: {self._state(store) for store in stores} == {state})

    def _state(self, store: str) -> str:
        query = "SELECT state FROM store_now JOIN store USING (store_key) WHERE store_id = :id"
        with self.database.session() as session:
            return str(session.execute(text(query), {"id": store}).scalar())


@pytest.fixture(scope="module")
def village(server_url: str, template: str, tmp_path_factory: Any) -> Iterator[Village]:
    folder: Path = tmp_path_factory.mktemp("village")
    with clone_of(server_url, template) as url:
        variables = {"STOREWATCH_DATABASE_URL": url, "STOREWATCH_UPLOADS": str(folder / "uploads")}
        database = Database(url)
        people = Service(database)
        number = people.group("Maple", *STORES[:6])
        people.person(ADA, Role.ADMIN)
        people.person(MIA, Maple=GroupRole.MANAGER)
        with database.session() as session:
            group_id = str(groups.by_numbers(session, [number])[number].group_id)
        with serving(variables, folder, login=True) as service:
            yield Village(f"http://127.0.0.1:{service.port}", database, group_id)
        database.close()


@pytest.fixture
def watching(browser: Browser, village: Village) -> Any:
    """watching(email, address): a page that somebody looks at while all stores are up; its clock is ours."""

    @contextmanager
    def opened(email: str, address: str) -> Iterator[Page]:
        village.poll("active", *STORES)
        state = logged_in(browser, village.base, email)
        with chromium.watched(browser, village.base, storage_state=state, viewport=WIDE) as page:
            page.clock.install()
            page.goto(address)
            page.evaluate("window.same = true")
            yield page
            assert page.evaluate("window.same") is True, "it was loaded anew"
            assert violations(page) == []

    return opened


def half_a_minute_later(page: Page) -> None:
    page.clock.fast_forward(HALF_A_MINUTE)


def test_the_page_of_a_store_follows_and_keeps_the_focus(village: Village, watching: Any) -> None:
    with watching(MIA, "/stores/s1") as page:
        expect(page.locator("#now .say")).to_contain_text("Open and up")
        link = page.get_by_role("link", name="Today", exact=True)
        link.focus()
        village.poll("inactive", "s1")
        half_a_minute_later(page)
        expect(page.locator("#now .say")).to_contain_text("Open and down")
        expect(page.locator("#said")).to_have_text("s1: open and down")
        expect(page.locator("h1")).to_contain_text("open and down")
        expect(page.get_by_role("link", name="show those of now")).to_be_visible()
        expect(link).to_be_focused()


def test_a_part_that_did_not_change_is_not_sent_again(village: Village, watching: Any) -> None:
    with watching(MIA, "/stores/s1") as page:
        for status in (200, 304):
            with page.expect_response("**/store-now?*") as answer:
                half_a_minute_later(page)
            assert answer.value.status == status
            answer.value.finished()
        expect(page.locator("#said")).to_have_text("")


def test_nothing_is_swapped_while_somebody_types_or_looks_elsewhere(village: Village, watching: Any) -> None:
    with watching(ADA, "/") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_label("Name, city or id").focus()
        half_a_minute_later(page)
        assert asked == []
        page.get_by_label("Name, city or id").blur()
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        half_a_minute_later(page)
        assert asked == []
        page.evaluate("delete document.hidden")
        half_a_minute_later(page)
        expect(page.locator("#said")).to_have_text("")
        assert [url.partition("?")[0] for url in asked] == [f"{village.base}/now"]


def test_without_scripts_pages_say_of_when_they_are(browser: Browser, village: Village) -> None:
    village.poll("active", *STORES)
    state = logged_in(browser, village.base, ADA)
    with chromium.watched(browser, village.base, storage_state=state, java_script_enabled=False) as page:
        for address, answer in (("/", "0 of 12 open stores are down."), ("/stores/s1", "s1")):
            page.goto(address)
            expect(page.locator("h1")).to_contain_text(answer)
            expect(page.locator(".asof")).to_contain_text("As of")


def test_the_page_of_the_fleet_follows_and_tells_it(village: Village, watching: Any) -> None:
    with watching(ADA, "/") as page:
        expect(page.locator("h1")).to_have_text("0 of 12 open stores are down.")
        link = page.get_by_role("link", name="Open and down")
        link.focus()
        village.poll("inactive", "s2", "s3")
        half_a_minute_later(page)
        expect(page.locator("h1")).to_have_text("2 of 12 open stores are down.")
        expect(page.locator("#said")).to_have_text("2 of 12 open stores are down.")
        expect(page).to_have_title("2 of 12 open stores are down · storewatch")
        expect(page.locator("#now-down")).to_contain_text("s3")
        expect(link).to_be_focused()


def test_the_cards_of_few_stores_follow(village: Village, watching: Any) -> None:
    with watching(MIA, "/") as page:
        expect(page.locator("h1")).to_have_text("None of your six stores is down.")
        link = page.get_by_role("link", name="s5", exact=True)
        link.focus()
        village.poll("inactive", "s4")
        half_a_minute_later(page)
        expect(page.locator("h1")).to_have_text("One of your six stores is down.")
        expect(page.locator(".card.down h2")).to_have_text("s4")
        expect(link).to_be_focused()


def test_what_goes_on_in_a_group_follows(village: Village, watching: Any) -> None:
    with watching(MIA, f"/groups/{village.group_id}/alerts") as page:
        expect(page.locator("h1")).to_have_text("Nothing goes on.")
        village.poll("inactive", "s6")
        village.poll("inactive", "s6")
        query = "SELECT count(*) FROM incident WHERE ended_at IS NULL"
        until(lambda: count(village.database.url, query) == 1)
        half_a_minute_later(page)
        expect(page.locator("h1")).to_have_text("1 store is down.")
        page.get_by_role("button", name="I have seen it").focus()
        village.poll("active", "s6")
        village.poll("active", "s6")
        until(lambda: count(village.database.url, query) == 0)
        half_a_minute_later(page)
        expect(page.locator("h1")).to_have_text("Nothing goes on.")
        expect(page.locator("h1")).to_be_focused()  # the button is gone
