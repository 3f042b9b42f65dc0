"""The timeline as the browser lays it out: its pieces are as long as the engine says, to a pixel.

tests/web/test_store_page.py holds the SVG to the engine; here it is what is on the screen.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser

from storewatch.storage.db import Database
from tests.acceptance.conftest import Service, serving
from tests.browser import chromium
from tests.factories import load
from tests.web.test_store_page import LOOKS, polled

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

NEW_YORK = "America/New_York"
DRAWN = """[...document.querySelectorAll("svg.lane a")].map(a => {
    const [box, lane] = [a.querySelector("rect"), a.closest("svg.lane")].map(e => e.getBoundingClientRect());
    const at = new URL(a.href.baseVal, location).searchParams.get("at");
    return {at, look: a.querySelector("rect").classList[0], left: box.left - lane.left, width: box.width,
            lane: lane.width};
})"""
"""Of each piece, in pixels of the screen."""

Run = tuple[datetime, datetime, str]


def runs(service: Service, first_day: str) -> list[Run]:
    """(start, end, look) of the segments by the API, those that touch and look alike made one."""
    start = datetime.fromisoformat(f"{first_day}T00:00").replace(tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)
    path = f"/api/v1/timeline/1?start={start:%Y-%m-%dT%H:%M:%SZ}&limit=1000"
    found: list[Run] = []
    for item in service.get(path)["items"]:
        low, high = (datetime.fromisoformat(item[name]) for name in ("start", "end"))
        look = LOOKS.get((item["state"], item["seen"]), "blank")
        if found and found[-1][1:] == (low, look):
            low = found.pop()[0]
        found.append((low, high, look))
    return found


def place(at: datetime) -> float:
    """Of an instant: which part of its day the clock of New York has gone."""
    local = at.astimezone(ZoneInfo(NEW_YORK))
    return (local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6) / 86_400


@pytest.mark.parametrize(("day", "before", "said"), [
    ("2023-03-12", "2023-03-11", "23 h day"),
    ("2023-11-05", "2023-11-04", "25 h day"),
])  # fmt: skip
def test_what_is_seen_is_as_long_as_the_engine_says(
    browser: Browser,
    environment: dict[str, str],
    database: Database,
    tmp_path: Path,
    day: str,
    before: str,
    said: str,
) -> None:
    load(database, *polled(NEW_YORK, day))
    with serving(environment, tmp_path) as service:
        base, told = f"http://127.0.0.1:{service.port}", runs(service, before)
        with chromium.watched(browser, base) as page:
            page.goto(f"/stores/1?from={before}&to=2023-12-31")
            assert page.get_by_text(said).count() == 1
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 900})
                agree(page.evaluate(DRAWN), told)


def agree(pieces: list[dict[str, Any]], told: list[Run]) -> None:
    """Each run is drawn, in one piece or, at midnight and where clocks change, in several."""
    assert {"up", "line-up", "down", "line-down"} <= {piece["look"] for piece in pieces}
    held: list[list[dict[str, Any]]] = [[] for _ in told]
    for piece in pieces:
        at = datetime.fromisoformat(piece["at"])
        held[next(n for n, (low, high, _) in enumerate(told) if low <= at < high)].append(piece)
    for (low, high, look), parts in zip(told, held, strict=True):
        lane = parts[0]["lane"]
        assert {part["look"] for part in parts} == {look}
        assert parts[0]["left"] == pytest.approx(place(low) * lane, abs=1)
        seconds = (high - low).total_seconds()
        assert sum(part["width"] for part in parts) == pytest.approx(seconds / 86_400 * lane, abs=1)
