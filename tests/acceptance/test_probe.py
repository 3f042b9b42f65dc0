"""The probe as people run it: by `serve` and alone; killed at any instant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storewatch.storage.db import Database
from tests import storefronts
from tests.acceptance.conftest import PATIENCE, serving
from tests.outbound.storefront import Page, storefront

pytestmark = pytest.mark.slow

ALLOWED = {"STOREWATCH_PROBE_NETWORKS": "127.0.0.0/8"}


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def probing(environment: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "probe.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "storewatch", "probe"], env=os.environ | environment | ALLOWED, stderr=log
        )


def test_serve_looks_at_storefronts_as_soon_as_there_is_one(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    with storefront() as shop, serving(environment | ALLOWED, tmp_path) as service:
        shop.pages["/"] = Page(body=b"Order now")
        storefronts.add(database, "corner-cafe", f"{shop.url}/", says="order now")
        service.child("probe")
        until(lambda: bool(storefronts.polls(database)))
    assert storefronts.polls(database)[0] == ("corner-cafe", True, None)
    assert shop.came[0][1]["User-Agent"].startswith("storewatch-probe/")


def test_killed_again_and_again_it_loses_no_poll_that_was_kept_and_takes_its_place_again(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    with storefront() as shop:
        for number in range(30):
            storefronts.add(database, str(number), f"{shop.url}/{number}")
        kept: list[tuple[str, bool, str | None]] = []
        for pause in (0.0, 0.7, 1.3):
            process, before = probing(environment, tmp_path), len(kept)
            until(lambda: len(storefronts.polls(database)) > before)  # noqa: B023 - used in this round
            time.sleep(pause)
            process.kill()
            process.wait()
            found = storefronts.polls(database)
            assert found[: len(kept)] == kept
            kept = found


def test_told_to_stop_it_writes_what_it_saw(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    with storefront() as shop:
        storefronts.add(database, "1", f"{shop.url}/")
        process = probing(environment, tmp_path)
        until(lambda: bool(shop.came))
        time.sleep(0.4)  # it is answered, and may be written or not
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert storefronts.polls(database)[0] == ("1", True, None)
