"""How pages say instants and lengths."""

from __future__ import annotations

import pytest

from storewatch.domain.clock import DAY, HOUR, MINUTE, SECOND, parse_instant
from storewatch.web import times


def us(text: str) -> int:
    at = parse_instant(text)
    assert at is not None
    return at


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2023-03-06 17:00", "2023-03-06 21:49", "Mon 6 Mar, 11:00 to 15:49 CST"),
        ("2023-03-06 17:00", "2023-03-06 21:49:30", "Mon 6 Mar, 11:00 to 15:49:30 CST"),
        ("2023-03-07 04:00", "2023-03-07 07:00", "Mon 6 Mar, 22:00 to Tue 7 Mar, 01:00 CST"),
        ("2023-03-12 07:00", "2023-03-12 09:00", "Sun 12 Mar, 01:00 CST to 04:00 CDT"),
    ],
)
def test_a_stretch_is_said_on_the_clock_of_the_store(start: str, end: str, told: str) -> None:
    assert times.span(us(start), us(end), "America/Chicago") == told


@pytest.mark.parametrize(
    ("time", "told", "added"),
    [
        (0, "0 min", "0:00:00"),
        (1, "1 s", "0:00:00.000001"),
        (59 * SECOND, "59 s", "0:00:59"),
        (5 * MINUTE, "5 min", "0:05:00"),
        (HOUR, "1 h", "1:00:00"),
        (3 * HOUR + 9 * MINUTE + 59 * SECOND, "3 h 9 min", "3:09:59"),
        (1500 * HOUR, "1,500 h", "1,500:00:00"),
    ],
)
def test_lengths(time: int, told: str, added: str) -> None:
    assert (times.length(time), times.added(time)) == (told, added)


def test_a_place_on_a_lane_is_exact_to_a_pixel_of_any_screen() -> None:
    for place in range(0, DAY, 7 * MINUTE + 1):
        told = float(times.per_cent_of_day(place).removesuffix("%"))
        assert abs(told / 100 - place / DAY) * 10_000 < 0.01
    assert (times.per_cent_of_day(DAY), times.per_cent_of_day(11 * HOUR)) == ("100%", "45.8333%")
