"""Where stretches of time lie in a picture with a lane a day."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.clock import DAY, HOUR, MINUTE, parse_instant
from storewatch.domain.lanes import Bar, Clock, Pass
from storewatch.domain.windows import wall_clock
from tests.domain.arrays import int64

ONLY, FIRST, SECOND = Pass
ZONES = (
    *("America/New_York", "America/Santiago", "America/Havana", "Asia/Beirut", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca", "Asia/Tokyo"),
)


def us(text: str) -> int:
    at = parse_instant(text)
    assert at is not None
    return at


def drawn(zone: str, start: str, end: str) -> list[tuple[str, float, float, Pass]]:
    """(date, left and right in hours, which pass)"""
    first, last = us(start), us(end)
    return [
        (str(date(1970, 1, 1).fromordinal(719_163 + bar.day)), bar.left / HOUR, bar.right / HOUR, bar.which)
        for bar in Clock(zone, first, last).bars(first, last)
    ]


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [
        (
            "America/Chicago",  # over midnight
            "2023-01-24 03:00",
            "2023-01-24 08:30",
            [("2023-01-23", 21, 24, ONLY), ("2023-01-24", 0, 2.5, ONLY)],
        ),
        (
            "America/New_York",  # from 2:00 to 3:00 there was nothing
            "2023-03-12 06:00",
            "2023-03-12 08:00",
            [("2023-03-12", 1, 2, ONLY), ("2023-03-12", 3, 4, ONLY)],
        ),
        (
            "America/New_York",  # from 1:00 to 2:00 twice
            "2023-11-05 04:00",
            "2023-11-05 08:00",
            [
                ("2023-11-05", 0, 1, ONLY),
                ("2023-11-05", 1, 2, FIRST),
                ("2023-11-05", 1, 2, SECOND),
                ("2023-11-05", 2, 3, ONLY),
            ],
        ),
        (
            "Australia/Lord_Howe",  # half an hour twice, from 1:30 to 2:00
            "2023-04-01 14:00",
            "2023-04-01 16:00",
            [
                ("2023-04-02", 1, 1.5, ONLY),
                ("2023-04-02", 1.5, 2, FIRST),
                ("2023-04-02", 1.5, 2, SECOND),
                ("2023-04-02", 2, 2.5, ONLY),
            ],
        ),
        (
            "Asia/Beirut",  # from 23:00 to 24:00 twice
            "2023-10-28 20:00",
            "2023-10-28 23:00",
            [
                ("2023-10-28", 23, 24, FIRST),
                ("2023-10-28", 23, 24, SECOND),
                ("2023-10-29", 0, 1, ONLY),
            ],
        ),
        (
            "America/Santiago",  # from 0:00 to 1:00 there was nothing
            "2023-09-03 03:00",
            "2023-09-03 05:00",
            [("2023-09-02", 23, 24, ONLY), ("2023-09-03", 1, 2, ONLY)],
        ),
    ],
)
def test_bars_lie_where_the_clocks_show_them(
    zone: str, start: str, end: str, expected: list[tuple[str, float, float, Pass]]
) -> None:
    assert drawn(zone, start, end) == expected


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/New_York", "2023-03-12", [(2, 3)]),
        ("Australia/Lord_Howe", "2023-10-01", [(2, 2.5)]),
        ("America/Santiago", "2023-09-03", [(0, 1)]),
        ("America/New_York", "2023-11-05", []),
    ],
)
def test_what_the_clocks_skip_is_told(zone: str, day: str, expected: list[tuple[float, float]]) -> None:
    noon = us(f"{day} 12:00")
    number = (date.fromisoformat(day) - date(1970, 1, 1)).days
    found = Clock(zone, noon - DAY, noon + DAY).skipped()
    assert [(s.left / HOUR, s.right / HOUR) for s in found if s.day == number] == expected


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(us("2023-01-01 00:00") // MINUTE, us("2024-01-01 00:00") // MINUTE),
    length=st.integers(1, 4 * 24 * 60),
)
def test_bars_add_up_to_the_stretch_and_show_its_wall_clock(zone: str, start: int, length: int) -> None:
    first, last = start * MINUTE, (start + length) * MINUTE
    bars = list(Clock(zone, first, last).bars(first, last))
    assert [bar.start for bar in bars] == [first, *(bar.end for bar in bars[:-1])]
    assert bars[-1].end == last
    for bar in bars:
        shown = int(wall_clock(int64([bar.start]), zone)[0])
        assert (bar.day * DAY + bar.left, bar.right - bar.left) == (shown, bar.end - bar.start)
        assert 0 <= bar.left < bar.right <= DAY
    assert not any(overlapping(bars, which) for which in Pass)


def overlapping(bars: list[Bar], which: Pass) -> bool:
    own = sorted((bar.day, bar.left, bar.right) for bar in bars if bar.which is which)
    pairs = pairwise(own)
    return any(one[0] == other[0] and other[1] < one[2] for one, other in pairs)
