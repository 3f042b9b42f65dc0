"""Times as text, many at once: those that look alike are read together, and it must not show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import pytest

from storewatch.domain.clock import to_us
from storewatch.domain.instants import instants

ALIKE = ["2023-01-22 12:09:39.388884 UTC", "2024-02-29 23:59:59.000001 UTC", "1999-12-31 00:00:00.999999 UTC"]


def read(texts: Sequence[str | None]) -> list[int | None]:
    return instants(pl.Series(texts, dtype=pl.String)).to_list()


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("cut", "end"),
    [
        (26, " UTC"),
        (26, "Z"),
        (26, ""),
        (25, " UTC"),
        (24, "Z"),
        (21, " UTC"),
        (19, " UTC"),
        (19, "Z"),
        (19, ""),
    ],
)
@pytest.mark.parametrize("separator", [" ", "T"])
def test_times_of_one_form_are_read(cut: int, end: str, separator: str) -> None:
    texts = [text[:cut].replace(" ", separator) + end for text in ALIKE]
    assert read(texts) == [us(text[:cut]) for text in ALIKE]


def test_more_times_than_are_looked_at_together_are_read() -> None:
    texts = [
        f"2023-{1 + i % 12:02}-{1 + i % 28:02} {i % 24:02}:{i % 60:02}:07.{i:06} UTC" for i in range(40_000)
    ]
    assert read(texts) == [us(text[:26]) for text in texts]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "",
        "soon",
        "2023-02-30 12:09:39.388884 UTC",
        "2023-02-00 12:09:39.388884 UTC",
        "2023-00-22 12:09:39.388884 UTC",
        "2023-13-22 12:09:39.388884 UTC",
        "2023-01-22 24:09:39.388884 UTC",
        "2023-01-22 12:60:39.388884 UTC",
        "2023-01-22 12:09:60.388884 UTC",
        "2023-01-22 12:09:39.38888a UTC",
        "2023-01-22 12:09:39.38888: UTC",
        "2023-01-22 12:09:39.38888/ UTC",
        "2023-01-22 12:09:39.388884 UTD",
        "2023-01-22 12-09:39.388884 UTC",
        "2023-01-22 12:09:39 388884 UTC",
        "+023-01-22 12:09:39.388884 UTC",
        "é023-01-22 12:09:39.38888 UTC",
    ],
)
def test_what_is_no_time_among_times_is_found(odd: str | None) -> None:
    expected = [us(text[:26]) for text in ALIKE]
    assert read([*ALIKE, odd]) == [*expected, None]
    assert read([odd, *ALIKE]) == [None, *expected]


def test_times_of_several_forms_are_read_together() -> None:
    texts = [*ALIKE, "2023-01-22T12:09:39Z", "2023-01-22 12:09:39", "2023-01-22 14:09:39+02:00"] * 20
    noon = us("2023-01-22 12:09:39")
    assert read(texts) == [*(us(text[:26]) for text in ALIKE), noon, noon, noon] * 20


def test_no_times_are_no_times() -> None:
    assert read([]) == []
    assert read([None, None]) == [None, None]
