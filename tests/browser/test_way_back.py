"""Forgotten passwords, sessions that ended, and errors: each leads on. In the real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect
from sqlalchemy import text

from storewatch.domain.permissions import Role
from storewatch.storage.db import Database
from tests.acceptance.conftest import free_port, serving, storewatch
from tests.browser import chromium
from tests.browser.conftest import ADA, MIA, NED, VERA, Place
from tests.browser.fleet import PATIENCE
from tests.browser.test_every_page import WIDE, check_both_themes
from tests.post_office import post_office
from tests.web.service import PASSWORD, Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]
NEW = "another password of mine"
BOTH = pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])


def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


# --- a forgotten password -------------------------------------------------------------------------


@BOTH
def test_a_forgotten_password_is_chosen_anew_by_a_link_that_works_once(
    browser: Browser, environment: dict[str, str], database: Database, tmp_path: Path, script: bool
) -> None:
    Service(database).person(ADA, Role.ADMIN)
    port = free_port()
    with post_office() as office:
        mail = {
            "STOREWATCH_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "STOREWATCH_MAIL_FROM": "storewatch@example.com",
            "STOREWATCH_URL": f"http://127.0.0.1:{port}",
        }
        with (
            serving(environment | mail, tmp_path, login=True, port=port) as service,
            chromium.watched(
                browser, f"http://127.0.0.1:{service.port}", java_script_enabled=script, viewport=WIDE
            ) as page,
        ):
            ask_for_link(page)
            office.wait_for(1)
            link = re.findall(r"http://\S+/link/\S+", office.texts()[0])[0]
            page.goto(link)
            page.get_by_label("Password, 10").fill(NEW)
            page.get_by_role("button", name="Set the password").click()
            expect(page.get_by_role("link", name=ADA)).to_be_visible()
            check_over(page, link)
            page.get_by_role("button", name="Log out").click()
            log_in(page, ADA, NEW)
            expect(page.get_by_role("link", name=ADA)).to_be_visible()
            page.get_by_role("button", name="Log out").click()
            ask_for_link(page)
            office.wait_for(2)
            with database.transaction() as session:
                session.execute(text("UPDATE one_time_link SET expires_at = now() - interval '1 second'"))
            check_over(page, re.findall(r"http://\S+/link/\S+", office.texts()[1])[0])


def ask_for_link(page: Page) -> None:
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email address").fill(ADA)
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_role("status")).to_contain_text("a mail is on its way")


def check_over(page: Page, link: str) -> None:
    """A link that works no more says so, and what to do."""
    answer = page.goto(link)
    assert answer is not None
    assert answer.status == 410
    expect(page.locator("h1")).to_have_text("This link works no more.")
    expect(page.get_by_role("link", name="A new password")).to_have_attribute("href", "/forgot")


def test_without_mail_the_page_names_the_command_and_its_link_works(
    browser: Browser, environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    Service(database).person(ADA, Role.ADMIN)
    with (
        serving(environment, tmp_path, login=True) as service,
        chromium.watched(browser, f"http://127.0.0.1:{service.port}") as page,
    ):
        page.goto("/forgot")
        command = page.locator("main code").inner_text().split()
        assert command == ["storewatch", "user", "reset-password"]
        made = storewatch(*command[1:], ADA, environment=environment)
        link = re.findall(r"/link/\S+", made.stdout + made.stderr)[0]
        page.goto(link)
        page.get_by_label("Password, 10").fill(NEW)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("link", name=ADA)).to_be_visible()


# --- who was logged out comes back ----------------------------------------------------------------


@BOTH
def test_who_was_logged_out_comes_back_to_the_same_filters(meet: Any, town: Place, script: bool) -> None:
    place = f"/?q={town.own[0][:3]}&sort=down&days=30"
    with meet("", java_script_enabled=script) as page:
        page.goto(place)
        expect(page.locator("main")).to_contain_text("you are led there afterwards")
        log_in(page, ADA, "wrong password")
        log_in(page, ADA)
        page.wait_for_url(town.base + place)
        expect(page.locator("main h1")).to_be_visible()


@BOTH
def test_a_form_sent_too_late_says_that_nothing_was_done(meet: Any, town: Place, script: bool) -> None:
    form = f"/exceptions/new?store={town.own[0]}"
    with meet(MIA, java_script_enabled=script) as page:
        page.goto(form)
        page.get_by_label("To, on the clock").fill("2090-01-01T00:00:00")
        page.get_by_label("Why;").fill("typed at length")
        page.context.clear_cookies()
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("status")).to_contain_text("what you sent was not done")
        log_in(page, MIA)
        page.wait_for_url(town.base + form)
        expect(page.get_by_role("button", name="Preview")).to_be_visible()


# --- errors ---------------------------------------------------------------------------------------


def without_word(page: Page) -> Response | None:
    page.goto("/groups")
    page.evaluate("document.querySelector('main form [name=csrf_token]').remove()")
    page.get_by_role("textbox", name="Name").fill("Elm")
    with page.expect_navigation() as moved:
        page.get_by_role("button", name="Make the group").click()
    return moved.value


def too_long(page: Page) -> Response | None:
    page.goto("/reports")
    page.locator("summary").click()
    page.evaluate("document.querySelector('#stores').value = 'x'.repeat(70_000)")
    with page.expect_navigation() as moved:
        page.get_by_role("button", name="Start this report").click()
    return moved.value


def late_cancel(page: Page) -> Response | None:
    page.goto("/reports")
    place = page.locator("tbody a[href^='/reports/']").first.get_attribute("href")
    page.goto("/account")
    page.evaluate(f"document.querySelector('main form').action = '{place}/cancel'")
    page.evaluate("document.querySelector('main form').noValidate = true")
    with page.expect_navigation() as moved:
        page.locator("main form button").first.click()
    return moved.value


ERRORS: dict[str, tuple[str, int, Callable[[Page], Response | None], str]] = {
    "a form without its word": (ADA, 400, without_word, "This form is too old."),
    "an address": (ADA, 400, lambda page: page.goto("/levels?after=x&id=y"), "This address cannot be read."),
    "an admin's page": (MIA, 403, lambda page: page.goto("/audit"), "This is not yours to do."),
    "a page that is none": (VERA, 404, lambda page: page.goto("/nowhere"), "There is nothing here."),
    "a store that is none": (NED, 404, lambda page: page.goto("/stores/nowhere"), "There is nothing here."),
    "no page to read": (ADA, 405, lambda page: page.goto("/logout"), "This address does not do that."),
    "too late": (ADA, 409, late_cancel, "This cannot be done as things are now."),
    "a used link": ("", 410, lambda page: page.goto("/link/used"), "This link works no more."),
    "a long form": (ADA, 413, too_long, "This is too large."),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_a_page_to_read_with_a_way_on(meet: Any, case: str) -> None:
    email, status, act, head = ERRORS[case]
    with meet(email, viewport=WIDE) as page:
        answer = act(page)
        assert answer is not None
        assert answer.status == status
        expect(page.locator("h1")).to_have_text(head)
        expect(page).to_have_title(f"{head[:-1]} ({status}) · storewatch")
        expect(page.locator("main")).to_contain_text("What to do.")
        check_both_themes(page)
        page.locator("main a.button").last.click()
        expect(page.locator("h1")).not_to_have_text(head)
