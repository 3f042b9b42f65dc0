"""SEMANTICS, Inputs 1 to 4: what is a poll, and what is said of a row that is none."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from storewatch.domain.clock import MINUTE, SECOND, to_us
from storewatch.domain.polls import read_polls

NOW = to_us(datetime(2023, 2, 1, tzinfo=UTC))
NOON = "2023-01-22 12:00:00"


def one(
    store_id: str | None = "1",
    status: str | None = "active",
    time: str | None = NOON,
    reason: str | None = None,
    now: int | None = NOW,
) -> tuple[str, datetime, bool, str | None] | str:
    """The poll that a row is, or why it is none."""
    rows = pl.DataFrame(
        {
            "line": [2],
            "store_id": [store_id],
            "status": [status],
            "timestamp_utc": [time],
            "reason": [reason],
        },
        {"line": pl.Int64} | dict.fromkeys(("store_id", "status", "timestamp_utc", "reason"), pl.String),
    )
    read = read_polls(rows, now)
    assert len(read.good) + len(read.bad) == 1
    if len(read.bad):
        return str(read.bad["reason"][0])
    _, store, at, active, why = read.good.select("line", "store_id", "at", "active", "reason").row(0)
    return store, datetime.fromtimestamp(at // SECOND, UTC).replace(microsecond=at % SECOND), active, why


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2023-01-22 12:09:39", "12:09:39"),
        ("2023-01-22 12:09:39.388884 UTC", "12:09:39.388884"),
        ("2023-01-22 12:09:39.5 UTC", "12:09:39.500000"),
        ("2023-01-22 12:09:39.05", "12:09:39.050000"),
        ("2023-01-22 12:09:39.000001Z", "12:09:39.000001"),
        ("2023-01-22 12:09:39 UTC", "12:09:39"),
        ("2023-01-22T12:09:39Z", "12:09:39"),
        ("2023-01-22T12:09:39.25+00:00", "12:09:39.250000"),
        ("2023-01-22 12:09:39+00:00", "12:09:39"),
        ("2023-01-22 14:09:39+02:00", "12:09:39"),
        ("2023-01-22 17:39:39.123456+05:30", "12:09:39.123456"),
        ("2023-01-22 06:09:39-0600", "12:09:39"),
        ("2023-01-22 13:09:39+01", "12:09:39"),
        ("2023-01-23T01:54:39.5+13:45", "12:09:39.500000"),
        ("  2023-01-22 12:09:39 UTC\t", "12:09:39"),
    ],
)
def test_a_time_is_read_in_each_of_its_forms(text: str, utc: str) -> None:
    poll = one(time=text)
    assert isinstance(poll, tuple), poll
    assert poll[1] == datetime.fromisoformat(f"2023-01-22T{utc}+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29 12:00:00",
        "2023-13-01 00:00:00",
        "2023-01-22",
        "2023-01-22 24:00:00",
        "22/01/2023 12:00",
        "2016-12-31 23:59:60",
        "2023-01-22 12:60:00",
        "2023-01-22 12:00",
        "1674388800",
        "soon",
        "2023-1-2 1:2:3",
        "2023-01-22 12:00:00.1234567",
        "2023-01-22 12:00:00.",
        "2023-01-22 12:00:00 CET",
        "20230122T120000Z",
        "2023-01-22 12:00:00+25:00",
        "2023-01-22 12:00:00+01:60",
        "٢٠٢٣-01-22 12:00:00",
        "2023-01-22  12:00:00",
    ],
)
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    assert one(time=text) == f"timestamp_utc '{text}' is not a time like 2023-01-22 12:09:39 UTC"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2000-01-01 00:00:00", True),
        ("1999-12-31 23:59:59.999999", False),
        ("1999-12-31 23:30:00-01:00", True),
        ("2000-01-01 00:30:00+01:00", False),
        ("0000-01-01 00:00:00", False),
    ],
)
def test_no_poll_is_older_than_the_year_2000_in_utc(text: str, taken: bool) -> None:
    if taken:
        assert isinstance(one(time=text), tuple)
    else:
        assert one(time=text) == f"timestamp_utc '{text}' is before the year 2000"


@pytest.mark.parametrize(
    ("text", "taken"),
    [("00:10:00", True), ("00:10:00.000001", False), ("00:09:59", True), ("01:10:00+01:00", True)],
)
def test_a_poll_may_be_ten_minutes_ahead_of_our_clock(text: str, taken: bool) -> None:
    row = f"2023-02-01 {text}"
    if taken:
        assert isinstance(one(time=row), tuple)
    else:
        assert one(time=row) == (
            f"timestamp_utc '{row}' is in the future: is it local time, or is a clock wrong?"
        )
        assert isinstance(one(time=row, now=None), tuple)
    assert isinstance(one(time=row, now=NOW + MINUTE), tuple)


@pytest.mark.parametrize(
    ("raw", "store_id"),
    [
        ("2399010391619681286", "2399010391619681286"),
        ("  42\t", "42"),
        ("\u00a042\u3000", "42"),
        ("007", "007"),
        ("-1", "-1"),
        ("1e5", "1e5"),
        ("b2d1e8d0-2f3c-4d5e-8f90-a1b2c3d4e5f6", "b2d1e8d0-2f3c-4d5e-8f90-a1b2c3d4e5f6"),
        ("Café No. 1", "Café No. 1"),
        ("Cafe\u0301", "Cafe\u0301"),
        ("=1+1", "=1+1"),
        ("متجر", "متجر"),
        ("é" * 200, "é" * 200),
    ],
)
def test_an_id_is_text_and_only_trimmed(raw: str, store_id: str) -> None:
    poll = one(store_id=raw)
    assert isinstance(poll, tuple), poll
    assert poll[0] == store_id


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (None, "no store_id"),
        ("", "no store_id"),
        (" \u00a0", "no store_id"),
        ("x" * 300, "store_id has 300 characters; at most 200 are allowed"),
        ("é" * 201, "store_id has 201 characters; at most 200 are allowed"),
        *(
            (text, f"store_id '{text}' was damaged by a spreadsheet; export the column as text")
            for text in ("2.57E+14", "2,57E+14", "2.57e14", "2E+14", "1.5E-05")
        ),
        *(
            (f"4{character}2", "store_id has characters that cannot be printed")
            for character in "\u200b\u200f\u202e\u00a0\ufeff\x07\0\ue000"
        ),
        ("\u200b42", "store_id has characters that cannot be printed"),
    ],
)
def test_an_id_that_cannot_be_used_is_told_why(raw: str | None, reason: str) -> None:
    assert one(store_id=raw) == reason


@pytest.mark.parametrize("word", ["Active", "open", "1", "true", "activ"])
def test_a_status_is_active_or_inactive(word: str) -> None:
    assert one(status=word) == f"status '{word}' is neither 'active' nor 'inactive'"


def test_a_missing_cell_is_named() -> None:
    assert one(status=None) == "no status: the cell is empty or the row has too few fields"
    assert one(time=" ") == "no timestamp_utc: the cell is empty or the row has too few fields"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [(None, None), ("", None), ("  ", None), (" HTTP 500 ", "HTTP 500"), ("é" * 200, "é" * 200)],
)
def test_a_reason_is_trimmed_and_kept(raw: str | None, kept: str | None) -> None:
    poll = one(reason=raw, status=" inactive ")
    assert isinstance(poll, tuple), poll
    assert poll[2:] == (False, kept)


def test_a_reason_of_more_than_200_characters_rejects_its_row() -> None:
    assert one(reason="x" * 201) == "reason has 201 characters; at most 200 are allowed"


def test_rows_come_out_once_each_in_order_of_line() -> None:
    rows = pl.DataFrame(
        {
            "line": [2, 3, 4, 5],
            "store_id": ["a ", "b", "", "a"],
            "status": ["active", "inactive ", "active", "no"],
            "timestamp_utc": [NOON] * 4,
            "reason": pl.Series([None] * 4, dtype=pl.String),
        }
    )
    read = read_polls(rows, NOW)
    assert read.good.select("line", "store_id", "active").rows() == [(2, "a", True), (3, "b", False)]
    assert read.bad["line"].to_list() == [4, 5]


def test_no_rows_are_no_polls() -> None:
    empty = pl.DataFrame(
        schema={"line": pl.Int64}
        | dict.fromkeys(("store_id", "status", "timestamp_utc", "reason"), pl.String)
    )
    read = read_polls(empty, NOW)
    assert (len(read.good), len(read.bad)) == (0, 0)
