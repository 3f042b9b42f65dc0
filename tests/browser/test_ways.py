"""The whole way of a newcomer, of an owner, and of who has no mouse."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from storewatch.services.simulating import simulate
from tests.acceptance.conftest import serving
from tests.browser import chromium
from tests.browser.conftest import OPERATOR, OWNER, Place
from tests.browser.fleet import PATIENCE
from tests.web.service import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_newcomer_gets_from_the_first_link_to_a_number_explained(
    browser: Browser, environment: dict[str, str], tmp_path: Path, script: bool
) -> None:
    files = small_fleet(tmp_path)
    with serving(environment, tmp_path, login=True) as service:
        link = re.findall(r"http://\S+/link/\S+", service.said("first administrator"))[0]
        base = f"http://127.0.0.1:{service.port}"
        with chromium.watched(browser, base, java_script_enabled=script) as page:
            make_account(page, link)
            load_files(page, files)
            make_report(page, tmp_path)
            explain_a_number(page)


def small_fleet(folder: Path) -> list[Path]:
    end = int(time.time()) // 3600 * 3_600_000_000
    made = simulate(folder, stores=20, days=9, seed=3, end_us=end, progress=lambda *_: None)
    return [made.store_status, made.menu_hours, made.store_timezone]


def make_account(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button").first.click()
    expect(page.get_by_role("link", name="ada@example.com")).to_be_visible()


def load_files(page: Page, files: list[Path]) -> None:
    page.get_by_role("link", name="Imports").click()
    page.get_by_label("Files: choose them").set_input_files(files)
    page.get_by_role("button", name="Import").click()
    done = re.compile("Your files are done with|Files in")
    expect(page.locator("h1")).to_contain_text(done, timeout=60_000)
    assert page.locator('main a[href^="/imports/"]').filter(has_text=".csv").count() >= len(files)


def make_report(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("button", name="report").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").first.click(timeout=60_000)
    path = folder / "report.csv"
    download.value.save_as(path)
    assert path.read_text().startswith("store_id,uptime_last_hour")


def explain_a_number(page: Page) -> None:
    page.get_by_role("link", name="Fleet").click()
    page.locator('main a[href^="/stores/"]').first.click()
    page.get_by_role("link", name="Why this number?").first.click()
    expect(page.get_by_role("heading", name=re.compile("^Why this number"))).to_be_in_viewport()
    expect(page.locator("main .equation")).to_contain_text("Open")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_owner_shows_days_to_a_stranger_until_they_revoke_the_link(
    visit: Any, place: Place, script: bool
) -> None:
    with visit(OWNER, java_script_enabled=script) as page, visit("", java_script_enabled=script) as stranger:
        page.goto(f"/stores/{place.own[1]}")
        page.get_by_role("link", name="Share these days").click()
        page.get_by_label("Whom it is for").fill("the landlord")
        page.get_by_role("button", name="Make the link").click()
        stranger.goto(page.get_by_label("The link", exact=True).input_value())
        expect(stranger.locator("h1")).to_contain_text(place.own[1])
        stranger.locator(".lane a").first.focus()
        stranger.keyboard.press("Enter")
        expect(stranger.locator("tr:target")).to_be_visible()
        assert stranger.locator("header a, footer a").count() == 0
        page.get_by_role("link", name="Revoke the link for the landlord").first.click()
        page.get_by_role("button", name="Revoke the link").click()
        expect(page.get_by_role("status")).to_contain_text("revoked")
        stranger.goto(stranger.url.partition("#")[0])
        expect(stranger.locator("h1")).to_have_text("Nothing is shared here.")


def test_an_owner_sees_three_stores_and_nothing_else(visit: Any, place: Place) -> None:
    with visit(OWNER) as page:
        page.goto("/")
        expect(page.locator("h1")).to_contain_text(re.compile("three|3"))
        links = page.locator('main a[href^="/stores/"]')
        seen = {re.split("[?#]", str(link.get_attribute("href")))[0] for link in links.all()}
        assert seen == {f"/stores/{store}" for store in place.own}
        for store in place.others:
            assert page.goto(f"/stores/{store}").status == 404
            page.goto(f"/?q={store}")
            assert page.locator(f'a[href*="/stores/{store}"]').count() == 0
        assert page.get_by_role("link", name="Imports").count() == 0
        assert "Oak" not in page.goto("/groups").text()


def test_a_timeline_and_a_calendar_are_one_tab_stop_each(visit: Any, place: Place) -> None:
    with visit(OPERATOR) as page:
        page.goto(f"/stores/{place.own[0]}")
        for picture in page.locator("[data-timeline]").all():
            assert picture.locator('a[tabindex="0"]').count() == 1
            assert picture.locator("a:not([tabindex])").count() == 0
        first = page.locator(".timeline a[tabindex='0']")
        first.focus()
        page.evaluate("window.here = document.activeElement")
        page.keyboard.press("ArrowLeft")
        # a run over midnight is a piece in each of two days, which lead to the same reason
        ours = "document.activeElement.matches('.timeline a')"
        assert page.evaluate(f"document.activeElement !== here && {ours}")
        page.keyboard.press("Enter")
        page.wait_for_url("**#why")
        expect(page.get_by_role("heading", name=re.compile("^Why this number"))).to_be_in_viewport()


def test_the_whole_way_to_a_reason_is_walked_with_the_keyboard_alone(visit: Any, place: Place) -> None:
    with visit(OPERATOR) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        tab_to(page, "a => a.matches('main a') && a.getAttribute('href').startsWith('/stores/')")
        page.keyboard.press("Enter")
        page.wait_for_url("**/stores/*")
        tab_to(page, "a => a.textContent === 'Why this number?'")
        page.keyboard.press("Enter")
        page.wait_for_url("**#why")
        expect(page.get_by_role("heading", name=re.compile("^Why this number"))).to_be_in_viewport()


def tab_to(page: Page, wanted: str) -> None:
    """Presses Tab until the focus is there; each stop must be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.checkVisibility()")
        if page.evaluate(f"({wanted})(document.activeElement)"):
            return
    raise AssertionError("Tab never gets there")


def test_a_theme_is_chosen_and_kept(visit: Any, place: Place) -> None:
    with visit(OPERATOR, color_scheme="light") as page:
        page.goto("/numbers")
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="dark").click()
        page.goto("/")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
