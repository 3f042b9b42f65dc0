"""The first hour of who has nothing at hand; files dropped and chosen. In the real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.conftest import serving
from tests.browser import chromium
from tests.browser.conftest import ADA
from tests.browser.fleet import PATIENCE
from tests.browser.test_every_page import WIDE, violations
from tests.web.service import PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(PATIENCE)]
BOTH = pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])


@BOTH
def test_who_has_no_files_takes_the_samples_and_sees_three_stores(
    browser: Browser, environment: dict[str, str], tmp_path: Path, script: bool
) -> None:
    with serving(environment, tmp_path, login=True) as service:
        link = re.findall(r"http://\S+/link/\S+", service.said("first administrator"))[0]
        with chromium.watched(
            browser, f"http://127.0.0.1:{service.port}", java_script_enabled=script, viewport=WIDE
        ) as page:
            page.goto(link)
            page.get_by_label("Email address").fill(ADA)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Begin").click()
            expect(page.locator("main")).to_contain_text("Begin with your three files")
            files = samples(page, tmp_path)
            page.get_by_role("link", name="Send files").click()
            page.get_by_label("Files: choose them").set_input_files(files)
            page.get_by_role("button", name="Import").click()
            expect(page.locator("h1")).to_contain_text("Your files are done with", timeout=60_000)
            page.get_by_role("link", name="Fleet").click()
            expect(page.locator("article.card")).to_have_count(3)
            answer = page.goto(link)
            assert answer is not None
            assert answer.status == 410


def samples(page: Page, folder: Path) -> list[Path]:
    found = []
    for link in page.get_by_role("link", name="A sample").all():
        with page.expect_download() as download:
            link.click()
        found.append(folder / download.value.suggested_filename)
        download.value.save_as(found[-1])
    assert len(found) == 3
    return found


# --- files ----------------------------------------------------------------------------------------

FILES = {
    "polls.csv": "store_id,status,timestamp_utc\nn,active,2026-01-26 10:00:00\nn,maybe,2026-01-26 11:00:00\n",
    "zones.csv": "store_id,timezone_str\nn,Europe/Berlin\nm,Mars/Base\n",
    "menu.csv": "dish,price\nsoup,3\n",
}
"""One with a bad row each, and one that is none of ours."""


def chosen(page: Page, folder: Path) -> None:
    for name, said in FILES.items():
        (folder / name).write_text(said)
    page.get_by_label("Files: choose them").set_input_files([folder / name for name in FILES])


def dropped(page: Page, _: Path) -> None:
    page.evaluate(
        """files => {
            const dataTransfer = new DataTransfer();
            for (const [name, said] of Object.entries(files)) dataTransfer.items.add(new File([said], name));
            const form = document.querySelector("form.drop");
            for (const name of ["dragover", "drop"])
                form.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        FILES,
    )
    expect(page.get_by_text("3 files are chosen: now press Import.")).to_be_visible()


@pytest.mark.parametrize(
    ("give", "script"),
    [(chosen, True), (chosen, False), (dropped, True)],
    ids=["chosen", "no JavaScript", "dropped"],
)
def test_good_rows_go_in_and_what_is_wrong_is_told_and_can_be_downloaded(
    meet: Any, tmp_path: Path, give: Callable[[Page, Path], None], script: bool
) -> None:
    with meet(ADA, java_script_enabled=script, viewport=WIDE) as page:
        page.goto("/imports")
        give(page, tmp_path)
        page.get_by_role("button", name="Import").click()
        expect(page.locator(".drop .error")).to_contain_text("cannot be told from its columns (dish, price)")
        assert not script or violations(page) == []  # axe is a script
        page.goto("/imports?received=2")
        expect(page.locator("h1")).to_contain_text("Your files are done with", timeout=60_000)
        page.get_by_role("link", name="See why").first.click()
        expect(page.get_by_role("heading", name="What to do next")).to_be_visible()
        expect(page.locator(".rejects")).to_contain_text("maybe")
        with page.expect_download() as download:
            page.get_by_role("link", name="All as a CSV").click()
        assert "neither 'active' nor 'inactive'" in download.value.path().read_text()
        assert not script or violations(page) == []
