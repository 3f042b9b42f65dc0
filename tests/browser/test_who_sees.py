"""What an owner sees, and nothing of others; what each sees, on the screen and on paper."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from storewatch.domain.permissions import Role
from storewatch.storage.db import Database
from storewatch.web import times, words
from tests.acceptance.conftest import serving
from tests.browser import chromium
from tests.browser.conftest import ADA, MIA, NED, OPERATOR, OWNER, VERA, Place, logged_in
from tests.browser.fleet import PATIENCE
from tests.browser.pages import PAGES
from tests.browser.test_every_page import NARROW, WIDE, address, check_both_themes
from tests.web.service import Service
from tests.web.test_empty_pages import EMPTY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]

# --- an owner -------------------------------------------------------------------------------------


def test_the_numbers_of_an_owner_are_those_of_the_api(visit: Any, place: Place) -> None:
    with visit(OWNER) as page:
        page.goto("/")
        expect(page.locator("article.card")).to_have_count(3)
        up = down = 0
        for store in place.own:
            card = page.locator("article.card").filter(has=page.locator(f'a[href="/stores/{store}"]'))
            more_up, more_down = week_of(page, store)
            up, down = up + more_up, down + more_down
            cell = card.locator("tr", has_text="Time down").locator("td").last
            assert cell.inner_text().splitlines()[0] == times.length(more_down)
        together = page.locator("dl.figures").inner_text()
        assert words.share(up / (up + down), 1) in together
        assert times.length(down) in together
        page.goto("/?sort=down&days=7")
        expect(page.locator("main")).to_contain_text("3 stores")
        assert len(page.request.get("/api/v1/stores").json()["items"]) == 3


def week_of(page: Page, store: str) -> tuple[int, int]:
    """(up, down) in microseconds of a store's last seven local days, by the API."""
    days = page.request.get(f"/api/v1/history?store_id={store}&by=day").json()
    last = date.fromisoformat(max(each["first_day"] for each in days["items"]))
    first = last - timedelta(days=6)
    week = [each for each in days["items"] if date.fromisoformat(each["first_day"]) >= first]
    up, down = (round(sum(each[name] for each in week) * 1e6) for name in ("up_seconds", "down_seconds"))
    return up, down


def test_no_page_of_an_owner_says_anything_of_others(visit: Any, place: Place) -> None:
    with place.database.session() as session:
        ids = set(session.execute(text("SELECT store_id FROM store")).scalars()) - set(place.own)
    with visit(OWNER) as page:
        for route in filter(PAGES.get, PAGES):
            path = address(place, route)
            for shown in (path, path.replace(place.own[0], place.others[0])):
                html = unescape(page.request.get(shown, headers={"Accept": "text/html"}).text())
                said = html.replace(place.others[0], "") if shown != path else html  # as it was asked for
                assert ids.isdisjoint(re.findall(r"[\w.-]+", said)), shown
                assert "Oak" not in said, shown
                assert OPERATOR not in said, shown


# --- as each of them sees it ----------------------------------------------------------------------


@pytest.mark.parametrize("email", [MIA, VERA, NED])
def test_axe_finds_nothing_in_what_a_member_sees(meet: Any, email: str) -> None:
    with meet(email, viewport=WIDE) as page:
        for path in ("/", "/levels", "/reports", "/people", "/groups", "/account"):
            page.goto(path)
            check_both_themes(page)


def test_cards_fit_the_narrowest_phone_with_the_longest_lengths(meet: Any) -> None:
    lengthen = """document.querySelectorAll(".card td.num, .card ol span").forEach((each) => {
        each.innerHTML = each.closest("ol") ? "23\u00a0h 59\u00a0min"
            : "167 h 59 min<small><span class='nb'>163 h 59 min to</span> " +
              "<span class='nb'>167 h 59 min</span></small>";
    })"""
    with meet(VERA, viewport=NARROW) as page:
        page.goto("/")
        page.evaluate(lengthen)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_axe_finds_nothing_while_there_is_nothing(
    browser: Browser, environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    Service(database).person(ADA, Role.ADMIN)
    with serving(environment, tmp_path, login=True) as service:
        base = f"http://127.0.0.1:{service.port}"
        state = logged_in(browser, base, ADA)
        with chromium.watched(browser, base, storage_state=state, viewport=WIDE) as page:
            for path in EMPTY:
                page.goto(path)
                check_both_themes(page)


# --- on paper -------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", [ADA, MIA])
def test_on_paper_there_is_nothing_to_press(meet: Any, town: Place, email: str) -> None:
    with meet(email, viewport=WIDE) as page:
        report = page.request.get("/api/v1/reports").json()["items"]
        for path in (
            "/",
            f"/stores/{town.own[0]}",
            "/reports",
            *(f"/reports/{r['report_id']}" for r in report),
        ):
            page.goto(path)
            page.emulate_media(media="print", color_scheme="dark")
            pressed = page.locator("button, input, select, summary, nav, .noprint")
            assert [each.inner_text() for each in pressed.all() if each.is_visible()] == [], path
            assert "Add an exception" not in page.locator("main").inner_text()
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert paper == "rgb(255, 255, 255)"
            assert len(page.pdf(prefer_css_page_size=True)) > 10_000
            page.emulate_media(media="screen")
