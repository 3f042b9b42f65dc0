"""What the soak judges by: memory that is flat, and a picture that shows what was measured."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from bench.soak import feed
from bench.soak.picture import Curve, Panel, svg
from bench.soak.sample import Sample, growth
from storewatch.domain.clock import DAY, HOUR

END = 19_400 * DAY + 5 * HOUR


def samples(*memory_mb: float) -> list[Sample]:
    return [Sample(float(at), {"web": memory}, None, None, 0) for at, memory in enumerate(memory_mb)]


@pytest.mark.parametrize(
    ("memory", "flat"),
    [
        ((50, 50, 100, 100, 100, 100, 100, 100), True),
        ((50, 50, 100, 100, 100, 100, 119, 119), True),
        ((50, 50, 100, 100, 100, 100, 121, 121), False),
        ((200, 200, 100, 100, 100, 100, 500, 90), False),
        ((50, 50, 100, 100, 999, 999, 90, 90), True),
    ],
)
def test_memory_is_flat_if_it_is_much_the_same_in_the_last_quarter(memory: list[float], flat: bool) -> None:
    assert growth(samples(*memory), "web").flat is flat


def test_the_picture_is_whole_and_ends_where_the_values_do() -> None:
    curves = [Curve("a < b", [(0.0, 0.0), (12.0, None), (24.0, 50.0)]), Curve("c", [(0.0, 100.0)])]
    picture = Xml.fromstring(svg("Three & more", [Panel("Memory, MB", curves)], 24.0))  # noqa: S314 - ours
    space = "{http://www.w3.org/2000/svg}"
    paths = [path.attrib["d"] for path in picture.iter(f"{space}path")]
    words = [text.text for text in picture.iter(f"{space}text")]
    assert paths == ["M64.0 204.0M750.0 119.0", "M64.0 34.0"]
    assert {"Memory, MB", "a < b", "c", "0", "50", "100", "24 h"} <= set(words)


def test_the_day_has_each_poll_once_in_its_hour(tmp_path: Path) -> None:
    fleet = feed.make(tmp_path, 40, END)
    rows = [line for hour in fleet.hours for line in hour.decode().splitlines()[1:]]
    before = fleet.before.read_text().splitlines()[1:]
    assert len(fleet.hours) == feed.HOURS
    assert sorted(rows + before) == sorted(fleet.files.store_status.read_text().splitlines()[1:])
    assert len(before) > 6 * len(rows) > 0
    for number, hour in enumerate(fleet.hours):
        wanted = (END - DAY + number * HOUR) // HOUR % 24
        assert all(f" {wanted:02}:" in line for line in hour.decode().splitlines()[1:])
