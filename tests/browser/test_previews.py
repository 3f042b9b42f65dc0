"""A look at what a change would do, in the browser: it reads, fits, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import OWNER, Place
from tests.browser.fleet import PATIENCE
from tests.browser.test_every_page import NARROW, WIDE, violations

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_preview_of_hours_reads_and_fits(visit: Any, place: Place, theme: str) -> None:
    with visit(OWNER, viewport=WIDE, color_scheme=theme) as page:
        page.goto(f"/hours/edit?store={place.own[0]}")
        page.get_by_label("Monday").fill("10:00-10:30")
        page.get_by_label("They hold").select_option("always")
        page.get_by_role("button", name="Preview what changes").click()
        page.get_by_role("heading", name="These hours would change").wait_for()
        assert page.get_by_role("button", name="Do it").is_visible()
        assert violations(page) == []
        page.set_viewport_size(NARROW)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_what_a_piece_of_the_timeline_says_is_told_below_it(visit: Any, place: Place) -> None:
    with visit(OWNER, viewport=WIDE) as page:
        page.goto(f"/stores/{place.own[0]}")
        piece = page.locator("svg.lane a").last
        said = piece.locator("title").text_content()
        piece.focus()
        assert page.locator("[data-told]").inner_text() == said
