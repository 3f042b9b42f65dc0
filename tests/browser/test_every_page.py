"""What holds for every page: found by axe-core, by widths, by zoom, by what it asks for."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from storewatch.config import Settings
from storewatch.storage.db import Database
from storewatch.web.app import Edge, create_app
from tests.browser.conftest import OPERATOR, Place
from tests.browser.fleet import PATIENCE
from tests.browser.pages import NO_PAGES, PAGES

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]

SHOWN = [route for route, address in PAGES.items() if address]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CUT = """[...document.querySelectorAll("main :is(h1, h2, p, td, a, button)")]
    .filter(e => e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).overflowX === "hidden")
    .filter(e => !e.closest(".vh")).map(e => e.outerHTML.slice(0, 120))"""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}


def who(route: str) -> str:
    """Who looks at it: the pages of logging in are for nobody yet, that behind a link for anybody."""
    return "" if route in ("/login", "/forgot", "/link/<secret>", "/shared/<secret>") else OPERATOR


def address(place: Place, route: str) -> str:
    """Of a page of this fleet."""
    query = {
        "person": "SELECT account_id FROM account ORDER BY account_no LIMIT 1",
        "group": "SELECT group_id FROM store_group ORDER BY 1 LIMIT 1",
        "exception": "SELECT exception_id FROM exception",
        "level": "SELECT level_id FROM service_level ORDER BY level_no LIMIT 1",
        "month": "SELECT to_char(max(day) - 5, 'YYYY-MM') FROM fleet_day",
        "report": "SELECT report_id FROM report ORDER BY report_no LIMIT 1",
        "schedule": "SELECT schedule_id FROM schedule ORDER BY usual, schedule_no LIMIT 1",
        "share": "SELECT share_id FROM share LIMIT 1",
    }
    shown = str(PAGES[route]).replace("{store}", place.own[0]).replace("{secret}", place.shared)
    for name, sql in query.items():
        if f"{{{name}}}" in shown:
            with place.database.session() as session:
                found = session.connection().exec_driver_sql(sql).scalar_one()
            shown = shown.replace(f"{{{name}}}", str(found))
    return shown


def test_every_page_is_in_the_table(database: Database) -> None:
    app: Flask = create_app(Settings(), database, Edge())
    routes = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {route for route in routes if not route.startswith(NO_PAGES) or route == "/api"} == set(PAGES)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("route", SHOWN)
def test_axe_finds_nothing(visit: Any, place: Place, route: str, theme: str) -> None:
    with visit(who(route), viewport=WIDE, color_scheme=theme) as page:
        page.goto(address(place, route), wait_until="networkidle")
        if route == "/api":  # Swagger draws its main part
            page.locator("main").wait_for()
        assert violations(page) == []
        page.set_viewport_size(NARROW)
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    """In words: the rule, and where. What Swagger draws on /api is not ours to mend."""
    found = Axe().run(page, context={"exclude": [["#api"]]}, options=WCAG).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("route", SHOWN)
def test_nothing_is_wider_than_the_narrowest_phone(visit: Any, place: Place, route: str) -> None:
    with visit(who(route), viewport=NARROW) as page:
        page.goto(address(place, route))
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("route", SHOWN)
def test_text_twice_as_big_fits(visit: Any, place: Place, route: str) -> None:
    with visit(who(route), viewport=WIDE) as page:
        sizes = {"standard": 32, "fixed": 26}  # the browser's own setting, which em in media queries follows
        page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": sizes})
        page.goto(address(place, route))
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]
        cut = page.evaluate(CUT)
        assert cut == []


@pytest.mark.parametrize("route", SHOWN)
def test_it_reads_without_javascript(visit: Any, place: Place, route: str) -> None:
    with visit(who(route), viewport=WIDE, java_script_enabled=False) as page:
        page.goto(address(place, route))
        assert page.locator("h1").count() == 1
        assert len(page.locator("main").inner_text()) > 40


def check_both_themes(page: Page) -> None:
    """Light and dark, wide and narrow; nothing sticks out."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for size in (WIDE, NARROW):
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            assert violations(page) == [], (page.url, theme, size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
