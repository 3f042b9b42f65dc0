"""The real Chromium of this machine, and pages that are watched while they are used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

REQUIRED = "STOREWATCH_BROWSER_TESTS"
"""Set to `required` (by .ci/run) a lack of Chromium is a failure."""

HOW = "no Chromium: `apt-get install chromium fonts-dejavu-core`, and the tests of the pages run"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str:
    """Where Chromium is; without it the test is skipped, or fails where it is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get(REQUIRED) == "required":
        pytest.fail(HOW)
    return found or pytest.skip(HOW)


def launched(playwright: Playwright) -> Browser:
    """A browser without a window. Root may not have a sandbox."""
    words = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=executable(), args=words)


class Watch:
    """What pages of a context must never do; `faults` are what they did."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self.faults: list[str] = []
        self._host = host
        context.on("request", lambda request: self._asked(request.url))
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("console", self._said)
        context.expose_binding("storewatch_violated", lambda _, what: self.faults.append(f"CSP: {what}"))
        context.add_init_script(
            "addEventListener('securitypolicyviolation', event => storewatch_violated("
            "`${event.violatedDirective} ${event.blockedURI} ${location.pathname}`))"
        )

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != self._host and not url.startswith(("data:", "blob:")):
            self.faults.append(f"asked {url}")

    def _said(self, message: Any) -> None:
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.faults.append(f"console: {message.text}")


@contextmanager
def watched(browser: Browser, base: str, **options: Any) -> Iterator[Page]:
    """A page of a context of its own, whose faults fail the test."""
    context = browser.new_context(base_url=base, **options)
    context.set_default_timeout(30_000)
    watch = Watch(context, urlsplit(base).netloc)
    try:
        yield context.new_page()
        assert watch.faults == []
    finally:
        context.close()
