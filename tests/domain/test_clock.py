"""Instants and lengths of time as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewatch.domain.clock import (
    EARLIEST,
    from_us,
    iso,
    parse_duration,
    parse_instant,
    to_us,
)
from tests.oracle import DAY, HOUR, MINUTE, SECOND, utc

AS_OF = 1_674_670_402_479_220  # 2023-01-25 18:13:22.47922 UTC


@pytest.mark.parametrize(
    "text",
    [
        "2023-01-25 18:13:22.47922 UTC",
        "2023-01-25T18:13:22.47922Z",
        "2023-01-25T18:13:22.479220",
        "2023-01-25 18:13:22.479220+00:00",
        "2023-01-25 12:13:22.479220-06:00",
        "2023-01-26 00:58:22.47922+06:45",
        "  2023-01-25T18:13:22.47922Z\n",
    ],
)
def test_an_instant_is_read_in_every_spelling(text: str) -> None:
    assert parse_instant(text) == AS_OF


@pytest.mark.parametrize("text", ["", "now", "2023-13-01", "2023-01-25 25:00", "12:00", "1674670402", "UTC"])
def test_what_is_no_instant_is_none(text: str) -> None:
    assert parse_instant(text) is None


def test_a_date_alone_is_its_midnight_in_utc() -> None:
    assert parse_instant("2023-01-25") == utc("2023-01-25 00:00")


@given(
    text=st.text(max_size=30) | st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-9]{2}[+-]23:59")
)
def test_no_text_makes_reading_an_instant_fail(text: str) -> None:
    assert isinstance(parse_instant(text), int | None)


@pytest.mark.parametrize(
    ("at_us", "text"),
    [
        (AS_OF, "2023-01-25T18:13:22.479220Z"),
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-SECOND, "1969-12-31T23:59:59Z"),
        (EARLIEST, "2000-01-01T00:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_a_fraction_if_it_has_one(at_us: int, text: str) -> None:
    assert iso(at_us) == text


@given(at_us=st.integers(-(10**15), 10**17))
def test_an_instant_stays_the_same_through_text_and_datetime(at_us: int) -> None:
    assert parse_instant(iso(at_us)) == at_us
    assert to_us(from_us(at_us)) == at_us


def test_a_datetime_of_any_offset_is_its_instant() -> None:
    moment = datetime(2023, 1, 25, 12, 13, 22, 479220, timezone(timedelta(hours=-6)))
    assert to_us(moment) == AS_OF
    assert from_us(AS_OF) == moment
    assert from_us(AS_OF).tzinfo == UTC


@pytest.mark.parametrize(
    ("text", "length_us"),
    [
        ("45m", 45 * MINUTE),
        ("3h", 3 * HOUR),
        ("1h30m", 90 * MINUTE),
        ("2d", 2 * DAY),
        ("90s", 90 * SECOND),
        ("1d2h3m4s", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND),
        ("0s", 0),
        (" 24h ", DAY),
    ],
)
def test_a_duration_is_read(text: str, length_us: int) -> None:
    assert parse_duration(text) == length_us


@pytest.mark.parametrize(
    "text", ["", " ", "3", "h", "1.5h", "-1h", "30m1h", "1h 30m", "3H", "1w", "1000000d", "\u0663h", "1h\n2m"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None
