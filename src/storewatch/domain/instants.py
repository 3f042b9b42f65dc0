"""Times as text -> microseconds UTC. Rules: SEMANTICS, Inputs 2.

The times of a file have one form as a rule, but for the length of their fractions. So those of one length
are taken together: if all look like the first of them, their digits are read by their place.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from storewatch.domain.axis import Int64
from storewatch.domain.clock import DAY, HOUR, MINUTE, SECOND

_DAY_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_UTC = rf"^{_DAY_TIME}(?:\.[0-9]{{1,6}})?(?: UTC|Z)?$"
_OFFSET = rf"^{_DAY_TIME}(?:\.[0-9]{{1,6}})? ?[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?$"
_HIGHEST = "9999-19-39 29:59:59"
_LONGEST = len("2023-01-22 12:09:39.388884 UTC")
_NO_TIME = -(1 << 63)
_WORTH_IT = 16
"""A length that fewer than one in so many texts have is not looked at by itself."""
_AT_ONCE = 1 << 14
"""So many texts fit the processor's cache."""


def instants(text: pl.Series) -> pl.Series:
    """int64 microseconds of UTC times as text; null where the text is none."""
    length = np.minimum(text.fill_null("").str.len_bytes().to_numpy(), _LONGEST + 1)
    at = np.empty(len(text), np.int64)
    left = np.ones(len(text), np.bool_)
    for size in np.flatnonzero(np.bincount(length) * _WORTH_IT > len(text)):
        rows = length == size
        alike = _alike(text.filter(pl.Series(rows)))
        if alike is not None:
            at[rows] = alike
            left &= ~rows
    if not left.any():
        return pl.Series(at)
    at[left] = _one_by_one(text.filter(pl.Series(left))).fill_null(_NO_TIME)
    return pl.select(pl.lit(pl.Series(at)).replace(_NO_TIME, None)).to_series()


def _alike(text: pl.Series) -> Int64 | None:
    """UTC times of one length; None if one is no time, or does not look like the first."""
    first = text[0] or ""
    if not re.fullmatch(_UTC, first):
        return None
    at_once = min(len(text), _AT_ONCE)
    low = np.tile(_codes(re.sub("[0-9]", "0", first)), at_once)
    span = np.tile(_codes(_HIGHEST + re.sub("[0-9]", "9", first[len(_HIGHEST) :])), at_once) - low
    places = len(first.rstrip(" UTCZ"))
    found = []
    for start in range(0, len(text), at_once):
        codes = _codes(text[start : start + at_once].str.join("").item())
        digits = codes - low[: len(codes)]
        if (digits > span[: len(codes)]).any():  # without a sign: what is below `low` comes out highest
            return None
        at = _by_place(digits.reshape(-1, len(first)).T[:places].copy())
        if at is None:
            return None
        found.append(at)
    return np.concatenate(found)


def _codes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _by_place(digits: NDArray[np.uint8]) -> Int64 | None:
    """Times from digits, [places, times], with 0 for a separator; None if one is not in the calendar."""
    month, hour = _number(digits[5:7]), _number(digits[11:13])
    months = (_number(digits[:4]) - 1970) * 12 + month - 1
    first = months.min()
    starts = np.arange(first, months.max() + 2).astype("M8[M]").astype("M8[D]").astype(np.int32)
    start, end = starts[months - first], starts[months - first + 1]
    day = start + _number(digits[8:10]) - 1
    fine = (start <= day) & (day < end) & (month >= 1) & (month <= 12) & (hour <= 23)
    if not fine.all():
        return None
    seconds = (hour * 60 + _number(digits[14:16])) * 60 + _number(digits[17:19])
    fraction = _number(digits[20:]) * 10 ** (6 - len(digits[20:]))
    at: Int64 = day * np.int64(DAY) + seconds * np.int64(SECOND) + fraction
    return at


def _number(digits: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Digits, [places, numbers], as numbers; 0 if there is no place."""
    number = np.zeros(digits.shape[1], np.int32)
    for place in digits:
        number *= 10
        number += place
    return number


def _one_by_one(text: pl.Series) -> pl.Series:
    """The same for texts of any form, each looked at by itself."""
    at = pl.DataFrame({"text": text}).select(_utc()).to_series()
    if not at.null_count():
        return at
    text = text.str.replace("^(.{10})T", "$1 ")
    return pl.DataFrame({"text": text}).select(pl.coalesce(_utc(), _with_offset())).to_series()


def _utc() -> pl.Expr:
    return pl.when(pl.col("text").str.contains(_UTC)).then(_seconds() + _fraction())


def _with_offset() -> pl.Expr:
    at = _seconds() + _fraction() - _offset()
    return pl.when(pl.col("text").str.contains(_OFFSET)).then(at)


def _seconds() -> pl.Expr:
    """Microseconds of the first 19 characters, a date and a time of day."""
    day_time = pl.col("text").str.slice(0, len(_HIGHEST))
    form = "%Y-%m-%d %H:%M:%S"
    return day_time.str.to_datetime(form, strict=False, time_unit="us", cache=False).dt.epoch("us")


def _fraction() -> pl.Expr:
    digits = pl.col("text").str.extract(r"\.([0-9]+)", 1).str.pad_end(6, "0")
    return digits.cast(pl.Int64, strict=False).fill_null(0)


def _offset() -> pl.Expr:
    """Microseconds that a trailing `+05:30`, `-0600` or `+01` is ahead of UTC."""
    tail = pl.col("text").str.extract(r"([+-][0-9]{2}:?[0-9]{0,2})$", 1).str.replace(":", "", literal=True)
    hours = tail.str.slice(1, 2).cast(pl.Int64, strict=False) * HOUR
    minutes = tail.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0) * MINUTE
    return pl.when(tail.str.starts_with("-")).then(-(hours + minutes)).otherwise(hours + minutes)
